package monitor

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/history"
	"github.com/carnet-network/carnet/pkg/meter"
	"github.com/carnet-network/carnet/pkg/plan"
)

// metered is what figures count of one query. It is kept for ever: a usage statement can be
// about any period.
type metered struct {
	Query    carnet.Hash    `json:"query"`
	Entry    int64          `json:"entry"`
	Buyer    carnet.PartyID `json:"buyer"`
	Asked    time.Time      `json:"asked"`
	Needed   int            `json:"needed"` // answers that open it
	Uses     []used         `json:"uses"`
	Answers  int            `json:"answers"`  // until it was released
	Released int64          `json:"released"` // entry that did it; -1: not so far
	At       time.Time      `json:"at"`       // then
	Verdicts []verdict      `json:"verdicts,omitempty"`
	Unsure   bool           `json:"unsure,omitempty"` // something about it came that was not judged
}

// used is a meter.Use; dataset, owner and price are the manifest's.
type used struct {
	Manifest carnet.Hash `json:"manifest"`
	Groups   int64       `json:"groups"`
	Numbers  int64       `json:"numbers"`
	Rows     int64       `json:"rows"`
	Budget   int64       `json:"budget,omitempty"`
}

// verdict is a decision about a query, in the order of the log.
type verdict struct {
	Entry  int64          `json:"entry"`
	By     carnet.PartyID `json:"by"`
	Allow  bool           `json:"allow,omitempty"`
	Reason string         `json:"reason,omitempty"`
}

// uses are what all queries used.
type uses struct {
	of      map[carnet.Hash]*metered
	dataset map[carnet.DatasetID][]*metered // in the order of the log
}

// meter counts a query that compiled.
func (m *Monitor) meter(c *history.Case, p *plan.Plan) {
	x := &metered{Query: c.Hash, Entry: c.Seq, Buyer: c.Query.Buyer, Asked: c.Query.Created, Needed: p.Needed(), Released: -1}
	for _, u := range meter.Uses(p) {
		x.Uses = append(x.Uses, used{u.Manifest, u.Groups, u.Numbers, u.Rows, u.Budget})
	}
	m.uses.add(m.state, x)
}

func (u *uses) add(state *history.State, x *metered) {
	u.of[x.Query] = x
	for i := range x.Uses {
		if d := state.Manifest(x.Uses[i].Manifest); d != nil {
			u.dataset[d.Body.ID] = append(u.dataset[d.Body.ID], x)
		}
	}
}

// counted notes what an entry with effect says about a query.
func (u *uses) counted(seq int64, ev *history.Event) {
	if ev.Case == nil {
		return
	}
	x := u.of[ev.Case.Hash]
	if x == nil || x.Released >= 0 {
		return
	}
	switch {
	case ev.Answer != nil:
		if x.Answers++; x.Answers >= x.Needed {
			x.Released, x.At = seq, meter.Dated(ev.Answer.Created, &ev.Case.Query)
		}
	case ev.Decision != nil:
		x.Verdicts = append(x.Verdicts, verdict{seq, ev.Decision.By, ev.Decision.Allow, ev.Decision.Reason})
	}
}

// before are the verdicts that hold at a size: the last of each party.
func (x *metered) before(size int64) (out []verdict) {
	for _, v := range x.Verdicts {
		if v.Entry >= size {
			break
		}
		out = append(slices.DeleteFunc(out, func(o verdict) bool { return o.By == v.By }), v)
	}
	return out
}

// unsure notes that an entry about a query was not judged. What was released stays.
func (u *uses) unsure(query carnet.Hash) {
	if x := u.of[query]; x != nil && x.Released < 0 {
		x.Unsure = true
	}
}

