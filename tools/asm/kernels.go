package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand" //nolint:staticcheck // operands are written as in assembly
	"github.com/mmcloughlin/avo/reg"
)

// The functions below add products of words to 128-bit sums. Words come in
// column-file order: lane j of row b of group i of slots is word (i*rows+b)*8+j. The
// sum of a lane is the same position of two runs of 8 words, low halves and high
// halves; the sums of a group are stride bytes after those of the group before.
//
// A product of ciphertexts (multiply) has three sums: x0*y0, x0*y1+x1*y0 and x1*y1. A
// dot product has one: the sum of one to three products of pairs.
const (
	multiplySignature = "func(x0, x1, y0, y1 *uint64, rows, groups int, sums *uint64)"
	rowBytes          = 64
)

// dotSignature takes the words of n pairs: a0 and b0, a1 and b1, ...
func dotSignature(n int) string {
	names := ""
	for i := range n {
		names += fmt.Sprintf("a%d, b%d, ", i, i)
	}
	return "func(" + names[:len(names)-2] + " *uint64, rows, groups int, sums *uint64, stride int)"
}

func emitKernels(c *build.Context) {
	emitAVX2(c)
	emitMULX(c)
	emitIFMA(c)
}

// half is a word's part of 28 bits below and the part above.
type half struct{ lo, hi reg.VecVirtual }

// avx2 multiplies with VPMULUDQ, four lanes at a time. Words are cut into halves of 28
// and 27 bits; a lane has three partial sums of 64 bits: low*low, the two mixed
// products, high*high. Over 64 rows and the three pairs of a dot product they hold
//
//	low*low    3*64*(2^28-1)^2          < 2^64
//	mixed      6*64*(2^28-1)*(2^27-1)   < 2^64
//	high*high  3*64*(2^27-1)^2          < 2^64
//
// so words below 2^55 and at most 64 rows are safe.
type avx2 struct {
	*build.Context
	mask Mem
	sign Mem
	more Mem // what adding 2^63 to two partial sums adds to the high half
}

// emitInner is the dot product that package he needs.
func emitInner(c *build.Context) { newAVX2(c).dot(1) }

func newAVX2(c *build.Context) avx2 {
	k := avx2{Context: c, mask: c.StaticGlobal("low28")}
	c.DataAttributes(attr.RODATA | attr.NOPTR)
	for i := range 4 {
		c.AddDatum(8*i, U64(1<<28-1))
	}
	k.sign = c.StaticGlobal("sign")
	c.DataAttributes(attr.RODATA | attr.NOPTR)
	for i := range 4 {
		c.AddDatum(8*i, U64(1<<63))
	}
	return k
}

func emitAVX2(c *build.Context) {
	k := newAVX2(c)
	k.more = c.StaticGlobal("more") // 2^63 * (2^28 + 2^56), above 64 bits
	c.DataAttributes(attr.RODATA | attr.NOPTR)
	for i := range 4 {
		c.AddDatum(8*i, U64(1<<(63+28-64)+1<<(63+56-64)))
	}
	k.multiply()
	for n := 1; n <= 3; n++ {
		k.dot(n)
	}
	k.rows()
	k.addMod("addModAVX2", true)
	k.addMod("subModAVX2", false)
	emitReduce(c)
}

// load cuts the four words at m into halves.
func (k avx2) load(m Mem) (h half) {
	h = half{k.YMM(), k.YMM()}
	k.VMOVDQU(m, h.hi)
	k.VPAND(k.mask, h.hi, h.lo)
	k.VPSRLQ(U8(28), h.hi, h.hi)
	return h
}

// partial are the sums of four lanes: low*low, mixed, high*high.
type partial [3]reg.VecVirtual

func (k avx2) zero() (p partial) {
	for i := range p {
		p[i] = k.YMM()
		k.VPXOR(p[i], p[i], p[i])
	}
	return p
}

func (k avx2) mulAdd(x, y half, p partial) {
	t := k.YMM()
	for _, f := range []struct {
		a, b reg.VecVirtual
		sum  int
	}{{x.lo, y.lo, 0}, {x.lo, y.hi, 1}, {x.hi, y.lo, 1}, {x.hi, y.hi, 2}} {
		k.VPMULUDQ(f.a, f.b, t)
		k.VPADDQ(t, p[f.sum], p[f.sum])
	}
}

