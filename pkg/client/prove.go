package client

import (
	"context"
	"slices"

	pb "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/apiconv"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// Inclusion is an entry of the log with what proves it.
type Inclusion struct {
	Entry      *evidence.Entry
	Path       []carnet.Hash
	Checkpoint *evidence.SignedCheckpoint
	Operator   carnet.PartyID // whose key is the log's
}

// Inclusion asks for a statement and the proof that the log of a size has it, and checks
// both; size 0 is the newest that keyholders co-signed. Co-signatures are not counted
// here: whose are needed depends on the committee.
func (c *Client) Inclusion(ctx context.Context, statement carnet.Hash, size int64) (*Inclusion, error) {
	in, err := c.included(ctx, statement, size)
	if err != nil {
		return nil, err
	}
	in.Operator, err = c.logSigner(ctx, in.Checkpoint)
	return in, err
}

// included is Inclusion without the log's own signature.
func (c *Client) included(ctx context.Context, statement carnet.Hash, size int64) (*Inclusion, error) {
	resp, err := c.journal.GetInclusion(ctx, &pb.GetInclusionRequest{Statement: statement.String(), Size: size})
	if err != nil {
		return nil, fault(err)
	}
	var in Inclusion
	if in.Entry, err = apiconv.FromEntry(resp.GetEntry()); err != nil {
		return nil, err
	}
	if in.Path, err = apiconv.FromPath("path", resp.GetPath()); err != nil {
		return nil, err
	}
	if in.Checkpoint, err = evidence.ParseCheckpoint([]byte(resp.GetCheckpoint().GetNote())); err != nil {
		return nil, err
	}
	if in.Entry.Envelope.Hash() != statement || size != 0 && in.Checkpoint.Size != size || in.Checkpoint.Origin != evidence.Origin(c.registrar) {
		return nil, carnet.E(carnet.Invalid, "BAD_INCLUSION_PROOF", "the gateway proved something else than the inclusion of %s", statement)
	}
	if err := evidence.VerifyInclusion(in.Entry.Leaf(), in.Entry.Seq, in.Checkpoint.Checkpoint, in.Path); err != nil {
		return nil, err
	}
	return &in, nil
}

// logSigner finds the registered operator whose key made the log's signature: any that it
// had, since a gateway signs with the old one until it is started with the new one, as long
// as it was not revoked in that log.
func (c *Client) logSigner(ctx context.Context, cp *evidence.SignedCheckpoint) (carnet.PartyID, error) {
	all, err := c.Parties(ctx)
	if err != nil {
		return "", err
	}
	for _, p := range all {
		if !p.HasRole(carnet.RoleOperator) || p.Replaces == nil && !cp.LogSignedBy(p.SigningKey) {
			continue
		}
		r, err := c.registered(ctx, p.ID)
		if err != nil {
			return "", err
		}
		signed := func(v evidence.PartyVersion) bool { return cp.LogSignedBy(v.Body.SigningKey) }
		if !slices.ContainsFunc(r.chain.Versions(), signed) {
			continue
		}
		if r.revoked != nil {
			end, err := c.included(ctx, *r.revoked, 0)
			if err != nil {
				return "", err
			}
			if end.Entry.Seq < cp.Size {
				return "", evidence.PartyRevoked(p.ID)
			}
		}
		return p.ID, nil
	}
	return "", carnet.E(carnet.Forbidden, "BAD_SIGNATURE", "no registered operator signed the log's checkpoint").
		Fix("the operator runs the gateway with --identity and has it registered")
}

// Consistency asks for the proof that the log of one checkpoint begins with the log of an
// older one, and checks it.
func (c *Client) Consistency(ctx context.Context, older, newer carnet.Checkpoint) ([]carnet.Hash, error) {
	resp, err := c.journal.GetConsistency(ctx, &pb.GetConsistencyRequest{Older: older.Size, Newer: newer.Size})
	if err != nil {
		return nil, fault(err)
	}
	path, err := apiconv.FromPath("path", resp.GetPath())
	if err != nil {
		return nil, err
	}
	return path, evidence.VerifyConsistency(older, newer, path)
}
