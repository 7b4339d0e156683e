package keyholder

import (
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"time"

	apiv1 "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/apiconv"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/he/wire"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/share"
)

// takeOverKey takes over what enough holders of every part handed on alike: it computes the
// corrections of the new dealing, keeps its own seeds and signs. Nothing changes before all
// members of the committee have.
func (k *Keyholder) takeOverKey(ctx context.Context, m *move) error {
	agreed, said := k.state.agreedOn(m.id(), &m.Move)
	if !agreed.Enough {
		return nil
	}
	for _, i := range agreed.Liars {
		k.sayOnce("a keyholder handed on other parts than the others; tell its operator", "key", m.key, "by", m.from.committee.body.Members[i-1])
	}
	all := k.handing.taken[m.id()]
	if all == nil {
		all = map[carnet.Hash]*due{}
		k.handing.taken[m.id()] = all
	}
	what := digestOf(agreed)
	d := all[what]
	if d == nil {
		env, err := k.takeParts(ctx, m, agreed, said)
		if err != nil {
			return err
		}
		d = &due{env: env}
		all[what] = d
	}
	if time.Since(d.sent) < longestWait {
		return nil // the gateway has it, others are to sign
	}
	ctx, stop := context.WithTimeout(ctx, callLimit)
	defer stop()
	var err error
	if d.env, err = k.renew(ctx, d.env); err != nil {
		return err
	}
	got, err := k.api.reshare.SubmitResharing(ctx, &apiv1.SubmitResharingRequest{Statement: apiconv.ToEnvelope(d.env)})
	if err != nil {
		return err
	}
	if err := k.crash("taken over"); err != nil {
		return &fatalError{err}
	}
	d.sent = time.Now()
	k.log.Info("key taken over", "key", m.key, "signed", got.GetSigned(), "of", got.GetNeeded())
	return nil
}

func digestOf(a share.Agreement) carnet.Hash {
	var fields [][]byte
	for _, s := range slices.Sorted(maps.Keys(a.Parts)) {
		for _, list := range [][]carnet.Hash{a.Parts[s].Commitments, a.Parts[s].Corrections} {
			for i := range list {
				fields = append(fields, list[i][:])
			}
		}
	}
	return carnet.Digest("carnet/keyholder/agreed/1", fields...)
}

// takeParts computes the resharing, keeps the seeds and signs.
func (k *Keyholder) takeParts(ctx context.Context, m *move, agreed share.Agreement, said map[int]*contribution) (*evidence.Envelope, error) {
	body := m.resharing(agreed.Parts)
	old, err := k.corrections(ctx, m.from)
	if err != nil {
		return nil, err
	}
	ring := he.NewRing(m.from.profile)
	for j := range old {
		sum, part := ring.NewPoly(), ring.NewPoly()
		ring.Add(sum, old[j], sum)
		for _, a := range slices.Sorted(maps.Keys(agreed.Parts)) {
			if err := k.handedCorrection(ctx, m, j+1, agreed.Parts[a].Corrections[j], part); err != nil {
				return nil, err
			}
			ring.Add(sum, part, sum)
		}
		body.Corrections = append(body.Corrections, wire.CorrectionHash(j+1, wire.AppendPoly(nil, m.from.profile, sum)))
	}
	env, err := evidence.Seal(carnet.TypeResharing, body, k.signer())
	if err != nil {
		return nil, err
	}
	id, dealt := carnet.KeyID(env.Hash()), body.Dealing()
	d := &keys.Dealing{Key: id, As: m.key, Statement: env, Body: &dealt, Committee: m.committee.env, Scheme: m.committee.scheme,
		Number: m.committee.number, Profile: m.from.profile, Handed: true}
	if err := k.ledger.setTakeover(ctx, takeover{id, m.key, m.From}); err != nil {
		return nil, err
	}
	if err := k.crash("takeover noted"); err != nil {
		return nil, &fatalError{err}
	}
	liars, err := k.gather(ctx, m, d, agreed, said)
	for _, i := range liars {
		if said[i].to != m.recipients {
			continue // sealed to a key from before: it hands them on once more
		}
		k.sayOnce("a keyholder handed on seeds that are not those it committed to", "key", m.key, "by", m.from.committee.body.Members[i-1])
	}
	if err != nil {
		return nil, err
	}
	if err := k.crash("seeds taken"); err != nil {
		return nil, &fatalError{err}
	}
	return env, nil
}

// gather fetches what the old holders sealed to this keyholder and keeps it. agreed and said
// are of one moment: a contribution that comes later can undo what was agreed on.
func (k *Keyholder) gather(ctx context.Context, m *move, d *keys.Dealing, agreed share.Agreement, said map[int]*contribution) (liars []int, err error) {
	sealed := map[int][]byte{}
	for i, c := range said {
		got, err := k.api.reshare.GetHandedSeeds(ctx, &apiv1.GetHandedSeedsRequest{Contribution: c.hash.String()})
		if carnet.KindOf(offWire(err)) == carnet.NotFound {
			continue
		}
		if err != nil {
			return nil, err
		}
		sealed[i] = got.GetSealed()
	}
	h := m.handing()
	h.Released = func(ctx context.Context) (int64, error) { return k.releasedBefore(ctx, m) }
	return k.sharer.TakeOver(ctx, d, h, agreed.Parts, sealed)
}

// handedCorrection fetches one correction and checks it.
func (k *Keyholder) handedCorrection(ctx context.Context, m *move, power int, digest carnet.Hash, out he.Poly) error {
	ctx, stop := context.WithTimeout(ctx, callLimit)
	defer stop()
	stream, err := k.api.reshare.GetHandedCorrection(ctx, &apiv1.GetHandedCorrectionRequest{From: m.From.String(), Committee: m.Committee.String(), Digest: digest.String()})
	if err != nil {
		return err
	}
	var b []byte
	for {
		got, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if b = append(b, got.GetData()...); len(b) > m.from.profile.BlockBytes() {
			break
		}
	}
	if wire.CorrectionHash(power, b) != digest {
		return carnet.E(carnet.Unavailable, "CORRECTIONS_DIFFER", "a correction of key %s is not the one that its holders committed to", m.key).
			Fix("the gateway's operator has to restore it")
	}
	return wire.ReadPoly(m.from.profile, b, out)
}

// sayOnce logs what an operator should tell others.
func (k *Keyholder) sayOnce(what string, args ...any) {
	line := what
	for _, a := range args {
		if s, ok := a.(interface{ String() string }); ok {
			line += " " + s.String()
		} else if s, ok := a.(carnet.PartyID); ok {
			line += " " + string(s)
		}
	}
	if !k.handing.said[line] {
		k.handing.said[line] = true
		k.log.Error(what, args...)
	}
}
