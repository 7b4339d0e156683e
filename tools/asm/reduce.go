package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand" //nolint:staticcheck // operands are written as in assembly
	"github.com/mmcloughlin/avo/reg"
)

// folding reduces modulo a prime q = 2^b - c with c < 2^27, four lanes at a time: 2^b is
// congruent to c, so what is above b bits is multiplied by c and added to what is below.
// b is 52 or 55; words and what is added to them stay below 2^60.
type folding struct {
	*build.Context
	b uint64

	prime, last, c Mem // 4 copies each: q, q-1, c
	masks          map[uint64]Mem
}

// shortBits is the length of c.
const shortBits = 27

func emitReduce(c *build.Context) {
	masks := map[uint64]Mem{}
	for _, n := range []uint64{20, 23, 27, 28, 40, 46, 52, 55} {
		masks[n] = c.StaticGlobal(fmt.Sprintf("mask%d", n))
		c.DataAttributes(attr.RODATA | attr.NOPTR)
		for i := range 4 {
			c.AddDatum(8*i, U64(1<<n-1))
		}
	}
	for _, b := range []uint64{52, 55} {
		emitSums(c, b, masks)
	}
	emitProduct(c, masks)
}

// newFolding keeps what belongs to the prime on the stack.
func newFolding(c *build.Context, b uint64, masks map[uint64]Mem) *folding {
	f := &folding{Context: c, b: b, masks: masks, prime: c.AllocLocal(32), last: c.AllocLocal(32), c: c.AllocLocal(32)}
	q, one := broadcast(c, "prime"), c.YMM()
	c.VMOVDQU(q, f.prime)
	c.VPCMPEQQ(one, one, one)
	c.VPADDQ(one, q, q)
	c.VMOVDQU(q, f.last)
	c.VMOVDQU(broadcast(c, "short"), f.c)
	return f
}

// low keeps the n lowest bits.
func (f *folding) low(n uint64, x, to reg.VecVirtual) {
	f.VPAND(f.masks[n], x, to)
}

// fold sets x, any, to (x mod 2^b) + (x >> b)*c, which is below 2^b + 2^(64-b+27).
func (f *folding) fold(x reg.VecVirtual) {
	t := f.YMM()
	f.VPSRLQ(U8(f.b), x, t)
	f.VPMULUDQ(f.c, t, t)
	f.low(f.b, x, x)
	f.VPADDQ(t, x, x)
}

// above adds to x, which is below 2^58, what h*2^b is congruent to, for h below 2^57:
// h0*c + h1*c*2^32 with 32 bits in h0. h1*c is below 2^52 and is divided again, where it
// meets 2^b. The sum is below 2^58 + 2^59 + 2^(52-(b-32)+27) + 2^b < 2^60.
func (f *folding) above(h, x reg.VecVirtual) {
	t := f.YMM()
	f.VPMULUDQ(f.c, h, t)
	f.VPADDQ(t, x, x)
	f.VPSRLQ(U8(32), h, h)
	f.VPMULUDQ(f.c, h, h)
	f.VPSRLQ(U8(f.b-32), h, t)
	f.VPMULUDQ(f.c, t, t)
	f.VPADDQ(t, x, x)
	f.low(f.b-32, h, h)
	f.VPSLLQ(U8(32), h, h)
	f.VPADDQ(h, x, x)
}

// finish sets x, below 2^60, to its residue: folded it is below 2^b + 2^35, which is less
// than twice the prime.
func (f *folding) finish(x reg.VecVirtual) {
	f.fold(x)
	t := f.YMM()
	f.VPCMPGTQ(f.last, x, t)
	f.VPAND(f.prime, t, t)
	f.VPSUBQ(t, x, x)
}

