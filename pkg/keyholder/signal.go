package keyholder

import (
	"context"
	"time"
)

// signal wakes one loop; raising it twice before the loop looks is the same as once.
type signal chan struct{}

func newSignal() signal { return make(signal, 1) }

func (s signal) raise() {
	select {
	case s <- struct{}{}:
	default:
	}
}

// wait returns when the signal is raised, after d, or with an error when ctx ends.
func (s signal) wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-s:
	case <-t.C:
	}
	return nil
}

// backoff doubles a waiting time up to a limit.
type backoff struct{ least, now time.Duration }

const longestWait = time.Minute

func (b *backoff) next() time.Duration {
	b.now = min(max(2*b.now, b.least), longestWait)
	return b.now
}

func (b *backoff) reset() { b.now = 0 }
