package main

import (
	"github.com/carnet-network/carnet/internal/command"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/client"
)

// listQueries names the commands that list what findQuery finds.
const listQueries = "carnet queries (carnet inbox: what waits for you)"

// checkQuery refuses what is no id before anything else is done.
func checkQuery(text string) error { return command.CheckID("query", text, listQueries) }

// findQuery reads the id of a query, or the beginning of one that this party asked, may see or
// is to approve. The gateway lists these; see command.Find for what that means.
func (a *app) findQuery(cl *client.Client, text string) (carnet.Hash, error) {
	return command.Find("query", text, listQueries, func() ([]command.Candidate[carnet.Hash], error) {
		asked, err := cl.Queries(a.ctx)
		if err != nil {
			return nil, err
		}
		waiting, err := cl.Inbox(a.ctx)
		if err != nil && carnet.KindOf(err) != carnet.Forbidden {
			return nil, err
		}
		var out []command.Candidate[carnet.Hash]
		for _, s := range append(asked, waiting...) {
			about := s.Query.Created.UTC().Format("2006-01-02 15:04") + " by " + string(s.Query.Buyer) + ": " + oneLine(s.Query.SQL)
			out = append(out, command.Candidate[carnet.Hash]{ID: s.ID, About: about})
		}
		return out, nil
	})
}

// findKey reads the identifier of a dataset key, or the beginning of one under which somebody
// published, by the gateway's word.
func (a *app) findKey(cl *client.Client, text string) (carnet.KeyID, error) {
	return command.Find("dataset key", text, "carnet datasets --json", func() ([]command.Candidate[carnet.KeyID], error) {
		list, err := cl.Datasets(a.ctx, "", "")
		if err != nil {
			return nil, err
		}
		var out []command.Candidate[carnet.KeyID]
		for _, d := range list {
			out = append(out, command.Candidate[carnet.KeyID]{ID: d.Manifest.Key, About: "of dataset " + string(d.Manifest.ID)})
		}
		return out, nil
	})
}

// findCommittee returns a committee by its identifier, by its statement's hash, or by the
// beginning of that.
func (a *app) findCommittee(cl *client.Client, text string) (*client.Committee, error) {
	c, err := cl.Committee(a.ctx, text)
	if carnet.KindOf(err) != carnet.NotFound || !command.Abbreviates(text) {
		return c, err
	}
	hash, err := command.Find("committee", text, "carnet committee list", func() ([]command.Candidate[carnet.Hash], error) {
		list, err := cl.Committees(a.ctx)
		if err != nil {
			return nil, err
		}
		var out []command.Candidate[carnet.Hash]
		for _, c := range list {
			out = append(out, command.Candidate[carnet.Hash]{ID: c.Hash, About: string(c.ID)})
		}
		return out, nil
	})
	if err != nil {
		return nil, err
	}
	return cl.Committee(a.ctx, hash.String())
}
