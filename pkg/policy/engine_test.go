package policy_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/policy"
)

func TestARefusalExplainsItself(t *testing.T) {
	d, err := engine(t).Decide(ctx, storage("CN", "KZ", &carnet.Declaration{Classes: []carnet.DataClass{carnet.ClassPersonal}, Persons: 250_000}))
	require.NoError(t, err)
	require.False(t, d.Allow)
	require.Len(t, d.Blocking(), 1)
	f := d.Blocking()[0]
	require.Equal(t, "cn.middle-volume", f.Rule)
	require.Contains(t, f.Message, "250000 persons since 1 January")
	require.Contains(t, f.Law, "Art. 8")
	require.Equal(t, "2024-03-22", f.InForce)
	require.Contains(t, f.Source, "https://")
	require.Contains(t, f.Remedy, "standard_contract")
	require.Equal(t, []string{f.Remedy}, d.Changes)
}

// Nobody is asked twice with different results: whatever the order of lists inside, equal
// inputs give equal bytes, by any number of goroutines, and Replay agrees.
func TestDecisionsRepeat(t *testing.T) {
	e := engine(t)
	in := storage("RU", "UZ", &carnet.Declaration{Classes: []carnet.DataClass{carnet.ClassPersonal}, Persons: 5})
	in.Datasets = append(in.Datasets, storage("DE", "UZ", statistics).Datasets...)
	in.Datasets[1].ID = "other/data"
	first, err := e.Decide(ctx, in)
	require.NoError(t, err)
	want, err := first.Bytes()
	require.NoError(t, err)
	judged, err := e.Judged(in, first)
	require.NoError(t, err)

	var all sync.WaitGroup
	for range 16 {
		all.Add(1)
		go func() {
			defer all.Done()
			again := engineOnce(t, e, in)
			if !bytes.Equal(want, again) {
				t.Errorf("%s\n%s", want, again)
			}
		}()
	}
	all.Wait()
	require.NoError(t, engine(t).Replay(ctx, &judged), "another process, the same bundle")

	// And from a signed statement.
	env, err := evidence.Seal(carnet.TypeDecision, carnet.Decision{Judged: []carnet.Judged{judged}}, key(t, 1))
	require.NoError(t, err)
	var d carnet.Decision
	require.NoError(t, env.Verify(carnet.TypeDecision, key(t, 1).Public(), &d))
	require.NoError(t, e.Replay(ctx, &d.Judged[0]))
}

func engineOnce(t *testing.T, e *policy.Engine, in *policy.Input) []byte {
	d, err := e.Decide(ctx, in)
	if err != nil {
		t.Error(err)
		return nil
	}
	b, err := d.Bytes()
	if err != nil {
		t.Error(err)
	}
	return b
}

func TestReplayFindsWhatIsNotTrue(t *testing.T) {
	e := engine(t)
	in := storage("CN", "KZ", nil)
	d, err := e.Decide(ctx, in)
	require.NoError(t, err)
	judged, err := e.Judged(in, d)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		change func(*carnet.Judged)
		reason string
	}{
		"verdict": {func(j *carnet.Judged) { j.Allow = true }, "REPLAY_DIFFERS"},
		"flow":    {func(j *carnet.Judged) { j.Flow = "release" }, "REPLAY_DIFFERS"},
		"output": {func(j *carnet.Judged) {
			j.Output = bytes.Replace(j.Output, []byte(`"allow":false`), []byte(`"allow":true`), 1)
		}, "REPLAY_DIFFERS"},
		"input":          {func(j *carnet.Judged) { j.Input = bytes.Replace(j.Input, []byte(`"CN"`), []byte(`"UZ"`), -1) }, "REPLAY_DIFFERS"},
		"form of input":  {func(j *carnet.Judged) { j.Input = append([]byte(" "), j.Input...) }, "BAD_POLICY_INPUT"},
		"unknown field":  {func(j *carnet.Judged) { j.Input = append([]byte(`{"x":1,`), j.Input[1:]...) }, "BAD_POLICY_INPUT"},
		"another bundle": {func(j *carnet.Judged) { j.Bundle[0] ^= 1 }, "OTHER_POLICY"},
		"another name":   {func(j *carnet.Judged) { j.Version++ }, "REPLAY_DIFFERS"},
	} {
		t.Run(name, func(t *testing.T) {
			j := judged
			c.change(&j)
			err := e.Replay(ctx, &j)
			require.Equal(t, c.reason, carnet.ReasonOf(err), "%v", err)
		})
	}
}

