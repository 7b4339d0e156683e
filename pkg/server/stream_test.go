package server_test

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"

	carnetv1 "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/apiconv"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/columnfile"
	"github.com/carnet-network/carnet/pkg/flow/flowtest"
	"github.com/carnet-network/carnet/pkg/he"
)

func withMetadata(ctx context.Context, kv ...string) context.Context {
	return metadata.AppendToOutgoingContext(ctx, kv...)
}

// submitDealing sends a dealing in pieces of a size.
func submitDealing(conn *grpc.ClientConn, k *flowtest.Key, piece int) error {
	stream, err := carnetv1.NewDealingServiceClient(conn).SubmitDealing(ctx)
	if err != nil {
		return err
	}
	_ = stream.Send(&carnetv1.SubmitDealingRequest{Part: &carnetv1.SubmitDealingRequest_Statement{Statement: apiconv.ToEnvelope(k.Envelope)}})
	for j, b := range k.Corrections {
		for off := 0; off < len(b); off += piece {
			_ = stream.Send(&carnetv1.SubmitDealingRequest{Part: &carnetv1.SubmitDealingRequest_Correction{Correction: &carnetv1.CorrectionPiece{
				Power: int32(j + 1), Offset: int64(off), Data: b[off:min(off+piece, len(b))]}}})
		}
	}
	for i, b := range k.Sealed {
		_ = stream.Send(&carnetv1.SubmitDealingRequest{Part: &carnetv1.SubmitDealingRequest_Seeds{Seeds: &carnetv1.SealedSeeds{Number: int32(i + 1), Sealed: b}}})
	}
	_, err = stream.CloseAndRecv()
	return err
}

func piece(t *flowtest.Table, p columnfile.Piece) *carnetv1.UploadPiecesRequest {
	return &carnetv1.UploadPiecesRequest{Nonce: t.Nonce.String(), Column: int32(p.Column), Limb: int32(p.Limb), Chunk: int32(p.Chunk), Piece: int32(p.Piece), Data: t.Pieces[p]}
}

func TestPublishOverGRPC(t *testing.T) {
	n := flowtest.New(t)
	e := serve(t, n)
	conn := e.dial("kz")
	data := carnetv1.NewDatasetServiceClient(conn)
	k := n.MakeKey("kz", carnet.LayoutRecords)
	require.NoError(t, submitDealing(conn, k, 1<<20))
	require.NoError(t, submitDealing(conn, k, 100_000))
	table := n.Encrypt(k, "trade", carnet.LayoutRecords, [][2]int64{{0, 10}, {2, -4}})
	f := table.Manifest.Files[0]
	resp, err := data.BeginUpload(ctx, &carnetv1.BeginUploadRequest{Dataset: "kz/trade", Profile: table.Manifest.Profile,
		Files: []*carnetv1.UploadFile{{Nonce: f.Nonce.String(), Columns: int32(f.Columns), Blocks: int32(f.Blocks)}}})
	require.NoError(t, err)
	profile, err := he.Lookup(table.Manifest.Profile)
	require.NoError(t, err)
	require.Equal(t, profile.ID().String(), resp.Params)

	// A stream that the client breaks off keeps what had arrived.
	broken, cancel := context.WithCancel(ctx)
	stream, err := data.UploadPieces(broken)
	require.NoError(t, err)
	for _, id := range table.Order[:2] {
		require.NoError(t, stream.Send(piece(table, id)))
	}
	arrived := func() int {
		up, err := data.GetUpload(ctx, &carnetv1.GetUploadRequest{Nonce: f.Nonce.String()})
		require.NoError(t, err)
		count := 0
		for _, b := range up.Present {
			for ; b != 0; b &= b - 1 {
				count++
			}
		}
		return count
	}
	second := table.Order[1]
	words := make([]uint64, len(table.Pieces[second])*8/profile.LimbBits())
	require.NoError(t, columnfile.Unpack(words, table.Pieces[second], profile.LimbBits(), profile.Primes()[second.Limb]))
	shape, err := columnfile.NewFile(profile, f.Nonce, f.Columns, f.Blocks)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		ok, err := n.Config.Columns.Holds(ctx, shape, second, columnfile.HashPiece(words))
		require.NoError(t, err)
		return ok
	}, 2*time.Minute, 5*time.Millisecond)
	cancel()
	require.Eventually(t, func() bool { return arrived() == 2 }, 2*time.Minute, 10*time.Millisecond)

	stream, err = data.UploadPieces(ctx)
	require.NoError(t, err)
	for _, id := range table.Order {
		require.NoError(t, stream.Send(piece(table, id)))
	}
	done, err := stream.CloseAndRecv()
	require.NoError(t, err)
	require.EqualValues(t, 2, done.Skipped)
	require.EqualValues(t, len(table.Order)-2, done.Stored)
	_, err = data.CommitDataset(ctx, &carnetv1.CommitDatasetRequest{Manifest: apiconv.ToEnvelope(n.Seal(carnet.TypeDataset, table.Manifest, "kz"))})
	require.NoError(t, err)

	// A keyholder reads it back.
	pieces, err := carnetv1.NewDatasetServiceClient(e.dial("k1")).ReadPieces(ctx, &carnetv1.ReadPiecesRequest{Nonce: f.Nonce.String(),
		Ranges: []*carnetv1.PieceRange{{Column: 1, Limb: 3}, {Column: 0, Limb: 2, Pieces: 1}}})
	require.NoError(t, err)
	for _, p := range []columnfile.Piece{{Column: 1, Limb: 3}, {Column: 0, Limb: 2}} {
		m, err := pieces.Recv()
		require.NoError(t, err)
		require.Equal(t, table.Pieces[p], m.Data)
		require.NoError(t, shape.Open(p, m.Data, m.Proof, f.Root, words))
	}
	_, err = pieces.Recv()
	require.ErrorIs(t, err, io.EOF)
}

