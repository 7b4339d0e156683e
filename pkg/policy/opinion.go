package policy

import (
	"context"
	"sync"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// Opinion is what a bundle says about one flow, or why it says nothing.
type Opinion struct {
	Decision *Decision
	Judged   carnet.Judged
	Err      error
}

// Opinions asks one bundle, the present one, about inputs, which do not depend on each
// other, at the same time. A bundle that is put in place meanwhile decides the next ones: an
// answer names one bundle.
func (h *Holder) Opinions(ctx context.Context, inputs ...*Input) []Opinion {
	list := make([]Opinion, len(inputs))
	panicked := make([]any, len(inputs))
	e := h.Engine()
	var all sync.WaitGroup
	for i, in := range inputs {
		all.Go(func() {
			defer func() { panicked[i] = recover() }()
			o := &list[i]
			o.Decision, o.Judged, o.Err = h.judge(ctx, e, in)
		})
	}
	all.Wait()
	for _, r := range panicked {
		if r != nil {
			panic(r) // where the caller's own would be caught
		}
	}
	return list
}

// Judge decides about one flow by the present bundle.
func (h *Holder) Judge(ctx context.Context, in *Input) (*Decision, carnet.Judged, error) {
	return h.judge(ctx, h.Engine(), in)
}

// judge decides by e. A stale bundle decides nothing: the law may have changed since
// somebody looked at it.
func (h *Holder) judge(ctx context.Context, e *Engine, in *Input) (*Decision, carnet.Judged, error) {
	if err := h.steady(in.Now); err != nil {
		return nil, carnet.Judged{}, err
	}
	if !in.Now.Before(e.bundle.Expires) {
		return nil, carnet.Judged{}, carnet.E(carnet.Refused, "POLICY_STALE", "the policy bundle %s version %d of %s expired on %s", e.bundle.Name, e.bundle.Version, in.Judge.ID, e.bundle.Expires.Format(time.DateOnly)).
			Fix("ask %s to put a reviewed bundle in place", in.Judge.ID)
	}
	d, out, err := e.decide(ctx, in)
	if err != nil {
		return nil, carnet.Judged{}, err
	}
	j, err := e.judged(in, d.Allow, out)
	return d, j, err
}
