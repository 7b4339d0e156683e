package keyholder

import (
	"context"
	"crypto/sha256"

	apiv1 "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/apiconv"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// contribute hands this keyholder's parts of a key on. done is false while what the owner
// said is not in a state of the journal that the quorum of the present committee co-signed:
// a gateway could show it to one keyholder alone, without what the owner said next.
func (k *Keyholder) contribute(ctx context.Context, m *move) (done bool, err error) {
	size, err := k.ledger.Quorum(ctx, m.from.committee.hash)
	if err != nil {
		return false, err
	}
	if seq, allowed := k.state.wordSeq(m); !allowed || size <= seq || !k.caughtUp() {
		return false, nil
	}
	h := m.handing()
	h.Recipients = k.state.sealingKeys(m.committee)
	got, err := k.sharer.HandOver(ctx, m.from.shared(), h)
	if err != nil {
		return false, err
	}
	body := carnet.Contribution{Key: m.key, From: m.From, Committee: m.Committee, By: k.cfg.Party, Number: m.from.committee.number,
		Parts: got.Parts, Created: k.now().UTC()}
	for _, b := range got.Sealed {
		body.Sealed = append(body.Sealed, sha256.Sum256(b))
	}
	env, err := evidence.Seal(carnet.TypeContribution, body, k.signer())
	if err != nil {
		return false, err
	}
	if err := k.crash("handed over"); err != nil {
		return false, &fatalError{err}
	}
	ctx, stop := context.WithTimeout(ctx, 5*callLimit)
	defer stop()
	stream, err := k.api.reshare.SubmitContribution(ctx)
	if err != nil {
		return false, err
	}
	send := func(m *apiv1.SubmitContributionRequest) bool { return stream.Send(m) == nil }
	ok := send(&apiv1.SubmitContributionRequest{Part: &apiv1.SubmitContributionRequest_Statement{Statement: apiconv.ToEnvelope(env)}})
	for _, p := range got.Parts {
		for j, h := range p.Corrections {
			off := int64(0)
			for b := range pieces(got.Corrections[h]) {
				ok = ok && send(&apiv1.SubmitContributionRequest{Part: &apiv1.SubmitContributionRequest_Correction{
					Correction: &apiv1.HandedPiece{Power: int32(j + 1), Offset: off, Data: b}}})
				off += int64(len(b))
			}
		}
	}
	for i, b := range got.Sealed {
		ok = ok && send(&apiv1.SubmitContributionRequest{Part: &apiv1.SubmitContributionRequest_Seeds{
			Seeds: &apiv1.HandedSeeds{Number: int32(i + 1), Sealed: b}}})
	}
	// A failed Send means that the stream ended; CloseAndRecv has the reason.
	if _, err := stream.CloseAndRecv(); err != nil {
		return false, err
	}
	if err := k.crash("contributed"); err != nil {
		return false, &fatalError{err}
	}
	k.log.Info("parts handed on", "key", m.key, "committee", m.committee.body.ID, "parts", len(got.Parts))
	return true, nil
}