func TestBadStreams(t *testing.T) {
	n := flowtest.New(t)
	e := serve(t, n)
	conn := e.dial("kz")
	data := carnetv1.NewDatasetServiceClient(conn)
	table := n.Encrypt(n.Deal("kz", carnet.LayoutCube), "trade", carnet.LayoutCube, [][2]int64{{0, 1}})
	require.NoError(t, n.Announce(table))
	send := func(m *carnetv1.UploadPiecesRequest) error {
		stream, err := data.UploadPieces(ctx)
		require.NoError(t, err)
		_ = stream.Send(m)
		_, err = stream.CloseAndRecv()
		return err
	}
	id := table.Order[0]
	change := func(do func(*carnetv1.UploadPiecesRequest)) *carnetv1.UploadPiecesRequest {
		m := piece(table, id)
		do(m)
		return m
	}
	require.Equal(t, "BAD_REQUEST", reason(send(change(func(m *carnetv1.UploadPiecesRequest) { m.Nonce = "zz" }))))
	require.Equal(t, "BAD_REQUEST", reason(send(change(func(m *carnetv1.UploadPiecesRequest) { m.Column = -1 }))))
	require.Equal(t, "PIECE_OUT_OF_RANGE", reason(send(change(func(m *carnetv1.UploadPiecesRequest) { m.Chunk = 1 << 30 }))))
	require.Equal(t, "PIECE_SIZE", reason(send(change(func(m *carnetv1.UploadPiecesRequest) { m.Data = m.Data[1:] }))))
	require.Equal(t, codes.ResourceExhausted, status.Code(send(change(func(m *carnetv1.UploadPiecesRequest) { m.Data = make([]byte, 5<<20) }))), "a message above the limit")
	require.NoError(t, send(piece(table, id)))
	require.Equal(t, "NONCE_REUSED", reason(send(change(func(m *carnetv1.UploadPiecesRequest) { m.Data = table.Pieces[table.Order[1]] }))))

	dealings := carnetv1.NewDealingServiceClient(conn)
	k := n.MakeKey("kz", carnet.LayoutCube)
	statement := &carnetv1.SubmitDealingRequest{Part: &carnetv1.SubmitDealingRequest_Statement{Statement: apiconv.ToEnvelope(k.Envelope)}}
	correction := func(power int32, offset int64, n int) *carnetv1.SubmitDealingRequest {
		return &carnetv1.SubmitDealingRequest{Part: &carnetv1.SubmitDealingRequest_Correction{Correction: &carnetv1.CorrectionPiece{Power: power, Offset: offset, Data: make([]byte, n)}}}
	}
	seeds := func(number int32, n int) *carnetv1.SubmitDealingRequest {
		return &carnetv1.SubmitDealingRequest{Part: &carnetv1.SubmitDealingRequest_Seeds{Seeds: &carnetv1.SealedSeeds{Number: number, Sealed: make([]byte, n)}}}
	}
	for name, parts := range map[string][]*carnetv1.SubmitDealingRequest{
		"nothing":           nil,
		"no statement":      {correction(1, 0, 10)},
		"statement twice":   {statement, statement},
		"power 0":           {statement, correction(0, 0, 10)},
		"power 2":           {statement, correction(2, 0, 10)},
		"gap":               {statement, correction(1, 5, 10)},
		"negative":          {statement, correction(1, -5, 10)},
		"too long":          {statement, correction(1, 0, 1<<19)},
		"keyholder 0":       {statement, seeds(0, 10)},
		"keyholder 4":       {statement, seeds(4, 10)},
		"keyholder twice":   {statement, seeds(1, 10), seeds(1, 10)},
		"empty seeds":       {statement, seeds(1, 0)},
		"large seeds":       {statement, seeds(1, 1<<20)},
		"empty part":        {statement, {}},
		"ends too early":    {statement, seeds(1, 10)},
		"empty correction":  {statement, {Part: &carnetv1.SubmitDealingRequest_Correction{}}},
		"empty seeds again": {statement, {Part: &carnetv1.SubmitDealingRequest_Seeds{}}},
	} {
		stream, err := dealings.SubmitDealing(ctx)
		require.NoError(t, err)
		for _, p := range parts {
			_ = stream.Send(p)
		}
		_, err = stream.CloseAndRecv()
		require.Equal(t, codes.InvalidArgument, status.Code(err), "%s: %v", name, err)
	}
}