// fold adds low*low + mixed*2^28 + high*high*2^56 to the 128-bit sums of four lanes. The
// partial sums are integers with a sign if that is said.
func (k avx2) fold(p partial, sums Mem, signed bool) {
	sign, t, u, lo, hi := k.YMM(), k.YMM(), k.YMM(), k.YMM(), k.YMM()
	k.VMOVDQU(k.sign, sign)
	k.VMOVDQU(sums.Offset(rowBytes), hi)
	add := func(x Op) { // lo += x, and the carry to hi
		k.VPADDQ(x, lo, lo)
		k.VPXOR(x, sign, u)
		k.VPXOR(lo, sign, t)
		k.VPCMPGTQ(t, u, t) // all ones if x > lo
		k.VPSUBQ(t, hi, hi)
	}
	k.VMOVDQU(sums, lo)
	add(p[0])
	x := k.YMM()
	if signed { // what is above 64 bits of a negative number is ones
		k.VPXOR(t, t, t)
		k.VPCMPGTQ(p[0], t, t)
		k.VPADDQ(t, hi, hi)
	}
	for i, n := range []uint64{28, 56} {
		k.VPSLLQ(U8(n), p[1+i], x)
		add(x)
		if signed { // with 2^63 more the number has no sign
			k.VPXOR(sign, p[1+i], p[1+i])
		}
		k.VPSRLQ(U8(64-n), p[1+i], x)
		k.VPADDQ(x, hi, hi)
	}
	if signed {
		k.VPSUBQ(k.more, hi, hi)
	}
	k.VMOVDQU(lo, sums)
	k.VMOVDQU(hi, sums.Offset(rowBytes))
}

// loop runs over groups of slots, their two halves of four lanes, and rows. begin,
// row and end see pointers to the lanes' first words, an index in bytes, and the sums.
func (k avx2) loop(name string, words []reg.Register, stride Op, begin func(), row func(at []Mem), end func(sums Mem)) {
	rows := k.Load(k.Param("rows"), k.GP64())
	groups := k.Load(k.Param("groups"), k.GP64())
	sums := k.Load(k.Param("sums"), k.GP64())
	k.SHLQ(U8(6), rows) // bytes of a group
	i := k.GP64()
	k.Label(name + "_group")
	for h := range 2 {
		label := fmt.Sprintf("%s_row%d", name, h)
		begin()
		k.XORQ(i, i)
		k.Label(label)
		at := make([]Mem, len(words))
		for n := range words {
			at[n] = Mem{Base: words[n], Index: i, Scale: 1, Disp: 32 * h}
		}
		row(at)
		k.ADDQ(U8(rowBytes), i)
		k.CMPQ(i, rows)
		k.JNE(LabelRef(label))
		end(Mem{Base: sums, Disp: 32 * h})
	}
	for _, w := range words {
		k.ADDQ(rows, w)
	}
	k.ADDQ(stride, sums)
	k.DECQ(groups)
	k.JNZ(LabelRef(name + "_group"))
	k.VZEROUPPER()
	k.RET()
}

// pointers loads the named parameters.
func pointers(c *build.Context, names ...string) (r []reg.Register) {
	for _, n := range names {
		r = append(r, c.Load(c.Param(n), c.GP64()))
	}
	return r
}

// multiply makes nine products of halves instead of sixteen: x0*y1 + x1*y0 is
// (x0+x1)*(y0+y1) - x0*y0 - x1*y1, and of the words of each, x.lo*y.hi + x.hi*y.lo is
// (x.lo+x.hi)*(y.lo+y.hi) - x.lo*y.lo - x.hi*y.hi. Longer sums may wrap modulo 2^64; the
// differences, which are kept, do not. Those of x0*y1 + x1*y0 are between -2^63 and 2^63:
// x0+x1 has halves of its own, with a carry between them.
//
// 9 registers are for sums, 6 for the halves of two words and their sums, one for the mask.
func (k avx2) multiply() {
	function(k.Context, "multiplyAVX2", multiplySignature)
	k.Doc("multiplyAVX2 is multiply for words below 2^55 and at most 64 rows.")
	w := pointers(k.Context, "x0", "x1", "y0", "y1")
	mask := k.YMM()
	k.VMOVDQU(k.mask, mask)
	var d [3]partial // of x0*y0, (x0+x1)*(y0+y1), x1*y1
	k.loop("multiply_avx2", w, U32(6*rowBytes), func() {
		for i := range d {
			d[i] = k.zero()
		}
	}, func(at []Mem) {
		if at[0].Disp == 0 {
			for _, m := range at {
				k.PREFETCHT0(m.Offset(ahead))
			}
		}
		load := func(m ...Mem) (h half, sum reg.VecVirtual) {
			h, sum = half{k.YMM(), k.YMM()}, k.YMM()
			k.VMOVDQU(m[0], h.hi)
			for _, more := range m[1:] {
				k.VPADDQ(more, h.hi, h.hi)
			}
			k.VPAND(mask, h.hi, h.lo)
			k.VPSRLQ(U8(28), h.hi, h.hi)
			k.VPADDQ(h.lo, h.hi, sum)
			return h, sum
		}
		add := func(p partial, m0, m1 []Mem) {
			x, xs := load(m0...)
			y, ys := load(m1...)
			k.VPMULUDQ(x.lo, y.lo, x.lo)
			k.VPADDQ(x.lo, p[0], p[0])
			k.VPMULUDQ(x.hi, y.hi, x.hi)
			k.VPADDQ(x.hi, p[2], p[2])
			k.VPMULUDQ(xs, ys, xs)
			k.VPADDQ(xs, p[1], p[1])
		}
		add(d[0], at[0:1], at[2:3])
		add(d[1], at[0:2], at[2:4])
		add(d[2], at[1:2], at[3:4])
	}, func(sums Mem) {
		for _, p := range d {
			k.VPSUBQ(p[0], p[1], p[1])
			k.VPSUBQ(p[2], p[1], p[1])
		}
		for i := range d[1] {
			k.VPSUBQ(d[0][i], d[1][i], d[1][i])
			k.VPSUBQ(d[2][i], d[1][i], d[1][i])
		}
		for i := range d {
			k.fold(d[i], sums.Offset(2*rowBytes*i), i == 1)
		}
	})
}

