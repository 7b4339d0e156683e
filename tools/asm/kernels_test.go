package main

import (
	"encoding/binary"
	"fmt"
	"math/big"
	"math/rand/v2"
	"testing"
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
