package history

import (
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/share"
)

// Functionals are what a plan opens, with the hash of the contents of every key, as
// keyholders name them in their answers.
type Functionals struct {
	All      []*functional.Functional // in plan order
	Contents [][]carnet.Hash          // H_D of every key; nil where it takes ciphertext to know
	Complete bool                     // none is missing
}

// FunctionalsOf computes the contents that need no ciphertext: those of sums. Whoever
// executes products sets theirs.
func FunctionalsOf(p *plan.Plan) *Functionals {
	f := &Functionals{All: p.Functionals(), Complete: true}
	f.Contents = make([][]carnet.Hash, len(f.All))
	memo := functional.NewMemo(p.Profile.N())
	for i, x := range f.All {
		if x.Degree > 1 {
			f.Complete = false
			continue
		}
		for k := range x.Keys {
			f.Contents[i] = append(f.Contents[i], memo.LinearHash(&x.Keys[k]))
		}
	}
	return f
}

// Digest is what an answer to the query names the functionals by. All contents have to be
// there.
func (f *Functionals) Digest(p *plan.Plan, q *carnet.Query) carnet.Hash {
	var all []byte
	at := 0
	for i := range p.Openings {
		o := &p.Openings[i]
		fs := o.Functionals()
		hd := f.Contents[at : at+len(fs)]
		at += len(fs)
		var id carnet.Hash
		if p.Private != nil {
			id = share.SelectionID(p.Profile, fs, o.FloodBits, o.Variance, hd, share.SelectionOf(q).Hash())
		} else {
			id = share.FunctionalID(p.Profile, o.F, o.FloodBits, o.Variance, hd[0])
		}
		all = append(all, id[:]...)
	}
	return carnet.Digest("carnet/answers/F/1", all)
}
