package main

import (
	"github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand" //nolint:staticcheck // operands are written as in assembly
	"github.com/mmcloughlin/avo/reg"
)

// mulx multiplies with MULX, one lane at a time, for words of any length up to 60 bits.
// Sums of a call are 128-bit integers in two registers each, added to those in memory
// when all rows of a lane are done.
type mulx struct{ *build.Context }

func emitMULX(c *build.Context) {
	k := mulx{c}
	k.multiply()
	k.dot()
}

// wide is a 128-bit integer.
type wide struct{ lo, hi reg.GPVirtual }

func (k mulx) zero() wide {
	w := wide{k.GP64(), k.GP64()}
	k.XORQ(w.lo, w.lo)
	k.XORQ(w.hi, w.hi)
	return w
}

// mulAdd adds DX*y to w.
func (k mulx) mulAdd(y Op, w wide) {
	lo, hi := k.GP64(), k.GP64()
	k.MULXQ(y, lo, hi)
	k.ADDQ(lo, w.lo)
	k.ADCQ(hi, w.hi)
}

// addTo adds w to a lane of the sums at m.
func (k mulx) addTo(w wide, m Mem) {
	k.ADDQ(w.lo, m)
	k.ADCQ(w.hi, m.Offset(rowBytes))
}

// loop runs over groups, lanes and rows. What is not needed within a lane is on the
// stack: four pointers, an index, three sums, DX and two products take all registers.
func (k mulx) loop(name string, words []string, sumBytes Op, lane func(at []Mem, label string, next func()), end func(sums Mem)) {
	groups, lanes, sums := k.AllocLocal(8), k.AllocLocal(8), k.AllocLocal(8)
	ptr := make([]reg.Register, len(words))
	r := k.GP64()
	for _, l := range []struct {
		from string
		to   Mem
	}{{"groups", groups}, {"sums", sums}} {
		k.MOVQ(k.Load(k.Param(l.from), r), l.to)
	}
	for i, w := range words {
		ptr[i] = k.Load(k.Param(w), k.GP64())
	}
	i := k.GP64()
	k.Load(k.Param("rows"), i)
	k.SHLQ(U8(6), i)
	for _, p := range ptr { // rows are counted up to zero
		k.ADDQ(i, p)
	}
	k.Label(name + "_group")
	k.MOVQ(U32(8), lanes)
	k.Label(name + "_lane")
	k.Load(k.Param("rows"), i)
	k.SHLQ(U8(6), i)
	k.NEGQ(i)
	at := make([]Mem, len(words))
	for n := range at {
		at[n] = Mem{Base: ptr[n], Index: i, Scale: 1}
	}
	lane(at, name+"_row", func() { k.ADDQ(U8(rowBytes), i) })
	p := k.GP64()
	k.MOVQ(sums, p)
	end(Mem{Base: p})
	k.ADDQ(U8(8), sums)
	for _, p := range ptr {
		k.ADDQ(U8(8), p)
	}
	k.DECQ(lanes)
	k.JNZ(LabelRef(name + "_lane"))
	k.Load(k.Param("rows"), i)
	k.DECQ(i)
	k.SHLQ(U8(6), i)
	for _, p := range ptr { // the lanes moved them by one row
		k.ADDQ(i, p)
	}
	bytes := k.GP64()
	k.MOVQ(sumBytes, bytes)
	k.LEAQ(Mem{Base: bytes, Disp: -rowBytes}, bytes)
	k.ADDQ(bytes, sums)
	k.DECQ(groups)
	k.JNZ(LabelRef(name + "_group"))
	k.RET()
}

// multiply makes three products of four: x0*y1 + x1*y0 is (x0+x1)*(y0+y1) - x0*y0 -
// x1*y1. The sum of the long products may wrap; the difference does not, and integers
// modulo 2^128 don't mind.
func (k mulx) multiply() {
	function(k.Context, "multiplyMULX", multiplySignature)
	k.Doc("multiplyMULX is multiply for words of any length up to 60 bits.")
	var d [3]wide
	k.loop("multiply_mulx", []string{"x0", "x1", "y0", "y1"}, U32(6*rowBytes), func(at []Mem, label string, next func()) {
		for i := range d {
			d[i] = k.zero()
		}
		k.Label(label)
		k.MOVQ(at[0], reg.RDX)
		k.mulAdd(at[2], d[0])
		y := k.GP64()
		k.ADDQ(at[1], reg.RDX)
		k.MOVQ(at[2], y)
		k.ADDQ(at[3], y)
		k.mulAdd(y, d[1])
		k.MOVQ(at[1], reg.RDX)
		k.mulAdd(at[3], d[2])
		next()
		k.JNZ(LabelRef(label))
	}, func(sums Mem) {
		for _, i := range []int{0, 2} {
			k.SUBQ(d[i].lo, d[1].lo)
			k.SBBQ(d[i].hi, d[1].hi)
		}
		for i := range d {
			k.addTo(d[i], sums.Offset(2*rowBytes*i))
		}
	})
}

func (k mulx) dot() {
	function(k.Context, "dotMULX", dotSignature(1))
	k.Doc("dotMULX is the dot product of one pair for words of any length up to 60 bits.")
	var d wide
	stride := NewParamAddr("stride", 40)
	k.loop("dot_mulx", []string{"a0", "b0"}, stride, func(at []Mem, label string, next func()) {
		d = k.zero()
		k.Label(label)
		k.MOVQ(at[0], reg.RDX)
		k.mulAdd(at[1], d)
		next()
		k.JNZ(LabelRef(label))
	}, func(sums Mem) { k.addTo(d, sums) })
}
