package cells

import (
	"cmp"
	"encoding/binary"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/schema"
)

// Place is where a sum is taken: over the rows of a file, or over the pairs of rows of
// two files, the second then not zero.
type Place [2]carnet.Nonce

// Part is what a number has of one place: the sum of Quantity over the cells, each as
// often as its weight says.
type Part struct {
	Place    Place
	Space    *Space // of the first file; of both, as they are aligned
	Quantity string // columns that are multiplied; "" counts rows
	Weight   Weight // not 0

	Forms [2]*Form // of the files
}

// Form is how files of a schema and a layout are encoded.
type Form struct {
	*schema.Encoding
	Schema carnet.Hash
}

// Space are the dimensions of one schema, with the functions of their cells.
type Space struct {
	*Weights
	Schema *schema.Schema
	Hash   carnet.Hash // of the schema

	layouts map[carnet.Layout]*columns
	names   []string // of dimensions, for Points
}

// NewSpace returns the space of a schema with this hash, with constant functions only.
func NewSpace(s *schema.Schema, hash carnet.Hash) *Space {
	var sizes []int
	for d := range s.Dimensions {
		sizes = append(sizes, s.Dimensions[d].Cardinality())
	}
	return &Space{Weights: NewWeights(sizes), Schema: s, Hash: hash, layouts: map[carnet.Layout]*columns{}}
}

// columns are the known functions of an encoding's columns.
type columns struct {
	enc     *schema.Encoding
	form    *Form
	space   *Space
	factors map[string]sum
	lists   map[listed]Weight
}

// listed is a list of cells that many terms of one plan share.
type listed struct {
	first *uint32
	n     int
}

// sum is a sum over quantities, each with the weights of its cells.
type sum map[string]Weight

// quantities are those of a sum in order, so that the same functions are made in the same
// order by everybody, also where there is no room for all of them.
func (s sum) quantities() []string { return slices.Sorted(maps.Keys(s)) }

// Reader reads what the openings of plans select. It is for one goroutine.
type Reader struct {
	spaces map[carnet.Hash]*Space // by the hash of the schema
	files  map[carnet.Nonce]*columns
	runs   int // that functions of each space may take
}

// NewReader returns a Reader that knows no plan.
func NewReader() *Reader {
	return NewReaderWithin(maxRuns)
}

// NewReaderWithin is NewReader with room for so many runs of codes in the functions of each schema.
func NewReaderWithin(runs int) *Reader {
	return &Reader{spaces: map[carnet.Hash]*Space{}, files: map[carnet.Nonce]*columns{}, runs: runs}
}

// Add makes the files of a plan known.
func (r *Reader) Add(p *plan.Plan) {
	for i := range p.Sources {
		s := &p.Sources[i]
		hash := s.Encoding.Schema().Hash()
		space := r.spaces[hash]
		if space == nil {
			space = NewSpace(s.Encoding.Schema(), hash)
			space.left = r.runs
			r.spaces[hash] = space
		}
		c := space.layouts[s.Encoding.Layout]
		if c == nil { // the encoding follows from schema and layout
			c = &columns{enc: s.Encoding, form: &Form{s.Encoding, hash}, space: space, factors: map[string]sum{}}
			space.layouts[s.Encoding.Layout] = c
		}
		c.lists = map[listed]Weight{} // of this plan's lists of cells, which are not changed
		for d := range s.Datasets {
			for f := range s.Datasets[d].Manifest.Files {
				r.files[s.Datasets[d].Manifest.Files[f].Nonce] = c
			}
		}
	}
}

