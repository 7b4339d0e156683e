package keyholder

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/keys"
)

// maxAhead bounds how many checkpoints beyond the own position are kept.
const maxAhead = 64

// cosignNewest co-signs the newest checkpoint of the log that the journal was followed to.
func (k *Keyholder) cosignNewest(ctx context.Context) error {
	k.mu.Lock()
	cp := k.confirmed
	k.mu.Unlock()
	return k.cosign(ctx, cp)
}

// cosign signs a published state of the log that this keyholder has followed to. The
// signature is durable before it is sent; for one size there is never another root.
// A keyholder that has not caught up signs nothing: it may have been restored from a
// backup that is older than its newest signature. A laterError means that the keys
// can't be reached now.
func (k *Keyholder) cosign(ctx context.Context, cp carnet.Checkpoint) error {
	if cp.Size == 0 || !k.caughtUp() || len(k.state.mine()) == 0 {
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
	by, err := k.cosigner(ctx, cp.Size)
	if by == nil || err != nil {
		return err
	}
	note := &evidence.SignedCheckpoint{Origin: k.origin, Checkpoint: cp}
	if err := note.Cosign(k.cfg.Party, k.now(), by); err != nil {
		return &laterError{err}
	}
	if err := k.mark(ctx, cp); err != nil {
		return err
	}
	if err := k.ledger.cosigned(ctx, note); err != nil {
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

// queryWaits reports whether a query waits that a checkpoint of the size covers, and that
// none which was co-signed before does.
func (k *Keyholder) queryWaits(ctx context.Context, size int64) (bool, error) {
	last, err := k.ledger.lastCosigned(ctx)
	if err != nil {
		return false, k.fatal(err)
	}
	now := k.now()
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, c := range k.pending {
		if c.Seq >= last && c.Seq < size && !c.expired(now) {
			return true, nil
		}
	}
	return false, nil
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
	if at.Size > k.at.Size() {
		k.behind = at
		k.log.Warn("the ledger is older than what was recorded with the keys; replaying the journal before answering",
			"ledger_size", k.at.Size(), "recorded_size", at.Size)
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
	return k.target >= 0 && k.at.Size() >= max(k.target, k.behind.Size)
}

// noteCheckpoint takes in a checkpoint with co-signatures. It proves nothing until
// a quorum of a committee signed it; it may show that this keyholder lost a part of
// its ledger; and if it contradicts the journal seen, the journal was rewritten.
func (k *Keyholder) noteCheckpoint(ctx context.Context, text string) error {
	if c := k.readCheckpoint(text); c != nil {
		return k.note(ctx, c)
	}
	return nil
}

// readCheckpoint reads a checkpoint of this keyholder's log; nil if it is none.
func (k *Keyholder) readCheckpoint(text string) *evidence.SignedCheckpoint {
	if text == "" {
		return nil
	}
	c, err := evidence.ParseCheckpoint([]byte(text))
	if err == nil && c.Origin != k.origin {
		err = carnet.E(carnet.Invalid, "BAD_CHECKPOINT", "it is of the log %q, not of %q", c.Origin, k.origin)
	}
	if err != nil {
		k.log.Warn("malformed checkpoint ignored", "error", err)
		return nil
	}
	return c
}

func (k *Keyholder) note(ctx context.Context, c *evidence.SignedCheckpoint) error {
	if size := k.position().Size(); c.Size > size {
		k.mu.Lock()
		k.ahead[c.Size] = c
		if len(k.ahead) > maxAhead {
			delete(k.ahead, slices.Min(slices.Collect(maps.Keys(k.ahead))))
		}
		k.mu.Unlock()
		return k.noteOwn(c)
	}
	head, err := k.ledger.HeadAt(ctx, c.Size)
	if err != nil {
		return k.fatal(err)
	}
	return k.judge(ctx, c, head)
}

// noteOwn recognises an own co-signature beyond the ledger: the ledger was restored
// from an old backup, and the journal is to be replayed up to there first.
func (k *Keyholder) noteOwn(c *evidence.SignedCheckpoint) error {
	if !k.signedMyself(c) {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if c.Size > k.behind.Size {
		k.behind = c.Checkpoint
		k.log.Warn("the ledger is older than this keyholder's own co-signature; replaying the journal before answering",
			"ledger_size", k.at.Size(), "cosigned_size", c.Size)
	}
	return nil
}

// signedMyself reports whether a checkpoint bears this keyholder's own co-signature, with
// the key in force at its size. Beyond the ledger, which may be an old copy, the key in the
// keystore is one, too.
func (k *Keyholder) signedMyself(c *evidence.SignedCheckpoint) bool {
	if want, _ := k.state.cosignKey(c.Size); want != nil {
		if sig, _ := c.CosignedBy(k.cfg.Party, want.SigningKey); sig != nil {
			return true
		}
	}
	if c.Size <= k.position().Size() {
		return false
	}
	sig, _ := c.CosignedBy(k.cfg.Party, k.signer().Public())
	return sig != nil
}

// grown is called when the journal has grown: it judges the checkpoints that are now
// within reach and compares the own lost co-signature, if any.
func (k *Keyholder) grown(ctx context.Context) error {
	k.mu.Lock()
	size, behind := k.at.Size(), k.behind
	var due []*evidence.SignedCheckpoint
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
	for _, c := range due {
		if err := k.note(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// judge compares a checkpoint with the root that the journal seen had, or would have, at
// its size, and counts its signatures.
func (k *Keyholder) judge(ctx context.Context, c *evidence.SignedCheckpoint, head carnet.Hash) error {
	if c.Head != head {
		return k.contradicted(c)
	}
	for _, com := range k.state.mine() {
		if len(k.state.cosigners(com, c)) >= com.body.Quorum {
			if err := k.ledger.setQuorum(ctx, com.hash, c); err != nil {
				return k.fatal(err)
			}
			k.release.raise()
		}
	}
	if c.Size > k.position().Size() {
		return nil // taken in first
	}
	k.mu.Lock()
	if c.Size > k.confirmed.Size {
		k.confirmed = c.Checkpoint
	}
	k.mu.Unlock()
	// Signing the first checkpoint after each query that still waits gives all keyholders
	// the same sizes to sign. Others are signed when the journal is quiet.
	waits, err := k.queryWaits(ctx, c.Size)
	if err != nil || !waits {
		return err
	}
	if err := k.cosign(ctx, c.Checkpoint); !k.isLater(err) {
		return err
	}
	return nil
}

// contradicted is what follows from a checkpoint with another root.
func (k *Keyholder) contradicted(c *evidence.SignedCheckpoint) error {
	if k.signedMyself(c) {
		return errFork("this keyholder co-signed another journal of size %d", c.Size)
	}
	if by := k.state.logSigner(c); by != "" {
		return errFork("the log's key, of %s, signed another journal of size %d", by, c.Size)
	}
	for _, com := range k.state.mine() {
		signed := k.state.cosigners(com, c)
		switch {
		case len(signed) >= com.body.Threshold:
			// Fewer could be dishonest keyholders that want to stop the others.
			return errFork("%d keyholders co-signed another journal of size %d", len(signed), c.Size)
		case len(signed) > 0:
			k.log.Error("a keyholder co-signed another journal; tell its operator", "size", c.Size, "by", signed)
		}
	}
	k.log.Error("the gateway shows a checkpoint of another journal, which no registered operator signed", "size", c.Size)
	return nil
}
