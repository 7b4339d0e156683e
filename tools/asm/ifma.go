package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand" //nolint:staticcheck // operands are written as in assembly
	"github.com/mmcloughlin/avo/reg"
)

// ifma multiplies with VPMADD52, all eight lanes at a time, for words below 2^52. The
// low and the high 52 bits of products have their own sums: over 64 rows and the three
// pairs of a dot product below 3*64*2^52 < 2^60.
type ifma struct{ *build.Context }

func emitIFMA(c *build.Context) {
	k := ifma{c}
	k.multiply()
	for n := 1; n <= 3; n++ {
		k.dot(n)
	}
}

// sum52 is the sum of the low and of the high parts of products in eight lanes.
type sum52 struct{ lo, hi reg.VecVirtual }

func (k ifma) zero() (s sum52) {
	s = sum52{k.ZMM(), k.ZMM()}
	k.VPXORQ(s.lo, s.lo, s.lo)
	k.VPXORQ(s.hi, s.hi, s.hi)
	return s
}

func (k ifma) mulAdd(x, y reg.VecVirtual, s sum52) {
	k.VPMADD52LUQ(y, x, s.lo)
	k.VPMADD52HUQ(y, x, s.hi)
}

func (k ifma) load(m Mem) reg.VecVirtual {
	z := k.ZMM()
	k.VMOVDQU64(m, z)
	return z
}

// fold adds lo + hi*2^52 to the 128-bit sums of eight lanes.
func (k ifma) fold(s sum52, sums Mem) {
	lo, hi, x, one, carry := k.load(sums), k.load(sums.Offset(rowBytes)), k.ZMM(), k.ZMM(), k.K()
	r := k.GP64()
	k.MOVQ(U32(1), r)
	k.VPBROADCASTQ(r, one)
	add := func(x reg.VecVirtual) { // lo += x, and the carry to hi
		k.VPADDQ(x, lo, lo)
		k.VPCMPUQ(U8(1), x, lo, carry) // lo < x
		k.VPADDQ(one, hi, carry, hi)
	}
	add(s.lo)
	k.VPSLLQ(U8(52), s.hi, x)
	add(x)
	k.VPSRLQ(U8(12), s.hi, x)
	k.VPADDQ(x, hi, hi)
	k.VMOVDQU64(lo, sums)
	k.VMOVDQU64(hi, sums.Offset(rowBytes))
}

// loop runs over groups of slots and rows.
func (k ifma) loop(name string, words []reg.Register, stride Op, begin func(), row func(at []Mem), end func(sums Mem)) {
	rows := k.Load(k.Param("rows"), k.GP64())
	groups := k.Load(k.Param("groups"), k.GP64())
	sums := k.Load(k.Param("sums"), k.GP64())
	k.SHLQ(U8(6), rows) // bytes of a group
	i := k.GP64()
	k.Label(name + "_group")
	begin()
	k.XORQ(i, i)
	k.Label(name + "_row")
	at := make([]Mem, len(words))
	for n := range words {
		at[n] = Mem{Base: words[n], Index: i, Scale: 1}
	}
	row(at)
	k.ADDQ(U8(rowBytes), i)
	k.CMPQ(i, rows)
	k.JNE(LabelRef(name + "_row"))
	end(Mem{Base: sums})
	for _, w := range words {
		k.ADDQ(rows, w)
	}
	k.ADDQ(stride, sums)
	k.DECQ(groups)
	k.JNZ(LabelRef(name + "_group"))
	k.VZEROUPPER()
	k.RET()
}

// ahead is how far in front of the rows that are multiplied others are fetched.
const ahead = 2048

// multiply has two sums for the mixed products, so that no addition waits for the one
// before: eight chains in all.
func (k ifma) multiply() {
	function(k.Context, "multiplyIFMA", multiplySignature)
	k.Doc("multiplyIFMA is multiply for words below 2^52 and at most 64 rows.")
	w := pointers(k.Context, "x0", "x1", "y0", "y1")
	var d [4]sum52 // x0*y0, x0*y1, x1*y0, x1*y1
	k.loop("multiply_ifma", w, U32(6*rowBytes), func() {
		for i := range d {
			d[i] = k.zero()
		}
	}, func(at []Mem) {
		for _, m := range at {
			k.PREFETCHT0(m.Offset(ahead))
		}
		x0, x1, y0, y1 := k.load(at[0]), k.load(at[1]), k.load(at[2]), k.load(at[3])
		k.mulAdd(x0, y0, d[0])
		k.mulAdd(x0, y1, d[1])
		k.mulAdd(x1, y0, d[2])
		k.mulAdd(x1, y1, d[3])
	}, func(sums Mem) {
		k.VPADDQ(d[2].lo, d[1].lo, d[1].lo)
		k.VPADDQ(d[2].hi, d[1].hi, d[1].hi)
		k.fold(d[0], sums)
		k.fold(d[1], sums.Offset(2*rowBytes))
		k.fold(d[3], sums.Offset(4*rowBytes))
	})
}

func (k ifma) dot(n int) {
	name := fmt.Sprintf("dot%dIFMA", n)
	function(k.Context, name, dotSignature(n))
	k.Doc(name + " is the dot product for words below 2^52 and at most 64 rows.")
	var names []string
	for i := range n {
		names = append(names, fmt.Sprintf("a%d", i), fmt.Sprintf("b%d", i))
	}
	w := pointers(k.Context, names...)
	stride := k.Load(k.Param("stride"), k.GP64())
	s := make([]sum52, n)
	k.loop(fmt.Sprintf("dot%d_ifma", n), w, stride, func() {
		for i := range s {
			s[i] = k.zero()
		}
	}, func(at []Mem) {
		for i := range s {
			k.mulAdd(k.load(at[2*i]), k.load(at[2*i+1]), s[i])
		}
	}, func(sums Mem) {
		for i := 1; i < n; i++ {
			k.VPADDQ(s[i].lo, s[0].lo, s[0].lo)
			k.VPADDQ(s[i].hi, s[0].hi, s[0].hi)
		}
		k.fold(s[0], sums)
	})
}