// usage judges a logged usage statement: whoever reads the log up to the state that it names gets
// the same figures.
func (m *Monitor) usage(e *evidence.Entry) []Finding {
	var says carnet.Usage
	if err := e.Envelope.Decode(carnet.TypeUsage, &says); err != nil {
		return []Finding{because(AsCounted, e.Seq, "", err)}
	}
	wrong := func(reason, format string, args ...any) []Finding {
		return []Finding{breach(AsCounted, reason, e.Seq, says.Operator, format, args...)}
	}
	if p := m.state.Party(says.Operator); p == nil || !p.HasRole(carnet.RoleOperator) || !e.Envelope.SignedBy(p.SigningKey) {
		f := breach(AsCounted, "BAD_SIGNATURE", e.Seq, "", "the usage statement is not signed by the operator %q that it names", says.Operator)
		return []Finding{f}
	}
	if says.Size < 1 || says.Size > e.Seq || m.rootAt(says.Size) != says.Head {
		return wrong("RECOMPUTED_DIFFERS", "the use of dataset %s is said to be that of a log of %d entries with root %s, which this one did not have", says.Dataset, says.Size, says.Head)
	}
	again, unsure, err := m.uses.count(m.state, &says)
	if err != nil {
		return []Finding{because(AsCounted, e.Seq, says.Operator, err)}
	}
	differ := differences(&says, again)
	if len(differ) == 0 {
		return nil
	}
	out := wrong("RECOMPUTED_DIFFERS", "the use of dataset %s from %s to %s is not what the log of %d entries gives: %s", says.Dataset,
		says.From.Format(time.RFC3339), says.Until.Format(time.RFC3339), says.Size, strings.Join(differ, "; "))
	if unsure {
		out[0].Weight = Suspect
		out[0].Message += "; some of it is about queries that were over for more than a day: carnet recompute finds out"
	}
	return out
}

// count works the figures of a statement out again.
func (u *uses) count(state *history.State, says *carnet.Usage) (again *carnet.Usage, unsure bool, err error) {
	var releases []meter.Release
	var attempts []meter.Attempt
	for _, x := range u.dataset[says.Dataset] {
		if x.Entry >= says.Size {
			break
		}
		unsure = unsure || x.Unsure
		own := x.usesOf(state, says.Dataset)
		if x.Released >= 0 && x.Released < says.Size {
			releases = append(releases, meter.Release{Query: x.Query, Entry: x.Released, Buyer: x.Buyer, At: x.At, Uses: own})
			continue
		}
		a := meter.Attempt{Query: x.Query, Buyer: x.Buyer, At: x.Asked, Uses: own}
		for _, v := range x.before(says.Size) {
			if !v.Allow && !slices.Contains(a.Reasons, v.Reason) {
				a.Reasons = append(a.Reasons, v.Reason)
			}
		}
		attempts = append(attempts, a)
	}
	slices.SortFunc(releases, func(a, b meter.Release) int { return cmp.Compare(a.Entry, b.Entry) })
	var bill meter.Bill
	var lines []meter.Line
	for i := range releases {
		more, err := bill.Add(&releases[i])
		if err != nil {
			return nil, unsure, err
		}
		lines = append(lines, more...)
	}
	if again, err = meter.UsageOf(says.Dataset, says.From, says.Until, releases, attempts, lines); err != nil {
		return nil, unsure, err
	}
	if d := state.Dataset(says.Dataset); d != nil {
		again.Owner = d.Body.Owner
	}
	again.Operator, again.Size, again.Head, again.Created = says.Operator, says.Size, says.Head, says.Created
	return again, unsure, nil
}

// usesOf is what a query used of one dataset.
func (x *metered) usesOf(state *history.State, id carnet.DatasetID) (out []meter.Use) {
	for _, u := range x.Uses {
		if d := state.Manifest(u.Manifest); d != nil && d.Body.ID == id {
			out = append(out, meter.Use{Dataset: id, Manifest: u.Manifest, Owner: d.Body.Owner, Groups: u.Groups, Numbers: u.Numbers, Rows: u.Rows, Budget: u.Budget, Price: d.Body.Terms.Price})
		}
	}
	return out
}

// differences lists the fields of two statements that differ.
func differences(says, again *carnet.Usage) (out []string) {
	fields := func(u *carnet.Usage) (f map[string]json.RawMessage) {
		data, err := json.Marshal(u)
		if err == nil {
			err = json.Unmarshal(data, &f)
		}
		if err != nil { // a time beyond the year 9999
			return map[string]json.RawMessage{"created": []byte(err.Error())}
		}
		return f
	}
	a, b := fields(says), fields(again)
	all := maps.Clone(a)
	maps.Copy(all, b)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if !bytes.Equal(a[name], b[name]) {
			out = append(out, fmt.Sprintf("%s is %s, said is %s", name, orNothing(b[name]), orNothing(a[name])))
		}
	}
	return out
}

func orNothing(v json.RawMessage) string {
	if v == nil {
		return "nothing"
	}
	return string(v)
}
