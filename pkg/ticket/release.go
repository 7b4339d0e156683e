package ticket

import (
	"crypto/sha256"
	"math/big"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/share"
)

// ForAnswer is the ticket for the answer to a query: ids are the functional ids of the
// openings. Keyholder and engine make it each from what they derived themselves.
func ForAnswer(epoch uint64, number int, hash carnet.Hash, q *carnet.Query, n int, openings []plan.Opening, ids []carnet.Hash) *Ticket {
	t := newTicket(Answer, epoch, number, hash, q)
	memo := functional.NewMemo(n)
	permits := make([]Permit, len(openings))
	for i := range openings {
		o := &openings[i]
		fs := o.Functionals()
		permits[i] = Permit{F: ids[i], Degree: fs[0].Degree, K: o.FloodBits}
		for _, f := range fs {
			if f.Degree > 1 {
				permits[i].Descriptions = append(permits[i].Descriptions, memo.Digest(f))
			}
		}
		t.Degree = max(t.Degree, uint8(fs[0].Degree))
	}
	t.Count, t.Content = uint32(len(permits)), OpeningsDigest(permits)
	return t
}

// ForCheck is the ticket for the check of a private parameter under the given keys.
func ForCheck(epoch uint64, number int, hash carnet.Hash, q *carnet.Query, keys []carnet.KeyID) *Ticket {
	t := newTicket(Check, epoch, number, hash, q)
	t.Count, t.Content = uint32(len(keys)), KeysDigest(keys)
	return t
}

func newTicket(op Op, epoch uint64, number int, hash carnet.Hash, q *carnet.Query) *Ticket {
	return &Ticket{Op: op, Number: uint8(number), Epoch: epoch, Query: hash, Plan: q.Plan, Recipient: sha256.Sum256(q.Recipient)}
}

// Flood recomputes the flooding width of an opening, and how many releases of a key it
// allows, from the description alone. homes counts the distinct home keyholders of its
// keys, weight is that of a private parameter.
func Flood(p *he.Profile, c share.Committee, homes int, o *plan.Opening, weight int) (k, releaseBits int, err error) {
	if o.F != nil {
		return share.FloodBits(p, c, homes, share.NoiseBound(p, o.F.Degree, share.Terms(o.F)))
	}
	var bounds []*big.Int
	for _, f := range o.Choices {
		bounds = append(bounds, share.NoiseBound(p, f.Degree, share.Terms(f)))
	}
	return share.FloodBits(p, c, homes, share.SelectionBound(weight, bounds))
}
