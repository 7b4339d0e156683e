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
	degrees []int // of the members
	files   []*filePass

	blocks map[carnet.Nonce]uint32
}

// planPasses arranges the functionals chosen by batch, one pass for each key,
// ascending. No file of a pass needs memory for more columns than given, but for one term.
func planPasses(fs []*functional.Functional, batch []int, columns int) ([]*pass, error) {
	byKey := map[carnet.KeyID]*pass{}
	var passes []*pass
	for _, f := range batch {
		for i := range fs[f].Keys {
			k := &fs[f].Keys[i]
			p := byKey[k.Key]
			if p == nil {
				p = &pass{key: k.Key, blocks: map[carnet.Nonce]uint32{}}
				byKey[k.Key] = p
				passes = append(passes, p)
			}
			p.members, p.degrees = append(p.members, f), append(p.degrees, fs[f].Degree)
			for j := range k.Products {
				if err := p.add(&k.Products[j], columns); err != nil {
					return nil, err
				}
			}
		}
	}
	slices.SortFunc(passes, func(a, b *pass) int { return bytes.Compare(a.key[:], b.key[:]) })
	for _, p := range passes {
		for _, f := range p.files {
			f.arrange()
		}
	}
	return passes, nil
}

// add adds a product for the last member, to the latest pass over its file that has
// room for its columns, or to a new one.
func (p *pass) add(t *functional.Product, columns int) error {
	if n, ok := p.blocks[t.File]; ok && n != t.Blocks {
		return carnet.E(carnet.Invalid, "BAD_FUNCTIONAL", "file %s is said to have %d blocks and %d blocks", t.File, n, t.Blocks)
	}
	p.blocks[t.File] = t.Blocks
	var f *filePass
	for _, x := range p.files {
		if x.file == t.File {
			f = x
		}
	}
	if f != nil {
		if more := f.missing(t); more > 0 && f.memory()+more > columns {
			f = nil
		}
	}
	if f == nil {
		f = &filePass{file: t.File, blocks: t.Blocks, columnAt: map[uint32]int{}, factorAt: map[string]int{}}
		p.files = append(p.files, f)
	}
	x := term{member: len(p.members) - 1}
	for i := range t.Factors {
		x.factors = append(x.factors, f.factor(&t.Factors[i]))
	}
	f.terms = append(f.terms, x)
	return nil
}

// filePass lists the columns of a file that are needed, the sums of columns that
// are multiplied, and which product goes to which functional.
type filePass struct {
	file    carnet.Nonce
	blocks  uint32
	columns []uint32
	factors []factor
	wide    []wideFactor
	terms   []term
	pairs   []pair // products of two factors that terms of degree 3 and 4 go on from

	once     []bool // by column: the tile of it is needed once
	columnAt map[uint32]int
	factorAt map[string]int
}

// factor is a sum of columns that are read side by side, or one made beforehand.
type factor struct {
	plus, minus []int // indices into columns
	wide        int   // 1 + index into the wide factors; 0: none
}

func (f factor) single() bool { return len(f.plus) == 1 && len(f.minus) == 0 }

type pair struct{ a, b int } // indices into factors

// term is a product of factors for a member: two factors, a pair and a factor, or two
// pairs.
type term struct {
	member  int   // index into members
	factors []int // indices into factors: those left when the pairs are taken out
	pairs   []int // indices into pairs
}

// memory is how many columns are in memory side by side: a wide factor is both halves
// of its sum.
func (f *filePass) memory() int { return len(f.columns) + 2*len(f.wide) }

// missing is how many more a product would take.
func (f *filePass) missing(t *functional.Product) (n int) {
	for i := range t.Factors {
		x := &t.Factors[i]
		if _, ok := f.factorAt[factorName(x)]; ok {
			continue
		}
		if x.Width() > narrowFactor {
			n += 2
			continue
		}
		for _, c := range slices.Concat(x.Plus, x.Minus) {
			if _, ok := f.columnAt[c]; !ok {
				n++
			}
		}
	}
	return n
}

