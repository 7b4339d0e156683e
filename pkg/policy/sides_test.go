package policy_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/policy"
	"github.com/carnet-network/carnet/pkg/terms"
)

// Each side of a query over two products is judged by the terms of its own datasets, in
// Rego as in Go: what the other side asks is no business of theirs.
func TestSidesAreJudgedApart(t *testing.T) {
	left, right := product(t), product(t)
	left.Datasets, left.ID = left.Datasets[:1], "a"
	right.Datasets, right.ID = right.Datasets[1:2], "b"
	const sql = `SELECT month, p.n, q.v FROM (SELECT month, COUNT(*) AS n FROM a WHERE partner = 'DE' GROUP BY month) p
		JOIN (SELECT month, SUM(value) AS v FROM b WHERE year = '2024' GROUP BY month) q USING (month)`
	for _, c := range []struct {
		name    string
		a, b    carnet.Terms
		refused []string
	}{
		{"each its own", carnet.Terms{Aggregates: []string{"count"}, Filters: []string{"partner"}}, carnet.Terms{Aggregates: []string{"sum"}, Filters: []string{"year"}}, nil},
		{"crosswise", carnet.Terms{Aggregates: []string{"sum"}, Filters: []string{"year"}}, carnet.Terms{Aggregates: []string{"count"}, Filters: []string{"partner"}},
			[]string{"acme terms.aggregate", "acme terms.filter", "bolt terms.aggregate", "bolt terms.filter"}},
		{"one side", carnet.Terms{GroupBy: []string{"partner"}}, carnet.Terms{}, []string{"acme terms.group-by"}},
	} {
		for i, x := range []*carnet.Terms{&c.a, &c.b} {
			x.Buyers, x.Purposes, x.Expires = []carnet.PartyID{"*"}, []string{"*"}, now.Add(time.Hour)
			[]*plan.Product{left, right}[i].Datasets[0].Manifest.Terms = *x
		}
		p, err := plan.Compile(sql, left, right)
		require.NoError(t, err)
		d, err := engine(t).Decide(ctx, facts(p, "buyer", "statistics").Input(policy.FlowRelease))
		require.NoError(t, err)
		var inRego, inGo []string
		for _, f := range d.Blocking() {
			if f.ByOwner() {
				inRego = append(inRego, fmt.Sprint(f.By, " ", f.Rule))
			}
		}
		for _, r := range terms.Check(terms.Request{Buyer: "buyer", From: "RU", Purpose: "statistics", Plan: p, Now: now}) {
			for rule, reason := range reasons {
				if reason == r.Reason {
					inGo = append(inGo, fmt.Sprint(r.By, " ", rule))
				}
			}
		}
		slices.Sort(inRego)
		slices.Sort(inGo)
		require.Equal(t, c.refused, slices.Compact(inRego), c.name)
		require.Equal(t, c.refused, slices.Compact(inGo), c.name)
	}
}

// What rules say is bounded: decisions are signed and journaled with it.
func TestOutputIsBounded(t *testing.T) {
	files := own(t)
	files["rules/base.rego"] = bytes.Replace(files["rules/base.rego"], []byte(`sprintf("the flow stays in %s", [d.jurisdiction])`),
		[]byte(`concat("", [sprintf("%d", [a * b]) | some a in numbers; some b in numbers; input.threshold == 7])`), 1)
	var list bytes.Buffer
	for i := range 400 {
		fmt.Fprintf(&list, "%d,", 1000+i)
	}
	files["rules/base.rego"] = append(files["rules/base.rego"], []byte("\nnumbers := ["+list.String()+"]\n")...)
	b, err := policy.NewBundle(files)
	require.NoError(t, err)
	e, err := policy.NewEngine(ctx, b)
	require.NoError(t, err)
	in := storage("CN", "CN", statistics)
	in.Threshold = 7
	_, err = e.Decide(ctx, in)
	require.Equal(t, "POLICY_FAILED", carnet.ReasonOf(err), "%v", err)
}

