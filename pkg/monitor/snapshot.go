package monitor

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/history"
)

// over is how long after its expiry a query is kept: what comes later is not judged.
const over = 24 * time.Hour

// snapshot is what a monitor knows of the entries that it has read. Entries that later ones
// can refer to are in it whole and applied again: parties, committees, datasets, and queries
// that are not over. Of others their hashes stay, 32 bytes each; of queries also what figures
// count, and up to maxAsked statements that what later ones tell is judged by.
type snapshot struct {
	Nodes      []carnet.Hash           `json:"nodes"`      // of the tree
	Roots      []byte                  `json:"roots"`      // of every size from 1 on
	Leaves     []byte                  `json:"leaves"`     // of every entry
	Statements []byte                  `json:"statements"` // of every entry
	Kept       []kept                  `json:"kept"`       // ascending
	Queries    []savedQuery            `json:"queries"`    // that are not over, by hash
	Over       []byte                  `json:"over"`       // hashes of queries, ascending
	IDs        []byte                  `json:"ids"`        // idOf them, ascending
	Charged    map[carnet.KeyID][]byte `json:"charged"`    // numbers, ascending
	Across     map[carnet.KeyID][]byte `json:"across"`
	Before     map[carnet.KeyID]int64  `json:"before"`
	Quorum     map[carnet.Hash]int64   `json:"quorum"` // by committee
	Budgets    history.SavedBudgets    `json:"budgets"`
	Asked      []kept                  `json:"asked"`     // queries that later ones are judged by, ascending
	Plans      []byte                  `json:"plans"`     // questions that were asked, ascending
	Forgotten  int64                   `json:"forgotten"` // queries, of Asked
	Uses       []*metered              `json:"uses"`      // of all queries, ascending
}

// kept is an entry that had effect.
type kept struct {
	Entry     int64              `json:"entry"`
	Statement *evidence.Envelope `json:"statement"`
}

// savedQuery is what was worked out about a query.
type savedQuery struct {
	Query     carnet.Hash        `json:"query"`
	Exhausted []carnet.KeyID     `json:"exhausted,omitempty"`
	Overspent []carnet.DatasetID `json:"overspent,omitempty"`
	Digest    *carnet.Hash       `json:"digest,omitempty"`
	Openings  int                `json:"openings"`
	Checks    int                `json:"checks"`
	Waiting   bool               `json:"waiting"`
	Together  string             `json:"together,omitempty"`
}

// keep remembers an entry that had effect, as long as others can refer to it.
func (m *Monitor) keep(e *evidence.Entry, ev *history.Event) {
	k := kept{e.Seq, e.Envelope}
	switch {
	case ev.Case != nil:
		m.open[ev.Case.Hash] = append(m.open[ev.Case.Hash], k)
	case aboutQuery(e.Envelope), ev.Unknown, ev.Type == carnet.TypeCertificate, ev.Type == carnet.TypeUsage:
	default:
		m.kept = append(m.kept, k)
	}
}

// aboutQuery reports whether a statement is a query or about one.
func aboutQuery(env *evidence.Envelope) bool {
	switch env.PayloadType {
	case carnet.TypeQuery, carnet.TypeCheck, carnet.TypeApproval, carnet.TypeDeferral, carnet.TypeDecision, carnet.TypeAnswer:
		return true
	}
	return false
}

// idOf is what is kept of the id of a query: a buyer uses one once.
func idOf(q *carnet.Query) carnet.Hash {
	return carnet.Digest("carnet/monitor/id/1", []byte(q.Buyer), q.ID[:])
}

// rest forgets queries that are over.
func (m *Monitor) rest(now time.Time) {
	for h := range m.open {
		c := m.state.Case(h)
		if c == nil || m.waiting[h] || !now.After(c.Query.Expires.Add(over)) {
			continue
		}
		delete(m.open, h)
		delete(m.judged, h)
		m.over[h], m.ids[idOf(&c.Query)] = true, true
	}
}

// late judges statements about queries that are over: the finding is nil of others.
func (m *Monitor) late(e *evidence.Entry) *Finding {
	if len(m.over) == 0 || !aboutQuery(e.Envelope) {
		return nil
	}
	var q carnet.Query
	if e.Envelope.Decode(carnet.TypeQuery, &q) == nil {
		if !m.ids[idOf(&q)] {
			return nil
		}
		// Nobody is named: that the buyer signed it was not checked.
		f := breach(Effect, "QUERY_ID_USED", e.Seq, "", "a query with this id is in the log already; it is over")
		return &f
	}
	var about struct {
		Query carnet.Hash `json:"query"`
	}
	if json.Unmarshal(e.Envelope.Payload, &about) != nil || !m.over[about.Query] {
		return nil
	}
	m.uses.unsure(about.Query)
	return &Finding{Invariant: InTime, Weight: Suspect, Reason: "QUERY_OVER", Entry: e.Seq,
		Message: "the statement is about query " + about.Query.String() + ", which was over for more than a day; a run with a new state file judges it"}
}

