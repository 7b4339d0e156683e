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

// oneManifest shows the same manifest for every dataset.
type oneManifest struct {
	pb.UnimplementedDatasetServiceServer
	pb.UnimplementedDealingServiceServer
	shown *evidence.Envelope
}

func (m *oneManifest) GetDataset(context.Context, *pb.GetDatasetRequest) (*pb.GetDatasetResponse, error) {
	return &pb.GetDatasetResponse{Dataset: &pb.DatasetEntry{Manifest: apiconv.ToEnvelope(m.shown)}}, nil
}

// Rule: which key an owner retires is not for the gateway to say. It can show another dataset's
// manifest, or make one, that names a key that is to stay.
func TestAttackAnotherKeyIsRetired(t *testing.T) {
	id := func(p carnet.PartyID) *ident.Identity {
		i, err := ident.New(p, rand.Reader)
		require.NoError(t, err)
		return i
	}
	registrar, kz, gateway := id("registrar"), id("kz"), id("gateway")
	manifest := func(of carnet.DatasetID, key byte, by evidence.Signer) *evidence.Envelope {
		env, err := evidence.Seal(carnet.TypeDataset, carnet.Dataset{ID: of, Owner: "kz", Key: carnet.KeyID{key}, Created: testTime}, by)
		require.NoError(t, err)
		return env
	}
	m := &oneManifest{}
	c := serve(t, registrar, func(s *grpc.Server) {
		pb.RegisterDatasetServiceServer(s, m)
		pb.RegisterDealingServiceServer(s, m)
	})
	m.shown = manifest("kz/old", 1, kz)
	key, err := c.OwnKey(t.Context(), kz, "kz/old")
	require.NoError(t, err)
	require.Equal(t, carnet.KeyID{1}, key)
	_, err = c.OwnKey(t.Context(), kz, "kz-other/old")
	require.Equal(t, "NOT_FOUND", carnet.ReasonOf(err))
	for what, shown := range map[string]*evidence.Envelope{"another dataset's": manifest("kz/present", 2, kz), "made by the gateway": manifest("kz/old", 2, gateway), "none": nil} {
		m.shown = shown
		_, err := c.OwnKey(t.Context(), kz, "kz/old")
		require.Error(t, err, what)
	}
}