// emitSums reduces 128-bit sums. With hi folded to less than 2^56, hi*2^64 is
// hi*2^b*2^(64-b), congruent to hi*c*2^(64-b).
func emitSums(c *build.Context, b uint64, masks map[uint64]Mem) {
	name := fmt.Sprintf("reduce%dAVX2", b)
	function(c, name, "func(out, sums *uint64, groups, stride int, prime, short uint64)")
	c.Doc(fmt.Sprintf("%s sets out, 8 words a group, to the residues of 128-bit sums modulo a prime", name),
		fmt.Sprintf("2^%d - short, for short below 2^%d. The sums of a group are stride bytes after those", b, shortBits), "before.")
	f := newFolding(c, b, masks)
	out := c.Load(c.Param("out"), c.GP64())
	sums := c.Load(c.Param("sums"), c.GP64())
	groups := c.Load(c.Param("groups"), c.GP64())
	stride := c.Load(c.Param("stride"), c.GP64())
	c.Label(name + "_group")
	for half := range 2 {
		lo, hi, x := c.YMM(), c.YMM(), c.YMM()
		c.VMOVDQU(Mem{Base: sums, Disp: 32 * half}, lo)
		c.VMOVDQU(Mem{Base: sums, Disp: rowBytes + 32*half}, hi)
		f.fold(hi)
		c.VPXOR(x, x, x)
		f.above(hi, x) // hi*c
		f.fold(x)
		top := c.YMM() // x*2^(64-b) is top*2^b and the rest, shifted
		c.VPSRLQ(U8(2*b-64), x, top)
		c.VPMULUDQ(f.c, top, top)
		f.low(2*b-64, x, x)
		c.VPSLLQ(U8(64-b), x, x)
		f.fold(lo)
		c.VPADDQ(top, x, x)
		c.VPADDQ(lo, x, x)
		f.finish(x)
		c.VMOVDQU(x, Mem{Base: out, Disp: 32 * half})
	}
	c.ADDQ(U8(rowBytes), out)
	c.ADDQ(stride, sums)
	c.DECQ(groups)
	c.JNZ(LabelRef(name + "_group"))
	c.VZEROUPPER()
	c.RET()
}

// emitProduct multiplies ciphertexts word by word. With A, B and C the sums of low*low, of the
// mixed and of high*high products of halves, two products at most, a coefficient is
//
//	A + B*2^28 + C*2^56 = A + (B mod 2^27)*2^28 + (B>>27 + 2C)*2^55
//
// whose first two parts are below 2^57 + 2^55, and the factor of 2^55 below 2^30 + 2^56.
func emitProduct(c *build.Context, masks map[uint64]Mem) {
	function(c, "productAVX2", "func(p0, p1, p2, x0, x1, y0, y1 *uint64, groups int, prime, short uint64)")
	c.Doc("productAVX2 sets p0, p1, p2 to x0*y0, x0*y1 + x1*y0 and x1*y1 modulo a prime 2^55 - short,",
		fmt.Sprintf("8 words a group, for short below 2^%d.", shortBits))
	f, k := newFolding(c, 55, masks), avx2{Context: c}
	w := pointers(c, "p0", "p1", "p2", "x0", "x1", "y0", "y1")
	groups := c.Load(c.Param("groups"), c.GP64())
	i := c.GP64()
	c.SHLQ(U8(6), groups)
	c.XORQ(i, i)
	at := func(n int) Mem { return Mem{Base: w[n], Index: i, Scale: 1} }
	load := func(n int) half {
		h := half{c.YMM(), c.YMM()}
		c.VMOVDQU(at(n), h.hi)
		f.low(28, h.hi, h.lo)
		c.VPSRLQ(U8(28), h.hi, h.hi)
		return h
	}
	coefficient := func(to int, factors ...[2]half) {
		p := k.zero()
		for _, x := range factors {
			k.mulAdd(x[0], x[1], p)
		}
		h, t := c.YMM(), c.YMM()
		c.VPADDQ(p[2], p[2], h)
		c.VPSRLQ(U8(27), p[1], t)
		c.VPADDQ(t, h, h)
		f.low(27, p[1], p[1])
		c.VPSLLQ(U8(28), p[1], p[1])
		c.VPADDQ(p[1], p[0], p[0])
		f.above(h, p[0])
		f.finish(p[0])
		c.VMOVDQU(p[0], at(to))
	}
	c.Label("product_avx2")
	x0, x1, y0, y1 := load(3), load(4), load(5), load(6)
	coefficient(0, [2]half{x0, y0})
	coefficient(1, [2]half{x0, y1}, [2]half{x1, y0})
	coefficient(2, [2]half{x1, y1})
	c.ADDQ(U8(32), i)
	c.CMPQ(i, groups)
	c.JNE(LabelRef("product_avx2"))
	c.VZEROUPPER()
	c.RET()
}
