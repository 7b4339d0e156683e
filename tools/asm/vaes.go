package main

import (
	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand" //nolint:staticcheck // operands are written as in assembly
	"github.com/mmcloughlin/avo/reg"
)

// Every step of AES-256-CTR below makes 32 words: 16 AES blocks in 8 YMM registers,
// which is what two AES units with four cycles of latency need in flight. The number
// of the first block is a multiple of 16, so that block i of a step differs from it in
// the last byte of the big-endian counter only: the counters are one register XOR a
// table.
//
// Registers of a step: 8 states, counter base, mask, limit, found, and two for round
// keys and differences. Only 256-bit forms are used: AVX2 and VAES are enough, and no
// frequency is lost to wider ones.
type aesStep struct {
	*build.Context
	table              Mem
	base               reg.VecVirtual
	mask, limit, found reg.VecVirtual
}

func emitVAES(c *build.Context) {
	emitFeatures(c)
	emitSchedule(c)
	table := c.StaticGlobal("counters")
	c.DataAttributes(attr.RODATA | attr.NOPTR)
	for i := range 16 {
		c.AddDatum(16*i, U64(0))
		c.AddDatum(16*i+8, U64(uint64(i)<<56))
	}
	emitStream(c, table)
	emitColumn(c, table)
}

// broadcast returns a YMM register with four copies of the parameter.
func broadcast(c *build.Context, name string) reg.VecVirtual {
	y, x := c.YMM(), c.XMM()
	c.VMOVQ(c.Load(c.Param(name), c.GP64()), x)
	c.VPBROADCASTQ(x, y)
	return y
}

func newStep(c *build.Context, table Mem) *aesStep {
	s := &aesStep{Context: c, table: table, base: c.YMM(), found: c.YMM()}
	s.mask, s.limit = broadcast(c, "mask"), broadcast(c, "limit")
	c.VPXOR(s.found, s.found, s.found)
	return s
}

// counter sets the base of the counters to the block number.
func (s *aesStep) counter(block reg.GPVirtual) {
	be, x := s.GP64(), s.XMM()
	s.MOVQ(block, be)
	s.BSWAPQ(be)
	s.VPXOR(x, x, x)
	s.VPINSRQ(U8(1), be, x, x)
	s.VINSERTI128(U8(1), x, s.base, s.base)
	s.VINSERTI128(U8(0), x, s.base, s.base)
}

// words makes the 32 words of the schedule's key, cut to the mask, and stores word
// 8*j+i at dst[j]+8*i. found collects the signs of limit - word.
func (s *aesStep) words(schedule reg.Register, dst [4]Mem) {
	var st [8]reg.VecVirtual
	key := s.YMM()
	s.VBROADCASTI128(Mem{Base: schedule}, key)
	s.VPXOR(key, s.base, key)
	for i := range st {
		st[i] = s.YMM()
		s.VPXOR(s.table.Offset(32*i), key, st[i])
	}
	for r := 1; r < 15; r++ {
		key := s.YMM()
		s.VBROADCASTI128(Mem{Base: schedule, Disp: 16 * r}, key)
		for i := range st {
			if r < 14 {
				s.VAESENC(key, st[i], st[i])
			} else {
				s.VAESENCLAST(key, st[i], st[i])
			}
		}
	}
	for i, y := range st {
		s.VPAND(s.mask, y, y)
		s.VMOVDQU(y, dst[i/2].Offset(32*(i%2)))
		s.VPSUBQ(y, s.limit, y)
		s.VPOR(y, s.found, s.found)
	}
}

// finish returns a bit for each lane in which a word was above the limit.
func (s *aesStep) finish() {
	r := s.GP32()
	s.VMOVMSKPD(s.found, r)
	s.VZEROUPPER()
	s.Store(r.As64(), s.ReturnIndex(0))
	s.RET()
}

