package meter

import (
	"cmp"
	"crypto/ed25519"
	"maps"
	"slices"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/history"
)

// Book reads a journal, in order and from its first entry, and keeps what was released
// and what is owed for it. It is not safe for concurrent use.
type Book struct {
	state    *history.State
	memo     Memo // nil: none
	bill     Bill
	waiting  map[carnet.Hash]*waiting // queries that were not released, by statement hash
	released []Release
	lines    []Line
	latest   map[carnet.DatasetID]*carnet.Dataset
	usages   map[period]*evidence.Envelope    // the last statement that was certified for each
	made     map[carnet.DatasetID][]time.Time // when statements were certified, in the order of the journal
}

// waiting is a query that was not released so far.
type waiting struct {
	of   *history.Case
	uses []Use // nil until it was compiled, and if it can't be
	need int   // answers that open it; 0: it can't be compiled
}

type period struct {
	dataset     carnet.DatasetID
	from, until time.Time
}

// NewBook begins with an empty journal of the network whose registrar has that key.
func NewBook(registrar ed25519.PublicKey) *Book {
	return &Book{state: history.New(registrar).WithoutBudgets(), waiting: map[carnet.Hash]*waiting{}, latest: map[carnet.DatasetID]*carnet.Dataset{}, usages: map[period]*evidence.Envelope{}, made: map[carnet.DatasetID][]time.Time{}}
}

// Add takes the next entry in. A statement without effect changes nothing. The error is
// one of the arithmetic: an amount that can't be represented.
func (b *Book) Add(seq int64, env *evidence.Envelope) error {
	if env.PayloadType == carnet.TypeUsage {
		b.certified(env)
		return nil
	}
	event, err := b.state.Apply(seq, env)
	if err == nil && env.PayloadType == carnet.TypeDataset {
		var d carnet.Dataset
		if env.Decode(carnet.TypeDataset, &d) == nil {
			b.latest[d.ID] = &d
		}
	}
	if err != nil || event.Case == nil {
		return nil //nolint:nilerr // such a statement has no effect
	}
	switch c := event.Case; env.PayloadType {
	case carnet.TypeQuery:
		w := &waiting{of: c}
		if u, err := b.used(c.Hash, c.Plan); err == nil {
			w.uses, w.need = u.Uses, u.Needed
		}
		c.Rest()
		b.waiting[c.Hash] = w
	case carnet.TypeAnswer:
		w := b.waiting[c.Hash]
		if w == nil || w.need == 0 || len(c.Answers) < w.need {
			return nil
		}
		delete(b.waiting, c.Hash)
		r := Release{Query: c.Hash, Entry: seq, Buyer: c.Query.Buyer, At: Dated(event.Answer.Created, &c.Query), Uses: w.uses}
		lines, err := b.bill.Add(&r)
		if err != nil {
			return err
		}
		b.released, b.lines = append(b.released, r), append(b.lines, lines...)
	}
	return nil
}

// Dated is the time of a release. The keyholder that completed it wrote the time, alone; so
// it counts only within the life of the query, whose end the gateway checked by its clock.
func Dated(answered time.Time, q *carnet.Query) time.Time {
	if first := q.Expires.Add(-carnet.MaxQueryLife); answered.Before(first) {
		return first.UTC()
	}
	if answered.After(q.Expires) {
		return q.Expires.UTC()
	}
	return answered.UTC()
}

// certified remembers a usage statement of an operator.
func (b *Book) certified(env *evidence.Envelope) {
	var u carnet.Usage
	if env.Decode(carnet.TypeUsage, &u) == nil && b.Signed(env, u.Operator) {
		b.usages[period{u.Dataset, u.From, u.Until}] = env
		b.made[u.Dataset] = append(b.made[u.Dataset], u.Created)
	}
}

// Certified is how many usage statements about a dataset were made after a time, by their
// own dates.
func (b *Book) Certified(dataset carnet.DatasetID, after time.Time) (n int) {
	for _, t := range b.made[dataset] {
		if t.After(after) {
			n++
		}
	}
	return n
}

// Signed reports whether an operator that the journal knows signed a statement.
func (b *Book) Signed(env *evidence.Envelope, operator carnet.PartyID) bool {
	p := b.state.Party(operator)
	return p != nil && p.HasRole(carnet.RoleOperator) && env.SignedBy(p.SigningKey)
}

// Owner is whose a dataset is, empty if the journal has none of the name.
func (b *Book) Owner(dataset carnet.DatasetID) carnet.PartyID {
	if d := b.latest[dataset]; d != nil {
		return d.Owner
	}
	return ""
}

// Releases lists what was released, in the order of the journal. The caller does not
// change it.
func (b *Book) Releases() []Release { return b.released }

// Lines lists what is owed, in the order of the journal. The caller does not change it.
func (b *Book) Lines() []Line { return b.lines }

// Attempts lists the queries that were not released so far, in the order of the journal.
func (b *Book) Attempts() (out []Attempt) {
	all := slices.SortedFunc(maps.Values(b.waiting), func(x, y *waiting) int { return cmp.Compare(x.of.Seq, y.of.Seq) })
	for _, w := range all {
		a := Attempt{Query: w.of.Hash, Buyer: w.of.Query.Buyer, At: w.of.Query.Created, Uses: w.uses}
		for _, d := range w.of.Decisions {
			if !d.Body.Allow && !slices.Contains(a.Reasons, d.Body.Reason) {
				a.Reasons = append(a.Reasons, d.Body.Reason)
			}
		}
		slices.Sort(a.Reasons)
		out = append(out, a)
	}
	return out
}

// Usage adds up what was used of a dataset in a period.
func (b *Book) Usage(dataset carnet.DatasetID, from, until time.Time) (*carnet.Usage, error) {
	return UsageOf(dataset, from, until, b.released, b.Attempts(), b.lines)
}

// LastUsage is the last statement that an operator certified for exactly this dataset and
// period, nil if there is none.
func (b *Book) LastUsage(dataset carnet.DatasetID, from, until time.Time) *evidence.Envelope {
	return b.usages[period{dataset, from.UTC(), until.UTC()}]
}

// Value works out what a dataset is worth in figures, from its newest manifest.
func (b *Book) Value(dataset carnet.DatasetID, until Month, as Assumptions) (*Valuation, error) {
	d := b.latest[dataset]
	if d == nil {
		return nil, carnet.E(carnet.NotFound, "NOT_FOUND", "the journal has no dataset %s", dataset)
	}
	_, bytes, err := Size(d)
	if err != nil {
		return nil, err
	}
	return Value(dataset, bytes, until, as, b.released, b.lines)
}

// Size is the rows of a dataset and the bytes of its ciphertext, unpacked.
func Size(d *carnet.Dataset) (rows, bytes int64, err error) {
	p, err := he.Lookup(d.Profile)
	if err != nil {
		return 0, 0, err
	}
	for i := range d.Files {
		f := &d.Files[i]
		rows += f.Rows
		bytes += int64(f.Columns) * int64(f.Blocks) * int64(p.BlockBytes())
	}
	return rows, bytes, nil
}
