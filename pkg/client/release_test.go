package client

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	pb "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/he/wire"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/scan"
	"github.com/carnet-network/carnet/pkg/schema"
	"github.com/carnet-network/carnet/pkg/seal"
	"github.com/carnet-network/carnet/pkg/share"
)

// release is a query as gateway and keyholders would answer it, computed here from
// one owner's cube; tests change what is sent and look what the buyer makes of it.
type release struct {
	pb.UnimplementedQueryServiceServer
	w       *world
	asked   *Asked
	public  []byte
	scalars map[int][]he.Scalar // what each keyholder answers
	answers map[int]*carnet.Answer
	signers map[int]carnet.PartyID
	tamper  map[int]func(sealed []byte) []byte // after signing
}

const openSQL = "SELECT month, COUNT(*), SUM(value) FROM trade GROUP BY month ORDER BY month"

// newRelease answers the query. Any threshold of five keyholders open; home is the
// number of the home keyholder, 0 for none.
func newRelease(t *testing.T, threshold, home int) *release {
	ctx := context.Background()
	w := newWorld(t)
	for _, k := range []carnet.PartyID{"kh4", "kh5"} {
		w.committee.Members = append(w.committee.Members, k)
		w.parties = append(w.parties, carnet.Party{ID: k, Roles: []carnet.Role{carnet.RoleKeyholder}, SigningKey: w.identity(k).Public()})
	}
	w.identity("buyer")
	w.committee.Threshold, w.committee.Attestations = threshold, 2
	enc, err := w.schema.Encode(carnet.LayoutCube)
	require.NoError(t, err)
	profile, err := he.Lookup(enc.Profile)
	require.NoError(t, err)
	ring := he.NewRing(profile)
	shares, err := share.NewCommittee(5, threshold)
	require.NoError(t, err)

	seed := he.Seed{42}
	deal, err := share.NewDeal(ring, ring.DeriveSecret(seed), shares, carnet.Nonce{1}, profile.MaxDegree(), home != 0, rand.Reader)
	require.NoError(t, err)
	key := carnet.KeyID{9}
	tables := enc.NewTables()
	for i := range 30 {
		require.NoError(t, tables.Add(&schema.Row{Dims: []int{i % 3}, Measures: []int64{int64(100 * i)}, Null: []bool{false}}))
	}
	b := tables.Builders()[0]
	file := carnet.File{Nonce: carnet.Nonce{7}, Rows: b.Rows(), Columns: len(enc.Columns), Blocks: b.Blocks(), Root: carnet.Hash{1}}
	encryptor := he.NewEncryptor(ring, seed, key)
	columns := scan.NewMemory(profile)
	block := ring.NewPoly()
	values := make([]uint64, profile.N())
	for c := range enc.Columns {
		for k := range b.Blocks() {
			n := b.Column(c, k, values)
			id := he.BlockID{File: file.Nonce, Column: uint32(c), Block: uint32(k)}
			require.NoError(t, encryptor.EncryptBlock(id, values[:n], block))
			columns.Put(id, b.Blocks(), block)
		}
	}
	product := &Product{parties: parties{}, Committee: &Committee{Committee: w.committee}}
	registrar := w.identity("registrar")
	for i := range w.parties {
		env, err := evidence.Seal(carnet.TypeParty, w.parties[i], w.ids[w.parties[i].ID], registrar)
		require.NoError(t, err)
		require.NoError(t, product.parties.take([]*evidence.Envelope{env}, registrar.Public()))
	}
	product.Product = plan.Product{
		ID: "trade", Schema: w.schema, Encoding: enc, Profile: profile, Committee: shares, Homes: map[carnet.KeyID]int{},
		Datasets: []plan.Dataset{{Hash: carnet.Hash{3}, Manifest: carnet.Dataset{
			ID: "kz/trade", Owner: "kz", Jurisdiction: "KZ", Layout: carnet.LayoutCube, Profile: profile.Name(), Key: key, Files: []carnet.File{file},
		}}},
	}
	if home != 0 {
		product.Homes[key] = home
	}
	pl, err := plan.Compile(openSQL, &product.Product)
	require.NoError(t, err)
	r := &release{
		w: w, scalars: map[int][]he.Scalar{}, answers: map[int]*carnet.Answer{}, signers: map[int]carnet.PartyID{}, tamper: map[int]func([]byte) []byte{},
		asked: &Asked{Ref: Ref{Hash: carnet.Hash{5}}, Plan: pl, Product: product, Query: carnet.Query{ID: carnet.Hash{6}, SQL: openSQL}},
	}
	var fs []*functional.Functional
	var all []byte
	for i := range pl.Openings {
		fs = append(fs, pl.Openings[i].F)
		f := share.FunctionalID(profile, pl.Openings[i].F, pl.Openings[i].FloodBits, nil, nil)
		all = append(all, f[:]...)
	}
	z, err := scan.PublicValues(ctx, ring, fs, map[carnet.KeyID][]he.Poly{key: deal.Corrections}, columns, scan.Options{MaxBytes: 1 << 30})
	require.NoError(t, err)
	r.public = wire.AppendScalars(nil, profile, z)
	attested := carnet.Digest("carnet/answers/z/1", r.public)
	for i := 1; i <= 5; i++ {
		ks, err := share.NewKeyShare(ring, shares, key, deal.Bundle(shares, i, home), profile.MaxDegree())
		require.NoError(t, err)
		rs, err := share.NewResponder(ring, shares, i, []*share.KeyShare{ks})
		require.NoError(t, err)
		respond := func(w he.Poly, flood func(f carnet.Hash, degree, k int, variance *big.Int, v he.Scalar) he.Scalar) {
			v, err := scan.Linear(ctx, ring, fs, map[carnet.KeyID]he.Poly{key: w}, nil, scan.Options{})
			require.NoError(t, err)
			for n := range v {
				r.scalars[i] = append(r.scalars[i], flood(carnet.Hash(all[32*n:32*n+32]), 1, pl.Openings[n].FloodBits, nil, v[n]))
			}
		}
		respond(ks.Power(1), rs.Respond)
		if i == home {
			respond(ks.HomePower(1), rs.RespondHome)
		}
		member := w.committee.Members[i-1]
		r.signers[i] = member
		r.answers[i] = &carnet.Answer{
			Query: r.asked.Hash, By: member, Number: i, Openings: len(fs), Functionals: carnet.Digest("carnet/answers/F/1", all), Attested: &attested,
		}
	}
	return r
}

