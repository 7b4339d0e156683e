package flow

import (
	"context"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// Included is a statement with the proof that it is an entry of the log.
type Included struct {
	Entry      evidence.Entry
	Path       []carnet.Hash
	Checkpoint *evidence.SignedCheckpoint
}

// ProveInclusion proves that the log of a published size has a statement; size 0 is that
// of Checkpoint. The caller gets the salt with it, which opens the leaf, so it has to be
// one who may see the statement; to others it looks absent.
func (g *Gateway) ProveInclusion(ctx context.Context, as *carnet.Party, statement carnet.Hash, size int64) (*Included, error) {
	var out Included
	if err := g.Store.View(ctx, func(tx Tx) error {
		st, err := tx.Statement(statement)
		if err != nil {
			return err
		}
		if err := visible(tx, as, st.Envelope); err != nil {
			return err
		}
		at, err := checkpoint(tx, size, st.Seq)
		if err != nil {
			return err
		}
		out.Checkpoint = at.SignedCheckpoint
		if st.Seq >= at.Size {
			return carnet.E(carnet.Unavailable, "NOT_PUBLISHED", "the log of size %d does not have entry %d", at.Size, st.Seq).
				Fix("ask again in a moment, or for a larger size")
		}
		list, err := tx.Entries(st.Seq, 1)
		if err == nil {
			out.Entry = list[0]
		}
		return err
	}); err != nil {
		return nil, err
	}
	var err error
	out.Path, err = g.Log.Inclusion(ctx, out.Entry.Seq, out.Checkpoint.Size)
	return &out, err
}

// visible refuses statements about queries to parties that may not see the query. All
// others are in the registry or the catalogue, which every party reads.
func visible(tx Tx, as *carnet.Party, env *evidence.Envelope) error {
	about := env.Hash()
	var err error
	switch env.PayloadType {
	case carnet.TypeQuery:
	case carnet.TypeAnswer:
		var a carnet.Answer
		err = env.Decode(env.PayloadType, &a)
		about = a.Query
	case carnet.TypeDecision:
		var d carnet.Decision
		err = env.Decode(env.PayloadType, &d)
		about = d.Query
	case carnet.TypeCheck:
		var c carnet.Check
		err = env.Decode(env.PayloadType, &c)
		about = c.Query
	default:
		return nil
	}
	if err != nil || seesAll(as) {
		return err
	}
	_, err = visibleQuery(tx, as, about)
	return err
}

// ProveConsistency proves that the log of one size begins with that of an older one.
func (g *Gateway) ProveConsistency(ctx context.Context, older, newer int64) ([]carnet.Hash, error) {
	if older < 0 || newer < older {
		return nil, bad("BAD_REQUEST", "the request is malformed").With("older", "want 0 <= older <= newer")
	}
	size, err := g.publishedSize(ctx)
	if err != nil {
		return nil, err
	}
	if newer > size {
		return nil, carnet.E(carnet.NotFound, "NOT_FOUND", "the log has published no state of %d entries", newer)
	}
	if older == 0 || older == newer {
		return nil, nil
	}
	return g.Log.Consistency(ctx, older, newer)
}

// Checkpoint returns what the log tells the public: the newest checkpoint that a quorum
// of some committee co-signed; as long as there is none, the newest one.
func (g *Gateway) Checkpoint(ctx context.Context) (c *evidence.SignedCheckpoint, err error) {
	err = g.Store.View(ctx, func(tx Tx) error {
		p, err := checkpoint(tx, 0, -1)
		c = p.SignedCheckpoint
		return err
	})
	if carnet.KindOf(err) == carnet.NotFound {
		return evidence.SignCheckpoint(g.Origin(), evidence.Tree{}.Checkpoint(), g.keys.last())
	}
	return c, err
}

// checkpoint finds the published checkpoint of a size, or, if size is 0, the newest
// one that has entry seq and the quorum of a committee, or else the newest.
func checkpoint(tx Tx, size, seq int64) (Published, error) {
	if size != 0 {
		return tx.PublishedAt(size)
	}
	list, err := tx.RecentPublished(recentPage)
	if err != nil {
		return Published{}, err
	}
	if len(list) == 0 {
		return Published{}, carnet.E(carnet.NotFound, "NOT_FOUND", "nothing has been published yet")
	}
	committees, err := committeesOf(tx)
	if err != nil {
		return Published{}, err
	}
	for _, p := range list {
		if p.Size <= seq {
			break
		}
		for i := range committees {
			if c := &committees[i].body; signedBy(c, p.Signers) >= c.Quorum {
				return p, nil
			}
		}
	}
	return list[0], nil
}

// listedCommittee is a committee with the hash of its statement.
type listedCommittee struct {
	hash carnet.Hash
	body carnet.Committee
}

// committeesOf lists the committees there are.
func committeesOf(tx Tx) (out []listedCommittee, err error) {
	for after := ""; ; {
		page, err := tx.ListNamed(NamedCommittee, after, journalPage)
		if err != nil || len(page) == 0 {
			return out, err
		}
		for _, n := range page {
			c := listedCommittee{hash: n.Hash}
			if err := n.Envelope.Decode(carnet.TypeCommittee, &c.body); err != nil {
				return nil, err
			}
			out, after = append(out, c), n.ID
		}
	}
}

// signedBy counts the members among the signers; a party signs a checkpoint once.
func signedBy(c *carnet.Committee, signers []carnet.PartyID) (n int) {
	for _, p := range signers {
		if memberNumber(c, p) > 0 {
			n++
		}
	}
	return n
}