func factorName(t *functional.Factor) string {
	name := binary.BigEndian.AppendUint32(nil, uint32(len(t.Plus)))
	for _, c := range slices.Concat(t.Plus, t.Minus) {
		name = binary.BigEndian.AppendUint32(name, c)
	}
	return string(name)
}

func (f *filePass) factor(t *functional.Factor) int {
	name := factorName(t)
	if i, ok := f.factorAt[name]; ok {
		return i
	}
	var x factor
	if t.Width() > narrowFactor {
		f.wide = append(f.wide, newWideFactor(t))
		x.wide = len(f.wide)
	} else {
		x.plus, x.minus = f.indices(t.Plus), f.indices(t.Minus)
	}
	f.factorAt[name] = len(f.factors)
	f.factors = append(f.factors, x)
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

// arrange splits terms of degree 3 and 4 into pairs, those that most terms have in
// common first, and finds the columns that are needed once.
func (f *filePass) arrange() {
	common := map[[2]int]int{}
	for _, t := range f.terms {
		if len(t.factors) > 2 {
			for i, a := range t.factors {
				for _, b := range t.factors[i+1:] {
					common[[2]int{min(a, b), max(a, b)}]++
				}
			}
		}
	}
	at := map[[2]int]int{}
	uses := make([]int, len(f.factors)) // by terms and pairs
	for i := range f.terms {
		t := &f.terms[i]
		for len(t.factors) > 2 || len(t.factors) == 2 && len(t.pairs) == 1 {
			t.takePair(common, func(p [2]int) int {
				k, ok := at[p]
				if !ok {
					k = len(f.pairs)
					at[p] = k
					f.pairs = append(f.pairs, pair{p[0], p[1]})
					uses[p[0]]++
					uses[p[1]]++
				}
				return k
			})
		}
		for _, x := range t.factors {
			uses[x]++
		}
	}
	needs := make([]int, len(f.columns))
	for i, x := range f.factors {
		for _, c := range slices.Concat(x.plus, x.minus) {
			if needs[c]++; x.single() { // a sum is made once, whoever uses it
				needs[c] += uses[i] - 1
			}
		}
	}
	for _, n := range needs {
		f.once = append(f.once, n == 1)
	}
}

// takePair moves the two factors that are most common together into a pair.
func (t *term) takePair(common map[[2]int]int, number func([2]int) int) {
	var best [2]int
	var ia, ib int
	for i, a := range t.factors {
		for j := i + 1; j < len(t.factors); j++ {
			p := [2]int{min(a, t.factors[j]), max(a, t.factors[j])}
			if ib == 0 || common[p] > common[best] {
				best, ia, ib = p, i, j
			}
		}
	}
	var rest []int
	for i, x := range t.factors {
		if i != ia && i != ib {
			rest = append(rest, x)
		}
	}
	t.factors, t.pairs = rest, append(t.pairs, number(best))
}

// products is how many products of two residues a row of the term adds to one sum at
// most: the shorter of the two polynomials in s has so many coefficients.
func (t *term) products() int {
	if len(t.factors) > 0 {
		return 2
	}
	return 3
}

// reads returns how many blocks a pass reads.
func (p *pass) reads() (n int64) {
	for _, f := range p.files {
		n += int64(f.blocks) * int64(f.reads())
	}
	return n
}

// reads is how many columns are read.
func (f *filePass) reads() int {
	n := len(f.columns)
	for i := range f.wide {
		n += len(f.wide[i].columns)
	}
	return n
}

// batches splits the functionals, in order, so that the sums of a batch and its kept
// results stay below maxBytes, with at least one functional each. keep says whether
// the results of all keys are kept until the batch ends.
func batches(p *he.Profile, fs []*functional.Functional, which []int, maxBytes int64, keep bool) [][]int {
	word := int64(p.Limbs() * p.N())
	var out [][]int
	var size int64
	for _, f := range which {
		need := 16 * word * int64(fs[f].Degree+1)
		if keep {
			need += 8 * word * int64((fs[f].Degree+1)*len(fs[f].Keys))
		}
		if len(out) == 0 || size+need > maxBytes {
			out, size = append(out, nil), 0
		}
		out[len(out)-1] = append(out[len(out)-1], f)
		size += need
	}
	return out
}
