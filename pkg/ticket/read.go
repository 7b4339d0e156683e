package ticket

import (
	"encoding/binary"
	"math/big"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/privacy"
)

// Limits of a description; a plan has no more.
const (
	maxCells = 1 << 25 // in all lists together
	maxAdds  = 1 << 34 // cells that all linear terms add up
)

func malformed(what string) error {
	return carnet.E(carnet.Invalid, "BAD_OPENINGS", "the description of what is to be opened is malformed: %s", what)
}

// ReadOpenings reads exactly one description and checks every functional, for blocks of
// n coefficients: canonical form, and no weight but 0, 1 and -1. Degree is set in what it
// returns, flooding is for the caller to compute.
func ReadOpenings(n int, b []byte) ([]plan.Opening, error) {
	r := &reader{rest: b}
	if len(b) == 0 || b[0] != version {
		return nil, malformed("unknown version")
	}
	r.rest = b[1:]
	r.tables()
	out := make([]plan.Opening, r.count(4, plan.MaxOpenings))
	for i := range out {
		out[i] = r.opening()
		if r.err != nil {
			return nil, r.err
		}
	}
	if r.err == nil && len(r.rest) != 0 {
		r.fail("bytes are left over")
	}
	if r.err == nil && len(out) == 0 {
		r.fail("nothing is opened")
	}
	if r.err != nil {
		return nil, r.err
	}
	memo := functional.NewMemo(n)
	for i := range out {
		fs := out[i].Functionals()
		for _, f := range fs {
			if err := memo.Validate(f); err != nil {
				return nil, err
			}
			if f.Degree != fs[0].Degree || f.KeySet() != fs[0].KeySet() {
				return nil, malformed("functionals to choose from differ in degree or keys")
			}
		}
		if (out[i].F == nil) != (out[0].F == nil) || (len(fs[0].Cross) > 0) != (len(out[0].Functionals()[0].Cross) > 0) {
			return nil, malformed("openings differ in kind")
		}
		out[i].Degree = fs[0].Degree
	}
	return out, nil
}

// reader reads a description. After an error it returns zeros and empty lists.
type reader struct {
	rest  []byte
	err   error
	keys  []carnet.KeyID
	files []file
	lists [][]uint32
	adds  uint64
}

func (r *reader) fail(what string) {
	if r.err == nil {
		r.err = malformed(what)
	}
	r.rest = nil
}

func (r *reader) num(limit uint64) uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 || n > 1 && r.rest[n-1] == 0 || v > limit {
		r.fail("a number is missing or too large")
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

// count reads how many elements follow that take at least size bytes each.
func (r *reader) count(size, limit int) int {
	v := r.num(uint64(limit))
	if v > uint64(len(r.rest)/size) {
		r.fail("it is too short")
		return 0
	}
	return int(v)
}

func (r *reader) bytes(n int) []byte {
	if len(r.rest) < n {
		r.fail("it is too short")
		return make([]byte, n)
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) flag() bool {
	b := r.bytes(1)[0]
	if b > 1 {
		r.fail("a flag is neither 0 nor 1")
	}
	return b == 1
}

func (r *reader) tables() {
	for range r.count(32, 1<<16) {
		r.keys = append(r.keys, carnet.KeyID(r.bytes(32)))
	}
	for range r.count(36, 1<<20) {
		b := r.bytes(36)
		r.files = append(r.files, file{carnet.Nonce(b[:32]), binary.BigEndian.Uint32(b[32:])})
	}
	total := uint64(0)
	for range r.count(1, 1<<20) {
		var cells []uint32
		next := uint64(0)
		for range r.count(2, 1<<25) {
			first := next + r.num(1<<32-1)
			length := r.num(maxCells) + 1
			if total += length; total > maxCells || first+length > 1<<32 {
				r.fail("too many cells")
				return
			}
			for c := first; c < first+length; c++ {
				cells = append(cells, uint32(c))
			}
			next = first + length
		}
		r.lists = append(r.lists, cells)
	}
}

func (r *reader) opening() (o plan.Opening) {
	switch r.num(kindAcross) {
	case kindPlain:
		o.F = r.functional()
	case kindAcross:
		o.F = r.across()
	default:
		for range r.count(3, 1<<16) {
			o.Choices = append(o.Choices, r.functional())
		}
		if len(o.Choices) == 0 {
			r.fail("there is nothing to choose from")
		}
	}
	o.Variance = r.variance()
	return o
}

// variance reads that of privacy noise, nil without any.
func (r *reader) variance() *big.Int {
	n := r.count(1, privacy.MaxVarianceBits/8)
	if n == 0 {
		return nil
	}
	b := r.bytes(n)
	if b[0] == 0 {
		r.fail("a variance is not in its shortest form")
	}
	return new(big.Int).SetBytes(b)
}

func (r *reader) functional() *functional.Functional {
	f := &functional.Functional{Degree: int(r.num(functional.MaxDegree))}
	for range r.count(3, 1<<16) {
		k := functional.KeyTerms{Key: r.key()}
		for range r.count(4, 1<<22) {
			k.Linear = append(k.Linear, r.linear())
		}
		for range r.count(2, 1<<22) {
			k.Products = append(k.Products, r.product())
		}
		f.Keys = append(f.Keys, k)
	}
	return f
}

func (r *reader) key() (key carnet.KeyID) {
	if at := r.num(1 << 32); at < uint64(len(r.keys)) {
		return r.keys[at]
	}
	r.fail("a key is not listed")
	return key
}

func (r *reader) linear() (t functional.Linear) {
	t.File, t.Blocks = r.file()
	t.Column = uint32(r.num(1<<32 - 1))
	t.Minus = r.flag()
	switch at := r.num(1 << 32); {
	case at == 0:
	case at <= uint64(len(r.lists)):
		t.Cells = r.lists[at-1]
		if t.Cells == nil {
			r.fail("a list of cells is empty")
		}
		if r.adds += uint64(len(t.Cells)); r.adds > maxAdds {
			r.fail("too many cells")
		}
	default:
		r.fail("a list of cells is missing")
	}
	return t
}

func (r *reader) product() (t functional.Product) {
	t.File, t.Blocks = r.file()
	for range r.count(2, functional.MaxDegree) {
		t.Factors = append(t.Factors, functional.Factor{Plus: r.columns(), Minus: r.columns()})
	}
	return t
}

func (r *reader) file() (carnet.Nonce, uint32) {
	at := r.num(1 << 32)
	if at >= uint64(len(r.files)) {
		r.fail("a file is not listed")
		return carnet.Nonce{}, 0
	}
	return r.files[at].nonce, r.files[at].blocks
}

func (r *reader) columns() (out []uint32) {
	last := uint64(0)
	for range r.count(1, 1<<22) {
		if last += r.num(1<<32 - 1); last > 1<<32-1 {
			r.fail("a column is too large")
			return nil
		}
		out = append(out, uint32(last))
	}
	return out
}
