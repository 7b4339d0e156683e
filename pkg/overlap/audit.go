package overlap

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/cells"
	"github.com/carnet-network/carnet/pkg/plan"
)

// Limits of what is compared. They are about numbers and files that are linked with each other
// by some number.
const (
	MaxNumbers  = 512     // numbers that are compared cell by cell
	someNumbers = 64      // of those before and of the plan's, where there are more
	maxPatterns = 4096    // selections of files
	maxSets     = 1024    // sets of owners
	maxWork     = 1 << 28 // multiplications of one comparison, some seconds
	maxKnown    = 1 << 20 // numbers that are recognised when they are asked for again
)

// Audit remembers what was released. It is for one goroutine.
type Audit struct {
	random *rand.ChaCha8
	prime  uint64
	reader *cells.Reader
	files  map[carnet.Nonce]file
	places map[cells.Place]*place
	list   []*place // by number
	known  map[[16]byte]bool
}

type file struct {
	owner carnet.PartyID
	need  int // least number of owners by the terms of its dataset
	id    carnet.DatasetID
}

// place is a place that numbers were taken from.
type place struct {
	number int
	owners []carnet.PartyID // of the file, or both files; ascending
	need   int
	id     carnet.DatasetID // whose terms demand it
	linked *linked
}

// linked are places that numbers link with each other, and what was released over them.
type linked struct {
	places   []*place
	patterns map[string]pattern
	numbers  []number
	many     bool // there were more numbers than are kept, which are the first ones
	diverse  bool // there were more patterns than are kept
	split    bool // patterns alone do not show that nothing is told; numbers do
}

// pattern is a vector over places that some cell of a number has.
type pattern []entry

type entry struct {
	place *place
	value int64
}

// number is what a released number counts.
type number []counted

type counted struct {
	cells.Part
	place *place
}

// New returns an empty audit. The seed has to be random and is told nobody.
func New(seed [32]byte) *Audit {
	r := rand.NewChaCha8(seed)
	return &Audit{random: r, prime: drawPrime(r), reader: cells.NewReader(), files: map[carnet.Nonce]file{},
		places: map[cells.Place]*place{}, known: map[[16]byte]bool{}}
}

// Admit refuses a plan whose numbers, with those that were admitted before, tell something
// about fewer owners than the terms of a dataset demand; otherwise it remembers them. All
// choices of a private parameter count as asked for. Errors are of kind Refused:
// OVERLAPS_RELEASED, OVERLAP_NOT_COMPARED, SELECTION_TOO_COMPLEX.
func (a *Audit) Admit(p *plan.Plan) error { return a.judge(p, true) }

// Check is Admit without remembering.
func (a *Audit) Check(p *plan.Plan) error { return a.judge(p, false) }

func (a *Audit) judge(p *plan.Plan, keep bool) error {
	mark := a.reader.Mark()
	fresh, err := a.read(p)
	if err == nil && len(fresh.numbers) > 0 {
		err = a.together(fresh)
	}
	if err != nil || !keep || len(fresh.numbers) == 0 {
		a.forget(fresh)
		a.reader.Undo(mark)
		return err
	}
	a.keep(p, fresh)
	if len(fresh.after.numbers) == fresh.before {
		a.reader.Undo(mark) // nothing refers to what was read
	}
	return nil
}

// asked is what a plan adds.
type asked struct {
	numbers  []number // no more than are compared
	more     bool     // there were more
	patterns map[string]pattern
	places   []*place // of the numbers
	made     []*place // those of them that nobody asked for before
	after    *linked  // what is linked, once it is admitted
	before   int      // how many of its numbers are not of the plan
}

// read reads the numbers of a plan that were not released yet.
func (a *Audit) read(p *plan.Plan) (*asked, error) {
	out := &asked{patterns: map[string]pattern{}}
	for i := range p.Datasets {
		m := &p.Datasets[i].Manifest
		for j := range m.Files {
			a.files[m.Files[j].Nonce] = file{m.Owner, m.Terms.MinOwners, m.ID}
		}
	}
	a.reader.Add(p)
	seen := map[*place]bool{}
	for i := range p.Openings {
		if a.known[shorten(p.Openings[i].Digest)] {
			continue
		}
		for _, f := range p.Openings[i].Functionals() {
			parts, err := a.reader.Read(f)
			if err != nil {
				return out, err
			}
			var n number
			for _, x := range parts {
				at, err := a.place(x.Place, out)
				if err != nil {
					return out, err
				}
				n = append(n, counted{x, at})
				if !seen[at] {
					seen[at] = true
					out.places = append(out.places, at)
				}
			}
			if len(n) > 0 {
				if out.more = out.more || len(out.numbers) == MaxNumbers; !out.more {
					out.numbers = append(out.numbers, n)
				}
				addPatterns(n, out.patterns)
			}
		}
	}
	return out, nil
}

func shorten(h carnet.Hash) (k [16]byte) {
	copy(k[:], h[:])
	return k
}

