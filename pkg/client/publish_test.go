package client

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/he/wire"
	"github.com/carnet-network/carnet/pkg/ident"
	"github.com/carnet-network/carnet/pkg/schema"
)

// memoryGateway takes uploads in memory. It breaks the connection when breakAfter
// blocks have arrived.
type memoryGateway struct {
	pb.UnimplementedDatasetServiceServer
	mu         sync.Mutex
	shape      map[string]*pb.UploadFile
	blocks     map[he.BlockID][]byte
	received   int
	breakAfter int
	code       codes.Code
	manifests  [][]byte
	blockBytes int64
}

func newMemoryGateway(p *he.Profile) *memoryGateway {
	return &memoryGateway{shape: map[string]*pb.UploadFile{}, blocks: map[he.BlockID][]byte{}, blockBytes: int64(p.BlockBytes())}
}

func (m *memoryGateway) BeginUpload(_ context.Context, r *pb.BeginUploadRequest) (*pb.BeginUploadResponse, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, f := range r.Files {
		m.shape[f.Nonce] = f
	}
	return &pb.BeginUploadResponse{BlockBytes: m.blockBytes}, nil
}

func (m *memoryGateway) GetUpload(_ context.Context, r *pb.GetUploadRequest) (*pb.GetUploadResponse, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := m.shape[r.Nonce]
	present := make([]byte, (int(f.Columns*f.Blocks)+7)/8)
	for id := range m.blocks {
		if i := int(id.Column)*int(f.Blocks) + int(id.Block); id.File.String() == r.Nonce {
			present[i/8] |= 1 << (i % 8)
		}
	}
	return &pb.GetUploadResponse{Columns: f.Columns, Blocks: f.Blocks, Present: present}, nil
}

func (m *memoryGateway) UploadBlocks(stream grpc.ClientStreamingServer[pb.UploadBlocksRequest, pb.UploadBlocksResponse]) error {
	for {
		b, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return stream.SendAndClose(&pb.UploadBlocksResponse{})
		}
		if err != nil {
			return err
		}
		if err := m.take(b); err != nil {
			return err
		}
	}
}

func (m *memoryGateway) take(b *pb.UploadBlocksRequest) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.breakAfter > 0 && m.received >= m.breakAfter {
		m.breakAfter = 0
		return status.Error(m.code, "broken")
	}
	n, err := carnet.ParseNonce(b.Nonce)
	if err != nil {
		return err
	}
	id := he.BlockID{File: n, Column: uint32(b.Column), Block: uint32(b.Block)}
	if old, ok := m.blocks[id]; ok && string(old) != string(b.Data) {
		return status.Error(codes.AlreadyExists, "other bytes under one nonce")
	}
	m.blocks[id] = b.Data
	m.received++
	return nil
}

func (m *memoryGateway) CommitDataset(_ context.Context, r *pb.CommitDatasetRequest) (*pb.CommitDatasetResponse, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.manifests = append(m.manifests, r.Manifest.Payload)
	return &pb.CommitDatasetResponse{Ref: &pb.StatementRef{Hash: fromProto(r.Manifest).Hash().String(), Seq: 7}}, nil
}

func (m *memoryGateway) stored() map[he.BlockID][]byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.blocks)
}

// publication is a table of n rows of the test schema, ready to be published.
func publication(t *testing.T, w *world, rows int, state string) *Publication {
	enc, err := w.schema.Encode(carnet.LayoutRecords)
	require.NoError(t, err)
	k, err := ident.NewDatasetKey("kz", enc.Profile, "corridor", rand.Reader)
	require.NoError(t, err)
	k.Key = carnet.KeyID{1}
	p := &Publication{
		ID: "kz/trade", Jurisdiction: "KZ", Schema: carnet.Hash{1}, Encoding: enc, Key: k, StateFile: state, Workers: 2,
		Terms: carnet.Terms{Buyers: []carnet.PartyID{"*"}, Purposes: []string{"*"}, Expires: testTime.AddDate(1, 0, 0)},
	}
	p.Tables = rowsOf(t, enc, rows, 0)
	return p
}

func rowsOf(t *testing.T, enc *schema.Encoding, rows int, add int64) *schema.Tables {
	tables := enc.NewTables()
	for i := range rows {
		require.NoError(t, tables.Add(&schema.Row{Dims: []int{i % 3}, Measures: []int64{int64(i) + add}, Null: []bool{false}}))
	}
	return tables
}

