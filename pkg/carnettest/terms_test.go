package carnettest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/client"
	"github.com/carnet-network/carnet/pkg/flow"
)

// anything is a gateway's policy that lets everything through.
type anything struct{}

func (anything) Check(context.Context, flow.PolicyRequest) (flow.Verdict, error) {
	return flow.Verdict{}, nil
}

func (anything) CheckDataset(context.Context, flow.PolicyDataset) (flow.Verdict, error) {
	return flow.Verdict{}, nil
}

// demanding publishes as usual, but kz releases no number over fewer than 3 owners.
func demanding(t *testing.T, n *Network, layout carnet.Layout) []*Dataset {
	return publishTrade(t, n, layout, func(i int, p *Publication) {
		if p.Owner == "kz" {
			terms := OpenTerms()
			terms.MinOwners = 3
			p.Terms = &terms
		}
	})
}

// subtotals are the ways to ask for one owner's share of a union.
var subtotals = []string{
	"SELECT SUM(value) FROM cube WHERE jurisdiction = 'KZ'",
	"SELECT jurisdiction, SUM(value) FROM cube GROUP BY jurisdiction",
	"SELECT COUNT(*) FROM cube WHERE owner IN ('kz', 'uz') AND month = '01'",
	"SELECT owner, chapter, COUNT(*) FROM cube GROUP BY owner, chapter HAVING COUNT(*) > 1000",
}

// Rule: an owner's terms are kept by the gateway, by every keyholder for itself, and
// known to the buyer before asking. A union of three owners is answered; the share of
// the owner that demands three owners in every number is not, in whatever way it is
// asked for.
func TestMinOwners(t *testing.T) {
	t.Parallel()
	n := Start(t, Options{})
	sets := demanding(t, n, carnet.LayoutCube)
	demanding(t, n, carnet.LayoutRecords)
	for layout, sql := range layoutQueries {
		got := n.Ask(t, "buyer", carnet.ProductID(layout), sql)
		require.NotEmpty(t, got.Result.Rows)
	}
	charged := n.Keyholders[0].Charged(t, sets[0].Key.Key)
	c := n.Client(t, "buyer")
	for _, sql := range subtotals {
		assessed, err := c.Assess(Context(t), "cube", sql, Purpose)
		require.NoError(t, err)
		require.NotEmpty(t, assessed.Refusals, sql)
		require.Equal(t, "TOO_FEW_OWNERS", assessed.Refusals[0].Reason)
		_, err = c.Ask(Context(t), n.Identity("buyer"), "cube", sql, Purpose, 0)
		require.Equal(t, "TOO_FEW_OWNERS", carnet.ReasonOf(err), "%s: %v", sql, err)
		require.Equal(t, carnet.Refused, carnet.KindOf(err))
	}
	require.Equal(t, charged, n.Keyholders[0].Charged(t, sets[0].Key.Key), "what the gateway refuses costs nothing")
	// Owners that demand nothing may be asked alone.
	require.Equal(t, [][]string{{"12"}}, Rows(n.Ask(t, "buyer", "cube", "SELECT COUNT(*) FROM cube WHERE jurisdiction = 'UZ'").Result))
}

// Rule: the keyholders do not rely on the gateway's policy. With a gateway that skips
// its own check every keyholder refuses, and the buyer hears who and why. Neither do
// they rely on the buyer: purpose and buyer are judged as well.
func TestMinOwnersWithoutTheGateway(t *testing.T) {
	t.Parallel()
	n := Start(t, Options{Policy: anything{}})
	publishTrade(t, n, carnet.LayoutCube, func(i int, p *Publication) {
		terms := OpenTerms()
		terms.Purposes, terms.Buyers = []string{Purpose}, []carnet.PartyID{"buyer"}
		if p.Owner == "kz" {
			terms.MinOwners = 3
		}
		p.Terms = &terms
	})
	require.NotEmpty(t, n.Ask(t, "buyer", "cube", linearQuery).Result.Rows)
	refused := func(buyer carnet.PartyID, sql, purpose, reason string) {
		t.Helper()
		a, err := n.Client(t, buyer).Ask(Context(t), n.Identity(buyer), "cube", sql, purpose, 0)
		require.NoError(t, err)
		s, err := n.Wait(t, a)
		require.Equal(t, reason, carnet.ReasonOf(err), "%s: %v", sql, err)
		require.Equal(t, client.RefusedBy, s.State)
		require.Zero(t, s.Answers)
		n.refusedBy(t, a.Hash, reason)
	}
	for _, sql := range subtotals {
		refused("buyer", sql, Purpose, "TOO_FEW_OWNERS")
	}
	refused("buyer", linearQuery, "curiosity", "PURPOSE_NOT_ALLOWED")
	refused("second", linearQuery, Purpose, "BUYER_NOT_ALLOWED")
}

// Rule (home veto): a dataset with a home part does not open without that keyholder,
// even if t others answer; with it, it opens, and the answer says so.
func TestHomeVeto(t *testing.T) {
	t.Parallel()
	n := Start(t, Options{Keyholders: 5, Threshold: 3})
	for _, layout := range []carnet.Layout{carnet.LayoutCube, carnet.LayoutRecords} {
		sets := publishTrade(t, n, layout, func(i int, p *Publication) {
			if p.Owner == "kz" {
				p.Home = "kh2"
			}
		})
		product := carnet.ProductID(layout)
		n.Product(t, "abroad-"+product, sets[1], sets[2])
		sql := layoutQueries[layout]
		home := n.Keyholders[1]
		require.NoError(t, home.Stop(t))

		a := n.Submit(t, "buyer", product, sql)
		_, err := n.Wait(t, a)
		require.NoError(t, err, "enough keyholders answer")
		_, err = n.Open(t, a)
		require.Equal(t, "HOME_MISSING", carnet.ReasonOf(err), "%v", err)
		withoutHome := n.Scalars(t, a).Combine(t)
		// Datasets of other owners open without it, and so does a question that leaves
		// the home dataset out.
		other := n.Ask(t, "buyer", "abroad-"+product, "SELECT COUNT(*), SUM(value) FROM \"abroad-"+string(product)+"\"")
		require.Empty(t, other.Homes)
		abroad := n.Ask(t, "buyer", product, "SELECT COUNT(*), SUM(value) FROM "+string(product)+" WHERE owner <> 'kz'")
		require.Equal(t, Rows(other.Result), Rows(abroad.Result))

		home.Start(t)
		got, err := n.Open(t, a)
		for limit := time.Now().Add(time.Minute); carnet.ReasonOf(err) == "HOME_MISSING" && time.Now().Before(limit); {
			got, err = n.Open(t, a) // it catches up with the journal first
		}
		require.NoError(t, err)
		require.Equal(t, []int{2}, numbers(got.Homes), "the answer is marked")
		require.Equal(t, Rows(Twin(t, a.Plan, PlainOf(sets...))), Rows(got.Result))
		require.Equal(t, withoutHome, n.Scalars(t, a).Combine(t), "its ordinary share fits those of the others")
	}
}