// Read returns the parts of a number, in ascending order of place and quantity. Errors are
// of kind Refused: SELECTION_TOO_COMPLEX, and BAD_FUNCTIONAL for columns or files that are
// none of the plan's.
func (r *Reader) Read(f *functional.Functional) ([]Part, error) {
	total := map[Place]sum{}
	spaces := map[*Space]bool{}
	add := func(at Place, c *columns, s sum) {
		spaces[c.space] = true
		if total[at] == nil {
			total[at] = sum{}
		}
		for _, q := range s.quantities() {
			total[at][q] = c.space.Add(total[at][q], s[q])
		}
	}
	for i := range f.Keys {
		k := &f.Keys[i]
		for j := range k.Linear {
			t := &k.Linear[j]
			c := r.files[t.File]
			if c == nil || int(t.Column) >= len(c.enc.Columns) {
				return nil, unknownColumn(t.File)
			}
			add(Place{t.File}, c, c.linear(t))
		}
		for j := range k.Products {
			t := &k.Products[j]
			c := r.files[t.File]
			if c == nil {
				return nil, unknownColumn(t.File)
			}
			product := sum{"": c.space.Constant(1)}
			for m := range t.Factors {
				s, ok := c.factor(&t.Factors[m])
				if !ok {
					return nil, unknownColumn(t.File)
				}
				product = c.multiply(product, s, "")
			}
			add(Place{t.File}, c, product)
		}
	}
	for i := range f.Cross {
		t := &f.Cross[i]
		x, y := r.files[t.Left.File], r.files[t.Right.File]
		if x == nil || y == nil || !slices.Equal(x.space.sizes, y.space.sizes) {
			return nil, unknownColumn(t.Left.File)
		}
		left, ok := x.factor(&t.Left.Factor)
		// Slots are cells on both sides, so what the right side selects is a function of the
		// same cells.
		right, known := (&columns{enc: y.enc, space: x.space, factors: map[string]sum{}}).factor(&t.Right.Factor)
		if !ok || !known {
			return nil, unknownColumn(t.Right.File)
		}
		product := x.multiply(left, right, "|")
		for _, q := range product.quantities() {
			product[q] = x.space.Mul(product[q], x.space.Constant(int64(t.Weight)))
		}
		add(Place{t.Left.File, t.Right.File}, x, product)
	}
	var out []Part
	for at, s := range total {
		for q, w := range s {
			if w != 0 {
				c := r.files[at[0]]
				part := Part{at, c.space, q, w, [2]*Form{c.form}}
				if right := r.files[at[1]]; right != nil {
					part.Forms[1] = right.form
				}
				out = append(out, part)
			}
		}
	}
	for s := range spaces {
		if err := s.Err(); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(out, func(a, b Part) int {
		return cmp.Or(slices.Compare(a.Place[0][:], b.Place[0][:]), slices.Compare(a.Place[1][:], b.Place[1][:]), cmp.Compare(a.Quantity, b.Quantity))
	})
	return out, nil
}

// Places lists where a number is taken, without reading what it selects there. Some can be
// listed twice.
func Places(f *functional.Functional) (out []Place) {
	for i := range f.Keys {
		k := &f.Keys[i]
		for j := range k.Linear {
			out = append(out, Place{k.Linear[j].File})
		}
		for j := range k.Products {
			out = append(out, Place{k.Products[j].File})
		}
	}
	for i := range f.Cross {
		out = append(out, Place{f.Cross[i].Left.File, f.Cross[i].Right.File})
	}
	return out
}

func unknownColumn(file carnet.Nonce) error {
	return carnet.E(carnet.Refused, "BAD_FUNCTIONAL", "a number is taken of a column of file %s that its schema does not have", file).
		Fix("load the product again")
}

// linear is one column of a file: all of it, or some cells.
func (c *columns) linear(t *functional.Linear) sum {
	q, w := c.column(t.Column)
	if t.Cells != nil {
		w = c.space.Mul(w, c.list(t.Cells))
	}
	if t.Minus {
		w = c.space.Mul(w, c.space.Constant(-1))
	}
	return sum{q: w}
}

// list is Cells for a list that many terms share.
func (c *columns) list(cells []uint32) Weight {
	if len(cells) == 0 {
		return 0
	}
	at := listed{&cells[0], len(cells)}
	w, ok := c.lists[at]
	if !ok {
		w = c.space.Cells(cells)
		c.lists[at] = w
	}
	return w
}

// column is what one column adds up: a quantity, and in which cells.
func (c *columns) column(id uint32) (quantity string, w Weight) {
	col := &c.enc.Columns[id]
	if col.Kind == schema.Indicator {
		s, _ := c.factor(&functional.Factor{Plus: []uint32{id}})
		return "", s[""]
	}
	if col.Atom.Kind == schema.Count && len(c.enc.Digits(col.Atom)) == 1 {
		return "", c.space.Constant(1)
	}
	return "." + strconv.Itoa(int(id)), c.space.Constant(1)
}

// factor is a sum of columns less others. ok is false if there is no such column.
func (c *columns) factor(f *functional.Factor) (out sum, ok bool) {
	key := binary.AppendUvarint(nil, uint64(len(f.Plus)))
	for _, list := range [][]uint32{f.Plus, f.Minus} {
		for _, id := range list {
			if int(id) >= len(c.enc.Columns) {
				return nil, false
			}
			key = binary.AppendUvarint(key, uint64(id))
		}
	}
	if s, ok := c.factors[string(key)]; ok {
		return s, true
	}
	out = sum{}
	tests := make([][]int64, len(c.enc.Axes)) // by axis, per number: many columns of one are one function
	for side, list := range [][]uint32{f.Plus, f.Minus} {
		sign := int64(1 - 2*side)
		for _, id := range list {
			col := &c.enc.Columns[id]
			if col.Kind != schema.Indicator {
				q, w := c.column(id)
				out[q] = c.space.Add(out[q], c.space.Mul(w, c.space.Constant(sign)))
				continue
			}
			if tests[col.Axis] == nil {
				tests[col.Axis] = make([]int64, c.enc.Axes[col.Axis].Size)
			}
			count(tests[col.Axis], &c.enc.Axes[col.Axis], col, sign)
		}
	}
	for axis, values := range tests {
		if values == nil {
			continue
		}
		out[""] = c.space.Add(out[""], c.space.ByNumber(c.enc.Axes[axis].Dimensions, func(n int) int64 { return values[n] }))
	}
	c.factors[string(key)] = out
	return out, true
}

// count adds sign to the values of the numbers that pass the test of an indicator.
func count(values []int64, a *schema.Axis, col *schema.Column, sign int64) {
	least, most, step := col.Code, col.Code, len(values)
	switch col.Test {
	case schema.AtMost:
		least = 0
	case schema.HighIs:
		least, most = col.Code*a.Radix, col.Code*a.Radix+a.Radix-1
	case schema.LowIs:
		step = a.Radix
	}
	for ; least < len(values); least, most = least+step, most+step {
		for n := least; n <= most && n < len(values); n++ {
			values[n] += sign
		}
	}
}

// multiply multiplies two sums. Quantities of the left side of a product across files are
// told from those of the right one by the mark between them.
func (c *columns) multiply(a, b sum, mark string) sum {
	out := sum{}
	for _, p := range a.quantities() {
		for _, q := range b.quantities() {
			name := joined(p, q, mark)
			out[name] = c.space.Add(out[name], c.space.Mul(a[p], b[q]))
		}
	}
	return out
}

// joined names a product of columns: their numbers in the order of their texts.
func joined(p, q, mark string) string {
	if mark != "" {
		return p + mark + q
	}
	if p == "" || q == "" {
		return p + q
	}
	list := append(strings.Split(p[1:], "."), strings.Split(q[1:], ".")...)
	slices.Sort(list)
	return "." + strings.Join(list, ".")
}