// An owner that publishes often does not make decisions grow without end, and what it
// published counts in full.
func TestManyExportsAreAddedUp(t *testing.T) {
	year := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var all []*carnet.Dataset
	var want int64
	for i := range 3000 {
		all = append(all, &carnet.Dataset{ID: carnet.DatasetID(fmt.Sprint("own/d", i)), Owner: "own", Created: year.Add(time.Duration(i) * time.Hour),
			Declaration: &carnet.Declaration{Classes: []carnet.DataClass{carnet.ClassPersonal, carnet.ClassSensitive}, Persons: 3, Sensitive: 1}})
		want += 3
	}
	got := policy.Exports(all, year.AddDate(0, 5, 0))
	require.LessOrEqual(t, len(got), 126)
	var persons, sensitive int64
	for i := range got {
		persons, sensitive = persons+got[i].Persons, sensitive+got[i].Sensitive
		require.True(t, i == 0 || got[i].At.After(got[i-1].At))
	}
	require.Equal(t, want, persons)
	require.Equal(t, want/3, sensitive)
	require.Equal(t, carnet.DatasetID("own/d23"), got[0].Dataset)
	require.Equal(t, year.Add(23*time.Hour), got[0].At)
	few := policy.Exports(all[:50], year.AddDate(0, 5, 0))
	require.Len(t, few, 50, "few are told one by one")
}

// A clock that is set back does not bring what expired into force again.
func TestAttackClockSetBack(t *testing.T) {
	b, err := policy.NewBundle(own(t))
	require.NoError(t, err)
	h, err := policy.Hold(ctx, b)
	require.NoError(t, err)
	in := storage("CN", "KZ", statistics)
	in.Now = b.Expires.Add(-2 * time.Minute)
	_, _, err = h.Judge(ctx, in)
	require.NoError(t, err)
	in.Now = b.Expires
	_, _, err = h.Judge(ctx, in)
	require.Equal(t, "POLICY_STALE", carnet.ReasonOf(err))
	in.Now = b.Expires.Add(-time.Hour)
	_, _, err = h.Judge(ctx, in)
	require.Equal(t, "CLOCK_SET_BACK", carnet.ReasonOf(err))
	require.Equal(t, carnet.Unavailable, carnet.KindOf(err), "nothing is decided, neither way")
}

// Of two bundles' obligations the strictest count, and nonsense is none.
func TestStricterObligations(t *testing.T) {
	a := policy.Obligations{MinOwners: 2, MinGroup: 5, Purposes: []string{"research", "statistics"}, Approval: []string{"owner"}, ValidUntil: now.Add(time.Hour)}
	b := policy.Obligations{MinOwners: 3, Noise: true, Purposes: []string{"statistics"}, Approval: []string{"judge"}, ValidUntil: now}
	want := policy.Obligations{MinOwners: 3, MinGroup: 5, Noise: true, Purposes: []string{"statistics"}, Approval: []string{"judge", "owner"}, ValidUntil: now}
	require.Equal(t, want, a.Stricter(b))
	require.Equal(t, want, b.Stricter(a))
	b.Purposes = []string{"audit"}
	p, err := plan.Compile("SELECT COUNT(*) FROM trade", product(t))
	require.NoError(t, err)
	o := a.Stricter(b)
	for _, purpose := range []string{"research", "statistics", "audit"} {
		require.NotEmpty(t, o.Unmet(p, purpose, now.Add(-time.Hour)), "purposes that exclude each other allow none")
	}
}

// Each obligation that a query does not keep is told with what is needed.
func TestUnmetObligations(t *testing.T) {
	p := product(t)
	p.Datasets[0].Manifest.Terms.MinGroup = 10
	c, err := plan.Compile("SELECT owner, COUNT(*) FROM trade GROUP BY owner", p)
	require.NoError(t, err)
	later := now.Add(time.Hour)
	for name, x := range map[string]struct {
		o     policy.Obligations
		unmet int
	}{
		"nothing":       {policy.Obligations{MinOwners: 1, ValidUntil: later}, 0},
		"owners":        {policy.Obligations{MinOwners: 2, ValidUntil: later}, 3},
		"group":         {policy.Obligations{MinOwners: 1, MinGroup: 10, ValidUntil: later}, 2},
		"larger group":  {policy.Obligations{MinOwners: 1, MinGroup: 11, ValidUntil: later}, 3},
		"noise":         {policy.Obligations{MinOwners: 1, Noise: true, ValidUntil: later}, 3},
		"purpose":       {policy.Obligations{MinOwners: 1, Purposes: []string{"research"}, ValidUntil: later}, 1},
		"other purpose": {policy.Obligations{MinOwners: 1, Purposes: []string{"statistics"}, ValidUntil: later}, 0},
		"too late":      {policy.Obligations{MinOwners: 1, ValidUntil: now}, 1},
	} {
		got := x.o.Unmet(c, "statistics", now)
		require.Len(t, got, x.unmet, name)
		for _, u := range got {
			require.NotEmpty(t, u.Message)
			require.NotEmpty(t, u.Remedy)
		}
	}
}
