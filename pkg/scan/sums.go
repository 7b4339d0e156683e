package scan

import (
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/scan/internal/kernel"
)

// sumWords is how many words the sums of a group of slots take.
func sumWords(degree int) int { return (degree + 1) * kernel.Sum }

// memberSums are the sums of a functional under the pass' key.
type memberSums struct {
	degree int
	// words are limb after limb, group after group, D_0.. of each; nil if all terms are
	// in one chunk: workers then keep the sums of a tile only.
	words   []uint64
	left    int // terms of chunks to come
	begun   bool
	pending int // products since the sums were relieved
}

// turn takes the next term of a chunk.
func (m *memberSums) turn(products, limit int) turn {
	t := turn{begin: !m.begun, relieve: m.pending+products > limit}
	if t.relieve {
		m.pending = 0
	}
	m.begun = true
	m.pending += products
	m.left--
	t.end = m.left == 0
	return t
}

// reset makes room for the sums of a pass.
func (r *runner) reset(p *pass) {
	old := r.members
	r.members = make([]memberSums, len(p.members))
	several := make([]bool, len(p.members)) // chunks
	last := make([]*filePass, len(p.members))
	for i, d := range p.degrees {
		r.members[i].degree = d
	}
	for _, f := range p.files {
		n := int(chunks(f.blocks))
		for i := range f.terms {
			m := f.terms[i].member
			r.members[m].left += n
			several[m] = several[m] || n > 1 || last[m] != nil && last[m] != f
			last[m] = f
		}
	}
	groups := r.r.Profile().Limbs() * r.r.Profile().N() / kernel.Lanes
	for i := range r.members {
		if !several[i] {
			continue
		}
		m, size := &r.members[i], groups*sumWords(p.degrees[i])
		for len(old) > 0 && m.words == nil { // memory of the pass before
			if cap(old[0].words) >= size {
				m.words = old[0].words[:size]
			}
			old = old[1:]
		}
		if m.words == nil {
			m.words = make([]uint64, size)
		}
	}
}

// relieve reduces the high halves of sums modulo the prime, which leaves the sums
// unchanged modulo the prime and makes room for he.LazyProducts more.
func relieve(sums []uint64, prime uint64) {
	for i := kernel.Lanes; i < len(sums); i += kernel.Sum {
		for j := range sums[i : i+kernel.Lanes] {
			sums[i+j] %= prime
		}
	}
}

// tileSums are finished sums: D_0.. of each group of some slots.
type tileSums struct {
	worker, member, limb, slot int
	degree                     int
	words                      []uint64
}

// slots is how many there are.
func (t *tileSums) slots() int { return len(t.words) / sumWords(t.degree) * kernel.Lanes }

// sink takes finished sums: once for every member, limb and slot, from all workers at
// the same time, a worker's one after the other.
type sink interface{ take(r *runner, t tileSums) }

// polySink reduces sums to D_0..D_d, by member.
type polySink [][]he.Poly

func (s polySink) take(r *runner, t tileSums) {
	m := r.r.Profile().Reducer(t.limb)
	for j, d := range s[t.member] {
		r.kernel.Reduce(d[t.limb][t.slot:][:t.slots()], t.words[j*kernel.Sum:], sumWords(t.degree), m)
	}
}

// constSink adds up const(D_0 + D_1*w_1 + D_2*w_2 + ...) and needs no polynomials.
type constSink struct {
	powers  []he.Poly // w_1, w_2, ...
	workers []constWorker
}

type constWorker struct {
	residues []uint64
	dot      [1]kernel.Pair
	sums     [][]uint64 // by member: kernel.Sum words a limb
}

func newConstSink(r *runner, members int, powers []he.Poly) *constSink {
	s := &constSink{powers: powers, workers: make([]constWorker, len(r.workers))}
	for i := range s.workers {
		for range members {
			s.workers[i].sums = append(s.workers[i].sums, make([]uint64, r.r.Profile().Limbs()*kernel.Sum))
		}
	}
	return s
}

func (s *constSink) take(r *runner, t tileSums) {
	w, m, n := &s.workers[t.worker], r.r.Profile().Reducer(t.limb), t.slots()
	if len(w.residues) < n {
		w.residues = make([]uint64, n)
	}
	sum := w.sums[t.member][t.limb*kernel.Sum:][:kernel.Sum]
	for j := range t.degree + 1 {
		d := w.residues[:n]
		r.kernel.Reduce(d, t.words[j*kernel.Sum:], sumWords(t.degree), m)
		if j == 0 {
			addLanes(sum, d)
			continue
		}
		p := s.powers[j-1][t.limb][t.slot:][:n]
		for rows := 0; len(d) > 0; d, p = d[rows*kernel.Lanes:], p[rows*kernel.Lanes:] {
			rows = min(len(d)/kernel.Lanes, kernel.MaxRows)
			w.dot[0] = kernel.Pair{A: d[:rows*kernel.Lanes], B: p[:rows*kernel.Lanes]}
			r.kernel.Dot(sum, kernel.Sum, w.dot[:], rows)
			relieve(sum, m.Prime()) // 64 products more fit for words of any length
		}
	}
}

// addLanes adds words to the sums of their lanes.
func addLanes(sum, words []uint64) {
	for i, v := range words {
		at := i % kernel.Lanes
		if sum[at] += v; sum[at] < v {
			sum[kernel.Lanes+at]++
		}
	}
}

// scalar returns the result of a member.
func (s *constSink) scalar(r *runner, member int) (out he.Scalar) {
	for l := range r.r.Profile().Limbs() {
		m := r.r.Profile().Reducer(l)
		v := uint64(0)
		for i := range s.workers {
			sum := s.workers[i].sums[member][l*kernel.Sum:]
			for lane := range kernel.Lanes {
				v = m.Reduce(0, v+m.Reduce(sum[kernel.Lanes+lane], sum[lane]))
			}
		}
		out[l] = r.r.OverN(l, v)
	}
	return out
}
