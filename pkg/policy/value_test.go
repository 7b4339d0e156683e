package policy

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// anyInput draws inputs of every flow, also such as no gateway makes.
func anyInput(r *rapid.T) *Input {
	some := func(name string, of ...string) []string {
		return rapid.SliceOfN(rapid.SampledFrom(of), 0, 3).Draw(r, name)
	}
	one := func(name string, of ...string) string { return rapid.SampledFrom(of).Draw(r, name) }
	flag := func(name string) bool { return rapid.Bool().Draw(r, name) }
	place := func(name string) carnet.Jurisdiction {
		return carnet.Jurisdiction(one(name, "CN", "KZ", "UZ", "RU", "IN", "PK", "KG", "DE", "FR", "CH", "BY", "", "a\xffb"))
	}
	places := func(name string) (out []carnet.Jurisdiction) {
		for i := range rapid.IntRange(0, 2).Draw(r, name) {
			out = append(out, place(fmt.Sprint(name, i)))
		}
		return out
	}
	at := func(name string) time.Time {
		return time.Date(2026, 6, 1, 0, 0, 0, rapid.SampledFrom([]int{0, 0, 1_500_000}).Draw(r, name+"ns"), time.FixedZone("", 3600)).AddDate(0, 0, rapid.IntRange(-700, 900).Draw(r, name))
	}
	party := func(name string) Party {
		return Party{ID: carnet.PartyID(one(name, "own", "other", "gate", "é<&>\xff")), Jurisdiction: place(name + "place"), Roles: []carnet.Role{carnet.Role(one(name+"role", "buyer", "owner"))}}
	}
	in := &Input{Flow: Flow(one("flow", "storage", "share", "release")), Now: at("now").Truncate(time.Second), Judge: party("judge"), Operator: party("operator"), Buyer: party("buyer"),
		Threshold: rapid.IntRange(1, 3).Draw(r, "threshold"), Purpose: one("purpose", "statistics", "audit", ""), Plan: Plan{Aggregates: some("plan", "sum", "count"), Rows: rapid.Int64().Draw(r, "rows"), Private: flag("private")}}
	for i := range rapid.IntRange(0, 4).Draw(r, "keyholders") {
		in.Keyholders = append(in.Keyholders, party(fmt.Sprint("k", i)))
	}
	for i := range rapid.IntRange(1, 4).Draw(r, "datasets") {
		n := func(name string) string { return fmt.Sprint(name, i) }
		d := Dataset{ID: carnet.DatasetID(one(n("id"), "own/a", "own/b", "other/a")), Statement: carnet.Hash{byte(i)}, Owner: party(n("owner")), Jurisdiction: place(n("from")),
			Revoked: flag(n("revoked")), HomeVeto: flag(n("home")), FewestOwners: rapid.IntRange(0, 3).Draw(r, n("fewest")),
			Asked: Asked{Aggregates: some(n("asked"), "sum", "count"), GroupBy: some(n("by"), "month", "owner"), Filters: some(n("where"), "month", "partner")},
			Terms: Terms{Jurisdictions: places(n("allowed places")), Purposes: some(n("purposes"), "*", "statistics"), Aggregates: some(n("aggregates"), "sum", "count"),
				GroupBy: some(n("groups"), "month"), Filters: some(n("filters"), "month"), MinOwners: rapid.IntRange(0, 3).Draw(r, n("min")), Expires: at(n("expires"))}}
		for _, b := range some(n("buyers"), "*", "own", "other") {
			d.Terms.Buyers = append(d.Terms.Buyers, carnet.PartyID(b))
		}
		c := &d.Declaration
		c.Declared, c.Persons, c.Sensitive = flag(n("declared")), rapid.Int64Range(0, 2_000_000).Draw(r, n("persons")), rapid.Int64Range(0, 20_000).Draw(r, n("sensitive"))
		for _, k := range some(n("classes"), "none", "personal", "sensitive", "biometric", "genetic", "telecom", "important", "payment") {
			c.Classes = append(c.Classes, carnet.DataClass(k))
		}
		c.Collected, c.DomesticMix, c.Exporter = places(n("collected")), flag(n("mixed")), some(n("exporter"), "ciio", "ftz", "sdf")
		for _, k := range some(n("instruments"), "legal_ruling", "standard_contract", "security_assessment", "primary_database", "rkn_notification", "transfer_assessment", "certification", "ftz_negative_list", "necessity_ruling", "binding_rules") {
			c.Instruments = append(c.Instruments, Instrument{Kind: k, Jurisdiction: place(n("law")), Destinations: append(places(n("to")), "*")[:1], Flows: append(some(n("flows"), "share", "release"), "*")[:1], Expires: at(n("valid"))})
		}
		in.Datasets = append(in.Datasets, d)
	}
	for i := range rapid.IntRange(0, 3).Draw(r, "exports") {
		in.Exports = append(in.Exports, Export{Owner: "own", Dataset: carnet.DatasetID(one(fmt.Sprint("of", i), "own/a", "own/b")), At: at(fmt.Sprint("at", i)), Persons: rapid.Int64Range(0, 900_000).Draw(r, fmt.Sprint("p", i))})
	}
	return in
}

