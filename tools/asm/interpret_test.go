package main

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"testing"

	"github.com/mmcloughlin/avo/ir"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// machine executes generated functions, instruction by instruction, as the processors'
// manuals describe them. Only what the functions use is there.
type machine struct {
	t       *testing.T
	memory  []byte // addresses are offsets
	args    []uint64
	globals map[string][]byte
	gp      map[reg.ID]uint64
	vec     map[reg.ID][8]uint64
	mask    map[reg.ID]uint64
	zero    bool // flags
	carry   uint64
	local   [128]byte
}

// call runs a function with 64-bit arguments.
func (m *machine) call(f *ir.File, name string, args ...uint64) {
	m.args = args
	m.gp, m.vec, m.mask = map[reg.ID]uint64{}, map[reg.ID][8]uint64{}, map[reg.ID]uint64{}
	m.globals = map[string][]byte{}
	for _, s := range f.Sections {
		if g, ok := s.(*ir.Global); ok {
			b := make([]byte, g.Size)
			for _, d := range g.Data {
				binary.LittleEndian.PutUint64(b[d.Offset:], uint64(d.Value.(operand.U64)))
			}
			m.globals[g.Symbol.Name] = b
		}
	}
	for _, fn := range f.Functions() {
		if fn.Name == name {
			m.run(fn)
			return
		}
	}
	m.t.Fatalf("there is no function %s", name)
}

func (m *machine) run(fn *ir.Function) {
	labels := map[ir.Label]int{}
	for i, n := range fn.Nodes {
		if l, ok := n.(ir.Label); ok {
			labels[l] = i
		}
	}
	for pc, steps := 0, 0; ; pc++ {
		i, ok := fn.Nodes[pc].(*ir.Instruction)
		if !ok {
			continue
		}
		if steps++; steps > 1e7 {
			m.t.Fatal("the function does not end")
		}
		switch i.Opcode {
		case "RET":
			return
		case "JNZ", "JNE":
			if !m.zero {
				pc = labels[*i.TargetLabel()]
			}
		default:
			m.execute(i)
		}
	}
}

// bytes is where a memory operand points.
func (m *machine) bytes(o operand.Mem) []byte {
	if o.Base == reg.FramePointer {
		b := make([]byte, 8)
		binary.LittleEndian.PutUint64(b, m.args[o.Disp/8])
		return b
	}
	if o.Base == reg.StackPointer {
		return m.local[o.Disp:]
	}
	if o.Symbol.Name != "" {
		return m.globals[o.Symbol.Name][o.Disp:]
	}
	a := m.gp[o.Base.(reg.Physical).ID()] + uint64(int64(o.Disp))
	if o.Index != nil {
		a += m.gp[o.Index.(reg.Physical).ID()] * uint64(o.Scale)
	}
	if a >= uint64(len(m.memory)) {
		m.t.Fatalf("address %d of %d", a, len(m.memory))
	}
	return m.memory[a:]
}

func (m *machine) get(o operand.Op) uint64 {
	switch o := o.(type) {
	case operand.U8:
		return uint64(o)
	case operand.U32:
		return uint64(o)
	case operand.Mem:
		return binary.LittleEndian.Uint64(m.bytes(o))
	case reg.Physical:
		return m.gp[o.ID()]
	}
	m.t.Fatalf("operand %T", o)
	return 0
}

func (m *machine) set(o operand.Op, v uint64) {
	if at, ok := o.(operand.Mem); ok {
		binary.LittleEndian.PutUint64(m.bytes(at), v)
		return
	}
	m.gp[o.(reg.Physical).ID()] = v
}

// lanes is the number of 64-bit lanes of a vector register.
func lanes(o operand.Op) int { return int(o.(reg.Physical).Size()) / 8 }

func (m *machine) vector(o operand.Op, n int) (v [8]uint64) {
	if at, ok := o.(operand.Mem); ok {
		b := m.bytes(at)
		for i := range n {
			v[i] = binary.LittleEndian.Uint64(b[8*i:])
		}
		return v
	}
	return m.vec[o.(reg.Physical).ID()]
}

