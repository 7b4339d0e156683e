package monitor

import (
	"crypto/ed25519"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/history"
	"github.com/carnet-network/carnet/pkg/privacy"
	"github.com/carnet-network/carnet/pkg/share"
)

// Options are what a monitor expects. Only Registrar is needed.
type Options struct {
	Registrar ed25519.PublicKey
	// Decisions: the gateway decides by rules, so that every query that is answered has a
	// logged decision that allows it.
	Decisions bool
	// Seed is random and told nobody: what queries tell together is judged with it.
	Seed [32]byte
}

// Monitor follows one log. It is not safe for concurrent use.
type Monitor struct {
	Options
	state  *history.State
	tree   evidence.Tree
	roots  []carnet.Hash // root of every size from 1 on
	leaves []carnet.Hash
	hashes []carnet.Hash // of every entry's statement

	kept       []kept                 // entries that later ones can refer to, without queries
	open       map[carnet.Hash][]kept // queries that are not over, and what is about them
	over       map[carnet.Hash]bool   // queries that are
	ids        map[carnet.Hash]bool   // idOf them
	statements map[carnet.Hash]int64  // entry of every statement
	charged    map[carnet.KeyID]map[carnet.Hash]bool
	across     map[carnet.KeyID]map[carnet.Hash]bool
	before     map[carnet.KeyID]int64 // numbers of earlier dealings by their owners' words, beyond those counted
	judged     map[carnet.Hash]*judged
	waiting    map[carnet.Hash]bool // answered queries without a quorum so far
	asked      asked
	uses       uses

	seen      map[int64]*view // checkpoints within the log, and beyond it, by size
	quorum    map[carnet.Hash]int64
	largest   map[string]int64 // by source
	newest    *evidence.SignedCheckpoint
	conflicts []*view           // checkpoints of other logs
	proved    []*evidence.Split // of those beyond this one
}

// judged is what is remembered of a query.
type judged struct {
	exhausted []carnet.KeyID     // keys that it opens too many numbers of
	overspent []carnet.DatasetID // whose privacy budget can't pay for it
	together  string             // why nobody answers it for what it tells with others
	digest    *carnet.Hash       // of its functionals, if that needs no ciphertext
	openings  int
	checks    int // that are needed
}

// New begins with an empty log.
func New(o Options) *Monitor {
	m := &Monitor{Options: o, state: history.New(o.Registrar), statements: map[carnet.Hash]int64{},
		charged: map[carnet.KeyID]map[carnet.Hash]bool{}, across: map[carnet.KeyID]map[carnet.Hash]bool{}, before: map[carnet.KeyID]int64{},
		judged: map[carnet.Hash]*judged{}, waiting: map[carnet.Hash]bool{}, seen: map[int64]*view{}, quorum: map[carnet.Hash]int64{}, largest: map[string]int64{},
		open: map[carnet.Hash][]kept{}, over: map[carnet.Hash]bool{}, ids: map[carnet.Hash]bool{},
		asked: asked{most: maxAsked, plans: map[carnet.Hash]bool{}}, uses: uses{map[carnet.Hash]*metered{}, map[carnet.DatasetID][]*metered{}}}
	m.state.JudgeOverlaps(o.Seed)
	return m
}

// Size is the number of entries taken in.
func (m *Monitor) Size() int64 { return m.tree.Size() }

// Checkpoint is the state that the entries taken in make.
func (m *Monitor) Checkpoint() carnet.Checkpoint { return m.tree.Checkpoint() }

// Entry takes the next entry in. An entry with another number is not taken in.
func (m *Monitor) Entry(e *evidence.Entry) (out []Finding) {
	if err := m.tree.Append(e); err != nil {
		return []Finding{breach(Grows, "JOURNAL_GAP", e.Seq, "", "the log continues with entry %d, want %d: entries were left out or repeated", e.Seq, m.tree.Size())}
	}
	h := e.Envelope.Hash()
	m.roots, m.leaves, m.hashes = append(m.roots, m.tree.Root()), append(m.leaves, e.Leaf()), append(m.hashes, h)
	if first, twice := m.statements[h]; twice {
		out = append(out, breach(Once, "STATEMENT_REPEATED", e.Seq, "", "the statement is in the log already, as entry %d", first))
		out = append(out, m.repeated(e)...)
	} else {
		m.statements[h] = e.Seq
		out = append(out, m.statement(e)...)
	}
	return append(out, m.reached()...)
}

