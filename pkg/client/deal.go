package client

import (
	"context"
	"io"

	pb "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/he/wire"
	"github.com/carnet-network/carnet/pkg/ident"
	"github.com/carnet-network/carnet/pkg/seal"
	"github.com/carnet-network/carnet/pkg/share"
)

// pieceBytes is the size of one piece of a correction polynomial on the wire.
const pieceBytes = 1 << 20

// Dealing is a dataset key shared with a committee, ready to be sent. Its sealed
// bundles exist only here until Submit: a dealing that was never sent is worthless,
// and a new one costs nothing but time.
type Dealing struct {
	Key         carnet.KeyID
	envelope    *evidence.Envelope
	corrections [][]byte // canonical bytes of the polynomial of power j+1
	sealed      [][]byte // sealed seed bundle of keyholder i+1
}

// Deal shares the dataset key with the committee: it splits the secret into parts,
// seals to each keyholder the seeds it holds, and signs what is public about it. If
// home names a member, nothing opens without that keyholder. It fills in k.Key.
func (c *Client) Deal(ctx context.Context, owner Signer, k *ident.DatasetKey, committee *Committee, home carnet.PartyID, rand io.Reader) (*Dealing, error) {
	profile, err := he.Lookup(k.Profile)
	if err != nil {
		return nil, err
	}
	shares, err := share.NewCommittee(len(committee.Members), committee.Threshold)
	if err != nil {
		return nil, err
	}
	keys := make([][]byte, len(committee.Members))
	homeMember := 0
	for i, m := range committee.Members {
		p, err := c.Party(ctx, m)
		if carnet.ReasonOf(err) == "PARTY_REVOKED" {
			return nil, carnet.E(carnet.Precondition, "PARTY_REVOKED", "member %s of committee %s was revoked by the registrar", m, committee.ID).
				Fix("deal to another committee: carnet committee list; the registrar makes one without %s", m)
		}
		if err != nil {
			return nil, err
		}
		if !p.HasRole(carnet.RoleKeyholder) || len(p.SealingKey) == 0 {
			return nil, carnet.E(carnet.Precondition, "NO_SEALING_KEY", "party %s has registered no sealing key", m).
				Fix("its operator registers the file that carnet-keyholder init wrote")
		}
		keys[i] = p.SealingKey
		if m == home {
			homeMember = i + 1
		}
	}
	if home != "" && homeMember == 0 {
		return nil, carnet.E(carnet.Invalid, "BAD_HOME", "%s is not a member of committee %s", home, committee.ID)
	}
	return c.deal(owner, k, profile, shares, committee.Hash, keys, homeMember, rand)
}

func (c *Client) deal(owner Signer, k *ident.DatasetKey, profile *he.Profile, shares share.Committee, committee carnet.Hash, keys [][]byte, home int, rand io.Reader) (*Dealing, error) {
	ring := he.NewRing(profile)
	secret := ring.DeriveSecret(he.Seed(k.Seed))
	defer secret.Zero()
	body := carnet.Dealing{
		Owner: owner.Party(), Committee: committee, Profile: profile.Name(), Params: profile.ID(), Created: c.timestamp(),
	}
	if _, err := io.ReadFull(rand, body.Nonce[:]); err != nil {
		return nil, err
	}
	d, err := share.NewDeal(ring, secret, shares, body.Nonce, profile.MaxDegree(), home != 0, rand)
	if err != nil {
		return nil, err
	}
	out := &Dealing{}
	for j, delta := range d.Corrections {
		b := wire.AppendPoly(nil, profile, delta)
		out.corrections = append(out.corrections, b)
		body.Corrections = append(body.Corrections, wire.CorrectionHash(j+1, b))
	}
	body.Commitments = d.Commitments
	if home != 0 {
		body.Home = &carnet.HomePart{Member: home, Commitment: d.HomeCommitment}
	}
	if out.envelope, err = evidence.Seal(carnet.TypeDealing, body, owner); err != nil {
		return nil, err
	}
	out.Key = carnet.KeyID(out.envelope.Hash())
	k.Key = out.Key
	for i, pub := range keys {
		b := d.Bundle(shares, i+1, home)
		sealed, err := seal.Seal(pub, seedsInfo(out.Key, i+1), b.Append(nil))
		if err != nil {
			return nil, err
		}
		out.sealed = append(out.sealed, sealed)
	}
	return out, nil
}

// seedsInfo binds a sealed bundle to its dealing and its keyholder.
func seedsInfo(key carnet.KeyID, number int) []byte {
	return append(append([]byte("carnet/seeds/1"), key[:]...), byte(number))
}

// SubmitDealing sends a dealing. Sending it again is harmless.
func (c *Client) SubmitDealing(ctx context.Context, d *Dealing) (Ref, error) {
	stream, err := c.dealings.SubmitDealing(ctx)
	if err != nil {
		return Ref{}, fault(err)
	}
	send := func(m *pb.SubmitDealingRequest) bool { return stream.Send(m) == nil }
	ok := send(&pb.SubmitDealingRequest{Part: &pb.SubmitDealingRequest_Statement{Statement: toProto(d.envelope)}})
	for j, b := range d.corrections {
		for off := 0; ok && off < len(b); off += pieceBytes {
			ok = send(&pb.SubmitDealingRequest{Part: &pb.SubmitDealingRequest_Correction{Correction: &pb.CorrectionPiece{
				Power: int32(j + 1), Offset: int64(off), Data: b[off:min(off+pieceBytes, len(b))],
			}}})
		}
	}
	for i, s := range d.sealed {
		ok = ok && send(&pb.SubmitDealingRequest{Part: &pb.SubmitDealingRequest_Seeds{Seeds: &pb.SealedSeeds{
			Number: int32(i + 1), Sealed: s,
		}}})
	}
	// A failed Send means that the stream ended; CloseAndRecv has the reason.
	resp, err := stream.CloseAndRecv()
	if err != nil {
		return Ref{}, fault(err)
	}
	return refTo(d.envelope, resp.GetRef())
}

// Confirmation is a keyholder's word about the seeds it was dealt.
type Confirmation struct {
	Number int
	OK     bool
	Reason string
}

// DealingStatus returns which keyholders confirmed their seeds.
func (c *Client) DealingStatus(ctx context.Context, key carnet.KeyID) ([]Confirmation, error) {
	resp, err := c.dealings.GetDealing(ctx, &pb.GetDealingRequest{KeyId: key.String()})
	if err != nil {
		return nil, fault(err)
	}
	var out []Confirmation
	for _, x := range resp.GetConfirmations() {
		out = append(out, Confirmation{Number: int(x.GetNumber()), OK: x.GetOk(), Reason: x.GetReason()})
	}
	return out, nil
}
