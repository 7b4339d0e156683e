package flow

import (
	"context"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/history"
)

// maxEvidencePieces bounds the hashes of pieces in one export, 16 MiB of them.
const maxEvidencePieces = 1 << 19

// Evidence is what proves a query.
type Evidence struct {
	Checkpoint  *evidence.SignedCheckpoint // with the signatures of the log and of the query's committee
	Consistency []carnet.Hash              // that the log begins with the earlier checkpoint asked for
	Entries     []Included                 // in the order of the log; their checkpoint is the one above
	Files       []FileHashes
}

// FileHashes are the hashes of all pieces of a file, column by column.
type FileHashes struct {
	Nonce  carnet.Nonce
	Hashes []carnet.Hash
}

// ExportEvidence collects what a query rests on, for its buyer and for those who may see
// all queries: the statements that it names and that are about it, proved in the newest
// checkpoint that a quorum of its committee co-signed. since is the size of an earlier
// checkpoint, 0 for none. The log is read from its first entry, which takes time.
//
// Nothing in it is secret, and none of it is the answer: shares stay sealed and are left
// out. Other buyers' queries are not in it.
func (g *Gateway) ExportEvidence(ctx context.Context, as *carnet.Party, query carnet.Hash, since int64, pieces bool) (*Evidence, error) {
	var at Published
	var by carnet.Committee
	if err := g.Store.View(ctx, func(tx Tx) error {
		q, err := visibleQuery(tx, as, query)
		if err != nil {
			return err
		}
		if by, _, err = committee(tx, q.Committee); err != nil {
			return err
		}
		if at, err = cosignedBy(tx, &by); err != nil {
			return err
		}
		last, err := lastAbout(tx, &q)
		if err == nil && last >= at.Size {
			err = evidencePending()
		}
		return err
	}); err != nil {
		return nil, err
	}
	out, err := g.prove(ctx, query, (*history.Selector).Selected, onlyBy(&by, at), since)
	if err == nil && pieces {
		out.Files, err = g.pieceHashes(ctx, out.Entries, query)
	}
	return out, err
}

// prove reads the log as far as a checkpoint for what pick selects of a statement, and proves
// each of it there, and the state of size since, if that is not 0.
func (g *Gateway) prove(ctx context.Context, statement carnet.Hash, pick func(*history.Selector) ([]*evidence.Entry, error), at *evidence.SignedCheckpoint, since int64) (*Evidence, error) {
	if since > at.Size {
		return nil, evidencePending()
	}
	selector := history.NewSelector(g.Registrar, statement)
	if _, err := g.catchUp(ctx, 0, at.Size, func(e *evidence.Entry) error { c := *e; selector.Take(&c); return nil }); err != nil {
		return nil, err
	}
	entries, err := pick(selector)
	if err != nil {
		return nil, err
	}
	out := &Evidence{Checkpoint: at}
	for _, e := range entries {
		path, err := g.Log.Inclusion(ctx, e.Seq, at.Size)
		if err != nil {
			return nil, err
		}
		out.Entries = append(out.Entries, Included{Entry: *e, Path: path, Checkpoint: at})
	}
	if since > 0 {
		out.Consistency, err = g.ProveConsistency(ctx, since, at.Size)
	}
	return out, err
}

func evidencePending() error {
	return carnet.E(carnet.Unavailable, "EVIDENCE_PENDING", "keyholders have not co-signed the log with all that is about the query yet").
		Fix("ask again in a moment; a quorum of them has to run, and they co-sign when the log has been quiet for a second")
}

// cosignedBy is the newest checkpoint that a quorum of the committee co-signed.
func cosignedBy(tx Tx, c *carnet.Committee) (Published, error) {
	list, err := tx.RecentPublished(recentPage)
	if err != nil {
		return Published{}, err
	}
	for _, p := range list {
		if signedBy(c, p.Signers) >= c.Quorum {
			return p, nil
		}
	}
	return Published{}, evidencePending()
}

// onlyBy leaves the signatures of the log and of the committee.
func onlyBy(c *carnet.Committee, p Published) *evidence.SignedCheckpoint {
	out := &evidence.SignedCheckpoint{Origin: p.Origin, Checkpoint: p.Checkpoint}
	others := len(p.Signatures) - len(p.Signers)
	for i, s := range p.Signatures {
		if i < others || memberNumber(c, p.Signers[i-others]) > 0 {
			out.Signatures = append(out.Signatures, s)
		}
	}
	return out
}

// lastAbout is the last entry that is about the query.
func lastAbout(tx Tx, q *QueryRecord) (last int64, err error) {
	last = q.Statement.Seq
	answers, err := tx.Answers(q.Statement.Hash)
	if err != nil {
		return 0, err
	}
	for _, a := range answers {
		last = max(last, a.Statement.Seq)
	}
	decisions, err := tx.Decisions(q.Statement.Hash)
	if err != nil {
		return 0, err
	}
	for _, d := range decisions {
		last = max(last, d.Statement.Seq)
	}
	checks, err := tx.Checks(q.Statement.Hash)
	for _, c := range checks {
		last = max(last, c.Statement.Seq)
	}
	return last, err
}

// pieceHashes lists the hashes of the pieces of the query's files, of as many files as fit.
func (g *Gateway) pieceHashes(ctx context.Context, entries []Included, query carnet.Hash) (out []FileHashes, err error) {
	inputs := map[carnet.Hash]bool{}
	for i := range entries {
		e := &entries[i].Entry
		var q carnet.Query
		if e.Envelope.PayloadType == carnet.TypeQuery && e.Envelope.Hash() == query && e.Envelope.Decode(carnet.TypeQuery, &q) == nil {
			for _, h := range q.Inputs {
				inputs[h] = true
			}
		}
	}
	left := maxEvidencePieces
	for i := range entries {
		e := &entries[i].Entry
		var d carnet.Dataset
		if !inputs[e.Envelope.Hash()] || e.Envelope.Decode(carnet.TypeDataset, &d) != nil {
			continue
		}
		for i := range d.Files {
			c, err := g.lookUpFile(ctx, d.Files[i].Nonce)
			if err != nil {
				return nil, err
			}
			if left -= c.file.Columns() * c.file.Leaves(); left < 0 {
				return out, nil
			}
			f := FileHashes{Nonce: d.Files[i].Nonce}
			for column := range c.file.Columns() {
				if f.Hashes, err = g.Columns.AppendHashes(ctx, f.Hashes, c.file, c.root, uint32(column)); err != nil {
					return nil, err
				}
			}
			out = append(out, f)
		}
	}
	return out, nil
}
