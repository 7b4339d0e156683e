package client

import (
	"context"
	"crypto/rand"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	pb "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/apiconv"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/ident"
)

// provingJournal proves the inclusion of its entries in the whole of them.
type provingJournal struct {
	pb.UnimplementedJournalServiceServer
	entries []*evidence.Entry
	cosign  map[carnet.PartyID]*ident.Identity
	log     *ident.Identity // signs the log, if there is one
	origin  string
	asked   func() // nil: nothing happens
}

func (j *provingJournal) put(env *evidence.Envelope) {
	n := len(j.entries)
	j.entries = append(j.entries, &evidence.Entry{Seq: int64(n), Salt: carnet.Hash{byte(n + 1)}, Envelope: env})
}

func (j *provingJournal) GetInclusion(_ context.Context, m *pb.GetInclusionRequest) (*pb.GetInclusionResponse, error) {
	if j.asked != nil {
		j.asked()
	}
	var tree evidence.Tree
	var leaves []carnet.Hash
	for _, e := range j.entries {
		if err := tree.Append(e); err != nil {
			return nil, err
		}
		leaves = append(leaves, e.Leaf())
	}
	cp := &evidence.SignedCheckpoint{Origin: j.origin, Checkpoint: tree.Checkpoint()}
	if j.log != nil {
		var err error
		if cp, err = evidence.SignCheckpoint(j.origin, tree.Checkpoint(), j.log); err != nil {
			return nil, err
		}
	}
	for id, by := range j.cosign {
		if err := cp.Cosign(id, testTime, by); err != nil {
			return nil, err
		}
	}
	text, err := cp.MarshalText()
	if err != nil {
		return nil, err
	}
	for _, e := range j.entries {
		if e.Envelope.Hash().String() == m.GetStatement() {
			path, err := evidence.ProveInclusion(leaves, e.Seq)
			return &pb.GetInclusionResponse{Entry: apiconv.ToEntry(e), Path: apiconv.ToPath(path), Checkpoint: &pb.CosignedCheckpoint{Note: string(text)}}, err
		}
	}
	return nil, carnet.E(carnet.NotFound, "NOT_FOUND", "no such entry")
}

// Rule (rotation): a client takes a statement under a replaced key only with the proof that
// it entered the log before the replacement, in a log that present keys co-signed.
func TestAttackAStatementDatedBack(t *testing.T) {
	id := func(p carnet.PartyID) *ident.Identity {
		i, err := ident.New(p, rand.Reader)
		require.NoError(t, err)
		return i
	}
	registrar, old, next, k1, k2 := id("registrar"), id("kz"), id("kz"), id("k1"), id("k2")
	seal := func(typ carnet.StatementType, body any, by ...evidence.Signer) *evidence.Envelope {
		env, err := evidence.Seal(typ, body, by...)
		require.NoError(t, err)
		return env
	}
	party := func(i *ident.Identity, r carnet.Role) carnet.Party {
		return carnet.Party{ID: i.Party(), Name: "x", Jurisdiction: "KZ", Roles: []carnet.Role{r}, SigningKey: i.Public(), Created: testTime}
	}
	first := seal(carnet.TypeParty, party(old, carnet.RoleOwner), old, registrar)
	body := party(next, carnet.RoleOwner)
	h := first.Hash()
	body.Replaces = &h
	second := seal(carnet.TypeParty, body, old, next, registrar)
	word := func(key byte) *evidence.Envelope {
		return seal(carnet.TypeRetirement, carnet.Retirement{Key: carnet.KeyID{key}, Owner: "kz", Created: testTime}, old)
	}
	before, after := word(1), word(2)
	j := &provingJournal{origin: evidence.Origin(registrar.Public()), cosign: map[carnet.PartyID]*ident.Identity{"k1": k1, "k2": k2}}
	for _, env := range []*evidence.Envelope{first, before, second, after} {
		j.put(env)
	}
	c := serve(t, registrar, func(s *grpc.Server) { pb.RegisterJournalServiceServer(s, j) })
	committee := &Committee{Committee: carnet.Committee{ID: "com", Members: []carnet.PartyID{"k1", "k2"}, Threshold: 1, Quorum: 2}}
	ps := parties{}
	require.NoError(t, ps.take([]*evidence.Envelope{first, second,
		seal(carnet.TypeParty, party(k1, carnet.RoleKeyholder), k1, registrar), seal(carnet.TypeParty, party(k2, carnet.RoleKeyholder), k2, registrar)}, registrar.Public()))
	require.Equal(t, "KEY_REPLACED", carnet.ReasonOf(ps["kz"].signed(t.Context(), before)), "nothing to prove it with")
	ps.orderBy(c, committee)
	require.NoError(t, ps.signed(t.Context(), before, "kz", carnet.RoleOwner))
	require.Equal(t, "KEY_REPLACED", carnet.ReasonOf(ps.signed(t.Context(), after, "kz", carnet.RoleOwner)))

	// Whoever stops waiting for a proof has none: neither that the statement is good nor that it
	// is not. It is asked for anew the next time.
	for _, early := range []bool{true, false} {
		stopped, stop := context.WithCancel(t.Context())
		waits := &provingJournal{origin: j.origin, entries: j.entries, cosign: map[carnet.PartyID]*ident.Identity{"k1": k1}, asked: stop}
		ps.orderBy(serve(t, registrar, func(s *grpc.Server) { pb.RegisterJournalServiceServer(s, waits) }), committee)
		if early {
			stop()
		}
		require.ErrorIs(t, ps.signed(stopped, before, "kz", carnet.RoleOwner), context.Canceled)
	}
	ps.orderBy(c, committee)
	require.NoError(t, ps.signed(t.Context(), before, "kz", carnet.RoleOwner))

	j.cosign["k2"] = id("k2") // not the key that it has
	ctx, done := context.WithTimeout(t.Context(), 20*time.Second)
	defer done()
	require.Equal(t, "NO_QUORUM", carnet.ReasonOf(c.earlier(ctx, before.Hash(), second.Hash(), committee, ps)))

	lists := map[string][]*evidence.Envelope{
		"OLD_KEY_MISSING": {first, seal(carnet.TypeParty, body, next, registrar)},
		"GATEWAY_WRONG":   {first, second, second},
		"UNKNOWN_PARTY":   {second},
		"PARTY_EXISTS":    {first, second, first},
	}
	for reason, list := range lists {
		require.Equal(t, reason, carnet.ReasonOf(parties{}.take(list, registrar.Public())))
	}
}

