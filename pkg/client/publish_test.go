package client

import (
	"context"
	"crypto/rand"
	"encoding/json"
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
	"github.com/carnet-network/carnet/pkg/columnfile"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/ident"
	"github.com/carnet-network/carnet/pkg/schema"
)

// place names a piece of a file.
type place struct {
	nonce string
	columnfile.Piece
}

// memoryGateway takes uploads in memory. It breaks the connection when breakAfter
// pieces have arrived.
type memoryGateway struct {
	pb.UnimplementedDatasetServiceServer
	mu         sync.Mutex
	profile    *he.Profile
	params     string
	files      map[string]*columnfile.File
	pieces     map[place][]byte
	received   int
	breakAfter int
	code       codes.Code
	manifests  [][]byte
}

func newMemoryGateway(p *he.Profile) *memoryGateway {
	return &memoryGateway{profile: p, params: p.ID().String(), files: map[string]*columnfile.File{}, pieces: map[place][]byte{}}
}

func (m *memoryGateway) BeginUpload(_ context.Context, r *pb.BeginUploadRequest) (*pb.BeginUploadResponse, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, f := range r.Files {
		n, err := carnet.ParseNonce(f.Nonce)
		if err != nil {
			return nil, err
		}
		if m.files[f.Nonce], err = columnfile.NewFile(m.profile, n, int(f.Columns), int(f.Blocks)); err != nil {
			return nil, err
		}
	}
	return &pb.BeginUploadResponse{Params: m.params}, nil
}

func (m *memoryGateway) GetUpload(_ context.Context, r *pb.GetUploadRequest) (*pb.GetUploadResponse, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := m.files[r.Nonce]
	present := make([]byte, (f.Columns()*f.Leaves()+7)/8)
	for at := range m.pieces {
		if i := int(at.Column)*f.Leaves() + f.Leaf(at.Piece); at.nonce == r.Nonce {
			present[i/8] |= 1 << (i % 8)
		}
	}
	return &pb.GetUploadResponse{Columns: int32(f.Columns()), Blocks: int32(f.Blocks()), Present: present}, nil
}

func (m *memoryGateway) UploadPieces(stream grpc.ClientStreamingServer[pb.UploadPiecesRequest, pb.UploadPiecesResponse]) error {
	for {
		b, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return stream.SendAndClose(&pb.UploadPiecesResponse{})
		}
		if err != nil {
			return err
		}
		if err := m.take(b); err != nil {
			return err
		}
	}
}

func (m *memoryGateway) take(b *pb.UploadPiecesRequest) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.breakAfter > 0 && m.received >= m.breakAfter {
		m.breakAfter = 0
		return status.Error(m.code, "broken")
	}
	at := place{b.Nonce, columnfile.Piece{Column: uint32(b.Column), Limb: uint32(b.Limb), Chunk: uint32(b.Chunk), Piece: uint32(b.Piece)}}
	if old, ok := m.pieces[at]; ok && string(old) != string(b.Data) {
		return status.Error(codes.AlreadyExists, "other bytes under one nonce")
	}
	m.pieces[at] = b.Data
	m.received++
	return nil
}

func (m *memoryGateway) CommitDataset(_ context.Context, r *pb.CommitDatasetRequest) (*pb.CommitDatasetResponse, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.manifests = append(m.manifests, r.Manifest.Payload)
	return &pb.CommitDatasetResponse{Ref: &pb.StatementRef{Hash: fromProto(r.Manifest).Hash().String(), Seq: 7}}, nil
}

func (m *memoryGateway) stored() map[place][]byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.pieces)
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
	c := serve(t, w.registrar, func(s *grpc.Server) {
		pb.RegisterDatasetServiceServer(s, gw)
		pb.RegisterPolicyServiceServer(s, &judge{})
	})
	total := len(p.Encoding.Columns) // blocks, of one piece a limb
	all := total * profile.Limbs()

	// The upload breaks for good: the error is passed on, what arrived stays.
	gw.breakAfter, gw.code = 2, codes.PermissionDenied
	_, err = c.Publish(ctx, w.ids["kz"], p)
	require.Equal(t, carnet.Forbidden, carnet.KindOf(err), "%v", err)
	before := gw.stored()
	require.Less(t, len(before), all)

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
	require.GreaterOrEqual(t, out.Had, int64(len(before)*profile.N()/8*profile.LimbBits())) // another stream may have ended later
	require.GreaterOrEqual(t, out.Sent, out.Bytes-out.Had)
	require.Equal(t, int64(total), last.Total)
	require.Equal(t, last.Total, last.Blocks)
	require.Len(t, gw.pieces, all)
	for at, b := range before {
		require.Equal(t, b, gw.pieces[at])
	}
	require.Equal(t, float64(profile.Limbs()*profile.LimbBits())/8, float64(out.Bytes)/float64(out.Values), "bytes a value")
	require.LessOrEqual(t, float64(out.Bytes)/float64(out.Values), 27.5)

	// The manifest says what is there.
	f := out.Manifest.Files[0]
	require.Equal(t, int64(100), f.Rows)
	shape := gw.files[f.Nonce.String()]
	hashes := make([]carnet.Hash, shape.Columns()*shape.Leaves())
	for at, b := range gw.pieces {
		words := make([]uint64, shape.PieceWords(int(at.Chunk)))
		require.NoError(t, shape.Unpack(at.Piece, b, words))
		hashes[int(at.Column)*shape.Leaves()+shape.Leaf(at.Piece)] = columnfile.HashPiece(words)
	}
	require.Equal(t, shape.RootOf(hashes), f.Root)

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

	// A gateway whose profile of this name is another one gets nothing.
	gw.params = carnet.Hash{1}.String()
	changed.Tables = rowsOf(t, p.Encoding, 10, 2)
	received = gw.received
	_, err = c.Publish(ctx, w.ids["kz"], &changed)
	require.Error(t, err)
	require.Equal(t, received, gw.received)
}

