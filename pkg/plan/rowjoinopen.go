package plan

import (
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/query"
	"github.com/carnet-network/carnet/pkg/schema"
	"github.com/carnet-network/carnet/pkg/share"
)

// joinedFiles are files of both sides whose rows belong together.
type joinedFiles struct{ left, right *file }

// rows is how many rows the join of the two has at most.
func (f joinedFiles) rows() int64 { return min(f.left.rows, f.right.rows) }

// open lists the groups and builds the openings.
func (j *rowJoin) open(p *Plan, s *source) error {
	shared := &opener{plan: p, byDigest: map[carnet.Hash]int{}, homeOf: map[carnet.KeyID]int{}, work: maxWork >> 2, memo: functional.NewMemo(s.u.n)}
	s.build = newBuilder(shared, s)
	shared.protect(j.sides[1].u)
	groups, err := s.build.groups(s.keys)
	if err != nil {
		return err
	}
	if err := s.build.tooMuchToPlan(len(groups)); err != nil {
		return err
	}
	partners := j.partners()
	for i := range groups {
		picked, err := s.build.pick(&groups[i], 0)
		if err != nil {
			return err
		}
		o := &crossOpener{j, s.build, nil}
		for _, f := range picked.files {
			if f.rows.factors > 0 {
				return noJoin(s.at, "rows that are joined across owners are selected by partitions only").Fix("%s", groupedJoin)
			}
			for _, g := range partners[j.partition(0, f.file)] {
				if f.key == g.key {
					return noJoin(j.sel.Rows.At, "dataset %s is on both sides of the join", j.sides[0].u.datasets[f.dataset].Manifest.ID).Fix("%s", groupedJoin)
				}
				o.files = append(o.files, joinedFiles{f.file, g})
			}
		}
		side := groups[i].keyed(s.u, s.keys)
		side.counted = s.counted()
		out := Group{Keys: side.keys, sides: []groupSide{side}}
		for n := range s.needs.list {
			parts, err := o.quantity(n)
			if err != nil {
				return err
			}
			out.Quantities = append(out.Quantities, parts)
		}
		p.Groups = append(p.Groups, out)
	}
	return nil
}

// partition names the values of the partitions of a file.
func (j *rowJoin) partition(side int, f *file) string {
	m := &j.sides[side].u.datasets[f.dataset].Manifest
	at := slices.IndexFunc(m.Files, func(x carnet.File) bool { return x.Nonce == f.nonce })
	var b strings.Builder
	for _, name := range j.shared {
		b.WriteString(m.Files[at].Partition[name])
		b.WriteByte(0) // in no value
	}
	return b.String()
}

// partners lists the files of the second side by the values of their partitions.
func (j *rowJoin) partners() map[string][]*file {
	out := map[string][]*file{}
	u := j.sides[1].u
	for i := range u.files {
		name := j.partition(1, &u.files[i])
		out[name] = append(out[name], &u.files[i])
	}
	return out
}

// crossOpener opens quantities of one group.
type crossOpener struct {
	*rowJoin
	b     *builder
	files []joinedFiles
}

// quantity opens a need: one number for every two digits.
func (o *crossOpener) quantity(n int) ([]Part, error) {
	if len(o.files) == 0 {
		return nil, nil
	}
	q := o.quantities[o.needs.list[n].cross-1]
	if q.squared {
		return o.squared(n, q)
	}
	var parts []Part
	for _, x := range o.sides[0].u.Encoding.Digits(q.atoms[0]) {
		for _, y := range o.sides[1].u.Encoding.Digits(q.atoms[1]) {
			var terms []functional.Cross
			for _, f := range o.files {
				terms = append(terms, f.term(1, x, y))
			}
			limits := productBounds([]schema.Column{x, y}, o.rows())
			limits.row = new(big.Int).Mul(rowOf(o.sides[0].u.Encoding, x), rowOf(o.sides[1].u.Encoding, y))
			i, err := o.open(n, terms, limits)
			if err != nil {
				return nil, err
			}
			parts = append(parts, Part{Opening: i, Shift: x.Shift + y.Shift, Times: 1})
		}
	}
	return parts, nil
}

// squared opens a sum of squared differences as one number: x^2*1 - 2*x*y + 1*y^2.
func (o *crossOpener) squared(n int, q crossQuantity) ([]Part, error) {
	c := o.columns(q)
	x, y := c[0], c[1]
	var terms []functional.Cross
	for _, f := range o.files {
		terms = append(terms, f.term(1, x[2], y[0]), f.term(-2, x[1], y[1]), f.term(1, x[0], y[2]))
	}
	most := new(big.Int).Sub(x[1].Max, y[1].Min)
	if less := new(big.Int).Sub(y[1].Max, x[1].Min); less.Cmp(most) > 0 {
		most = less
	}
	row := new(big.Int).Mul(most, most)
	i, err := o.open(n, terms, bounds{new(big.Int), new(big.Int).Mul(row, big.NewInt(o.rows())), row})
	if err != nil {
		return nil, err
	}
	return []Part{{Opening: i, Times: 1}}, nil
}

func (f joinedFiles) term(weight int, x, y schema.Column) functional.Cross {
	return functional.Cross{
		Left:   functional.CrossFactor{Key: f.left.key, File: f.left.nonce, Factor: functional.Sum(x.ID)},
		Right:  functional.CrossFactor{Key: f.right.key, File: f.right.nonce, Factor: functional.Sum(y.ID)},
		Blocks: f.left.blocks, Weight: weight,
	}
}

