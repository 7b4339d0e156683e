package ticket

import "github.com/carnet-network/carnet/pkg/functional"

// across writes a functional across keys. Its degree is 2, and the number of blocks is
// that of its files.
func (w *writer) across(f *functional.Functional) {
	w.num(uint64(len(f.Keys)))
	for i := range f.Keys {
		w.key(f.Keys[i].Key)
	}
	w.num(uint64(len(f.Cross)))
	for i := range f.Cross {
		t := &f.Cross[i]
		w.flag(t.Weight != 1)
		for _, side := range []*functional.CrossFactor{&t.Left, &t.Right} {
			w.key(side.Key)
			w.file(side.File, t.Blocks)
			w.columns(side.Factor.Plus)
			w.columns(side.Factor.Minus)
		}
	}
}

func (r *reader) across() *functional.Functional {
	f := &functional.Functional{Degree: 2}
	for range r.count(1, functional.MaxCrossKeys) {
		f.Keys = append(f.Keys, functional.KeyTerms{Key: r.key()})
	}
	for range r.count(9, functional.MaxCrossTerms) {
		t := functional.Cross{Weight: 1}
		if r.flag() {
			t.Weight = -2
		}
		for i, side := range []*functional.CrossFactor{&t.Left, &t.Right} {
			side.Key = r.key()
			var blocks uint32
			side.File, blocks = r.file()
			if i > 0 && blocks != t.Blocks {
				r.fail("files of different length are multiplied")
			}
			t.Blocks = blocks
			side.Factor = functional.Factor{Plus: r.columns(), Minus: r.columns()}
		}
		f.Cross = append(f.Cross, t)
	}
	if len(f.Cross) == 0 {
		r.fail("nothing is multiplied across keys")
	}
	return f
}