// place finds a place, or makes it.
func (a *Audit) place(at cells.Place, out *asked) (*place, error) {
	if x := a.places[at]; x != nil {
		return x, nil
	}
	x := &place{number: len(a.list)}
	for side, nonce := range at {
		if side == 1 && nonce == (carnet.Nonce{}) {
			break
		}
		f, ok := a.files[nonce]
		if !ok {
			return nil, carnet.E(carnet.Refused, "BAD_FUNCTIONAL", "file %s belongs to no dataset of the plan", nonce).Fix("load the product again")
		}
		if x.owners = append(x.owners, f.owner); f.need > x.need {
			x.need, x.id = f.need, f.id
		}
	}
	slices.Sort(x.owners)
	x.owners = slices.Compact(x.owners)
	x.linked = &linked{places: []*place{x}, patterns: map[string]pattern{}}
	a.places[at] = x
	a.list = append(a.list, x)
	out.made = append(out.made, x)
	return x, nil
}

// forget takes back the places that a refused plan made.
func (a *Audit) forget(f *asked) {
	if len(f.made) == 0 {
		return
	}
	gone := map[*place]bool{}
	for _, x := range f.made {
		gone[x] = true
	}
	for at, x := range a.places {
		if gone[x] {
			delete(a.places, at)
		}
	}
	a.list = a.list[:len(a.list)-len(f.made)]
}

// addPatterns adds the vectors over places that the cells of a number have. Quantities are
// kept apart: a combination is zero if it is for each of them.
func addPatterns(n number, out map[string]pattern) {
	type coordinate struct {
		space    *cells.Space
		quantity string
	}
	by := map[coordinate][]counted{}
	for _, x := range n {
		c := coordinate{x.Space, x.Quantity}
		by[c] = append(by[c], x)
	}
	for c, list := range by {
		var functions []cells.Weight // each once
		at := make([]int, len(list))
		for i, x := range list {
			at[i] = slices.Index(functions, x.Weight)
			if at[i] < 0 {
				at[i] = len(functions)
				functions = append(functions, x.Weight)
			}
		}
		c.space.Tuples(functions, func(values []int64) bool {
			var p pattern
			for i, x := range list {
				if v := values[at[i]]; v != 0 {
					p = append(p, entry{x.place, v})
				}
			}
			if len(p) > 0 {
				out[p.key()] = p
			}
			return len(out) <= maxPatterns
		})
	}
}

func (p pattern) key() string {
	slices.SortFunc(p, func(a, b entry) int { return a.place.number - b.place.number })
	var b []byte
	for _, e := range p {
		b = binary.AppendVarint(binary.AppendUvarint(b, uint64(e.place.number)), e.value)
	}
	return string(b)
}

// keep remembers what was admitted.
func (a *Audit) keep(p *plan.Plan, f *asked) {
	for i := range p.Openings {
		if len(a.known) < maxKnown {
			a.known[shorten(p.Openings[i].Digest)] = true
		}
	}
	for _, x := range f.after.places {
		x.linked = f.after
	}
}

// merged is what is linked once the plan is admitted.
func (f *asked) merged() *linked {
	out := &linked{patterns: map[string]pattern{}}
	seen := map[*linked]bool{}
	for _, x := range f.places {
		l := x.linked
		if seen[l] {
			continue
		}
		seen[l] = true
		out.places = append(out.places, l.places...)
		for k, p := range l.patterns {
			out.patterns[k] = p
		}
		out.numbers = append(out.numbers, l.numbers...)
		out.many, out.diverse, out.split = out.many || l.many, out.diverse || l.diverse, out.split || l.split
	}
	for k, p := range f.patterns {
		out.patterns[k] = p
	}
	if len(out.numbers) > MaxNumbers {
		out.numbers, out.many = out.numbers[:MaxNumbers], true
	}
	f.before = len(out.numbers)
	kept := min(len(f.numbers), MaxNumbers-f.before)
	out.numbers = append(out.numbers, f.numbers[:kept]...)
	out.many = out.many || f.more || kept < len(f.numbers)
	if len(out.patterns) > maxPatterns {
		out.patterns, out.diverse = map[string]pattern{}, true
	}
	return out
}

// owners lists those of the places, ascending.
func (l *linked) owners() (out []carnet.PartyID) {
	for _, x := range l.places {
		out = append(out, x.owners...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func notCompared(why string) error {
	return carnet.E(carnet.Refused, "OVERLAP_NOT_COMPARED", "whether this query and others that were released tell something about too few owners can't be found out: %s", why).
		Fix("ask about the same owners and partitions as before, as one: without conditions on them and without grouping by them")
}

func overlaps(x *place) error {
	return carnet.E(carnet.Refused, "OVERLAPS_RELEASED", "the numbers of this query, or they together with others that were released, would tell something of dataset %s about fewer than %d owners", x.id, x.need).
		Fix("ask about all owners and partitions of the product as one, without conditions on owner, jurisdiction and partitions; what was answered before can be asked again")
}

// names is a set of owners as text, for maps.
func names(owners []carnet.PartyID) string {
	var list []string
	for _, o := range owners {
		list = append(list, string(o))
	}
	return strings.Join(list, " ")
}