func (m *Monitor) statement(e *evidence.Entry) []Finding {
	if f := m.late(e); f != nil {
		return append([]Finding{*f}, m.weigh(e)...)
	}
	before := m.terms(e.Envelope)
	ev, err := m.state.Apply(e.Seq, e.Envelope)
	if err != nil {
		out := []Finding{because(Effect, e.Seq, author(ev), err)}
		if ev.Type == carnet.TypeQuery && ev.Case != nil {
			out = append(out, faulty(e.Seq, m.together(e, ev.Case))...)
			ev.Case.Rest()
		}
		return out
	}
	m.keep(e, ev)
	m.uses.counted(e.Seq, ev)
	switch {
	case ev.Unknown:
		return []Finding{{Invariant: Known, Weight: Suspect, Reason: "UNKNOWN_STATEMENT_TYPE", Entry: e.Seq,
			Message: "the statement is of type " + string(e.Envelope.PayloadType) + ", which this program does not know"}}
	case ev.Replaced != nil:
		return replaced(e.Seq, ev.Replaced)
	case ev.Answer != nil:
		return m.answer(e.Seq, ev)
	case ev.Redealt != nil:
		return m.redealt(e.Seq, ev.Redealt)
	case ev.Type == carnet.TypeQuery:
		return m.query(e, ev.Case)
	case ev.Type == carnet.TypeDataset:
		return m.dataset(e, before)
	case ev.Type == carnet.TypeUsage:
		return m.usage(e)
	}
	return nil
}

// repeated takes in what a statement does that is in the log again: a query may be about other
// datasets by now, and a decision may take another one back.
func (m *Monitor) repeated(e *evidence.Entry) []Finding {
	var d carnet.Decision
	if e.Envelope.Decode(carnet.TypeDecision, &d) == nil {
		m.uses.unsure(d.Query)
	}
	return m.weigh(e)
}

// author is who an entry without effect claims to be by, as far as that is known.
func author(ev *history.Event) carnet.PartyID {
	switch {
	case ev.Answer != nil:
		return ev.Answer.By
	case ev.Decision != nil:
		return ev.Decision.By
	}
	return ""
}

// query compiles a query and counts what it opens, asked or answered, as keyholders do.
func (m *Monitor) query(e *evidence.Entry, c *history.Case) (out []Finding) {
	defer c.Rest()
	j, seq := &judged{}, e.Seq
	m.judged[c.Hash] = j
	p, err := c.Plan()
	if err != nil {
		return []Finding{because(Planned, seq, c.Query.Buyer, err)}
	}
	m.meter(c, p)
	verdict := m.together(e, c)
	if carnet.KindOf(verdict) == carnet.Refused {
		j.together = carnet.ReasonOf(verdict)
	}
	out = faulty(seq, verdict)
	if p.Hash() != c.Query.Plan {
		out = append(out, breach(Planned, "PLAN_DIFFERS", seq, c.Query.Buyer, "the plan is not the one that the buyer signed; this program may be of another version than theirs"))
	}
	charges, err := c.Charges()
	if err != nil {
		return append(out, because(Planned, seq, c.Query.Buyer, err))
	}
	j.openings = len(p.Openings)
	if p.Private != nil {
		j.checks = p.Private.Checks
	}
	if f := history.FunctionalsOf(p); f.Complete {
		d := f.Digest(p, &c.Query)
		j.digest = &d
	}
	for _, x := range c.Payments {
		if !x.Fits && privacy.Add(x.Before, x.Cost) > x.Budget {
			j.overspent = append(j.overspent, x.Dataset)
		}
	}
	for _, ch := range charges {
		count(m.charged, ch)
		if ch.Across {
			count(m.across, ch)
		}
	}
	for _, key := range p.Cost.Keys() {
		n := int64(len(m.charged[key])) + m.before[key]
		if n > p.Cost.MaxReleases || int64(len(m.across[key])) > share.MaxCrossReleases {
			j.exhausted = append(j.exhausted, key)
		}
	}
	return out
}

func count(in map[carnet.KeyID]map[carnet.Hash]bool, ch history.Charge) {
	if in[ch.Key] == nil {
		in[ch.Key] = map[carnet.Hash]bool{}
	}
	in[ch.Key][ch.Opened] = true
}

// redealt: what an owner says was opened before is at least what the log counts.
func (m *Monitor) redealt(seq int64, d *history.Dealing) []Finding {
	counted := int64(len(m.charged[d.Key])) + m.before[d.Key]
	if d.Released < counted {
		return []Finding{breach(NeverShrinks, "BUDGET_SHRANK", seq, d.Body.Owner, "the owner says that %d numbers of key %s were opened before, the log has %d", d.Released, d.Key, counted)}
	}
	m.before[d.Key] = d.Released - int64(len(m.charged[d.Key]))
	return nil
}
