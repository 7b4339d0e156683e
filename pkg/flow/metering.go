package flow

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"sync"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/meter"
)

// books is what the journal says about use and prices, read as far as next. It is made
// when somebody first asks, and brought up to date whenever somebody asks. After a restart
// it is made again from the journal; what queries use is noted in the store, so that none
// has to be compiled for it.
type books struct {
	mu   sync.Mutex
	book *meter.Book
	memo memo
	next int64
}

// metered brings the book up to date and calls do with it, and with the state of the
// journal that it was read to.
func (g *Gateway) metered(ctx context.Context, do func(b *meter.Book, at carnet.Checkpoint) error) error {
	b := &g.books
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.book == nil {
		b.book = meter.NewBook(g.Registrar)
		b.book.Remember(&b.memo)
	}
	var at carnet.Checkpoint
	for at.Size == 0 || b.next < at.Size {
		more, err := g.readBook(ctx, &at)
		if err != nil {
			return err
		}
		if !more {
			break
		}
	}
	// Whoever is given figures can read what they were made of.
	if err := g.awaitPublished(ctx, at.Size-1); err != nil {
		return err
	}
	return do(b.book, at)
}

// readBook reads a page of the journal, and says what the journal's state is.
func (g *Gateway) readBook(ctx context.Context, at *carnet.Checkpoint) (more bool, err error) {
	b := &g.books
	var page []evidence.Entry
	if err := g.Store.View(ctx, func(tx Tx) error {
		tree, err := tx.Tree()
		if err != nil {
			return err
		}
		*at = tree.Checkpoint()
		if page, err = tx.Entries(b.next, journalPage); err != nil {
			return err
		}
		return b.memo.recall(tx, page)
	}); err != nil {
		return false, err
	}
	for i := range page {
		if err := b.book.Add(page[i].Seq, page[i].Envelope); err != nil {
			return false, err
		}
		b.next = page[i].Seq + 1
	}
	if err := b.memo.note(ctx, g.Store); err != nil {
		return false, err
	}
	return len(page) > 0, ctx.Err()
}

// UsageOf certifies what was used of a dataset in a period that is over. It is for its
// owner, auditors, keyholders and operators; to others the dataset looks absent. A repeat
// gives the same statement as long as nothing about the period changed.
func (g *Gateway) UsageOf(ctx context.Context, as *carnet.Party, id carnet.DatasetID, from, until time.Time) (Stored, error) {
	now := g.now()
	if !from.Before(until) || until.After(now) {
		return Stored{}, bad("BAD_PERIOD", "a period begins before it ends, and is over").With("until", "is before the beginning, or still to come").
			Fix("ask for a period that ended before %s", now.Format(time.RFC3339))
	}
	owner, err := g.meteredDataset(ctx, as, id)
	if err != nil {
		return Stored{}, err
	}
	if _, err := g.certifies(ctx); err != nil {
		return Stored{}, err
	}
	var env *evidence.Envelope
	err = g.metered(ctx, func(b *meter.Book, at carnet.Checkpoint) error {
		u, err := b.Usage(id, from, until)
		if err != nil {
			return err
		}
		u.Owner, u.Operator, u.Size, u.Head, u.Created = owner, g.Operator, at.Size, at.Head, now.Truncate(time.Second)
		if env = b.LastUsage(id, from, until); env != nil && sameUsage(env, u) {
			return nil
		}
		if err := usageAllowed(b, id, now); err != nil {
			return err
		}
		env, err = evidence.Seal(carnet.TypeUsage, u)
		return err
	})
	if err != nil {
		return Stored{}, err
	}
	return g.recordOwn(ctx, env, func(Tx, Stored) error { return nil })
}

// Bounds of what usage statements add to the log: owners choose periods freely, and every
// period is an entry for ever.
const (
	usagesOfDataset = 50 // new statements about a dataset
	usagesOfPeriod  = 24 * time.Hour
)

// usageAllowed counts in the log, so that a restart changes nothing.
func usageAllowed(b *meter.Book, id carnet.DatasetID, now time.Time) error {
	if b.Certified(id, now.Add(-usagesOfPeriod)) < usagesOfDataset {
		return nil
	}
	return carnet.E(carnet.Exhausted, "TOO_MANY_STATEMENTS", "the use of dataset %s was certified %d times in the last %s", id, usagesOfDataset, usagesOfPeriod).
		Fix("use a statement that was made: asking for the same period gives it again as long as nothing changed; or wait")
}