func TestUploadOverREST(t *testing.T) {
	n := flowtest.New(t)
	e := serve(t, n)
	table := n.Encrypt(n.Deal("kz", carnet.LayoutCube), "trade", carnet.LayoutCube, [][2]int64{{0, 1}})
	f := table.Manifest.Files[0]
	code, body := e.http("kz", "POST", "/v1/uploads", &carnetv1.BeginUploadRequest{Dataset: "kz/trade", Profile: table.Manifest.Profile,
		Files: []*carnetv1.UploadFile{{Nonce: f.Nonce.String(), Columns: int32(f.Columns), Blocks: int32(f.Blocks)}}})
	require.Equal(t, 200, code, "%s", body)
	var lines bytes.Buffer
	for _, id := range table.Order {
		b, err := protojson.Marshal(piece(table, id))
		require.NoError(t, err)
		lines.Write(append(b, '\n'))
	}
	code, body = e.raw("kz", "POST", "/v1/uploads/pieces", lines.Bytes(), nil)
	require.Equal(t, 200, code, "%s", body)
	require.Contains(t, string(body), `"stored":"`)
	code, body = e.http("kz", "POST", "/v1/datasets", &carnetv1.CommitDatasetRequest{Manifest: apiconv.ToEnvelope(n.Seal(carnet.TypeDataset, table.Manifest, "kz"))})
	require.Equal(t, 200, code, "%s", body)
}

func TestShutdownEndsStreamsThatWait(t *testing.T) {
	e := serve(t, flowtest.New(t))
	conn := e.dial("k1")
	follow, err := carnetv1.NewJournalServiceClient(conn).Follow(ctx, &carnetv1.FollowRequest{})
	require.NoError(t, err)
	_, err = follow.Recv()
	require.NoError(t, err)
	h, err := healthpb.NewHealthClient(conn).Check(ctx, &healthpb.HealthCheckRequest{})
	require.NoError(t, err)
	require.Equal(t, healthpb.HealthCheckResponse_SERVING, h.Status)
	e.stop()
	for err == nil {
		_, err = follow.Recv()
	}
	require.Equal(t, "SHUTTING_DOWN", reason(err))
	require.NoError(t, <-e.done)
	e.done <- nil
}

func TestListsArePaged(t *testing.T) {
	n := flowtest.New(t)
	e := serve(t, n)
	for v := range 4 { // pages are bounded by bytes as well
		s := *n.Schema
		s.Version, s.Description = v+2, strings.Repeat("x", 1000)
		_, err := n.G.RegisterSchema(ctx, n.Parties["kz"], n.Seal(carnet.TypeSchema, s, "kz"))
		require.NoError(t, err)
	}
	r := carnetv1.NewRegistryServiceClient(e.dial("bank"))
	seen := 0
	for token, pages := "", 0; ; pages++ {
		resp, err := r.ListSchemas(ctx, &carnetv1.ListSchemasRequest{PageSize: 2, PageToken: token})
		require.NoError(t, err)
		seen += len(resp.Statements)
		if token = resp.NextPageToken; token == "" {
			require.Equal(t, 2, pages)
			break
		}
	}
	require.Equal(t, 5, seen)
	for _, bad := range []*carnetv1.ListSchemasRequest{{PageSize: -1}, {PageToken: "not a token!"}} {
		_, err := r.ListSchemas(ctx, bad)
		require.Equal(t, codes.InvalidArgument, status.Code(err))
	}
}