// execute runs an instruction other than a jump. In Go's order the destination is last.
func (m *machine) execute(i *ir.Instruction) {
	o := i.Operands
	last := len(o) - 1
	alu := func(v uint64) { m.set(o[last], v); m.zero = v == 0 }
	var shift uint64
	each := func(f func(a, b, d uint64) uint64) { // d: what the destination holds
		n := lanes(o[last])
		var a [8]uint64
		if imm, ok := o[0].(operand.U8); ok {
			shift = uint64(imm)
		} else {
			a = m.vector(o[0], n)
		}
		b, d := m.vector(o[1], n), m.vector(o[last], n)
		keep := ^uint64(0)
		if len(o) == 4 {
			keep = m.mask[o[2].(reg.Physical).ID()]
		}
		for j := range n {
			if keep>>j&1 == 1 {
				d[j] = f(a[j], b[j], d[j])
			}
		}
		for j := n; j < 8; j++ {
			d[j] = 0
		}
		m.vec[o[last].(reg.Physical).ID()] = d
	}
	const low = 1<<52 - 1
	switch i.Opcode {
	case "MOVQ":
		m.set(o[1], m.get(o[0]))
	case "LEAQ":
		at := o[0].(operand.Mem)
		m.set(o[1], m.gp[at.Base.(reg.Physical).ID()]+uint64(int64(at.Disp)))
	case "XORQ":
		alu(m.get(o[1]) ^ m.get(o[0]))
	case "ADDQ":
		v, c := bits.Add64(m.get(o[1]), m.get(o[0]), 0)
		m.carry = c
		alu(v)
	case "ADCQ":
		v, c := bits.Add64(m.get(o[1]), m.get(o[0]), m.carry)
		m.carry = c
		alu(v)
	case "SUBQ":
		v, c := bits.Sub64(m.get(o[1]), m.get(o[0]), 0)
		m.carry = c
		alu(v)
	case "SBBQ":
		v, c := bits.Sub64(m.get(o[1]), m.get(o[0]), m.carry)
		m.carry = c
		alu(v)
	case "NEGQ":
		alu(-m.get(o[0]))
	case "DECQ":
		alu(m.get(o[0]) - 1)
	case "SHLQ":
		alu(m.get(o[1]) << m.get(o[0]))
	case "CMPQ":
		m.zero = m.get(o[0]) == m.get(o[1])
	case "MULXQ":
		hi, lo := bits.Mul64(m.get(o[0]), m.gp[reg.RDX.ID()])
		m.set(o[1], lo)
		m.set(o[2], hi)
	case "VMOVDQU", "VMOVDQU64":
		if at, ok := o[1].(operand.Mem); ok {
			v := m.vector(o[0], 8)
			for j := range lanes(o[0]) {
				binary.LittleEndian.PutUint64(m.bytes(at)[8*j:], v[j])
			}
			return
		}
		m.vec[o[1].(reg.Physical).ID()] = m.vector(o[0], lanes(o[1]))
	case "VMOVQ":
		m.vec[o[1].(reg.Physical).ID()] = [8]uint64{m.get(o[0])}
	case "VPBROADCASTQ":
		x := m.get(o[0])
		if r := o[0].(reg.Physical); r.Kind() == reg.KindVector {
			x = m.vec[r.ID()][0]
		}
		var v [8]uint64
		for j := range lanes(o[1]) {
			v[j] = x
		}
		m.vec[o[1].(reg.Physical).ID()] = v
	case "VPXOR", "VPXORQ":
		each(func(a, b, _ uint64) uint64 { return a ^ b })
	case "VPAND":
		each(func(a, b, _ uint64) uint64 { return a & b })
	case "VPADDQ":
		each(func(a, b, _ uint64) uint64 { return a + b })
	case "VPSUBQ":
		each(func(a, b, _ uint64) uint64 { return b - a })
	case "VPMULUDQ":
		each(func(a, b, _ uint64) uint64 { return a & (1<<32 - 1) * (b & (1<<32 - 1)) })
	case "VPSLLQ":
		each(func(_, b, _ uint64) uint64 { return b << shift })
	case "VPSRLQ":
		each(func(_, b, _ uint64) uint64 { return b >> shift })
	case "VPCMPEQQ":
		each(func(a, b, _ uint64) uint64 {
			if a == b {
				return ^uint64(0)
			}
			return 0
		})
	case "VPCMPGTQ":
		each(func(a, b, _ uint64) uint64 {
			if int64(b) > int64(a) {
				return ^uint64(0)
			}
			return 0
		})
	case "VPMADD52LUQ":
		each(func(a, b, d uint64) uint64 {
			_, lo := bits.Mul64(a&low, b&low)
			return d + lo&low
		})
	case "VPMADD52HUQ":
		each(func(a, b, d uint64) uint64 {
			hi, lo := bits.Mul64(a&low, b&low)
			return d + (hi<<12 | lo>>52)
		})
	case "VPCMPUQ":
		if o[0].(operand.U8) != 1 {
			m.t.Fatal("only less-than is known")
		}
		n := lanes(o[2])
		a, b := m.vector(o[2], n), m.vector(o[1], n)
		v := uint64(0)
		for j := range n {
			if a[j] < b[j] {
				v |= 1 << j
			}
		}
		m.mask[o[3].(reg.Physical).ID()] = v
	case "PREFETCHT0", "VZEROUPPER":
	default:
		m.t.Fatal(fmt.Sprint("instruction ", i.Opcode))
	}
}