// sameUsage compares all but when and over which journal it was made.
func sameUsage(last *evidence.Envelope, u *carnet.Usage) bool {
	var old carnet.Usage
	if last.Decode(carnet.TypeUsage, &old) != nil {
		return false
	}
	present := *u
	present.Size, present.Head, present.Created = old.Size, old.Head, old.Created
	again, err := evidence.Seal(carnet.TypeUsage, &present)
	return err == nil && again.Hash() == last.Hash()
}

// Settlement nets what is owed for a month: for auditors and operators that of all, for
// others their own part. A month that goes on is settled as far as it is.
func (g *Gateway) Settlement(ctx context.Context, as *carnet.Party, month meter.Month, all bool) (s *meter.Settlement, signed *evidence.Envelope, err error) {
	if all && !hasRole(as, carnet.RoleAuditor, carnet.RoleOperator) {
		return nil, nil, carnet.E(carnet.Forbidden, "WRONG_ROLE", "the settlement of all parties is for auditors and operators").
			Fix("ask for your own part")
	}
	err = g.metered(ctx, func(b *meter.Book, at carnet.Checkpoint) error {
		whole, err := meter.Settle(month, b.Lines())
		if err != nil {
			return err
		}
		whole.Size, whole.Head = at.Size, at.Head
		if s = whole; !all {
			s, err = whole.For(as.ID)
		}
		return err
	})
	if err == nil {
		signed, err = g.signFigures(ctx, "settlement", s, carnet.Checkpoint{Size: s.Size, Head: s.Head})
	}
	return s, signed, err
}

// signFigures signs a sheet in the operator's name; nil if nobody could check it.
func (g *Gateway) signFigures(ctx context.Context, kind string, sheet any, at carnet.Checkpoint) (*evidence.Envelope, error) {
	s, err := g.certifies(ctx)
	if err != nil {
		if carnet.ReasonOf(err) == "OPERATOR_UNREGISTERED" {
			err = nil
		}
		return nil, err
	}
	data, err := json.Marshal(sheet)
	if err != nil {
		return nil, err
	}
	return evidence.Seal(carnet.TypeFigures, carnet.Figures{Kind: kind, Sheet: sha256.Sum256(data), Size: at.Size, Head: at.Head, Operator: g.Operator}, s)
}

// Valuation works out figures of what a dataset is worth, for whom UsageOf is.
func (g *Gateway) Valuation(ctx context.Context, as *carnet.Party, id carnet.DatasetID, until meter.Month, assumed meter.Assumptions) (v *meter.Valuation, signed *evidence.Envelope, err error) {
	if _, err := g.meteredDataset(ctx, as, id); err != nil {
		return nil, nil, err
	}
	err = g.metered(ctx, func(b *meter.Book, at carnet.Checkpoint) (err error) {
		v, err = b.Value(id, until, assumed)
		if err == nil {
			v.Size, v.Head = at.Size, at.Head
		}
		return err
	})
	if err == nil {
		signed, err = g.signFigures(ctx, "valuation", v, carnet.Checkpoint{Size: v.Size, Head: v.Head})
	}
	return v, signed, err
}

// meteredDataset returns the owner of a dataset whose use the caller may see.
func (g *Gateway) meteredDataset(ctx context.Context, as *carnet.Party, id carnet.DatasetID) (owner carnet.PartyID, err error) {
	d, err := g.Dataset(ctx, id)
	if err == nil && d.Owner != as.ID && !hasRole(as, carnet.RoleAuditor, carnet.RoleOperator, carnet.RoleKeyholder) || absent(err) {
		return "", carnet.E(carnet.NotFound, "NOT_FOUND", "there is no dataset %s of yours", id).Fix("carnet datasets lists them; others' use is shown to auditors")
	}
	return d.Owner, err
}

// certifies is the key that the journal has for the operator now. It refuses to sign
// certificates with one that others can't check.
func (g *Gateway) certifies(ctx context.Context) (s evidence.Signer, err error) {
	err = g.Store.View(ctx, func(tx Tx) error {
		p, err := party(tx, g.Operator)
		if err != nil && !absent(err) {
			return err
		}
		if err == nil && hasRole(p, carnet.RoleOperator) {
			s = g.keys.of(p.SigningKey)
		}
		if s == nil {
			return carnet.E(carnet.Precondition, "OPERATOR_UNREGISTERED", "the gateway's operator %q is not registered with the key that it signs with, so nobody could check what it certifies", g.Operator).
				Fix("its operator runs carnet init --role operator, has the registrar register it, and starts carnet-gateway with --identity")
		}
		return nil
	})
	return s, err
}