// dealtTo says to which committee keys are dealt, and who is registered.
type dealtTo struct {
	pb.UnimplementedDealingServiceServer
	pb.UnimplementedRegistryServiceServer
	committee *evidence.Envelope
	parties   map[string]*pb.GetPartyResponse
}

func (d *dealtTo) GetDealing(context.Context, *pb.GetDealingRequest) (*pb.GetDealingResponse, error) {
	return &pb.GetDealingResponse{Committee: apiconv.ToEnvelope(d.committee)}, nil
}

func (d *dealtTo) GetParty(_ context.Context, m *pb.GetPartyRequest) (*pb.GetPartyResponse, error) {
	return d.parties[m.GetId()], nil
}

// Rule (rotation): an owner adds to what its old key signed only if it signed that before it
// replaced the key: who has the old key can't have it sign on top of something else.
func TestAttackAManifestDatedBack(t *testing.T) {
	ids := map[carnet.PartyID]*ident.Identity{}
	for _, name := range []carnet.PartyID{"registrar", "kz", "k1", "k2", "k3"} {
		i, err := ident.New(name, rand.Reader)
		require.NoError(t, err)
		ids[name] = i
	}
	next, err := ident.New("kz", rand.Reader)
	require.NoError(t, err)
	seal := func(typ carnet.StatementType, body any, by ...evidence.Signer) *evidence.Envelope {
		env, err := evidence.Seal(typ, body, by...)
		require.NoError(t, err)
		return env
	}
	party := func(i *ident.Identity, r carnet.Role) carnet.Party {
		return carnet.Party{ID: i.Party(), Name: "x", Jurisdiction: "KZ", Roles: []carnet.Role{r}, SigningKey: i.Public(), Created: testTime}
	}
	manifest := func(title string, by evidence.Signer) *evidence.Envelope {
		return seal(carnet.TypeDataset, carnet.Dataset{ID: "kz/trade", Owner: "kz", Title: title, Key: carnet.KeyID{1}, Created: testTime}, by)
	}
	first := seal(carnet.TypeParty, party(ids["kz"], carnet.RoleOwner), ids["kz"], ids["registrar"])
	body := party(next, carnet.RoleOwner)
	h := first.Hash()
	body.Replaces = &h
	second := seal(carnet.TypeParty, body, ids["kz"], next, ids["registrar"])
	before, after := manifest("before", ids["kz"]), manifest("after", ids["kz"])

	d := &dealtTo{parties: map[string]*pb.GetPartyResponse{"kz": {Statement: apiconv.ToEnvelope(second), Earlier: []*pb.Envelope{apiconv.ToEnvelope(first)}}},
		committee: seal(carnet.TypeCommittee, carnet.Committee{ID: "com", Members: []carnet.PartyID{"k1", "k2", "k3"}, Threshold: 2, Quorum: 2, Created: testTime}, ids["registrar"])}
	j := &provingJournal{origin: evidence.Origin(ids["registrar"].Public()), cosign: map[carnet.PartyID]*ident.Identity{}}
	for _, name := range []carnet.PartyID{"k1", "k2", "k3"} {
		d.parties[string(name)] = &pb.GetPartyResponse{Statement: apiconv.ToEnvelope(seal(carnet.TypeParty, party(ids[name], carnet.RoleKeyholder), ids[name], ids["registrar"]))}
		j.cosign[name] = ids[name]
	}
	for _, env := range []*evidence.Envelope{first, before, second, after} {
		j.put(env)
	}
	c := serve(t, ids["registrar"], func(s *grpc.Server) {
		pb.RegisterJournalServiceServer(s, j)
		pb.RegisterDealingServiceServer(s, d)
		pb.RegisterRegistryServiceServer(s, d)
	})
	m, err := c.manifest(t.Context(), next, before)
	require.NoError(t, err)
	require.Equal(t, "before", m.Title)
	_, err = c.manifest(t.Context(), next, after)
	require.Equal(t, "KEY_REPLACED", carnet.ReasonOf(err), "%v", err)
	_, err = c.manifest(t.Context(), next, manifest("foreign", ids["k1"]))
	require.Equal(t, "BAD_SIGNATURE", carnet.ReasonOf(err), "%v", err)
	_, err = c.manifest(t.Context(), next, manifest("present", next))
	require.NoError(t, err)
}
