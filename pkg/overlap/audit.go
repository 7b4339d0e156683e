package overlap

import (
	"maps"
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
	MaxNumbers  = 4096        // numbers that are kept and compared cell by cell
	maxPatterns = 4096        // selections of files of one plan
	maxSets     = 1024        // sets of owners
	maxWork     = 1 << 28     // multiplications of one comparison, about a second
	maxRoom     = 8 * maxWork // of finding room for the numbers of one query
	maxRuns     = 4 << 20     // of the functions of numbers that are linked, see cells.Weights
	maxKnown    = 1 << 20     // numbers that are recognised when they are asked for again
)

// Audit remembers what was released. It is for one goroutine.
type Audit struct {
	most   int // MaxNumbers
	runs   int // maxRuns
	random *rand.ChaCha8
	prime  uint64
	forms  map[form]*cells.Form
	files  map[carnet.Nonce]file
	places map[cells.Place]*place
	tables map[string]*table
	known  map[[16]byte]bool
	last   *checked
}

// checked is a plan that was found harmless and may be admitted next.
type checked struct {
	plan  *plan.Plan
	fresh *asked
}

type form struct {
	schema carnet.Hash
	layout carnet.Layout
}

type file struct {
	owner carnet.PartyID
	need  int // least number of owners by the terms of its dataset
	id    carnet.DatasetID
	table string
}

// place is a place that numbers were taken from: a file, or two whose rows are multiplied.
type place struct {
	name   string           // orders places alike for everybody
	owners []carnet.PartyID // of the file, or both files; ascending
	need   int
	id     carnet.DatasetID // whose terms demand it
	table  *table
}

// table are the places of one owner's files of one partition: versions, layouts and datasets
// that may have the same rows.
type table struct {
	places []*place
	linked *linked
}

// pattern is a vector over places that some cell of a number has.
type pattern []entry

type entry struct {
	place *place
	value int64
}

// number is what a released number counts.
type number struct {
	parts []counted
	kind  string // its patterns
}

type counted struct {
	cells.Part
	place *place
}

// New returns an empty audit. The seed has to be random and is told nobody.
func New(seed [32]byte) *Audit {
	r := rand.NewChaCha8(seed)
	return &Audit{most: MaxNumbers, runs: maxRuns, random: r, prime: drawPrime(r), forms: map[form]*cells.Form{},
		files: map[carnet.Nonce]file{}, places: map[cells.Place]*place{}, tables: map[string]*table{}, known: map[[16]byte]bool{}}
}

// Admit refuses a plan whose numbers, with those that were admitted before, tell something
// about fewer owners than the terms of a dataset demand; otherwise it remembers them. All
// choices of a private parameter count as asked for. Errors are of kind Refused:
// OVERLAPS_RELEASED, OVERLAP_NOT_COMPARED, SELECTION_TOO_COMPLEX.
func (a *Audit) Admit(p *plan.Plan) error { return a.judge(p, true) }

// Check is Admit without remembering. To admit the plan next costs little.
func (a *Audit) Check(p *plan.Plan) error { return a.judge(p, false) }

func (a *Audit) judge(p *plan.Plan, keep bool) error {
	if last := a.last; last != nil {
		if a.last = nil; last.plan == p && keep {
			a.keep(p, last.fresh)
			return nil
		}
		a.forget(last.fresh)
	}
	fresh, err := a.read(p)
	switch {
	case err != nil:
		a.forget(fresh)
		fresh, err = a.unread(p, err)
	case len(fresh.patterns) > 0:
		err = a.together(fresh)
	}
	switch {
	case err != nil:
		a.forget(fresh)
	case keep:
		a.keep(p, fresh)
	default:
		a.last = &checked{p, fresh}
	}
	return err
}

// asked is what a plan adds.
type asked struct {
	most     int // numbers that are kept
	work     int // what comparing may take
	room     int // and what making room for them may
	kinds    map[string]*kind
	patterns map[string]pattern
	whole    map[string]pattern // of which everything counts as released
	places   []*place           // of the numbers, in their order
	made     []*place           // those of them that nobody asked for before
	after    *linked            // what is linked, once it is admitted
}

// kind are numbers with the same patterns.
type kind struct {
	patterns map[string]pattern
	numbers  []number // no more than are compared
	count    int
}

// nothing is what a plan adds before any of its numbers is read.
func (a *Audit) nothing() *asked {
	return &asked{most: a.most, work: maxWork, room: maxRoom, kinds: map[string]*kind{}, patterns: map[string]pattern{}, whole: map[string]pattern{}}
}

// diverse reports whether there are more patterns than are looked at.
func (f *asked) diverse() bool { return len(f.whole) > 0 || len(f.patterns) > maxPatterns }

// read reads the numbers of a plan that were not released yet. What it reads by is
// forgotten: whether there is room for it depends on the plan alone.
func (a *Audit) read(p *plan.Plan) (*asked, error) {
	out := a.nothing()
	for i := range p.Datasets {
		m := &p.Datasets[i].Manifest
		for j := range m.Files {
			a.files[m.Files[j].Nonce] = file{m.Owner, m.Terms.MinOwners, m.ID, tableOf(m.Owner, &m.Files[j])}
		}
	}
	reader := cells.NewReaderWithin(a.runs)
	reader.Add(p)
	seen := map[*place]bool{}
	for i := range p.Openings {
		if a.known[shorten(p.Openings[i].Digest)] {
			continue
		}
		for _, f := range p.Openings[i].Functionals() {
			parts, err := reader.Read(f)
			if err != nil {
				return out, err
			}
			n := number{parts: make([]counted, 0, len(parts))}
			for _, x := range parts {
				at, err := a.place(x.Place, out)
				if err != nil {
					return out, err
				}
				n.parts = append(n.parts, counted{x, at})
				if !seen[at] {
					seen[at] = true
					out.places = append(out.places, at)
				}
			}
			if len(n.parts) > 0 {
				out.add(n)
			}
		}
	}
	return out, nil
}