// rows is how many rows the join has at most.
func (o *crossOpener) rows() (n int64) {
	for _, f := range o.files {
		n += f.rows()
	}
	return n
}

// open adds an opening, or finds an equal one, and returns its number.
func (o *crossOpener) open(n int, terms []functional.Cross, limits bounds) (int, error) {
	f := functional.Across(terms...)
	at := o.sel.Rows.At
	switch {
	case len(f.Keys) > functional.MaxCrossKeys:
		return 0, query.Refuse(at, "TOO_COMPLEX", "the join multiplies columns of %d dataset keys with each other, at most %d are possible", len(f.Keys), functional.MaxCrossKeys).
			Fix("ask products of fewer datasets")
	case len(f.Cross) > functional.MaxCrossTerms:
		return 0, query.Refuse(at, "TOO_COMPLEX", "the join multiplies %d pairs of columns, at most %d are possible", len(f.Cross), functional.MaxCrossTerms).
			Fix("select fewer files by partition")
	}
	if err := o.b.count(f); err != nil {
		return 0, err
	}
	digest := o.b.memo.Digest(f)
	if i, ok := o.b.byDigest[digest]; ok {
		return i, nil
	}
	if err := o.b.memo.Validate(f); err != nil {
		return 0, err
	}
	x := Opening{F: f, Digest: digest, Degree: f.Degree, Less: map[carnet.Nonce]bool{}}
	var owners [2][]carnet.PartyID
	for _, f := range o.files {
		x.Less[f.right.nonce] = true
		owners[0], owners[1] = append(owners[0], f.left.owner), append(owners[1], f.right.owner)
	}
	x.Rows = o.read()
	for i := range owners {
		slices.Sort(owners[i])
		owners[i] = slices.Compact(owners[i])
		x.Sides[i] = len(owners[i])
	}
	x.Owners = slices.Concat(owners[0], owners[1])
	slices.Sort(x.Owners)
	x.Owners = slices.Compact(x.Owners)
	if err := o.certify(n, &x, limits); err != nil {
		return 0, err
	}
	i := len(o.b.plan.Openings)
	o.b.byDigest[digest] = i
	o.b.plan.Openings = append(o.b.plan.Openings, x)
	return i, nil
}

// partnersOfOne is how many rows one row is joined with at most: a file can be joined with
// those of several datasets.
func (o *crossOpener) partnersOfOne() (most int64) {
	times := map[carnet.Nonce]int64{}
	for _, f := range o.files {
		for _, x := range []*file{f.left, f.right} {
			times[x.nonce]++
			most = max(most, times[x.nonce])
		}
	}
	return most
}

// read counts the rows of the files, each once.
func (o *crossOpener) read() (n int64) {
	seen := map[carnet.Nonce]bool{}
	for _, f := range o.files {
		for _, x := range []*file{f.left, f.right} {
			if !seen[x.nonce] {
				seen[x.nonce] = true
				n += x.rows
			}
		}
	}
	return n
}

// certify works out the worst case of an opening and refuses it if the result could wrap
// or the noise could not be hidden.
func (o *crossOpener) certify(n int, x *Opening, limits bounds) error {
	u := o.sides[0].u
	half := new(big.Int).SetUint64((u.Profile.T() - 1) / 2)
	largest := new(big.Int).Abs(limits.lo)
	if limits.hi.CmpAbs(largest) > 0 {
		largest.Abs(limits.hi)
	}
	what, at := o.b.who(n)
	if largest.Cmp(half) > 0 {
		return query.Refuse(at, "OVERFLOW", "%s over %d joined rows could reach %s, and profile %s holds results up to %s", what, o.rows(), largest, u.Profile.Name(), half).
			OfKind(carnet.Precondition).Fix("select fewer files by partition; or a new version of the schema can declare narrower bounds, a smaller scale, or smaller limits, which store measures in smaller digits")
	}
	row := new(big.Int).Mul(limits.row, big.NewInt(o.partnersOfOne()))
	tail := o.b.noise(x, row, u.Committee, 0)
	if largest.Add(largest, tail).Cmp(half) > 0 {
		return drowned(what, at, x, half)
	}
	x.Min, x.Max = limits.lo.Int64()-tail.Int64(), limits.hi.Int64()+tail.Int64()
	x.Bound = share.NoiseBound(u.Profile, x.Degree, share.Terms(x.F))
	x.NoiseBits = new(big.Int).Sub(x.Bound, big.NewInt(1)).BitLen()
	var err error
	x.FloodBits, x.ReleaseBits, err = share.FloodBits(u.Profile, u.Committee, 0, x.Bound)
	if err != nil || x.ReleaseBits < share.MinReleaseBits {
		return query.Refuse(at, "NOISE_BUDGET", "%s multiplies too many blocks to hide their noise over 2^%d releases in profile %s", what, share.MinReleaseBits, u.Profile.Name()).
			OfKind(carnet.Precondition).Fix("select fewer files by partition, or join products of fewer datasets")
	}
	return nil
}

// describeRows tells what a join of rows is and needs.
func (p *Plan) describeRows(sources []*source) []string {
	var using []string
	for _, c := range p.Select.Rows.Using {
		using = append(using, c.Name)
	}
	return []string{
		fmt.Sprintf("joins the rows of %s and %s that have the same %s, slot by slot", sources[0].alias, sources[1].alias, strings.Join(using, ", ")),
		fmt.Sprintf("multiplies columns of different owners: their terms have to list each other under products_with, %d keyholders have to answer, and a key is opened so %d times at most",
			p.Needed(), share.MaxCrossReleases),
	}
}
