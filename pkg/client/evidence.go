package client

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"

	pb "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/apiconv"
	"github.com/carnet-network/carnet/pkg/bundle"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// EvidenceOptions say what a bundle has besides the query's statements.
type EvidenceOptions struct {
	Since         *evidence.SignedCheckpoint // an earlier checkpoint that the log is to begin with
	WithoutPieces bool                       // leave out hashes of ciphertext
	Wait          time.Duration              // for keyholders to co-sign what is new
}

// Evidence fetches what proves a query. Nothing is checked: that is for package verify.
func (c *Client) Evidence(ctx context.Context, query carnet.Hash, o EvidenceOptions) (*bundle.Bundle, error) {
	req := &pb.ExportEvidenceRequest{Query: query.String(), WithoutPieces: o.WithoutPieces}
	return c.awaitEvidence(ctx, query, req, &o)
}

// Proof fetches what proves a certificate or a usage statement, with the zero hash what
// proves a state of the log alone: at is the state that the document names, nil if it names
// none. It waits for keyholders to co-sign. Nothing is checked.
func (c *Client) Proof(ctx context.Context, statement carnet.Hash, at *carnet.Checkpoint, wait time.Duration) (*bundle.Bundle, error) {
	o := &EvidenceOptions{Wait: wait}
	req := &pb.ExportEvidenceRequest{}
	if !statement.IsZero() {
		req.Document = statement.String()
	}
	if at != nil {
		o.Since = &evidence.SignedCheckpoint{Checkpoint: *at}
	}
	return c.awaitEvidence(ctx, carnet.Hash{}, req, o)
}

func (c *Client) awaitEvidence(ctx context.Context, query carnet.Hash, req *pb.ExportEvidenceRequest, o *EvidenceOptions) (*bundle.Bundle, error) {
	for end := c.now().Add(o.Wait); ; {
		b, err := c.evidence(ctx, query, req, o)
		if carnet.ReasonOf(err) != "EVIDENCE_PENDING" || !c.now().Before(end) {
			return b, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(300 * time.Millisecond):
		}
	}
}

func (c *Client) evidence(ctx context.Context, query carnet.Hash, req *pb.ExportEvidenceRequest, o *EvidenceOptions) (*bundle.Bundle, error) {
	if o.Since != nil {
		req.Since = o.Since.Size
	}
	stream, err := pb.NewEvidenceServiceClient(c.conn).ExportEvidence(ctx, req)
	if err != nil {
		return nil, fault(err)
	}
	b := &bundle.Bundle{Query: query}
	hashes := map[carnet.Nonce][]byte{}
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, named(err, "query", query.String(), "carnet queries lists yours")
		}
		if err := takeEvidence(b, m, o.Since, hashes); err != nil {
			return nil, err
		}
	}
	if b.Checkpoint == nil {
		return nil, wrong("the gateway sent no checkpoint")
	}
	for nonce, data := range hashes {
		p := bundle.Pieces{File: nonce}
		for part := range slices.Chunk(data, 32) {
			var h carnet.Hash
			if copy(h[:], part) != len(h) {
				return nil, wrong("the gateway sent half a hash")
			}
			p.Hashes = append(p.Hashes, h)
		}
		b.Pieces = append(b.Pieces, p)
	}
	b.Sort()
	return b, nil
}

// takeEvidence adds one message to the bundle.
func takeEvidence(b *bundle.Bundle, m *pb.ExportEvidenceResponse, since *evidence.SignedCheckpoint, hashes map[carnet.Nonce][]byte) (err error) {
	switch part := m.GetPart().(type) {
	case *pb.ExportEvidenceResponse_Checkpoint:
		b.Checkpoint, err = evidence.ParseCheckpoint([]byte(part.Checkpoint.GetNote()))
	case *pb.ExportEvidenceResponse_Consistency:
		path, err := apiconv.FromPath("consistency", part.Consistency.GetHashes())
		if err != nil || since == nil {
			return wrong("the gateway sent a malformed proof")
		}
		b.Older = append(b.Older, bundle.Older{Checkpoint: byLog(since), Proof: path})
	case *pb.ExportEvidenceResponse_Entry:
		e, err := apiconv.FromEntry(part.Entry.GetEntry())
		if err != nil {
			return wrong("the gateway sent a malformed entry")
		}
		path, err := apiconv.FromPath("path", part.Entry.GetPath())
		if err != nil || len(b.Entries) > 10_000 {
			return wrong("the gateway sent a malformed proof, or no end of entries")
		}
		b.Entries = append(b.Entries, bundle.Entry{Seq: e.Seq, Salt: e.Salt, Envelope: e.Envelope, Proof: path})
	case *pb.ExportEvidenceResponse_Pieces:
		nonce, err := carnet.ParseNonce(part.Pieces.GetNonce())
		if err != nil {
			return wrong("the gateway sent hashes of no file")
		}
		hashes[nonce] = append(hashes[nonce], part.Pieces.GetHashes()...)
		if len(hashes[nonce]) > bundle.MaxBytes || len(hashes) > 10_000 {
			return wrong("the gateway sent more hashes than a bundle holds")
		}
	}
	return err
}

// byLog leaves only the log's own signature: keyholders may have had other keys then, and
// whoever has the checkpoint knows who signed it.
func byLog(cp *evidence.SignedCheckpoint) *evidence.SignedCheckpoint {
	out := &evidence.SignedCheckpoint{Origin: cp.Origin, Checkpoint: cp.Checkpoint}
	for _, s := range cp.Signatures {
		if s.Name == cp.Origin {
			out.Signatures = append(out.Signatures, s)
		}
	}
	return out
}

// Checkpoint returns the newest checkpoint that the log has published, as the gateway has
// it; nil if there is none.
func (c *Client) Checkpoint(ctx context.Context) (*evidence.SignedCheckpoint, error) {
	resp, err := c.journal.GetCheckpoint(ctx, &pb.GetCheckpointRequest{})
	if err != nil {
		return nil, fault(err)
	}
	if resp.GetCheckpoint() == nil {
		return nil, nil
	}
	return evidence.ParseCheckpoint([]byte(resp.GetCheckpoint().GetNote()))
}

// FollowLog streams entries of the log from a number on, and checkpoints, until ctx ends
// or do returns an error; with stopAtEnd also when everything that there is was sent.
// Exactly one argument of do is set. Nothing is checked.
func (c *Client) FollowLog(ctx context.Context, from int64, stopAtEnd bool, do func(*evidence.Entry, *evidence.SignedCheckpoint) error) error {
	stream, err := c.journal.Follow(ctx, &pb.FollowRequest{From: from, StopAtEnd: stopAtEnd})
	if err != nil {
		return fault(err)
	}
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fault(err)
		}
		switch ev := m.GetEvent().(type) {
		case *pb.FollowResponse_Entry:
			e, err := apiconv.FromEntry(ev.Entry)
			if err != nil {
				return wrong("the gateway sent a malformed entry")
			}
			if err := do(e, nil); err != nil {
				return err
			}
		case *pb.FollowResponse_Checkpoint:
			cp, err := evidence.ParseCheckpoint([]byte(ev.Checkpoint.GetNote()))
			if err != nil {
				return err
			}
			if err := do(nil, cp); err != nil {
				return err
			}
		}
	}
}