func (r *release) FetchAnswer(_ *pb.FetchAnswerRequest, stream grpc.ServerStreamingServer[pb.FetchAnswerResponse]) error {
	key, err := recipient(r.w.ids["buyer"], r.asked.Query.ID)
	if err != nil {
		return err
	}
	if err := stream.Send(&pb.FetchAnswerResponse{Part: &pb.FetchAnswerResponse_PublicValues{PublicValues: r.public}}); err != nil {
		return err
	}
	for i := 1; i <= 5; i++ {
		a := r.answers[i]
		if a == nil {
			continue
		}
		info := append(append([]byte("carnet/answer/1"), r.asked.Hash[:]...), byte(i))
		sealed, err := seal.Seal(key.Public(), info, wire.AppendScalars(nil, r.asked.Product.Profile, r.scalars[i]))
		if err != nil {
			return err
		}
		a.Sealed = sha256.Sum256(sealed)
		env, err := evidence.Seal(carnet.TypeAnswer, a, r.w.ids[r.signers[i]])
		if err != nil {
			return err
		}
		if f := r.tamper[i]; f != nil {
			sealed = f(sealed)
		}
		for _, m := range []*pb.FetchAnswerResponse{
			{Part: &pb.FetchAnswerResponse_Answer{Answer: &pb.KeyholderAnswer{Statement: toProto(env)}}},
			{Part: &pb.FetchAnswerResponse_Sealed{Sealed: &pb.SealedPiece{Data: sealed[:100]}}},
			{Part: &pb.FetchAnswerResponse_Sealed{Sealed: &pb.SealedPiece{Data: sealed[100:]}}},
		} {
			if err := stream.Send(m); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *release) open(t *testing.T) (*Answer, error) {
	t.Helper()
	c := serve(t, r.w.registrar, func(s *grpc.Server) { pb.RegisterQueryServiceServer(s, r) })
	return c.Open(context.Background(), r.w.ids["buyer"], r.asked)
}
