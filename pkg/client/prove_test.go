package client

import (
	"context"
	"crypto/rand"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	pb "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/apiconv"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/ident"
)

// oneParty is a registry of one party.
type oneParty struct {
	pb.UnimplementedRegistryServiceServer
	statements []*evidence.Envelope
	revocation *evidence.Envelope
}

func (r *oneParty) ListParties(context.Context, *pb.ListPartiesRequest) (*pb.ListPartiesResponse, error) {
	resp := &pb.ListPartiesResponse{Statements: []*pb.Envelope{apiconv.ToEnvelope(r.statements[len(r.statements)-1])}}
	if r.revocation != nil {
		resp.Revocations = []*pb.Envelope{apiconv.ToEnvelope(r.revocation)}
	}
	return resp, nil
}

func (r *oneParty) GetParty(context.Context, *pb.GetPartyRequest) (*pb.GetPartyResponse, error) {
	last := len(r.statements) - 1
	resp := &pb.GetPartyResponse{Statement: apiconv.ToEnvelope(r.statements[last])}
	for _, env := range r.statements[:last] {
		resp.Earlier = append(resp.Earlier, apiconv.ToEnvelope(env))
	}
	if r.revocation != nil {
		resp.Revocation = apiconv.ToEnvelope(r.revocation)
	}
	return resp, nil
}

// The log's signature counts with any key that its operator had: a gateway signs with the
// old one until it is started with the new one. It counts no more once the operator is
// revoked in that log.
func TestTheLogIsSignedWithAnOldKey(t *testing.T) {
	id := func(p carnet.PartyID) *ident.Identity {
		i, err := ident.New(p, rand.Reader)
		require.NoError(t, err)
		return i
	}
	registrar, old, next := id("registrar"), id("op"), id("op")
	seal := func(typ carnet.StatementType, body any, by ...evidence.Signer) *evidence.Envelope {
		env, err := evidence.Seal(typ, body, by...)
		require.NoError(t, err)
		return env
	}
	body := carnet.Party{ID: "op", Name: "x", Jurisdiction: "CH", Roles: []carnet.Role{carnet.RoleOperator}, SigningKey: old.Public(), Created: testTime}
	first := seal(carnet.TypeParty, body, old, registrar)
	h := first.Hash()
	body.Replaces, body.SigningKey = &h, next.Public()
	second := seal(carnet.TypeParty, body, old, next, registrar)
	end := seal(carnet.TypePartyRevocation, carnet.PartyRevocation{Party: "op", Created: testTime}, registrar)

	j := &provingJournal{origin: evidence.Origin(registrar.Public()), log: old}
	r := &oneParty{statements: []*evidence.Envelope{first}}
	c := serve(t, registrar, func(s *grpc.Server) {
		pb.RegisterJournalServiceServer(s, j)
		pb.RegisterRegistryServiceServer(s, r)
	})
	operator := func(reason string) {
		t.Helper()
		in, err := c.Inclusion(t.Context(), first.Hash(), 0)
		require.Equal(t, reason, carnet.ReasonOf(err), "%v", err)
		if reason == "" {
			require.Equal(t, carnet.PartyID("op"), in.Operator)
		}
	}
	j.put(first)
	operator("")
	j.put(second)
	r.statements = append(r.statements, second)
	operator("")
	j.log = next
	operator("")
	j.log = id("op")
	operator("BAD_SIGNATURE")
	j.log = old
	j.put(end)
	r.revocation = end
	operator("PARTY_REVOKED")
	all, err := c.Parties(t.Context())
	require.NoError(t, err)
	require.Len(t, all, 1)
	require.NotNil(t, all[0].Revoked)
	r.revocation = seal(carnet.TypePartyRevocation, carnet.PartyRevocation{Party: "op", Created: testTime}, old)
	_, err = c.Parties(t.Context())
	require.Equal(t, "BAD_SIGNATURE", carnet.ReasonOf(err), "not the registrar's word")
}