func emitStream(c *build.Context, table Mem) {
	function(c, "stream", "func(s *[240]byte, block uint64, dst *uint64, steps int, mask, limit uint64) uint64")
	c.Doc("stream sets dst to 32*steps words of the key stream from the given AES block on, a",
		"multiple of 16, each cut to the mask. The result is 0 if none is above limit.")
	s := newStep(c, table)
	schedule := c.Load(c.Param("s"), c.GP64())
	block := c.Load(c.Param("block"), c.GP64()).(reg.GPVirtual)
	dst := c.Load(c.Param("dst"), c.GP64())
	n := c.Load(c.Param("steps"), c.GP64())
	c.Label("stream_step")
	s.counter(block)
	m := Mem{Base: dst}
	s.words(schedule, [4]Mem{m, m.Offset(64), m.Offset(128), m.Offset(192)})
	c.ADDQ(U8(16), block)
	c.ADDQ(U32(256), dst)
	c.DECQ(n)
	c.JNZ(LabelRef("stream_step"))
	s.finish()
}

func emitColumn(c *build.Context, table Mem) {
	function(c, "column", "func(s *[240]byte, keys int, block uint64, dst *uint64, mask, limit uint64, ahead *uint64) uint64")
	c.Doc("column makes the same 32 words of each of some keys, in column-file order: word 8*j+i",
		"of key k goes to dst[(j*keys+k)*8+i]. block, mask, limit and the result are as in stream.",
		"Meanwhile 32*keys words from ahead on are fetched into the cache.")
	s := newStep(c, table)
	schedule := c.Load(c.Param("s"), c.GP64())
	s.counter(c.Load(c.Param("block"), c.GP64()).(reg.GPVirtual))
	d0 := c.Load(c.Param("dst"), c.GP64())
	ahead := c.Load(c.Param("ahead"), c.GP64())
	n := c.Load(c.Param("keys"), c.GP64())
	stride, d3 := c.GP64(), c.GP64()
	c.MOVQ(n, stride)
	c.SHLQ(U8(6), stride)
	c.LEAQ(Mem{Base: d0, Index: stride, Scale: 2}, d3)
	c.ADDQ(stride, d3)
	c.Label("column_key")
	for j := range 4 {
		c.PREFETCHT0(Mem{Base: ahead, Disp: 64 * j})
	}
	s.words(schedule, [4]Mem{{Base: d0}, {Base: d0, Index: stride, Scale: 1}, {Base: d0, Index: stride, Scale: 2}, {Base: d3}})
	c.ADDQ(U32(240), schedule)
	c.ADDQ(U32(256), ahead)
	c.ADDQ(U8(64), d0)
	c.ADDQ(U8(64), d3)
	c.DECQ(n)
	c.JNZ(LabelRef("column_key"))
	s.finish()
}

// emitSchedule is the key schedule of AES-256 (FIPS 197, 5.2): two halves that take
// turns, without a table that a key could be read from through the cache.
func emitSchedule(c *build.Context) {
	function(c, "expand", "func(key *[32]byte, s *[240]byte)")
	c.Doc("expand sets s to the round keys of the key.")
	key := c.Load(c.Param("key"), c.GP64())
	s := c.Load(c.Param("s"), c.GP64())
	half := [2]reg.VecVirtual{c.XMM(), c.XMM()}
	for i := range half {
		c.VMOVDQU(Mem{Base: key, Disp: 16 * i}, half[i])
		c.VMOVDQU(half[i], Mem{Base: s, Disp: 16 * i})
	}
	for r := 2; r < 15; r++ {
		x, last := half[r%2], half[1-r%2]
		t, shifted := c.XMM(), c.XMM()
		if r%2 == 0 {
			c.VAESKEYGENASSIST(U8(1<<(r/2-1)), last, t)
			c.VPSHUFD(U8(0xff), t, t)
		} else {
			c.VAESKEYGENASSIST(U8(0), last, t)
			c.VPSHUFD(U8(0xaa), t, t)
		}
		c.VPSLLDQ(U8(4), x, shifted)
		c.VPXOR(shifted, x, x)
		c.VPSLLDQ(U8(8), x, shifted)
		c.VPXOR(shifted, x, x)
		c.VPXOR(t, x, x)
		c.VMOVDQU(x, Mem{Base: s, Disp: 16 * r})
	}
	c.RET()
}

// emitFeatures reads the CPUID bit of VAES, which golang.org/x/sys/cpu reports only
// together with AVX-512.
func emitFeatures(c *build.Context) {
	function(c, "features", "func() uint32")
	c.Doc("features returns ECX of CPUID leaf 7, which there must be.")
	c.MOVL(U32(7), reg.EAX)
	c.XORL(reg.ECX, reg.ECX)
	c.CPUID()
	c.Store(reg.ECX, c.ReturnIndex(0))
	c.RET()
}
