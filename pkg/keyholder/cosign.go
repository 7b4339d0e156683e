package keyholder

import (
	"context"
	"errors"
	"maps"
	"slices"

	apiv1 "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/apiconv"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/keys"
)

// maxAhead bounds how many checkpoints beyond the own position are kept.
const maxAhead = 64

// cosignHead co-signs the present end of the journal.
func (k *Keyholder) cosignHead(ctx context.Context) error {
	c := k.position()
	if c.Size == 0 {
		return nil
	}
	return k.cosign(ctx, c.Checkpoint())
}

// cosign signs a state of the journal this keyholder has followed to. The
// signature is durable before it is sent; for one size there is never another head.
// A keyholder that has not caught up signs nothing: it may have been restored from a
// backup that is older than its newest signature. A laterError means that the keys
// can't be reached now.
func (k *Keyholder) cosign(ctx context.Context, cp carnet.Checkpoint) error {
	if !k.caughtUp() || len(k.state.mine()) == 0 {
		return nil
	}
	last, err := k.ledger.lastCosigned(ctx)
	if err != nil {
		return k.fatal(err)
	}
	k.mu.Lock()
	before := k.behind.Size // a restored ledger replays states that were signed, or passed over, before
	k.mu.Unlock()
	if cp.Size <= last || cp.Size < before {
		return nil
	}
	env, err := evidence.Seal(carnet.TypeCheckpoint, cp, k.signer)
	if err != nil {
		return &laterError{err}
	}
	if err := k.mark(ctx, cp); err != nil {
		return err
	}
	if err := k.ledger.cosigned(ctx, cp, env); err != nil {
		if carnet.ReasonOf(err) == "JOURNAL_FORK" {
			return err
		}
		return k.fatal(err)
	}
	if err := k.crash("cosigned"); err != nil {
		return &fatalError{err} // tests only
	}
	k.outbox.raise()
	return nil
}

// laterError says that the place of the keys can't sign or record now, such as a Vault
// that is sealed. What was to be signed is signed when the journal is quiet next.
type laterError struct{ err error }

func (e *laterError) Error() string { return e.err.Error() }
func (e *laterError) Unwrap() error { return e.err }

// isLater logs a laterError and reports whether err is one.
func (k *Keyholder) isLater(err error) bool {
	var later *laterError
	if !errors.As(err, &later) {
		return false
	}
	k.log.Warn("a co-signature has to wait for the keystore", "reason", carnet.ReasonOf(err), "error", err, "remedy", remedy(err))
	return true
}

// remedy is what the operator can do about an error.
func remedy(err error) string {
	var e *carnet.Error
	if errors.As(err, &e) {
		return e.Remedy
	}
	return ""
}

// mark records a state of the journal with the keys before anybody learns that it was
// signed, so that an old copy of the ledger is recognised by it.
func (k *Keyholder) mark(ctx context.Context, cp carnet.Checkpoint) error {
	m, ok := k.cfg.Keys.(keys.Marker)
	if !ok {
		return nil
	}
	switch err := m.Mark(ctx, cp); {
	case err == nil:
		return nil
	case carnet.ReasonOf(err) == "MARK_BEHIND":
		return &fatalError{err}
	default:
		return &laterError{err}
	}
}

// marked compares the ledger with what was recorded with the keys: a shorter one has to
// be replayed first, another one is a rewritten journal.
func (k *Keyholder) marked(ctx context.Context) error {
	m, ok := k.cfg.Keys.(keys.Marker)
	if !ok {
		return nil
	}
	at, err := m.Marked(ctx)
	if err != nil {
		return err
	}
	signed, err := k.ledger.lastCosigned(ctx)
	if err != nil {
		return err
	}
	if signed > at.Size { // a state is recorded before its co-signature
		k.log.Warn("the keystore was put back from an older copy; seeds destroyed since are destroyed again, and those dealt since are fetched again",
			"recorded_size", at.Size, "cosigned_size", signed)
		if err := k.ledger.doubtSeeds(ctx); err != nil {
			return err
		}
	}
	if at.Size == 0 {
		return nil
	}
	if at.Size > k.chain.Size {
		k.behind = at
		k.log.Warn("the ledger is older than what was recorded with the keys; replaying the journal before answering",
			"ledger_size", k.chain.Size, "recorded_size", at.Size)
		return nil
	}
	head, err := k.ledger.HeadAt(ctx, at.Size)
	if err != nil {
		return err
	}
	if head != at.Head {
		return errFork("another journal of size %d was recorded with the keys", at.Size)
	}
	return nil
}