func (k avx2) dot(n int) {
	name := fmt.Sprintf("dot%dAVX2", n)
	function(k.Context, name, dotSignature(n))
	k.Doc(name + " is the dot product for words below 2^55 and at most 64 rows.")
	var names []string
	for i := range n {
		names = append(names, fmt.Sprintf("a%d", i), fmt.Sprintf("b%d", i))
	}
	w := pointers(k.Context, names...)
	stride := k.Load(k.Param("stride"), k.GP64())
	var p partial
	k.loop(fmt.Sprintf("dot%d_avx2", n), w, stride, func() { p = k.zero() }, func(at []Mem) {
		for i := range n {
			k.mulAdd(k.load(at[2*i]), k.load(at[2*i+1]), p)
		}
	}, func(sums Mem) { k.fold(p, sums, false) })
}

// rows adds up 64 words below 2^57, which stays below 2^63.
func (k avx2) rows() {
	function(k.Context, "rowsAVX2", "func(words *uint64, rows, groups int, sums *uint64)")
	k.Doc("rowsAVX2 sets sums to the sum of the rows of every lane, 8 words a group, for words",
		"below 2^57 and at most 64 rows.")
	words := k.Load(k.Param("words"), k.GP64())
	rows := k.Load(k.Param("rows"), k.GP64())
	groups := k.Load(k.Param("groups"), k.GP64())
	sums := k.Load(k.Param("sums"), k.GP64())
	a, b, n := k.YMM(), k.YMM(), k.GP64()
	k.Label("rows_group")
	k.VPXOR(a, a, a)
	k.VPXOR(b, b, b)
	k.MOVQ(rows, n)
	k.Label("rows_row")
	k.VPADDQ(Mem{Base: words}, a, a)
	k.VPADDQ(Mem{Base: words, Disp: 32}, b, b)
	k.ADDQ(U8(rowBytes), words)
	k.DECQ(n)
	k.JNZ(LabelRef("rows_row"))
	k.VMOVDQU(a, Mem{Base: sums})
	k.VMOVDQU(b, Mem{Base: sums, Disp: 32})
	k.ADDQ(U8(rowBytes), sums)
	k.DECQ(groups)
	k.JNZ(LabelRef("rows_group"))
	k.VZEROUPPER()
	k.RET()
}

// addMod adds residues to residues, or subtracts them, modulo a prime below 2^62.
func (k avx2) addMod(name string, plus bool) {
	function(k.Context, name, "func(sum, x *uint64, groups int, prime uint64)")
	k.Doc(name + " is addMod or subMod of 8 words a group.")
	sum := k.Load(k.Param("sum"), k.GP64())
	x := k.Load(k.Param("x"), k.GP64())
	groups := k.Load(k.Param("groups"), k.GP64())
	prime := broadcast(k.Context, "prime")
	limit := k.YMM() // subtract the prime if above prime-1, add it if below zero
	if k.VPXOR(limit, limit, limit); plus {
		k.VPCMPEQQ(limit, limit, limit)
		k.VPADDQ(prime, limit, limit)
	}
	k.Label(name + "_group")
	for i := range 2 {
		s, t := k.YMM(), k.YMM()
		at := Mem{Base: sum, Disp: 32 * i}
		k.VMOVDQU(at, s)
		if plus {
			k.VPADDQ(Mem{Base: x, Disp: 32 * i}, s, s)
			k.VPCMPGTQ(limit, s, t)
			k.VPAND(prime, t, t)
			k.VPSUBQ(t, s, s)
		} else {
			k.VPSUBQ(Mem{Base: x, Disp: 32 * i}, s, s)
			k.VPCMPGTQ(s, limit, t)
			k.VPAND(prime, t, t)
			k.VPADDQ(t, s, s)
		}
		k.VMOVDQU(s, at)
	}
	k.ADDQ(U8(rowBytes), sum)
	k.ADDQ(U8(rowBytes), x)
	k.DECQ(groups)
	k.JNZ(LabelRef(name + "_group"))
	k.VZEROUPPER()
	k.RET()
}
