package flow_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/flow"
	"github.com/carnet-network/carnet/pkg/flow/flowtest"
)

var ctx = context.Background()

func requireReason(t testing.TB, reason string, err error) {
	t.Helper()
	require.Error(t, err)
	require.Equal(t, reason, carnet.ReasonOf(err), "%v", err)
}

func TestRegisterParty(t *testing.T) {
	n := flowtest.Empty(t)
	first, err := n.G.RegisterParty(ctx, n.PartyStatement("kz"))
	require.NoError(t, err)
	again, err := n.G.RegisterParty(ctx, n.PartyStatement("kz"))
	require.NoError(t, err)
	require.Equal(t, first, again)

	body := *n.Parties["hk"]
	_, err = n.G.RegisterParty(ctx, n.Seal(carnet.TypeParty, body, "hk"))
	requireReason(t, "NOT_REGISTRAR", err)
	_, err = n.G.RegisterParty(ctx, n.Seal(carnet.TypeParty, body, "registrar", "kz"))
	requireReason(t, "BAD_SIGNATURE", err)
	_, err = n.G.RegisterParty(ctx, n.Seal(carnet.TypeSchema, body, "hk", "registrar"))
	requireReason(t, "WRONG_STATEMENT_TYPE", err)
	other := *n.Parties["kz"]
	other.Name = "Somebody else"
	_, err = n.G.RegisterParty(ctx, n.Seal(carnet.TypeParty, other, "kz", "registrar"))
	requireReason(t, "PARTY_EXISTS", err)

	for field, change := range map[string]func(*carnet.Party){
		"id":           func(p *carnet.Party) { p.ID = "../x" },
		"name":         func(p *carnet.Party) { p.Name = "" },
		"jurisdiction": func(p *carnet.Party) { p.Jurisdiction = "hkg" },
		"roles":        func(p *carnet.Party) { p.Roles = []carnet.Role{"king"} },
		"signing_key":  func(p *carnet.Party) { p.SigningKey = nil },
		"sealing_key":  func(p *carnet.Party) { p.SealingKey = make([]byte, flow.HPKEPublicBytes) },
	} {
		p := *n.Parties["hk"]
		change(&p)
		_, err = n.G.RegisterParty(ctx, n.Seal(carnet.TypeParty, p, "hk", "registrar"))
		requireReason(t, "BAD_PARTY", err)
		var e *carnet.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, field, e.Violations[0].Field)
	}
	entries, _, err := n.G.Journal(ctx)
	require.NoError(t, err)
	require.EqualValues(t, 1, entries, "what is refused is not journaled")
}

func TestRegisterCommittee(t *testing.T) {
	n := flowtest.New(t)
	for reason, change := range map[string]func(*carnet.Committee){
		"COMMITTEE_EXISTS": func(*carnet.Committee) {},
		"BAD_QUORUM":       func(c *carnet.Committee) { c.ID, c.Quorum = "x", 2 },
		"BAD_MEMBER":       func(c *carnet.Committee) { c.ID, c.Members = "x", []carnet.PartyID{"k1", "k2", "kz"} },
		"BAD_COMMITTEE":    func(c *carnet.Committee) { c.ID, c.Attestations = "x", 4 },
	} {
		c := n.Committee
		c.Created = c.Created.Add(1e9)
		change(&c)
		_, err := n.G.RegisterCommittee(ctx, n.Seal(carnet.TypeCommittee, c, "registrar"))
		requireReason(t, reason, err)
	}
	twice := n.Committee
	twice.ID, twice.Members = "x", []carnet.PartyID{"k1", "k2", "k1"}
	_, err := n.G.RegisterCommittee(ctx, n.Seal(carnet.TypeCommittee, twice, "registrar"))
	requireReason(t, "BAD_MEMBER", err)
	_, err = n.G.RegisterCommittee(ctx, n.Seal(carnet.TypeCommittee, twice, "k1"))
	requireReason(t, "NOT_REGISTRAR", err)

	byName, err := n.G.Statement(ctx, flow.NamedCommittee, "corridor")
	require.NoError(t, err)
	byHash, err := n.G.Statement(ctx, flow.NamedCommittee, n.Hash.String())
	require.NoError(t, err)
	require.Equal(t, byName, byHash)
	_, err = n.G.Statement(ctx, flow.NamedSchema, n.Hash.String())
	require.Equal(t, carnet.NotFound, carnet.KindOf(err), "a hash of another type is absent")
	list, err := n.G.Statements(ctx, flow.NamedParty, "h", 3)
	require.NoError(t, err)
	require.Equal(t, []string{"hk", "k1", "k2"}, []string{list[0].ID, list[1].ID, list[2].ID})
}

func TestRegisterSchema(t *testing.T) {
	n := flowtest.New(t)
	s := *n.Schema
	_, err := n.G.RegisterSchema(ctx, n.Parties["hk"], n.Seal(carnet.TypeSchema, s, "hk"))
	require.NoError(t, err, "the same bytes are the same statement")
	s.Title = "Another"
	_, err = n.G.RegisterSchema(ctx, n.Parties["hk"], n.Seal(carnet.TypeSchema, s, "hk"))
	requireReason(t, "SCHEMA_EXISTS", err)
	s.Version = 2
	_, err = n.G.RegisterSchema(ctx, n.Parties["hk"], n.Seal(carnet.TypeSchema, s, "kz"))
	requireReason(t, "BAD_SIGNATURE", err)
	_, err = n.G.RegisterSchema(ctx, n.Parties["bank"], n.Seal(carnet.TypeSchema, s, "bank"))
	requireReason(t, "WRONG_ROLE", err)
	s.Dimensions = nil
	s.Measures = nil
	_, err = n.G.RegisterSchema(ctx, n.Parties["hk"], n.Seal(carnet.TypeSchema, s, "hk"))
	require.Equal(t, carnet.Invalid, carnet.KindOf(err))
	s = *n.Schema
	s.Version, s.Description = 3, strings.Repeat("x", 900_000)
	_, err = n.G.RegisterSchema(ctx, n.Parties["hk"], n.Seal(carnet.TypeSchema, s, "hk"))
	t.Log(err) // large or refused, but no crash
}
