package plan

import (
	"encoding/binary"
	"math/bits"
	"slices"

	"github.com/carnet-network/carnet/pkg/query"
)

// Limits of one condition.
const (
	maxLeaves = 256     // conditions on single columns left after merging
	maxTable  = 1 << 18 // combinations of classes of codes that a condition tells apart
	maxWork   = 1 << 28 // evaluations of leaves over all files
)

// space is what a condition says about dimensions. Codes that the condition does not
// tell apart form a class; for one file, whose public columns are constants, the
// condition is a table over combinations of classes.
type space struct {
	cond   *cond
	public []int   // public variables in the condition
	dims   []int   // dimensions in the condition, ascending
	class  [][]int // per dims: position -> class
	sample [][]int // per dims: class -> one position
	tables []table // distinct, none of them all false
	files  []int   // per file of the universe: index into tables, -1 if nothing is selected
}

// table tells for each combination of classes whether rows are selected; the first
// dimension is outermost.
type table []bool

func tooComplex(at query.Pos, format string, args ...any) error {
	return query.Refuse(at, "TOO_COMPLEX", format, args...).Fix("use fewer dimensions in WHERE, or several queries")
}

// newSpace tabulates the condition for every file. at is where it stands, for
// refusals.
func newSpace(u *universe, c *cond, at query.Pos) (*space, error) {
	s := &space{cond: c, files: make([]int, len(u.files))}
	leaves := c.leaves(nil)
	if len(leaves) > maxLeaves {
		return nil, tooComplex(at, "the condition has %d parts after simplification, at most %d are possible", len(leaves), maxLeaves)
	}
	for v := range u.vars {
		var own []*cond
		for _, l := range leaves {
			if l.v == v {
				own = append(own, l)
			}
		}
		switch {
		case len(own) == 0:
		case u.vars[v].public:
			s.public = append(s.public, v)
		default:
			s.classify(v, own)
		}
	}
	size := 1
	for _, sample := range s.sample {
		if hi, lo := bits.Mul(uint(size), uint(len(sample))); hi > 0 || lo > maxTable {
			return nil, tooComplex(at, "the condition tells more than %d combinations of codes apart", maxTable)
		}
		size *= len(sample)
	}
	byPublic := map[string]int{}
	byTable := map[string]int{}
	for i := range u.files {
		key := u.files[i].tuple(s.public)
		t, known := byPublic[key]
		if !known {
			if (len(byPublic)+1)*size > maxWork/(len(leaves)+1) {
				return nil, tooComplex(at, "the condition has to be evaluated for too many combinations of files and codes")
			}
			t = s.intern(s.tabulate(u.files[i].public, size), byTable)
			byPublic[key] = t
		}
		s.files[i] = t
	}
	return s, nil
}

// tuple encodes the values of some public variables, as a map key.
func (f *file) tuple(vars []int) string {
	var b []byte
	for _, v := range vars {
		b = binary.BigEndian.AppendUint32(b, uint32(f.public[v]))
	}
	return string(b)
}

// classify groups the positions of dimension v by the truth of its leaves.
func (s *space) classify(v int, leaves []*cond) {
	seen := map[string]int{}
	class := make([]int, len(leaves[0].truth))
	var sample []int
	signature := make([]byte, len(leaves))
	for at := range class {
		for i, l := range leaves {
			signature[i] = byte(l.truth[at])
		}
		c, ok := seen[string(signature)]
		if !ok {
			c = len(sample)
			seen[string(signature)] = c
			sample = append(sample, at)
		}
		class[at] = c
	}
	s.dims = append(s.dims, v)
	s.class = append(s.class, class)
	s.sample = append(s.sample, sample)
}

func (s *space) tabulate(public []int, size int) table {
	t := make(table, size)
	at := slices.Clone(public)
	for i := range t {
		rest := i
		for d := len(s.dims) - 1; d >= 0; d-- {
			n := len(s.sample[d])
			at[s.dims[d]] = s.sample[d][rest%n]
			rest /= n
		}
		t[i] = s.cond.eval(func(v int) int { return at[v] }) == isTrue
	}
	return t
}

// intern returns the number of an equal table, -1 for one that selects nothing.
func (s *space) intern(t table, byTable map[string]int) int {
	key := make([]byte, len(t))
	any := false
	for i, b := range t {
		if b {
			key[i], any = 1, true
		}
	}
	if !any {
		return -1
	}
	n, ok := byTable[string(key)]
	if !ok {
		n = len(s.tables)
		byTable[string(key)] = n
		s.tables = append(s.tables, t)
	}
	return n
}

// fixed restricts a table to one code of some dimensions: at gives the position of a
// dimension, or -1 if it is free. The result is over the free dimensions of the
// space, ascending.
func (s *space) fixed(t table, at func(dim int) int) (table, []int) {
	var free []int
	for d, dim := range s.dims {
		if at(dim) < 0 {
			free = append(free, d)
			continue
		}
		c := s.class[d][at(dim)]
		inner := 1
		for _, later := range s.sample[d+1:] {
			inner *= len(later)
		}
		n := len(s.sample[d])
		out := make(table, 0, len(t)/n)
		for i := 0; i < len(t); i += n * inner {
			out = append(out, t[i+c*inner:i+(c+1)*inner]...)
		}
		// Later dimensions keep their strides: only outer blocks were removed.
		t = out
	}
	return t, free
}

func (t table) any() bool { return slices.Contains(t, true) }