// Rules see what Bytes says, and what they say is read as its JSON is: what is signed is
// what was judged.
func TestRulesSeeWhatIsSigned(t *testing.T) {
	ctx := context.Background()
	b, err := Default()
	require.NoError(t, err)
	e, err := NewEngine(ctx, b)
	require.NoError(t, err)
	rapid.Check(t, func(r *rapid.T) {
		in := anyInput(r)
		signed, err := in.Bytes()
		require.NoError(t, err)
		read, err := ast.ValueFromReader(bytes.NewReader(signed))
		require.NoError(t, err)
		require.Zero(t, read.Compare(in.value()), "%s", signed)

		rs, err := e.query.Eval(withBound(ctx), rego.EvalParsedInput(read))
		require.NoError(t, err)
		said := rs[0].Expressions[0].Value.(*ast.Term)
		have, err := decisionOf(said)
		require.NoError(t, err)
		v, err := ast.JSON(said.Value)
		require.NoError(t, err)
		asJSON, err := json.Marshal(v)
		require.NoError(t, err)
		var want struct {
			Allow       bool        `json:"allow"`
			Findings    []Finding   `json:"findings"`
			Obligations Obligations `json:"obligations"`
		}
		require.NoError(t, decode(asJSON, &want))
		require.Equal(t, want.Allow, have.Allow)
		require.ElementsMatch(t, want.Findings, have.Findings)
		require.NoError(t, want.Obligations.canonical())
		require.Equal(t, want.Obligations, have.Obligations)
	})
}

// What rules say in another form is none, and each way it can be another is told.
func TestWhatRulesSayIsRead(t *testing.T) {
	const ok = `{"allow": false, "findings": {{"effect": "deny", "rule": "r", "message": "m", "remedy": "x", "law": "l", "source": "s", "in_force": "i", "status": "s", "confidence": "c"}}, "obligations": {"min_owners": 1, "noise": null, "valid_until": "2027-01-01T00:00:00Z"}}`
	d, err := decisionOf(ast.MustParseTerm(ok))
	require.NoError(t, err)
	require.Len(t, d.Findings, 1)
	require.Equal(t, 2027, d.Obligations.ValidUntil.Year())
	for what, said := range map[string]string{
		`unknown field "x"`:          `{"x": 1}`,
		"want bool, have string":     `{"allow": "yes"}`,
		"have object":                `{"findings": {"a": 1}}`,
		"unknown field 1":            `{1: true}`,
		`unknown field "a"`:          `{"findings": [{"a": 1}]}`,
		"have set":                   `{"allow": {1, 2}}`,
		"want int, have number":      `{"obligations": {"min_owners": 1.5}}`,
		"want int64, have number":    `{"obligations": {"min_group": 99999999999999999999}}`,
		"cannot parse":               `{"obligations": {"valid_until": "soon"}}`,
		"have number":                `{"findings": [{"rule": 7}]}`,
		"want policy.raw, have arra": `[1]`,
	} {
		_, err := decisionOf(ast.MustParseTerm(said))
		require.ErrorContains(t, err, what, said)
	}
}
