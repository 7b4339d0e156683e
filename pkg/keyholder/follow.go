package keyholder

import (
	"context"
	"errors"
	"slices"
	"time"

	apiv1 "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/apiconv"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// batchSize bounds how many entries become durable in one transaction, and how many may
// come without a checkpoint that confirms them. Only who catches up meets more.
const batchSize = 1024

// errFork is the error that stops a keyholder for good.
func errFork(format string, args ...any) error {
	return carnet.E(carnet.Precondition, "JOURNAL_FORK", format, args...).
		Fix("the gateway's journal was rewritten: nothing was answered since; compare checkpoints with the other keyholders and the gateway's operator")
}

// errShorter says that the gateway does not have all of the journal any more.
func errShorter(size int64) error {
	return carnet.E(carnet.Unavailable, "JOURNAL_SHORTER", "the gateway no longer serves entry %d of the journal, which this keyholder has seen", size-1).
		Fix("if the gateway was restored from an old backup, its operator has to find the missing entries; nothing is answered meanwhile")
}

// follow keeps a stream of the journal open and takes in what it brings. It
// returns when ctx ends, when the journal was rewritten, or when the ledger can't
// be written.
func (k *Keyholder) follow(ctx context.Context) error {
	wait := backoff{least: k.retry}
	for {
		started := k.now()
		err := k.followOnce(ctx)
		k.connected(false, err)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		switch {
		case carnet.ReasonOf(err) == "JOURNAL_FORK":
			if haltErr := k.ledger.Halt(context.WithoutCancel(ctx), err.Error()); haltErr != nil {
				return errors.Join(err, haltErr)
			}
			return err
		case isFatal(err):
			return err
		}
		if k.now().Sub(started) > wait.now { // it held longer than was waited for it
			wait.reset()
		}
		d := wait.next()
		k.log.Warn("the gateway is not reachable or the stream broke; trying again", "in", d, "error", offWire(err))
		if err := newSignal().wait(ctx, d); err != nil {
			return err
		}
	}
}

// fatalError marks a failure of this machine, such as a full disk, after which
// memory may be ahead of the ledger and the process has to start again.
type fatalError struct{ err error }

func (e *fatalError) Error() string { return e.err.Error() }
func (e *fatalError) Unwrap() error { return e.err }

func isFatal(err error) bool {
	var broken *fatalError
	return errors.As(err, &broken)
}

// fatal marks an error of the ledger.
func (k *Keyholder) fatal(err error) error { return &fatalError{ledgerError(k.ledger.path, err)} }

// followOnce follows one stream until it breaks. The stream starts with the last
// entry seen before, so that a journal that was rewritten or cut is noticed.
func (k *Keyholder) followOnce(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	seen := k.position()
	call, done := context.WithTimeout(ctx, callLimit)
	told, err := k.api.journal.GetCheckpoint(call, &apiv1.GetCheckpointRequest{})
	done()
	if err != nil {
		return err
	}
	k.mu.Lock()
	if least := max(seen.Size(), k.behind.Size); told.GetSize() < least {
		k.mu.Unlock()
		return errShorter(least)
	}
	if k.target < 0 {
		k.target = told.GetSize()
	}
	k.mu.Unlock()
	if err := k.noteCheckpoint(ctx, told.GetCheckpoint().GetNote()); err != nil {
		return err
	}
	stream, err := k.api.journal.Follow(ctx, &apiv1.FollowRequest{From: max(seen.Size()-1, 0)})
	if err != nil {
		return err
	}
	events := make(chan *apiv1.FollowResponse, 512)
	broken := make(chan error, 1)
	go func() {
		for {
			ev, err := stream.Recv()
			if err != nil {
				broken <- err
				close(events)
				return
			}
			select {
			case events <- ev:
			case <-ctx.Done():
				broken <- ctx.Err()
				close(events)
				return
			}
		}
	}()
	return k.takeIn(ctx, events, broken, seen)
}

func (k *Keyholder) takeIn(ctx context.Context, events <-chan *apiv1.FollowResponse, broken <-chan error, seen position) error {
	overlap := seen.Size() == 0
	timer := time.NewTimer(k.patience)
	defer timer.Stop()
	if overlap {
		timer.Reset(k.quiet)
	}
	var batch []*evidence.Entry // not taken in yet
	later := backoff{least: k.retry}
	for {
		select {
		case ev, ok := <-events:
			if !ok {
				return <-broken // entries without a checkpoint come again
			}
			if e := ev.GetEntry(); e != nil {
				entry, err := apiconv.FromEntry(e)
				if err != nil {
					return err
				}
				if !overlap {
					if err := sameEntry(entry, seen); err != nil {
						return err
					}
					overlap = true
				} else {
					batch = append(batch, entry)
				}
			}
			if c := ev.GetCheckpoint(); c != nil {
				rest, err := k.confirm(ctx, batch, c.GetNote())
				if err != nil {
					return err
				}
				batch = rest
			}
			if len(batch) >= batchSize {
				if err := k.ingest(ctx, batch); err != nil {
					return err
				}
				batch = nil
			}
			if overlap {
				k.connected(true, nil)
				timer.Reset(k.quiet)
			}
		case <-timer.C:
			if !overlap {
				return errShorter(seen.Size())
			}
			k.connected(true, nil)
			if err := k.cosignNewest(ctx); k.isLater(err) {
				timer.Reset(later.next())
			} else if err != nil {
				return err
			}
		}
	}
}

// sameEntry compares the first entry of a new stream with the last one seen before.
func sameEntry(e *evidence.Entry, seen position) error {
	if e.Seq != seen.Size()-1 {
		return carnet.E(carnet.Unavailable, "JOURNAL_GAP", "the gateway sent entry %d, asked was %d", e.Seq, seen.Size()-1)
	}
	if e.Leaf() != seen.last {
		return errFork("entry %d of the journal is not the one seen before", e.Seq)
	}
	return nil
}

// position is how far the journal was taken in.
type position struct {
	evidence.Tree
	last carnet.Hash // leaf of the last entry
}

// add takes one more entry.
func (p *position) add(e *evidence.Entry) error {
	if err := p.Append(e); err != nil {
		return err
	}
	p.last = e.Leaf()
	return nil
}

func (k *Keyholder) position() position {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.at
}

// confirm is called with a checkpoint that came after the entries of batch, which are not
// taken in yet. Those that it covers are, if they and all before have its root; otherwise
// none of them has any effect. rest is those that it does not cover.
func (k *Keyholder) confirm(ctx context.Context, batch []*evidence.Entry, text string) (rest []*evidence.Entry, err error) {
	c := k.readCheckpoint(text)
	if c == nil {
		return batch, nil
	}
	next := k.position()
	if n := c.Size - next.Size(); n > 0 && n <= int64(len(batch)) {
		for _, e := range batch[:n] {
			if err := next.add(e); err != nil {
				return nil, err
			}
		}
		if next.Root() != c.Head {
			if err := k.judge(ctx, c, next.Root()); err != nil {
				return nil, err
			}
			return nil, carnet.E(carnet.Unavailable, "JOURNAL_GAP", "the entries up to %d are not those of the checkpoint that came with them", c.Size)
		}
		if err := k.ingest(ctx, batch[:n]); err != nil {
			return nil, err
		}
		batch = batch[n:]
	}
	return batch, k.note(ctx, c)
}

// ingest takes in a run of entries as far as it continues the journal. Nothing after
// an entry that does not has any effect.
func (k *Keyholder) ingest(ctx context.Context, batch []*evidence.Entry) error {
	next := k.position()
	heads := make([]carnet.Hash, 0, len(batch))
	var broken error
	for _, e := range batch {
		if broken = next.add(e); broken != nil {
			break
		}
		heads = append(heads, next.Root())
	}
	if len(heads) > 0 {
		if err := k.takeOver(ctx, next, batch[:len(heads)], heads); err != nil {
			return err
		}
	}
	return broken
}

// takeOver applies entries, charges the queries among them and makes all of it
// durable in one transaction; only then does anything act on it. next and heads are
// the journal after all and the roots after each of them.
func (k *Keyholder) takeOver(ctx context.Context, next position, batch []*evidence.Entry, heads []carnet.Hash) error {
	cases, wanted, err := k.take(ctx, next, batch, heads)
	if err != nil {
		return k.fatal(err)
	}
	if slices.ContainsFunc(batch, aboutParties) {
		if err := k.crash("party taken in"); err != nil {
			return &fatalError{err} // tests only
		}
		if err := k.adoptNow(ctx); err != nil {
			return err
		}
		if err := k.noteKeys(ctx); err != nil {
			return k.fatal(err)
		}
	}
	for _, c := range cases {
		if err := k.repeat(ctx, c); err != nil {
			return k.fatal(err)
		}
	}
	if err := k.grown(ctx); err != nil {
		return err
	}
	if wanted {
		k.seeds.raise()
	}
	k.moves.raise()
	k.release.raise()
	return nil
}

func aboutParties(e *evidence.Entry) bool {
	return e.Envelope.PayloadType == carnet.TypeParty || e.Envelope.PayloadType == carnet.TypePartyRevocation
}

// take is takeOver until the queries among the entries are pending. wanted says that seeds
// are to be fetched or destroyed.
func (k *Keyholder) take(ctx context.Context, next position, batch []*evidence.Entry, heads []carnet.Hash) (cases []*Case, wanted bool, err error) {
	k.taking.Lock()
	defer k.taking.Unlock()
	recs := make([]record, 0, len(batch))
	for i, e := range batch {
		rec := record{entry: e, head: heads[i], decided: k.state.ownOutcome(e.Envelope), checked: k.state.ownCheck(e.Seq, e.Envelope)}
		if err := k.state.apply(e.Envelope); err != nil {
			k.log.Warn("statement without effect", "seq", e.Seq, "type", e.Envelope.PayloadType, "reason", carnet.ReasonOf(err), "error", offWire(err))
		}
		if e.Envelope.PayloadType == carnet.TypeDealing || e.Envelope.PayloadType == carnet.TypeResharing {
			key := carnet.KeyID(e.Envelope.Hash())
			if d := k.state.dealing(key); d != nil && d.committee.number > 0 {
				rec.wanted, wanted = &key, true
			}
		}
		if rec.fate = k.state.fateOf(e.Envelope); rec.fate != nil || e.Envelope.PayloadType == carnet.TypeRedealing || e.Envelope.PayloadType == carnet.TypeResharing {
			wanted = true
		}
		if c := k.state.newCase(e.Seq, e.Envelope); c != nil {
			k.overlaps.note(c)
			rec.charges = k.charge(c)
			rec.spends, rec.numbers = k.spend(c)
			cases = append(cases, c)
		}
		recs = append(recs, rec)
	}
	if err := k.ledger.append(ctx, recs); err != nil {
		return nil, false, err
	}
	k.mu.Lock()
	k.at = next
	k.mu.Unlock()
	for _, c := range cases {
		if err := k.enlist(ctx, c); err != nil {
			return nil, false, err
		}
	}
	return cases, wanted, nil
}
