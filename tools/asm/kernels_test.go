package main

import (
	"encoding/binary"
	"fmt"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/mmcloughlin/avo/ir"
)

const lane8 = 8

// layout puts six runs of words and the sums into a machine's memory.
type layout struct {
	m            *machine
	rows, groups int
	words        [6][]uint64
	sums         []uint64 // before
	wordsAt      [6]uint64
	sumsAt       uint64
}

func newLayout(t *testing.T, rnd *rand.Rand, rows, groups, bits int, worst bool) *layout {
	l := &layout{m: &machine{t: t}, rows: rows, groups: groups}
	fill := func(n, bits int) []uint64 {
		w := make([]uint64, n)
		for i := range w {
			if w[i] = uint64(1)<<bits - 1; !worst {
				w[i] &= rnd.Uint64()
			}
		}
		return w
	}
	put := func(w []uint64) uint64 {
		at := uint64(len(l.m.memory))
		for _, x := range w {
			l.m.memory = binary.LittleEndian.AppendUint64(l.m.memory, x)
		}
		return at
	}
	for i := range l.words {
		l.words[i] = fill(rows*groups*lane8, bits)
		l.wordsAt[i] = put(l.words[i])
	}
	l.sums = fill(groups*6*lane8, 64)
	for i := range l.sums { // the high halves have room
		if i/lane8%2 == 1 {
			l.sums[i] >>= 4
		}
	}
	l.sumsAt = put(l.sums)
	return l
}

// check compares sum d of every lane with what it was plus the products of the pairs.
func (l *layout) check(t *testing.T, name string, d int, pairs ...[2]int) {
	t.Helper()
	for g := range l.groups {
		for lane := range lane8 {
			at := (g*3+d)*2*lane8 + lane
			want := new(big.Int).SetUint64(l.sums[at+lane8])
			want.Lsh(want, 64).Add(want, new(big.Int).SetUint64(l.sums[at]))
			for _, p := range pairs {
				for b := range l.rows {
					i := (g*l.rows+b)*lane8 + lane
					x := new(big.Int).SetUint64(l.words[p[0]][i])
					want.Add(want, x.Mul(x, new(big.Int).SetUint64(l.words[p[1]][i])))
				}
			}
			after := func(i int) *big.Int {
				return new(big.Int).SetUint64(binary.LittleEndian.Uint64(l.m.memory[l.sumsAt+uint64(8*i):]))
			}
			have := after(at + lane8)
			have.Lsh(have, 64).Add(have, after(at))
			if have.Cmp(want) != 0 {
				t.Fatalf("%s: group %d lane %d of sum %d is %d, want %d", name, g, lane, d, have, want)
			}
		}
	}
}

