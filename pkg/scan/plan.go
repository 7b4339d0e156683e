package scan

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/he"
)

// pass is what is read together under one dataset key for some functionals.
type pass struct {
	key     carnet.KeyID
	members []int // indices of the functionals that have terms under the key
	files   []*filePass

	fileAt map[carnet.Nonce]*filePass
}

// filePass lists the columns of a file that are needed, the sums of columns that
// are multiplied, and which product goes to which functional.
type filePass struct {
	file    carnet.Nonce
	blocks  uint32
	columns []uint32
	factors []factor
	terms   []term

	columnAt map[uint32]int
	factorAt map[string]int
}

type factor struct{ plus, minus []int } // indices into columns

func (f factor) single() bool { return len(f.plus) == 1 && len(f.minus) == 0 }

type term struct{ member, a, b int } // index into members, indices into factors

// planPasses arranges the functionals chosen by batch, one pass for each key,
// ascending.
func planPasses(fs []*functional.Functional, batch []int) ([]*pass, error) {
	byKey := map[carnet.KeyID]*pass{}
	var passes []*pass
	for _, f := range batch {
		for i := range fs[f].Keys {
			k := &fs[f].Keys[i]
			p := byKey[k.Key]
			if p == nil {
				p = &pass{key: k.Key, fileAt: map[carnet.Nonce]*filePass{}}
				byKey[k.Key] = p
				passes = append(passes, p)
			}
			p.members = append(p.members, f)
			for j := range k.Products {
				if err := p.add(&k.Products[j]); err != nil {
					return nil, err
				}
			}
		}
	}
	slices.SortFunc(passes, func(a, b *pass) int { return bytes.Compare(a.key[:], b.key[:]) })
	return passes, nil
}

// add adds a product for the last member.
func (p *pass) add(t *functional.Product) error {
	f := p.fileAt[t.File]
	if f == nil {
		f = &filePass{file: t.File, blocks: t.Blocks, columnAt: map[uint32]int{}, factorAt: map[string]int{}}
		p.files, p.fileAt[t.File] = append(p.files, f), f
	}
	if f.blocks != t.Blocks {
		return carnet.E(carnet.Invalid, "BAD_FUNCTIONAL", "file %s is said to have %d blocks and %d blocks", t.File, f.blocks, t.Blocks)
	}
	f.terms = append(f.terms, term{len(p.members) - 1, f.factor(&t.Factors[0]), f.factor(&t.Factors[1])})
	return nil
}

func (f *filePass) factor(t *functional.Factor) int {
	name := binary.BigEndian.AppendUint32(nil, uint32(len(t.Plus)))
	for _, c := range slices.Concat(t.Plus, t.Minus) {
		name = binary.BigEndian.AppendUint32(name, c)
	}
	if i, ok := f.factorAt[string(name)]; ok {
		return i
	}
	f.factorAt[string(name)] = len(f.factors)
	f.factors = append(f.factors, factor{f.indices(t.Plus), f.indices(t.Minus)})
	return len(f.factors) - 1
}

func (f *filePass) indices(columns []uint32) (at []int) {
	for _, c := range columns {
		i, ok := f.columnAt[c]
		if !ok {
			i = len(f.columns)
			f.columnAt[c] = i
			f.columns = append(f.columns, c)
		}
		at = append(at, i)
	}
	return at
}

// reads returns how many blocks a pass reads.
func (p *pass) reads() (n int64) {
	for _, f := range p.files {
		n += int64(f.blocks) * int64(len(f.columns))
	}
	return n
}

// batches splits the functionals, in order, so that the accumulators of a batch and
// its kept results stay below maxBytes, with at least one functional each. keep
// says whether the results of all keys are kept until the batch ends.
func batches(p *he.Profile, fs []*functional.Functional, which []int, maxBytes int64, keep bool) [][]int {
	word := int64(p.Limbs() * p.N())
	var out [][]int
	var size int64
	for _, f := range which {
		need := 48 * word
		if keep {
			need += 24 * word * int64(len(fs[f].Keys))
		}
		if len(out) == 0 || size+need > maxBytes {
			out, size = append(out, nil), 0
		}
		out[len(out)-1] = append(out[len(out)-1], f)
		size += need
	}
	return out
}
