package keyholder

import (
	"context"
	"errors"
	"io"
	"slices"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	apiv1 "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/apiconv"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/keys"
)

// handedOn is what the gateway has of resharings.
type handedOn struct {
	sealed      map[carnet.Hash]map[int][]byte // by contribution and member of the new committee
	corrections map[carnet.Hash][]byte
	given       []*evidence.Envelope // contributions, every delivery
	taken       []*evidence.Envelope // resharings, every delivery
	switched    *evidence.Envelope   // what the journal has
}

func newHandedOn() handedOn {
	return handedOn{sealed: map[carnet.Hash]map[int][]byte{}, corrections: map[carnet.Hash][]byte{}}
}

// keep takes in what comes with a contribution, under the lock.
func (h *handedOn) keep(env *evidence.Envelope, got *keys.HandedOver) {
	h.sealed[env.Hash()] = map[int][]byte{}
	for i, b := range got.Sealed {
		h.sealed[env.Hash()][i+1] = b
	}
	for d, b := range got.Corrections {
		h.corrections[d] = b
	}
}

func (m *member) SubmitContribution(s grpc.ClientStreamingServer[apiv1.SubmitContributionRequest, apiv1.SubmitContributionResponse]) error {
	var env *evidence.Envelope
	var body carnet.Contribution
	var polys [][]byte
	sealed := map[int][]byte{}
	for {
		r, err := s.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		switch p := r.GetPart().(type) {
		case *apiv1.SubmitContributionRequest_Statement:
			if env, err = apiconv.FromEnvelope("statement", p.Statement); err != nil {
				return err
			}
			if err := env.Decode(carnet.TypeContribution, &body); err != nil {
				return err
			}
		case *apiv1.SubmitContributionRequest_Correction:
			if p.Correction.GetOffset() == 0 {
				polys = append(polys, nil)
			}
			polys[len(polys)-1] = append(polys[len(polys)-1], p.Correction.GetData()...)
		case *apiv1.SubmitContributionRequest_Seeds:
			sealed[int(p.Seeds.GetNumber())] = p.Seeds.GetSealed()
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if at := m.handed.sealed[env.Hash()]; at == nil { // a repetition changes nothing
		m.handed.sealed[env.Hash()] = sealed
		for _, p := range body.Parts {
			for _, h := range p.Corrections {
				m.handed.corrections[h], polys = polys[0], polys[1:]
			}
		}
		if err := errors.Join(m.add(env), m.publish()); err != nil {
			return err
		}
	}
	m.handed.given = append(m.handed.given, env)
	m.touch()
	return s.SendAndClose(&apiv1.SubmitContributionResponse{})
}

// GetHandedSeeds returns what is sealed to the member in the committee of the test, whose
// order is kh2, kh3, kh1.
func (m *member) GetHandedSeeds(_ context.Context, r *apiv1.GetHandedSeedsRequest) (*apiv1.GetHandedSeedsResponse, error) {
	h, err := carnet.ParseHash(r.GetContribution())
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	b := m.handed.sealed[h][1+slices.Index([]int{2, 3, 1}, m.number)]
	if b == nil {
		return nil, status.Error(codes.NotFound, "nothing was handed on")
	}
	return &apiv1.GetHandedSeedsResponse{Sealed: b}, nil
}

func (m *member) GetHandedCorrection(r *apiv1.GetHandedCorrectionRequest, s grpc.ServerStreamingServer[apiv1.GetHandedCorrectionResponse]) error {
	h, err := carnet.ParseHash(r.GetDigest())
	if err != nil {
		return err
	}
	m.mu.Lock()
	b := m.handed.corrections[h]
	m.mu.Unlock()
	for piece := range slices.Chunk(b, 1<<18) {
		if err := s.Send(&apiv1.GetHandedCorrectionResponse{Data: piece}); err != nil {
			return err
		}
	}
	return nil
}

// SubmitResharing has those sign, too, whom the test plays.
func (m *member) SubmitResharing(_ context.Context, r *apiv1.SubmitResharingRequest) (*apiv1.SubmitResharingResponse, error) {
	env, err := apiconv.FromEnvelope("statement", r.GetStatement())
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.handed.taken = append(m.handed.taken, env)
	if m.handed.switched == nil {
		all := *env
		all.Signatures = slices.Clone(env.Signatures)
		for i, s := range m.w.stores() {
			if !m.live[i+1] {
				if err := all.Countersign(s.Signer()); err != nil {
					return nil, err
				}
			}
		}
		m.handed.switched = &all
		if err := errors.Join(m.add(&all), m.publish()); err != nil {
			return nil, err
		}
	}
	m.touch()
	return &apiv1.SubmitResharingResponse{Signed: 3, Needed: 3}, nil
}
