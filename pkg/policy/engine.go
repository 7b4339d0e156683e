package policy

import (
	"bytes"
	"context"
	"runtime"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// entry is the rule that decides.
const entry = "data.carnet.decision"

// evaluationLimit bounds one decision. It takes milliseconds; rules that take longer
// decide nothing.
const evaluationLimit = 2 * time.Second

// maxOutput bounds what rules may say about one flow: signed decisions have room for two
// of them.
const maxOutput = 256 << 10

// Engine decides by one bundle. It is immutable and safe for concurrent use.
type Engine struct {
	bundle *Bundle
	query  rego.PreparedEvalQuery
	limit  time.Duration
	turns  chan struct{} // as many decisions are made at a time: more would not be sooner, and take memory
}

// NewEngine compiles a bundle: every rule parses, uses nothing but the builtins that are
// allowed and the fields that the input has, the decision is there, and so is the law
// behind every rule, and a rule for every law, and an example is decided. It is slow, tens
// of milliseconds.
func NewEngine(ctx context.Context, b *Bundle) (*Engine, error) {
	c, err := b.compile()
	if err != nil {
		return nil, err
	}
	q, err := rego.New(append(boundedFunctions(), rego.Query(entry), rego.Compiler(c),
		rego.Store(inmem.NewFromObjectWithOpts(b.data, inmem.OptReturnASTValuesOnRead(true))),
		rego.Capabilities(compiled()), rego.StrictBuiltinErrors(true), rego.GenerateJSON(asSaid))...).PrepareForEval(ctx)
	if err != nil {
		return nil, badBundle(b, "the rules can't be prepared").Because(err)
	}
	e := &Engine{bundle: b, query: q, limit: evaluationLimit, turns: make(chan struct{}, max(2, runtime.GOMAXPROCS(0)))}
	for _, flow := range []Flow{FlowStorage, FlowShare, FlowRelease} {
		if _, err := e.Decide(ctx, probe(flow)); err != nil {
			return nil, badBundle(b, "it makes no decision about an example of %s", flow).Because(err)
		}
	}
	return e, nil
}

// asSaid keeps what rules say in their form, which is read without a detour by JSON.
func asSaid(t *ast.Term, _ *rego.EvalContext) (any, error) { return t, nil }

// probe is a flow that every bundle decides about, one way or the other: what is missing
// in its data shows before the bundle is in use.
func probe(flow Flow) *Input {
	a, b := Party{ID: "a", Jurisdiction: "ZZ"}, Party{ID: "b", Jurisdiction: "XX"}
	return &Input{
		Flow: flow, Now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Judge: b, Operator: b, Buyer: b, Keyholders: []Party{a, b}, Threshold: 2,
		Datasets: []Dataset{{ID: "a/example", Owner: a, Jurisdiction: "ZZ", FewestOwners: 1, Terms: Terms{Expires: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)}}},
	}
}

// Bundle is what the engine decides by.
func (e *Engine) Bundle() *Bundle { return e.bundle }

// Decide judges an input. An error is a fault of the rules or the end of ctx, never a
// verdict; whoever gets one does not let the flow happen.
func (e *Engine) Decide(ctx context.Context, in *Input) (*Decision, error) {
	d, _, err := e.decide(ctx, in)
	return d, err
}

// decide also returns the decision's bytes.
func (e *Engine) decide(ctx context.Context, in *Input) (*Decision, []byte, error) {
	select {
	case e.turns <- struct{}{}:
		defer func() { <-e.turns }()
	case <-ctx.Done():
		return nil, nil, e.failed("the rules were not asked").Because(ctx.Err())
	}
	ctx, done := context.WithTimeout(ctx, e.limit)
	defer done()
	rs, err := e.query.Eval(withBound(ctx), rego.EvalParsedInput(in.value()))
	if err != nil {
		return nil, nil, e.failed("the rules failed").Because(err)
	}
	if len(rs) != 1 || len(rs[0].Expressions) != 1 {
		return nil, nil, e.failed("the rules made no decision")
	}
	said, ok := rs[0].Expressions[0].Value.(*ast.Term)
	if !ok {
		return nil, nil, e.failed("the rules made no decision")
	}
	d, err := decisionOf(said)
	if err != nil {
		return nil, nil, e.failed("the rules made no valid decision").Because(err)
	}
	out, err := d.Bytes()
	if err != nil {
		return nil, nil, err
	}
	if len(out) > maxOutput {
		return nil, nil, e.failed("the rules said more than there is room for in a decision")
	}
	return d, out, nil
}

func (e *Engine) failed(what string) *carnet.Error {
	return carnet.E(carnet.Unavailable, "POLICY_FAILED", "%s (bundle %s version %d)", what, e.bundle.Name, e.bundle.Version).
		Fix("nothing is allowed until whoever signed the bundle corrects it")
}

// Replay repeats a decision from the bytes of its input and reports whether the same
// bytes come out. The bundle must be the one that the decision names.
func (e *Engine) Replay(ctx context.Context, j *carnet.Judged) error {
	if j.Bundle != e.bundle.Digest {
		return carnet.E(carnet.Invalid, "OTHER_POLICY", "the decision was made by bundle %s (%s version %d), this is %s", j.Bundle, j.Name, j.Version, e.bundle.Digest).
			Fix("get the bundle that the decision names from whoever decided")
	}
	in, err := ParseInput(j.Input)
	if err != nil {
		return err
	}
	d, out, err := e.decide(ctx, in)
	if err != nil {
		return err
	}
	if string(in.Flow) != j.Flow || d.Allow != j.Allow || j.Name != e.bundle.Name || j.Version != e.bundle.Version || !bytes.Equal(out, j.Output) {
		return carnet.E(carnet.Invalid, "REPLAY_DIFFERS", "the bundle decides otherwise about this input than was signed").
			Fix("whoever signed the decision has not made it by this bundle; ask them")
	}
	return nil
}

// Judged makes the record of a decision, which Replay takes.
func (e *Engine) Judged(in *Input, d *Decision) (carnet.Judged, error) {
	out, err := d.Bytes()
	if err != nil {
		return carnet.Judged{}, err
	}
	return e.judged(in, d.Allow, out)
}

func (e *Engine) judged(in *Input, allow bool, out []byte) (carnet.Judged, error) {
	b, err := in.Bytes()
	return carnet.Judged{Flow: string(in.Flow), Allow: allow, Bundle: e.bundle.Digest, Name: e.bundle.Name, Version: e.bundle.Version, Input: b, Output: out}, err
}
