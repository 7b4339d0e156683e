package functional

import (
	"bytes"
	"encoding/binary"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// Memo remembers what was found out about cell lists. The columns, files and keys of
// one query share their lists, and a GROUP BY of a cube has a thousand of them: read
// once each, they cost what the cells of the cube cost; read for every column and file,
// they cost more than the sums. Lists are told apart by where they are stored, so they
// must not change while the Memo is used. A Memo belongs to one goroutine.
type Memo struct {
	n     int
	lists map[span]*cellList
	runs  []byte // scratch
}

type span struct {
	first *uint32
	count int
}

type cellList struct {
	ascending bool
	blocks    []uint32
	hashed    bool
	hash      carnet.Hash
}

// NewMemo is for blocks of n coefficients.
func NewMemo(n int) *Memo { return &Memo{n: n, lists: map[span]*cellList{}} }

func (m *Memo) list(cells []uint32) *cellList {
	key := span{&cells[0], len(cells)}
	l := m.lists[key]
	if l == nil {
		l = m.read(cells)
		m.lists[key] = l
	}
	return l
}

// read finds out whether a list is ascending, and the blocks it touches.
func (m *Memo) read(cells []uint32) *cellList {
	l := &cellList{ascending: true}
	next, limit := uint64(0), uint64(0) // limit is where the last block listed ends
	for _, c := range cells {
		at := uint64(c)
		if at < next {
			l.ascending = false
			return l
		}
		next = at + 1
		if at >= limit {
			b := at / uint64(m.n)
			l.blocks = append(l.blocks, uint32(b))
			limit = (b + 1) * uint64(m.n)
		}
	}
	return l
}

// hash encodes a list as maximal runs of consecutive cells: for each run the number of
// cells left out since the run before and its length less one, as unsigned varints. A
// list has one such form, and another list has another.
func (m *Memo) hash(cells []uint32) *carnet.Hash {
	l := m.list(cells)
	if l.hashed {
		return &l.hash
	}
	m.runs = m.runs[:0]
	next := uint64(0)
	for i := 0; i < len(cells); {
		first, end := uint64(cells[i]), i+1
		for end < len(cells) && uint64(cells[end]) == uint64(cells[end-1])+1 {
			end++
		}
		m.put(first - next) // wraps around in a list that Validate refuses
		m.put(uint64(end - i - 1))
		next = uint64(cells[end-1]) + 1
		i = end
	}
	l.hashed, l.hash = true, carnet.Digest("carnet/cells/1", m.runs)
	return &l.hash
}

// put appends an unsigned varint.
func (m *Memo) put(v uint64) {
	switch {
	case v < 1<<7:
		m.runs = append(m.runs, byte(v))
	case v < 1<<14:
		m.runs = append(m.runs, byte(v)|0x80, byte(v>>7))
	default:
		m.runs = binary.AppendUvarint(m.runs, v)
	}
}

// Blocks lists the blocks that a validated list chooses cells of, ascending. The caller
// must not change it.
func (m *Memo) Blocks(cells []uint32) []uint32 { return m.list(cells).blocks }

// Validate is Functional.Validate.
func (m *Memo) Validate(f *Functional) error {
	if f.Degree < 1 || f.Degree > MaxDegree {
		return bad("degree %d", f.Degree)
	}
	if len(f.Keys) == 0 {
		return bad("no terms")
	}
	if len(f.Cross) > 0 {
		return validateCross(f)
	}
	for i := range f.Keys {
		k := &f.Keys[i]
		if i > 0 && bytes.Compare(f.Keys[i-1].Key[:], k.Key[:]) >= 0 {
			return bad("keys out of order")
		}
		if f.Degree == 1 && (len(k.Linear) == 0 || len(k.Products) != 0) ||
			f.Degree > 1 && (len(k.Products) == 0 || len(k.Linear) != 0) {
			return bad("terms of another degree, or none, under key %s", k.Key)
		}
		if err := m.validateLinear(k.Linear); err != nil {
			return err
		}
		if err := validateProducts(k.Products, f.Degree); err != nil {
			return err
		}
	}
	return nil
}

func (m *Memo) validateLinear(ts []Linear) error {
	for i := range ts {
		t := &ts[i]
		if i > 0 {
			p := &ts[i-1]
			c := bytes.Compare(p.File[:], t.File[:])
			if c > 0 || c == 0 && p.Column >= t.Column {
				return bad("linear terms out of order or repeated")
			}
		}
		if t.Blocks == 0 {
			return bad("a file without blocks")
		}
		if t.Cells == nil {
			continue
		}
		if len(t.Cells) == 0 {
			return bad("an empty cell list")
		}
		if !m.list(t.Cells).ascending {
			return bad("cells out of order or repeated")
		}
		if last := t.Cells[len(t.Cells)-1]; uint64(last) >= uint64(t.Blocks)*uint64(m.n) {
			return bad("cell %d outside %d blocks", last, t.Blocks)
		}
	}
	return nil
}

// LinearHash is KeyTerms.LinearHash.
func (m *Memo) LinearHash(k *KeyTerms) carnet.Hash {
	fields := make([][]byte, 0, 4*len(k.Linear))
	small := make([]byte, 9*len(k.Linear))
	for i := range k.Linear {
		t := &k.Linear[i]
		b := small[9*i : 9*i+9]
		binary.BigEndian.PutUint32(b, t.Column)
		b[4] = 1
		if t.Minus {
			b[4] = 0xff
		}
		binary.BigEndian.PutUint32(b[5:], t.Blocks)
		content := b[5:]
		if t.Cells != nil {
			content = m.hash(t.Cells)[:]
		}
		fields = append(fields, t.File[:], b[:4], b[4:5], content)
	}
	return carnet.Digest("carnet/HD/linear/2", fields...)
}

// Digest is Functional.Digest.
func (m *Memo) Digest(f *Functional) carnet.Hash {
	if len(f.Cross) > 0 {
		return crossDigest(f)
	}
	u32 := func(v uint32) []byte { return binary.BigEndian.AppendUint32(nil, v) }
	fields := [][]byte{u32(uint32(f.Degree))}
	for i := range f.Keys {
		k := &f.Keys[i]
		h := m.LinearHash(k)
		fields = append(fields, k.Key[:], h[:], u32(uint32(len(k.Products))))
		for j := range k.Products {
			p := &k.Products[j]
			fields = append(fields, p.File[:], u32(p.Blocks))
			for x := range p.Factors {
				fields = append(fields, columnList(p.Factors[x].Plus), columnList(p.Factors[x].Minus))
			}
		}
	}
	return carnet.Digest("carnet/functional/2", fields...)
}