// A column of several chunks is encrypted chunk by chunk, and its blocks are found
// where the format says.
func TestPublishChunks(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	wide := *w.schema
	wide.Limits.Rows = 2 << 20
	w.schema = &wide
	p := publication(t, w, 1, filepath.Join(t.TempDir(), "state.json"))
	p.Tables = p.Encoding.NewTables()
	for i := range 65<<14 + 5 {
		require.NoError(t, p.Tables.Add(&schema.Row{Dims: []int{i % 3}, Measures: []int64{int64(i % 7)}, Null: []bool{false}}))
	}
	p.Encoding.Columns = p.Encoding.Columns[:2] // enough
	profile, err := he.Lookup(p.Encoding.Profile)
	require.NoError(t, err)
	gw := newMemoryGateway(profile)
	c := serve(t, w.registrar, func(s *grpc.Server) {
		pb.RegisterDatasetServiceServer(s, gw)
		pb.RegisterPolicyServiceServer(s, &judge{})
	})
	out, err := c.Publish(ctx, w.ids["kz"], p)
	require.NoError(t, err)
	f := out.Manifest.Files[0]
	require.Equal(t, 66, f.Blocks)
	file := gw.files[f.Nonce.String()]
	ring := he.NewRing(profile)
	enc := he.NewEncryptor(ring, he.Seed(p.Key.Seed), p.Key.Key)
	values, want, limb := make([]uint64, profile.N()), ring.NewPoly(), make([]uint64, profile.N())
	for _, block := range []int{0, 63, 64, 65} {
		id := he.BlockID{File: f.Nonce, Column: 1, Block: uint32(block)}
		m := p.Tables.Builders()[0].Column(1, block, values)
		require.NoError(t, enc.EncryptBlock(id, values[:m], want))
		chunk := block / columnfile.ChunkBlocks
		for l := range profile.Limbs() {
			var words []uint64
			for i := range file.Pieces(chunk) {
				at := columnfile.Piece{Column: 1, Limb: uint32(l), Chunk: uint32(chunk), Piece: uint32(i)}
				piece := make([]uint64, file.PieceWords(chunk))
				require.NoError(t, file.Unpack(at, gw.pieces[place{f.Nonce.String(), at}], piece))
				words = append(words, piece...)
			}
			columnfile.Get(words, file.ChunkBlocks(chunk), block%columnfile.ChunkBlocks, limb)
			require.Equal(t, want[l], limb)
		}
	}
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

// judge is a gateway's policy: it allows, or refuses for the given reason.
type judge struct {
	pb.UnimplementedPolicyServiceServer
	reason string

	mu    sync.Mutex
	asked []carnet.Dataset
}

func (j *judge) AssessPublication(_ context.Context, m *pb.AssessPublicationRequest) (*pb.AssessPublicationResponse, error) {
	var d carnet.Dataset
	if err := json.Unmarshal(m.GetManifest(), &d); err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.asked = append(j.asked, d)
	a := &pb.Assessment{Allow: j.reason == ""}
	if j.reason != "" {
		a.Refusals = []*pb.Refusal{{By: "gate", Reason: j.reason, Message: "no", Remedy: "do this"}}
	}
	return &pb.AssessPublicationResponse{Assessment: a}, nil
}

// What the gateway would refuse is not sent: not a byte of ciphertext leaves.
func TestPublishAsksBeforeItSends(t *testing.T) {
	w := newWorld(t)
	p := publication(t, w, 100, filepath.Join(t.TempDir(), "kz_trade.json"))
	p.Declaration = &carnet.Declaration{Classes: []carnet.DataClass{carnet.ClassNone}}
	profile, err := he.Lookup(p.Encoding.Profile)
	require.NoError(t, err)
	gw, j := newMemoryGateway(profile), &judge{reason: "NEEDS_LEGAL_RULING"}
	c := serve(t, w.registrar, func(s *grpc.Server) {
		pb.RegisterDatasetServiceServer(s, gw)
		pb.RegisterPolicyServiceServer(s, j)
	})
	_, err = c.Publish(context.Background(), w.ids["kz"], p)
	require.Equal(t, "NEEDS_LEGAL_RULING", carnet.ReasonOf(err))
	require.Equal(t, carnet.Refused, carnet.KindOf(err))
	var e *carnet.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, "do this", e.Remedy)
	require.Empty(t, gw.stored())
	j.mu.Lock()
	defer j.mu.Unlock()
	require.Len(t, j.asked, 1)
	require.Equal(t, p.Declaration, j.asked[0].Declaration)
	require.Equal(t, p.Terms.Purposes, j.asked[0].Terms.Purposes)
}
