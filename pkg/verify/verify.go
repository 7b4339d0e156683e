package verify

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"

	"github.com/carnet-network/carnet/pkg/bundle"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/columnfile"
	"github.com/carnet-network/carnet/pkg/history"
	"github.com/carnet-network/carnet/pkg/scan"
)

// Options are what a verifier brings along. Only Registrar is needed.
type Options struct {
	Registrar ed25519.PublicKey // from a source that the verifier trusts
	Pinned    []carnet.Checkpoint
	Policies  []bundle.Policy // besides those in the bundle
	Replay    Replayer        // nil: decisions by rules are not repeated
	Log       Whole           // nil: what other queries opened and spent is not counted
	Data      Data            // nil: the query is not executed anew
	Values    []byte          // the gateway's public values, to be compared; may be nil
	Scan      scan.Options    // of the execution
	Seed      [32]byte        // random and told nobody; needed with Log, see package overlap
}

// Replayer repeats decisions by rules.
type Replayer interface {
	// Replay returns nil if the policy bundle decides about the input as was signed.
	Replay(ctx context.Context, p *bundle.Policy, j *carnet.Judged) error
}

// Data is where ciphertext and corrections are.
type Data interface {
	// Chunk returns words of a file as scan.Chunks does. They belong to the given root, or
	// an error says that they don't.
	Chunk(ctx context.Context, f *columnfile.File, root carnet.Hash, column uint32, chunk, limb int) ([]uint64, func(), error)
	// Correction returns the canonical bytes of the correction polynomial of a power of a
	// dealing. They are checked against the dealing.
	Correction(ctx context.Context, dealing carnet.KeyID, power int) ([]byte, error)
}

// verifier is one run.
type verifier struct {
	Options
	ctx    context.Context
	report *Report
	checks map[string]*Check

	bundle    *bundle.Bundle
	state     *history.State
	parts     map[int64]string   // entry number -> name of its part
	committee *history.Committee // whose co-signatures count
	c         *history.Case
	ids       *history.Functionals
}

// Verify checks a bundle. The report names every fault; an error only says that ctx ended.
//
// What the checks of a stage rest on is checked by the stages before: after a failure the
// later ones are not made, since they would judge statements that nobody is bound by.
func Verify(ctx context.Context, data []byte, o Options) (*Report, error) {
	v := &verifier{Options: o, ctx: ctx, report: &Report{Bundle: sha256.Sum256(data)}, parts: map[int64]string{}}
	v.report.Checks, v.checks = newChecks(claims)
	return v.conclude([][]func(){
		{func() { v.form(data) }},
		{v.inclusion},
		{v.signatures},
		{v.cosigned, v.consistency, v.ciphertext, v.policies},
		{v.plan},
		{v.certificate, v.terms, v.private, v.decisions, v.answers, v.releases, v.budget, v.whole, v.ended, v.policy},
		{v.recompute},
	})
}

// conclude makes the checks, stage by stage, and sums them up.
func (v *verifier) conclude(stages [][]func()) (*Report, error) {
	for _, stage := range stages {
		for _, check := range stage {
			check()
		}
		if len(v.report.Failures()) > 0 || v.ctx.Err() != nil {
			v.stopped()
			break
		}
	}
	if err := v.ctx.Err(); err != nil {
		return nil, err
	}
	v.report.conclude()
	return v.report, nil
}

// stopped explains checks that were not reached.
func (v *verifier) stopped() {
	for _, c := range v.report.Checks {
		if c.Status == NotChecked && c.Why == "" {
			c.Why = "what it rests on did not hold"
		}
	}
}

// form decodes the file.
func (v *verifier) form(data []byte) {
	check := v.checks[CheckForm]
	var err error
	if v.bundle, err = bundle.Decode(data); err != nil {
		part := "the file"
		var e *carnet.Error
		if errors.As(err, &e) && len(e.Violations) > 0 {
			part = e.Violations[0].Field
		}
		check.failed(part, err)
		return
	}
	for i := range v.bundle.Entries {
		e := &v.bundle.Entries[i]
		v.parts[e.Seq] = e.Name()
	}
	check.found("%d entries, %d earlier checkpoints, %d policy bundles, hashes of %d files",
		len(v.bundle.Entries), len(v.bundle.Older), len(v.bundle.Policies), len(v.bundle.Pieces))
	check.done()
}
