package flow

import (
	"context"
	"slices"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

const (
	journalPage = 256              // entries read from the store at a time
	recentPage  = 64               // co-signed checkpoints a follower is kept up to date on
	rereadAfter = 20 * time.Second // in case another process wrote
)

// Follow calls entry with every entry from a sequence number on, in order, and
// checkpoint with co-signed checkpoints of entries already sent, again whenever one
// gains a co-signature. It waits for new ones until ctx is done, or returns at the
// present end if stopAtEnd is set.
func (g *Gateway) Follow(ctx context.Context, from int64, stopAtEnd bool, entry func(*evidence.Entry) error, checkpoint func(*evidence.Envelope) error) error {
	if from < 0 {
		return bad("BAD_REQUEST", "the request is malformed").With("from", "is negative")
	}
	sent := map[int64]int{} // checkpoint size -> co-signatures it had when sent
	first := true
	for {
		changed := g.bus.next(topicJournal)
		var err error
		if from, err = g.catchUp(ctx, from, entry); err != nil {
			return err
		}
		list, err := g.recentCosigned(ctx)
		if err != nil {
			return err
		}
		if first {
			list = notDominated(list)
			first = false
		}
		for _, c := range slices.Backward(list) { // smallest first
			if c.Size > from || sent[c.Size] >= len(c.Signers) {
				continue
			}
			if err := checkpoint(c.Envelope); err != nil {
				return err
			}
			sent[c.Size] = len(c.Signers)
		}
		if len(sent) > 4*recentPage {
			for size := range sent {
				if len(list) > 0 && size < list[len(list)-1].Size {
					delete(sent, size)
				}
			}
		}
		if stopAtEnd {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		case <-time.After(rereadAfter):
		}
	}
}

// catchUp sends the entries there are and returns the number of the next one. A
// follower may ask for one that does not exist yet.
func (g *Gateway) catchUp(ctx context.Context, from int64, send func(*evidence.Entry) error) (int64, error) {
	for {
		var page []evidence.Entry
		if err := g.Store.View(ctx, func(tx Tx) (err error) { page, err = tx.Entries(from, journalPage); return err }); err != nil {
			return from, err
		}
		for i := range page {
			if err := send(&page[i]); err != nil {
				return from, err
			}
			from = page[i].Seq + 1
		}
		if len(page) < journalPage {
			return from, nil
		}
	}
}

func (g *Gateway) recentCosigned(ctx context.Context) (list []Cosigned, err error) {
	err = g.Store.View(ctx, func(tx Tx) error { list, err = tx.RecentCosigned(recentPage); return err })
	return list, err
}

// notDominated leaves out checkpoints all of whose signers have also signed one and
// the same larger checkpoint: whatever quorum they make, the larger one makes it.
func notDominated(list []Cosigned) (out []Cosigned) {
	for _, c := range list { // largest first
		dominated := slices.ContainsFunc(out, func(larger Cosigned) bool {
			return !slices.ContainsFunc(c.Signers, func(p carnet.PartyID) bool { return !slices.Contains(larger.Signers, p) })
		})
		if !dominated {
			out = append(out, c)
		}
	}
	return out
}

// Journal returns the journal's size and head, and the newest co-signed checkpoint,
// nil if there is none.
func (g *Gateway) Journal(ctx context.Context) (c evidence.Chain, cosigned *evidence.Envelope, err error) {
	err = g.Store.View(ctx, func(tx Tx) error {
		if c, err = tx.Chain(); err != nil {
			return err
		}
		list, err := tx.RecentCosigned(1)
		if len(list) > 0 {
			cosigned = list[0].Envelope
		}
		return err
	})
	return c, cosigned, err
}

// Cosign stores the calling keyholder's signature of a checkpoint of the journal.
// Signatures of one state are collected in one envelope.
func (g *Gateway) Cosign(ctx context.Context, as *carnet.Party, env *evidence.Envelope) error {
	var c carnet.Checkpoint
	if err := env.Decode(carnet.TypeCheckpoint, &c); err != nil {
		return err
	}
	if c.Size <= 0 {
		return bad("BAD_CHECKPOINT", "the checkpoint is of no state of the journal")
	}
	sig := onlySignature(env, as.SigningKey)
	if sig == nil {
		return carnet.E(carnet.Forbidden, "BAD_SIGNATURE", "the checkpoint is not signed by %q", as.ID)
	}
	added := false
	err := g.Store.Update(ctx, func(tx Tx) error {
		chain, err := tx.Chain()
		if err != nil {
			return err
		}
		if c.Size > chain.Size {
			return carnet.E(carnet.Precondition, "CHECKPOINT_AHEAD", "the journal has %d entries, the checkpoint %d", chain.Size, c.Size)
		}
		head, err := tx.HeadAt(c.Size)
		if err != nil {
			return err
		}
		if head != c.Head {
			return carnet.E(carnet.Precondition, "JOURNAL_FORK", "at size %d the journal has another head", c.Size).
				Fix("the journals differ; stop and compare checkpoints with the other keyholders")
		}
		added, err = tx.PutCosignature(c, as.ID, env, *sig)
		return err
	})
	if added && err == nil {
		g.bus.wake(topicJournal)
	}
	return err
}