func TestPublish(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	file := filepath.Join(t.TempDir(), "uploads", "kz_trade.json")
	p := publication(t, w, 100, file)
	profile, err := he.Lookup(p.Encoding.Profile)
	require.NoError(t, err)
	gw := newMemoryGateway(profile)
	c := serve(t, w.registrar, func(s *grpc.Server) { pb.RegisterDatasetServiceServer(s, gw) })
	total := len(p.Encoding.Columns)

	// The upload breaks for good: the error is passed on, what arrived stays.
	gw.breakAfter, gw.code = 2, codes.PermissionDenied
	_, err = c.Publish(ctx, w.ids["kz"], p)
	require.Equal(t, carnet.Forbidden, carnet.KindOf(err), "%v", err)
	before := gw.stored()
	require.Less(t, len(before), total)

	// Another input, terms aside, gets no nonce of this upload.
	changed := *p
	changed.Tables = rowsOf(t, p.Encoding, 100, 1)
	_, err = c.Publish(ctx, w.ids["kz"], &changed)
	require.Equal(t, "NONCE_REUSED", carnet.ReasonOf(err))
	shorter := *p
	shorter.Tables = rowsOf(t, p.Encoding, 99, 0)
	_, err = c.Publish(ctx, w.ids["kz"], &shorter)
	require.Equal(t, "NONCE_REUSED", carnet.ReasonOf(err))
	otherKey := *p
	k := *p.Key
	k.Key = carnet.KeyID{2}
	otherKey.Key = &k
	_, err = c.Publish(ctx, w.ids["kz"], &otherKey)
	require.Equal(t, "NONCE_REUSED", carnet.ReasonOf(err))

	// The same input resumes; a connection that breaks is taken up again.
	gw.mu.Lock()
	gw.breakAfter, gw.code = gw.received+1, codes.Unavailable
	gw.mu.Unlock()
	var last Progress
	p.Progress = func(now Progress) { last = now }
	out, err := c.Publish(ctx, w.ids["kz"], p)
	require.NoError(t, err)
	require.True(t, out.Resumed)
	require.GreaterOrEqual(t, out.Had, int64(len(before)*profile.BlockBytes())) // another stream may have ended later
	require.GreaterOrEqual(t, out.Sent, out.Bytes-out.Had)
	require.Equal(t, int64(total), last.Total)
	require.Equal(t, last.Total, last.Blocks)
	require.Len(t, gw.blocks, total)
	for id, b := range before {
		require.Equal(t, b, gw.blocks[id])
	}

	// The manifest says what is there.
	f := out.Manifest.Files[0]
	require.Equal(t, int64(100), f.Rows)
	hashes := make([]carnet.Hash, f.Columns*f.Blocks)
	for id, b := range gw.blocks {
		require.Equal(t, f.Nonce, id.File)
		hashes[int(id.Column)*f.Blocks+int(id.Block)] = wire.HashBlock(b)
	}
	require.Equal(t, wire.Root(hashes), f.Root)

	// Once more sends the same manifest and no block; other terms are refused.
	received := gw.received
	c.now = nil // a second manifest would need a clock
	again, err := c.Publish(ctx, w.ids["kz"], p)
	require.NoError(t, err)
	require.Equal(t, out.Hash, again.Hash)
	require.Equal(t, received, gw.received)
	require.Equal(t, gw.manifests[0], gw.manifests[1])
	strict := *p
	strict.Terms.MinOwners = 2
	_, err = c.Publish(ctx, w.ids["kz"], &strict)
	require.Equal(t, "TERMS_CHANGED", carnet.ReasonOf(err))

	// Restart draws fresh nonces for whatever is new.
	c.now = newClient(nil, w.registrar.Public()).now
	changed.Restart = true
	fresh, err := c.Publish(ctx, w.ids["kz"], &changed)
	require.NoError(t, err)
	require.NotEqual(t, f.Nonce, fresh.Manifest.Files[0].Nonce)
	require.NotEqual(t, f.Root, fresh.Manifest.Files[0].Root)
}

func TestPublishRefusesMistakes(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	c := serve(t, w.registrar, func(*grpc.Server) {})
	for name, x := range map[string]struct {
		reason string
		change func(*Publication)
	}{
		"another owner":   {"BAD_NAME", func(p *Publication) { p.ID = "uz/trade" }},
		"no name":         {"BAD_NAME", func(p *Publication) { p.ID = "kz/" }},
		"key not dealt":   {"KEY_NOT_DEALT", func(p *Publication) { p.Key.Key = carnet.KeyID{} }},
		"another profile": {"WRONG_PROFILE", func(p *Publication) { p.Key.Profile = "cube" }},
		"damaged state": {"BAD_UPLOAD_STATE", func(p *Publication) {
			require.NoError(t, os.WriteFile(p.StateFile, []byte("{"), 0o600))
		}},
		"state of another format": {"BAD_UPLOAD_STATE", func(p *Publication) {
			require.NoError(t, os.WriteFile(p.StateFile, []byte(`{"kind":"other"}`), 0o600))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			p := publication(t, w, 3, filepath.Join(t.TempDir(), "state.json"))
			x.change(p)
			_, err := c.Publish(ctx, w.ids["kz"], p)
			require.Equal(t, x.reason, carnet.ReasonOf(err), "%v", err)
		})
	}
}
