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
	recentPage  = 64               // checkpoints a follower is kept up to date on
	rereadAfter = 20 * time.Second // in case another process wrote
)

// Follow calls entry with every published entry from a sequence number on, in order, and
// checkpoint with published checkpoints of entries already sent, again whenever one
// gains a co-signature. It waits for new ones until ctx is done, or returns at the
// present end if stopAtEnd is set.
func (g *Gateway) Follow(ctx context.Context, from int64, stopAtEnd bool, entry func(*evidence.Entry) error, checkpoint func(*evidence.SignedCheckpoint) error) error {
	if from < 0 {
		return bad("BAD_REQUEST", "the request is malformed").With("from", "is negative")
	}
	sent := map[int64]int{} // checkpoint size -> signatures it had when sent
	first := true
	for {
		changed := g.bus.next(topicPublished)
		list, err := g.recentPublished(ctx)
		if err != nil {
			return err
		}
		if len(list) > 0 {
			if from, err = g.catchUp(ctx, from, list[0].Size, entry); err != nil {
				return err
			}
		}
		if first {
			for _, c := range list { // those that are left out now stay out
				sent[c.Size] = len(c.Signatures)
			}
			list, first = notDominated(list), false
			for _, c := range list {
				delete(sent, c.Size)
			}
		}
		for _, c := range slices.Backward(list) { // smallest first
			if c.Size > from || sent[c.Size] >= len(c.Signatures) {
				continue
			}
			if err := checkpoint(c.SignedCheckpoint); err != nil {
				return err
			}
			sent[c.Size] = len(c.Signatures)
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
			g.recent.forget()
		}
	}
}

// catchUp sends the entries before size and returns the number of the next one. A
// follower may ask for one that does not exist yet.
func (g *Gateway) catchUp(ctx context.Context, from, size int64, send func(*evidence.Entry) error) (int64, error) {
	for from < size {
		var page []evidence.Entry
		if err := g.Store.View(ctx, func(tx Tx) (err error) {
			page, err = tx.Entries(from, int(min(journalPage, size-from)))
			return err
		}); err != nil {
			return from, err
		}
		for i := range page {
			if err := send(&page[i]); err != nil {
				return from, err
			}
			from = page[i].Seq + 1
		}
		if len(page) == 0 {
			return from, nil
		}
	}
	return from, nil
}

// notDominated leaves out checkpoints all of whose co-signers have also signed one and
// the same larger checkpoint: whatever quorum they make, the larger one makes it.
func notDominated(list []Published) (out []Published) {
	for _, c := range list { // largest first
		dominated := slices.ContainsFunc(out, func(larger Published) bool {
			return !slices.ContainsFunc(c.Signers, func(p carnet.PartyID) bool { return !slices.Contains(larger.Signers, p) })
		})
		if !dominated {
			out = append(out, c)
		}
	}
	return out
}

// Journal returns the number of entries, and the newest published checkpoint, nil if
// there is none.
func (g *Gateway) Journal(ctx context.Context) (entries int64, newest *evidence.SignedCheckpoint, err error) {
	err = g.Store.View(ctx, func(tx Tx) error {
		tree, err := tx.Tree()
		if err != nil {
			return err
		}
		entries = tree.Size()
		list, err := tx.RecentPublished(1)
		if len(list) > 0 {
			newest = list[0].SignedCheckpoint
		}
		return err
	})
	return entries, newest, err
}

// Cosign stores the calling keyholder's signature of a published checkpoint.
func (g *Gateway) Cosign(ctx context.Context, as *carnet.Party, c *evidence.SignedCheckpoint) error {
	if c.Size <= 0 || c.Origin != g.Origin() {
		return bad("BAD_CHECKPOINT", "the checkpoint is of no state of this log")
	}
	added := false
	err := g.Store.Update(ctx, func(tx Tx) error {
		chain, err := partyChain(tx, as.ID)
		if err != nil {
			return err
		}
		sig, err := chain.Cosigned(as.ID, c)
		if err != nil {
			return err
		}
		newest, err := tx.RecentPublished(1)
		if err != nil {
			return err
		}
		if len(newest) == 0 || c.Size > newest[0].Size {
			return carnet.E(carnet.Precondition, "CHECKPOINT_AHEAD", "the log has published no state of %d entries yet", c.Size)
		}
		tree, err := tx.TreeAt(c.Size)
		if err != nil {
			return err
		}
		if tree.Root() != c.Head {
			return carnet.E(carnet.Precondition, "JOURNAL_FORK", "at size %d the log has another root", c.Size).
				Fix("the logs differ; stop and compare checkpoints with the other keyholders")
		}
		if err := g.putCheckpoint(tx, c.Checkpoint); err != nil { // it may have been dropped
			return err
		}
		added, err = tx.PutCosignature(c.Size, as.ID, *sig)
		return err
	})
	if added && err == nil {
		g.published()
	}
	return err
}