func (m *Monitor) snapshot() snapshot {
	s := snapshot{Nodes: m.tree.Nodes(), Roots: join(m.roots), Leaves: join(m.leaves), Statements: join(m.hashes), Kept: slices.Clone(m.kept), Queries: []savedQuery{},
		Over: join(sorted(m.over)), IDs: join(sorted(m.ids)), Charged: map[carnet.KeyID][]byte{}, Across: map[carnet.KeyID][]byte{},
		Before: m.before, Quorum: m.quorum, Budgets: m.state.Budgets().Save(),
		Asked: append([]kept{}, m.asked.queries...), Plans: join(sorted(m.asked.plans)), Forgotten: m.asked.forgotten,
		Uses: slices.SortedFunc(maps.Values(m.uses.of), func(a, b *metered) int { return cmp.Compare(a.Entry, b.Entry) })}
	for _, list := range m.open {
		s.Kept = append(s.Kept, list...)
	}
	slices.SortFunc(s.Kept, func(a, b kept) int { return int(a.Entry - b.Entry) })
	for key, numbers := range m.charged {
		s.Charged[key] = join(sorted(numbers))
	}
	for key, numbers := range m.across {
		s.Across[key] = join(sorted(numbers))
	}
	for _, h := range sorted(m.open) {
		if j := m.judged[h]; j != nil {
			s.Queries = append(s.Queries, savedQuery{h, j.exhausted, j.overspent, j.digest, j.openings, j.checks, m.waiting[h], j.together})
		}
	}
	return s
}

// restore applies what was kept again.
func (m *Monitor) restore(saved *Saved) error {
	s := &saved.Snapshot
	var err error
	if m.tree, err = evidence.TreeOf(saved.State.Size, s.Nodes); err != nil {
		return badState(err)
	}
	m.roots, m.leaves, m.hashes = split(s.Roots), split(s.Leaves), split(s.Statements)
	size := int(saved.State.Size)
	if m.Checkpoint() != saved.State || len(m.roots) != size || len(m.leaves) != size || len(m.hashes) != size || size > 0 && m.roots[size-1] != saved.State.Head {
		return badState(errors.New("it does not lead to the state that it names"))
	}
	for i, h := range m.hashes {
		if _, twice := m.statements[h]; !twice {
			m.statements[h] = int64(i)
		}
	}
	if err := m.again(s, saved.State.Size); err != nil {
		return badState(err)
	}
	m.state.RestoreBudgets(s.Budgets)
	for i := range s.Queries {
		q := &s.Queries[i]
		m.judged[q.Query] = &judged{q.Exhausted, q.Overspent, q.Together, q.Digest, q.Openings, q.Checks}
		if q.Waiting {
			m.waiting[q.Query] = true
		}
	}
	m.over, m.ids, m.charged, m.across = set(s.Over), set(s.IDs), sets(s.Charged), sets(s.Across)
	maps.Copy(m.before, s.Before)
	maps.Copy(m.quorum, s.Quorum)
	m.asked.queries, m.asked.plans, m.asked.forgotten = s.Asked, set(s.Plans), s.Forgotten
	for _, x := range s.Uses {
		if x == nil {
			return badState(errors.New("what a query used is missing"))
		}
		m.uses.add(m.state, x)
	}
	return nil
}

func sorted[V any](in map[carnet.Hash]V) []carnet.Hash {
	return slices.SortedFunc(maps.Keys(in), func(a, b carnet.Hash) int { return bytes.Compare(a[:], b[:]) })
}

func join(list []carnet.Hash) []byte {
	out := make([]byte, 0, 32*len(list))
	for _, h := range list {
		out = append(out, h[:]...)
	}
	return out
}

func split(data []byte) (out []carnet.Hash) {
	for part := range slices.Chunk(data, 32) {
		var h carnet.Hash
		copy(h[:], part)
		out = append(out, h)
	}
	return out
}

func set(data []byte) map[carnet.Hash]bool {
	out := map[carnet.Hash]bool{}
	for _, h := range split(data) {
		out[h] = true
	}
	return out
}

func sets(in map[carnet.KeyID][]byte) map[carnet.KeyID]map[carnet.Hash]bool {
	out := map[carnet.KeyID]map[carnet.Hash]bool{}
	for key, data := range in {
		out[key] = set(data)
	}
	return out
}