// TestKernels runs every kernel in the interpreter, up to its bound. What this machine
// can run is tested beside its Go twin as well, which in turn tests the interpreter.
func TestKernels(t *testing.T) {
	f, err := unit{emit: emitKernels}.compile()
	if err != nil {
		t.Fatal(err)
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, k := range []struct {
		name string
		bits int
		dots []string
	}{
		{"IFMA", 52, []string{"dot1IFMA", "dot2IFMA", "dot3IFMA"}},
		{"AVX2", 55, []string{"dot1AVX2", "dot2AVX2", "dot3AVX2"}},
		{"MULX", 60, []string{"dotMULX"}},
	} {
		for round := range 12 {
			rows, groups := 1+rnd.IntN(64), 1+rnd.IntN(2)
			if round < 2 {
				rows = 64
			}
			size := fmt.Sprintf("%s, %d rows, %d groups", k.name, rows, groups)
			l := newLayout(t, rnd, rows, groups, k.bits, round%2 == 0)
			w := l.wordsAt
			l.m.call(f, "multiply"+k.name, w[0], w[1], w[2], w[3], uint64(rows), uint64(groups), l.sumsAt)
			l.check(t, size, 0, [2]int{0, 2})
			l.check(t, size, 1, [2]int{0, 3}, [2]int{1, 2})
			l.check(t, size, 2, [2]int{1, 3})
			for n, name := range k.dots {
				l := newLayout(t, rnd, rows, groups, k.bits, round%2 == 0)
				args := append([]uint64{}, l.wordsAt[:2*n+2]...)
				l.m.call(f, name, append(args, uint64(rows), uint64(groups), l.sumsAt+2*64, 6*64)...)
				l.check(t, name, 0)
				l.check(t, name, 1, [][2]int{{0, 1}, {2, 3}, {4, 5}}[:n+1]...)
				l.check(t, name, 2)
			}
		}
	}
}

// TestReduction runs what reduces modulo primes in the interpreter: the largest sums and
// words, and others, against integers of any size.
func TestReduction(t *testing.T) {
	f, err := unit{emit: emitKernels}.compile()
	if err != nil {
		t.Fatal(err)
	}
	rnd := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		for _, b := range []int{52, 55} {
			for _, short := range []uint64{1, 1<<27 - 1, rnd.Uint64N(1<<26)*2 + 1} {
				l := newLayout(t, rnd, 1, 2, b, false)
				q := uint64(1)<<b - short
				for i := range l.sums { // anything
					l.sums[i] = edge(rnd, ^uint64(0))
					binary.LittleEndian.PutUint64(l.m.memory[l.sumsAt+uint64(8*i):], l.sums[i])
				}
				l.m.call(f, fmt.Sprintf("reduce%dAVX2", b), l.wordsAt[0], l.sumsAt+2*64, 2, 6*64, q, short)
				for i := range 2 * lane8 {
					at := (i/lane8*3+1)*2*lane8 + i%lane8
					same(t, l.word(l.wordsAt[0], i), q, wide128(l.sums[at+lane8], l.sums[at]))
				}
				if b == 55 {
					l.product(t, f, rnd, q, short)
				}
			}
		}
	}
}

// product multiplies residues in runs 3..5 and 0 into runs 1, 2 and 0.
func (l *layout) product(t *testing.T, f *ir.File, rnd *rand.Rand, q, short uint64) {
	t.Helper()
	var x [4][]uint64 // x0, x1, y0, y1
	runs := [4]int{3, 4, 5, 0}
	for n, run := range runs {
		for i := range l.words[run] {
			x[n] = append(x[n], edge(rnd, q-1))
			binary.LittleEndian.PutUint64(l.m.memory[l.wordsAt[run]+uint64(8*i):], x[n][i])
		}
	}
	w := l.wordsAt
	l.m.call(f, "productAVX2", w[1], w[2], w[0], w[3], w[4], w[5], w[0], uint64(l.groups), q, short)
	for i := range x[0] {
		integer := func(a, b int) *big.Int {
			return new(big.Int).Mul(new(big.Int).SetUint64(x[a][i]), new(big.Int).SetUint64(x[b][i]))
		}
		same(t, l.word(w[1], i), q, integer(0, 2))
		same(t, l.word(w[2], i), q, new(big.Int).Add(integer(0, 3), integer(1, 2)))
		same(t, l.word(w[0], i), q, integer(1, 3))
	}
}

func (l *layout) word(at uint64, i int) uint64 {
	return binary.LittleEndian.Uint64(l.m.memory[at+uint64(8*i):])
}

func wide128(hi, lo uint64) *big.Int {
	v := new(big.Int).SetUint64(hi)
	return v.Lsh(v, 64).Add(v, new(big.Int).SetUint64(lo))
}

// edge returns a number up to the largest, often it.
func edge(rnd *rand.Rand, largest uint64) uint64 {
	switch v := rnd.Uint64(); v % 4 {
	case 0:
		return largest
	case 1:
		return largest - v>>2%3
	default:
		return (v >> (v >> 2 % 64)) % largest
	}
}

// same compares a residue.
func same(t *testing.T, have, q uint64, v *big.Int) {
	t.Helper()
	if want := new(big.Int).Mod(v, new(big.Int).SetUint64(q)); want.Uint64() != have {
		t.Fatalf("%d modulo %d is %d, want %d", v, q, have, want)
	}
}