// The schema that rules are compiled against and that is published is made from the types.
func TestSchema(t *testing.T) {
	file := filepath.Join("..", "..", "docs", "reference", "policy-input.schema.json")
	if os.Getenv("UPDATE") != "" {
		require.NoError(t, os.WriteFile(file, policy.Schema(), 0o644))
	}
	committed, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(committed), string(policy.Schema()), "UPDATE=1 go test ./pkg/policy -run TestSchema writes it")
	require.NotContains(t, string(committed), `"description": ""`)
}

// Every input has every field that the schema requires and no other, whatever is absent.
func TestInputsHaveEveryField(t *testing.T) {
	var schema map[string]any
	require.NoError(t, json.Unmarshal(policy.Schema(), &schema))
	for _, in := range []*policy.Input{{}, storage("CN", "KZ", nil), storage("CN", "KZ", statistics)} {
		b, err := in.Bytes()
		require.NoError(t, err)
		var v any
		require.NoError(t, json.Unmarshal(b, &v))
		conforms(t, schema, v, "input")
		back, err := policy.ParseInput(b)
		require.NoError(t, err)
		again, err := back.Bytes()
		require.NoError(t, err)
		require.Equal(t, string(b), string(again))
	}
}

// conforms is the part of JSON Schema that Schema uses.
func conforms(t *testing.T, schema map[string]any, v any, at string) {
	switch schema["type"] {
	case "object":
		o, ok := v.(map[string]any)
		require.True(t, ok, "%s is an object", at)
		properties := schema["properties"].(map[string]any)
		require.Len(t, o, len(properties), at)
		for name, p := range properties {
			require.Contains(t, o, name, at)
			conforms(t, p.(map[string]any), o[name], at+"."+name)
		}
	case "array":
		l, ok := v.([]any)
		require.True(t, ok, "%s is a list", at)
		for _, x := range l {
			conforms(t, schema["items"].(map[string]any), x, at+"[]")
		}
	case "string":
		require.IsType(t, "", v, at)
	case "integer":
		require.IsType(t, 1.0, v, at)
	case "boolean":
		require.IsType(t, true, v, at)
	default:
		t.Fatalf("%s has type %v", at, schema["type"])
	}
}

// Rules that run for ever are ended, and decide nothing.
func TestEvaluationIsBounded(t *testing.T) {
	files := own(t)
	files["rules/slow.rego"] = []byte(`package carnet.slow

digits := [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]

n := count([1 | some a in digits; some b in digits; some c in digits; some d in digits; some e in digits; some f in digits; some g in digits; some h in digits; some i in digits; input.threshold == 7; a + b + c + d + e + f + g + h + i > input.threshold])
`)
	files["rules/base.rego"] = bytes.Replace(files["rules/base.rego"], []byte("count(blocking) == 0\n"), []byte("count(blocking) == 0\n\tdata.carnet.slow.n >= 0\n"), 1)
	b, err := policy.NewBundle(files)
	require.NoError(t, err)
	e, err := policy.NewEngine(ctx, b)
	require.NoError(t, err)
	limited, done := context.WithTimeout(ctx, 50*time.Millisecond)
	defer done()
	in := storage("CN", "KZ", statistics)
	in.Threshold = 7
	_, err = e.Decide(limited, in)
	require.Equal(t, "POLICY_FAILED", carnet.ReasonOf(err))
	require.Equal(t, carnet.Unavailable, carnet.KindOf(err))
}