// add adds a number to those of its kind.
func (f *asked) add(n number) {
	patterns := map[string]pattern{}
	if addPatterns(n.parts, patterns); len(patterns) > maxPatterns {
		f.mixed(n)
		return
	}
	n.kind = strings.Join(slices.Sorted(maps.Keys(patterns)), "/")
	k := f.kinds[n.kind]
	if k == nil {
		k = &kind{patterns: patterns}
		f.kinds[n.kind] = k
		maps.Copy(f.patterns, patterns)
	}
	if k.count++; k.count <= f.most {
		k.numbers = append(k.numbers, n)
	}
}

// unread takes a plan whose numbers can't be read, for why. Where nobody demands company it is
// not refused, and may have been answered before anybody read it: then everything of the
// places that it is about counts as released.
func (a *Audit) unread(p *plan.Plan, why error) (*asked, error) {
	out := a.nothing()
	seen := map[cells.Place]bool{}
	var n number
	add := func(at cells.Place) error {
		if seen[at] {
			return nil
		}
		seen[at] = true
		x, err := a.place(at, out)
		if err == nil {
			out.places = append(out.places, x)
			n.parts = append(n.parts, counted{place: x})
		}
		return err
	}
	for i := range p.Openings {
		for _, f := range p.Openings[i].Functionals() {
			for _, at := range cells.Places(f) {
				if err := add(at); err != nil {
					return out, err
				}
			}
		}
	}
	if len(n.parts) == 0 {
		return out, why
	}
	if out.mixed(n); a.together(out) != nil {
		return out, why
	}
	return out, nil
}

// mixed takes a number of more patterns than are looked at: as if everything of each of its
// places had been asked for. Where somebody demands company it is refused.
func (f *asked) mixed(n number) {
	for i := range n.parts {
		p := pattern{{n.parts[i].place, 1}}
		f.patterns[p.key()], f.whole[p.key()] = p, p
	}
}

func shorten(h carnet.Hash) (k [16]byte) {
	copy(k[:], h[:])
	return k
}

// tableOf names what files may be the same rows as this one, in another layout, version
// or dataset.
func tableOf(owner carnet.PartyID, f *carnet.File) string {
	name := string(owner)
	for _, key := range slices.Sorted(maps.Keys(f.Partition)) {
		name += "\x00" + key + "\x00" + f.Partition[key]
	}
	return name
}

// place finds a place, or makes it.
func (a *Audit) place(at cells.Place, out *asked) (*place, error) {
	if x := a.places[at]; x != nil {
		return x, nil
	}
	x := &place{name: string(at[0][:]) + string(at[1][:])}
	name := ""
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
		name += f.table + "\x01"
	}
	slices.Sort(x.owners)
	x.owners = slices.Compact(x.owners)
	if x.table = a.tables[name]; x.table == nil {
		x.table = &table{linked: &linked{}}
		a.tables[name] = x.table
	}
	x.table.places = append(x.table.places, x)
	a.places[at] = x
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
	for name, t := range a.tables {
		t.places = slices.DeleteFunc(t.places, func(x *place) bool { return gone[x] })
		if len(t.places) == 0 {
			delete(a.tables, name)
		}
	}
}

// keep remembers what was admitted.
func (a *Audit) keep(p *plan.Plan, f *asked) {
	for i := range p.Openings {
		if len(a.known) < maxKnown {
			a.known[shorten(p.Openings[i].Digest)] = true
		}
	}
	if f.after == nil {
		return
	}
	a.move(f.after)
	for _, x := range f.after.places {
		x.table.linked = f.after
	}
}

// move takes the functions of numbers over into spaces where they stay, and their encodings
// into one of each.
func (a *Audit) move(l *linked) {
	if l.spaces == nil || l.dropped {
		l.spaces, l.dropped = map[carnet.Hash]*cells.Space{}, false
	}
	l.numbers = gathered(l.numbers, l.spaces)
	for i := range l.numbers {
		for j := range l.numbers[i].parts {
			for side, e := range l.numbers[i].parts[j].Forms {
				if e == nil {
					continue
				}
				key := form{e.Schema, e.Layout}
				if a.forms[key] == nil {
					a.forms[key] = e
				}
				l.numbers[i].parts[j].Forms[side] = a.forms[key]
			}
		}
	}
}

func notCompared(why string) error {
	return carnet.E(carnet.Refused, "OVERLAP_NOT_COMPARED", "whether this query and others that were released tell something about too few owners can't be found out: %s", why).
		Fix("ask about the same owners and partitions as before, as one: without conditions on them and without grouping by them")
}

func overlaps(x *place) error {
	return carnet.E(carnet.Refused, "OVERLAPS_RELEASED", "the numbers of this query, or they together with others that were released, would tell something of dataset %s about fewer than %d owners", x.id, x.need).
		Fix("ask about all owners and partitions of the product as one, without conditions on owner, jurisdiction and partitions; what was answered before can be asked again")
}