// caughtUp reports whether the journal was followed to where the gateway said it
// was when this process first reached it, and to the own newest co-signature.
func (k *Keyholder) caughtUp() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.target >= 0 && k.chain.Size >= max(k.target, k.behind.Size)
}

// noteCheckpoint takes in a checkpoint with co-signatures. It proves nothing until
// a quorum of a committee signed it; it may show that this keyholder lost a part of
// its ledger; and if it contradicts the journal seen, the journal was rewritten.
func (k *Keyholder) noteCheckpoint(ctx context.Context, m *apiv1.Envelope) error {
	if m == nil {
		return nil
	}
	var cp carnet.Checkpoint
	env, err := apiconv.FromEnvelope("checkpoint", m)
	if err == nil {
		cp, err = decodeCheckpoint(env)
	}
	if err != nil {
		k.log.Warn("malformed checkpoint ignored", "error", err)
		return nil
	}
	chain := k.position()
	if cp.Size > chain.Size {
		k.mu.Lock()
		k.ahead[cp.Size] = env
		if len(k.ahead) > maxAhead {
			delete(k.ahead, slices.Min(slices.Collect(maps.Keys(k.ahead))))
		}
		k.mu.Unlock()
		return k.noteOwn(ctx, cp, env)
	}
	return k.judge(ctx, cp, env)
}

// noteOwn recognises an own co-signature beyond the ledger: the ledger was restored
// from an old backup, and the journal is to be replayed up to there first.
func (k *Keyholder) noteOwn(ctx context.Context, cp carnet.Checkpoint, env *evidence.Envelope) error {
	if !env.SignedBy(k.signer.Public()) {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if cp.Size > k.behind.Size {
		k.behind = cp
		k.log.Warn("the ledger is older than this keyholder's own co-signature; replaying the journal before answering",
			"ledger_size", k.chain.Size, "cosigned_size", cp.Size)
	}
	return nil
}

// grown is called when the journal has grown: it judges the checkpoints that are now
// within reach and compares the own lost co-signature, if any.
func (k *Keyholder) grown(ctx context.Context) error {
	k.mu.Lock()
	size, behind := k.chain.Size, k.behind
	var due []*evidence.Envelope
	for _, s := range slices.Sorted(maps.Keys(k.ahead)) {
		if s <= size {
			due = append(due, k.ahead[s])
			delete(k.ahead, s)
		}
	}
	k.mu.Unlock()
	if behind.Size > 0 && size >= behind.Size {
		head, err := k.ledger.HeadAt(ctx, behind.Size)
		if err != nil {
			return k.fatal(err)
		}
		if head != behind.Head {
			return errFork("this keyholder co-signed another journal of size %d", behind.Size)
		}
	}
	for _, env := range due {
		cp, err := decodeCheckpoint(env)
		if err != nil {
			return err
		}
		if err := k.judge(ctx, cp, env); err != nil {
			return err
		}
	}
	return nil
}

// judge compares a checkpoint within the journal seen, and counts its signatures.
func (k *Keyholder) judge(ctx context.Context, cp carnet.Checkpoint, env *evidence.Envelope) error {
	head, err := k.ledger.HeadAt(ctx, cp.Size)
	if err != nil {
		return k.fatal(err)
	}
	same := head == cp.Head
	if !same && env.SignedBy(k.signer.Public()) {
		return errFork("this keyholder co-signed another journal of size %d", cp.Size)
	}
	for _, c := range k.state.mine() {
		signed := k.state.cosigners(c, env)
		switch {
		case !same && len(signed) >= c.body.Threshold:
			// Fewer could be dishonest keyholders that want to stop the others.
			return errFork("%d keyholders co-signed another journal of size %d", len(signed), cp.Size)
		case !same && len(signed) > 0:
			k.log.Error("a keyholder co-signed another journal; tell its operator", "size", cp.Size, "by", signed)
		case same && len(signed) >= c.body.Quorum:
			if err := k.ledger.setQuorum(ctx, c.hash, cp.Size, env); err != nil {
				return k.fatal(err)
			}
			k.release.raise()
		}
	}
	return nil
}