// What rules return is checked: a bundle that contradicts itself decides nothing.
func TestDecisionsAreChecked(t *testing.T) {
	finding := `{"effect":"deny","rule":"base.no-pack","dataset":"","by":"","from":"","to":"","message":"m","remedy":"r","law":"l","source":"s","in_force":"2026-01-01","until":"","status":"in_force","confidence":"low"}`
	obligations := `"obligations":{"min_owners":1,"valid_until":"2027-01-01T00:00:00Z"}`
	for name, c := range map[string]struct {
		decision string
		ok       bool
	}{
		"a refusal":                {`{"allow":false,"findings":[` + finding + `],` + obligations + `}`, true},
		"allowed against a rule":   {`{"allow":true,"findings":[` + finding + `],` + obligations + `}`, false},
		"allowed without a rule":   {`{"allow":true,"findings":[],` + obligations + `}`, false},
		"refused without a rule":   {`{"allow":false,"findings":[],` + obligations + `}`, false},
		"refused without a remedy": {`{"allow":false,"findings":[` + strings.Replace(finding, `"remedy":"r"`, `"remedy":""`, 1) + `],` + obligations + `}`, false},
		"without a source":         {`{"allow":false,"findings":[` + strings.Replace(finding, `"source":"s"`, `"source":""`, 1) + `],` + obligations + `}`, false},
		"an unknown effect":        {`{"allow":true,"findings":[` + strings.Replace(finding, `"deny"`, `"maybe"`, 1) + `],` + obligations + `}`, false},
		"without obligations":      {`{"allow":false,"findings":[` + finding + `]}`, false},
		"an unknown field":         {`{"x":1,"allow":false,"findings":[` + finding + `],` + obligations + `}`, false},
		"another type":             {`[1]`, false},
	} {
		t.Run(name, func(t *testing.T) {
			files := map[string][]byte{
				policy.ManifestName: []byte("name: own\nversion: 1\nexpires: 2027-06-30T00:00:00Z\nroots: [rules]\n"),
				"rules/base.rego":   []byte("package carnet\n\ndecision := " + strings.ReplaceAll(c.decision, "base.no-pack", "no pack") + "\n"),
			}
			b, err := policy.NewBundle(files)
			require.NoError(t, err)
			_, err = policy.NewEngine(ctx, b)
			if c.ok {
				require.NoError(t, err)
				return
			}
			require.Equal(t, "BAD_POLICY", carnet.ReasonOf(err), "%v", err)
			require.ErrorContains(t, err, "the rules made no valid decision")
		})
	}
}

// The three flows are judged apart: an instrument for one of them is none for the others.
func TestFlowsAreJudgedApart(t *testing.T) {
	e := engine(t)
	all := []policy.Flow{policy.FlowStorage, policy.FlowShare, policy.FlowRelease}
	for _, covers := range append([]policy.Flow{"*", ""}, all...) {
		d := &carnet.Declaration{Classes: []carnet.DataClass{carnet.ClassNone}}
		if covers != "" {
			d.Instruments = []carnet.Instrument{{Kind: "legal_ruling", Number: "1", Jurisdiction: "BY", Destinations: []carnet.Jurisdiction{"*"}, Flows: []string{string(covers)}, Expires: now.AddDate(1, 0, 0)}}
		}
		for _, flow := range all {
			in := storage("BY", "KZ", d)
			in.Flow, in.Purpose, in.Buyer = flow, "statistics", policy.Party{ID: "buy", Jurisdiction: "KZ"}
			in.Keyholders, in.Threshold = []policy.Party{{ID: "k1", Jurisdiction: "BY"}, {ID: "k2", Jurisdiction: "KZ"}}, 2
			in.Datasets[0].Terms = policy.Terms{Buyers: []carnet.PartyID{"*"}, Purposes: []string{"*"}, Expires: now.AddDate(1, 0, 0)}
			in.Datasets[0].FewestOwners = 1
			got, err := e.Decide(ctx, in)
			require.NoError(t, err)
			require.Equal(t, covers == "*" || covers == flow, got.Allow, "a ruling for %q, flow %s", covers, flow)
			if !got.Allow {
				f := got.Blocking()[0]
				require.Equal(t, policy.ReasonRuling, f.Reason(), "what is not known is refused until somebody rules on it")
				require.Contains(t, f.Remedy, "flow "+string(flow))
			}
		}
	}
}
