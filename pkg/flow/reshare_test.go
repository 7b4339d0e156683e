package flow_test

import (
	"crypto/rand"
	"crypto/sha256"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/flow"
	"github.com/carnet-network/carnet/pkg/flow/flowtest"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/he/wire"
	"github.com/carnet-network/carnet/pkg/share"
)

// moving is a network whose first key may move to the committee "next".
type moving struct {
	*flowtest.Network
	t       *testing.T
	key     *flowtest.Key
	profile *he.Profile
	next    carnet.Committee
	hash    carnet.Hash
	move    share.Move
}

func newMoving(t *testing.T) *moving {
	n, tables := twoOwners(t)
	m := &moving{Network: n, t: t, key: tables[0].Key}
	var err error
	m.profile, err = he.Lookup(m.key.Body.Profile)
	require.NoError(t, err)
	m.next = n.Committee
	m.next.ID = "next"
	m.next.Members = append(append([]carnet.PartyID{}, n.Committee.Members[1:]...), n.Committee.Members[0])
	env := n.Seal(carnet.TypeCommittee, m.next, "registrar")
	m.hash = env.Hash()
	_, err = n.G.RegisterCommittee(ctx, env)
	require.NoError(t, err)
	m.move, err = share.NewMove(m.key.ID, n.Shares(), m.hash, n.Shares())
	require.NoError(t, err)
	return m
}

func (m *moving) succeed(by carnet.PartyID, change func(*carnet.Succession)) error {
	m.Advance(time.Minute)
	s := carnet.Succession{Key: m.key.ID, Owner: by, Committees: []carnet.Hash{m.hash}, Created: m.Now()}
	if change != nil {
		change(&s)
	}
	_, err := m.G.SubmitSuccession(ctx, m.Parties[by], m.Seal(carnet.TypeSuccession, s, by))
	return err
}

// contribution is what member number i hands on: statement, corrections by power, sealed.
func (m *moving) contribution(i int) (c carnet.Contribution, polys map[int][][]byte, sealed [][]byte) {
	m.Advance(time.Minute)
	bundle := m.key.Deal.Bundle(m.Shares(), i, 0)
	c = carnet.Contribution{Key: m.key.ID, From: m.key.ID, Committee: m.hash, By: m.Committee.Members[i-1], Number: i, Created: m.Now()}
	polys = map[int][][]byte{}
	for _, a := range m.Shares().Subsets() {
		if !m.Shares().Holds(i, a) {
			continue
		}
		h, err := m.move.HandOver(he.NewRing(m.profile), bundle, a, m.profile.MaxDegree())
		require.NoError(m.t, err)
		p := carnet.HandedPart{Part: int(a), Commitments: h.Commitments}
		for j, poly := range h.Corrections {
			b := wire.AppendPoly(nil, m.profile, poly)
			polys[j+1] = append(polys[j+1], b)
			p.Corrections = append(p.Corrections, wire.CorrectionHash(j+1, b))
		}
		c.Parts = append(c.Parts, p)
	}
	for range m.next.Members {
		b := make([]byte, 40)
		_, _ = rand.Read(b)
		sealed = append(sealed, b)
		c.Sealed = append(c.Sealed, sha256.Sum256(b))
	}
	return c, polys, sealed
}

func (m *moving) submit(c carnet.Contribution, polys map[int][][]byte, sealed [][]byte) error {
	env := m.Seal(carnet.TypeContribution, c, c.By)
	as := m.Parties[c.By]
	shape, err := m.G.CheckContribution(ctx, as, env)
	if err != nil {
		return err
	}
	for j, list := range polys {
		for _, b := range list {
			if err := m.G.PutHanded(ctx, &shape, j, b); err != nil {
				return err
			}
		}
	}
	_, err = m.G.SubmitContribution(ctx, as, env, sealed)
	return err
}

// resharing follows from the contributions.
func (m *moving) resharing(by carnet.PartyID) *evidence.Envelope {
	said := map[int]*carnet.Contribution{}
	ring := he.NewRing(m.profile)
	polys := map[carnet.Hash][]byte{}
	for i := range m.Committee.Members {
		c, ps, _ := m.contribution(i + 1)
		said[i+1] = &c
		for j, list := range ps {
			for _, b := range list {
				polys[wire.CorrectionHash(j, b)] = b
			}
		}
	}
	agreed := m.move.Agree(said).Parts
	r := carnet.Resharing{Key: m.key.ID, From: m.key.ID, Owner: m.key.Body.Owner, Committee: m.hash, Profile: m.profile.Name(), Params: m.profile.ID(),
		Nonce: m.move.Nonce(), Commitments: m.move.Commitments(agreed)}
	for j, old := range m.key.Corrections {
		sum, part := ring.NewPoly(), ring.NewPoly()
		require.NoError(m.t, wire.ReadPoly(m.profile, old, sum))
		for _, p := range agreed {
			require.NoError(m.t, wire.ReadPoly(m.profile, polys[p.Corrections[j]], part))
			ring.Add(sum, part, sum)
		}
		r.Corrections = append(r.Corrections, wire.CorrectionHash(j+1, wire.AppendPoly(nil, m.profile, sum)))
	}
	return m.Seal(carnet.TypeResharing, r, by)
}

// TestReshare: the key moves with the last signature, and not before; what is repeated
// changes nothing, and what is late is refused.
func TestReshare(t *testing.T) {
	m := newMoving(t)
	first := func(c carnet.Contribution, polys map[int][][]byte, sealed [][]byte) error {
		return m.submit(c, polys, sealed)
	}
	requireReason(t, "SUCCESSION_MISSING", first(m.contribution(1)))
	requireReason(t, "NOT_FOUND", m.succeed("hk", nil))
	requireReason(t, "WRONG_PARTY", m.succeed("kz", func(s *carnet.Succession) { s.Owner = "hk" }))
	requireReason(t, "UNKNOWN_COMMITTEE", m.succeed("kz", func(s *carnet.Succession) { s.Committees = []carnet.Hash{{1}} }))
	requireReason(t, "BAD_SUCCESSION", m.succeed("kz", func(s *carnet.Succession) { s.Rule = &carnet.SuccessionRule{Members: 2, Threshold: 3} }))
	require.NoError(t, m.succeed("kz", nil))
	requireReason(t, "OLDER_STATEMENT", m.succeed("kz", func(s *carnet.Succession) { s.Created = s.Created.Add(-time.Hour) }))

	c, polys, sealed := m.contribution(1)
	requireReason(t, "BAD_SEEDS", m.submit(c, polys, sealed[1:]))
	requireReason(t, "BAD_SEEDS", m.submit(c, polys, [][]byte{{1}, {2}, {3}}))
	wrong := append([]byte{}, polys[1][0]...)
	wrong[0] ^= 1
	requireReason(t, "CORRECTIONS_DIFFER", m.submit(c, map[int][][]byte{1: {wrong}}, sealed))
	c2, _, sealed2 := m.contribution(2)
	c2.Parts[0].Corrections[0][0] ^= 1
	requireReason(t, "BAD_CORRECTIONS", m.submit(c2, nil, sealed2))
	other := c
	other.Number = 2
	requireReason(t, "BAD_CONTRIBUTION", m.submit(other, polys, sealed))

	requireReason(t, "RESHARE_INCOMPLETE", second(m.G.SubmitResharing(ctx, m.Parties[m.next.Members[0]], m.resharing(m.next.Members[0]))))
	for i := 1; i <= 3; i++ {
		for range 2 { // again, sealed anew
			require.NoError(t, first(m.contribution(i)))
		}
	}
	got, err := m.G.Succession(ctx, m.key.ID)
	require.NoError(t, err)
	require.Len(t, got.Contributions, 3)
	h := got.Contributions[0].Hash
	var said carnet.Contribution
	require.NoError(t, got.Contributions[0].Envelope.Decode(carnet.TypeContribution, &said))
	for i, member := range m.next.Members {
		b, err := m.G.HandedSeeds(ctx, m.Parties[member], h)
		require.NoError(t, err)
		require.Equal(t, said.Sealed[i], carnet.Hash(sha256.Sum256(b)))
	}
	_, err = m.G.HandedSeeds(ctx, m.Parties["hk"], h)
	requireReason(t, "NOT_FOUND", err)

	requireReason(t, "WRONG_PARTY", second(m.G.SubmitResharing(ctx, m.Parties["hk"], m.resharing("hk"))))
	for i, member := range m.next.Members {
		for range 2 {
			got, err := m.G.SubmitResharing(ctx, m.Parties[member], m.resharing(member))
			require.NoError(t, err)
			require.Equal(t, i+1, got.Signed)
			require.Equal(t, i == 2, got.Ref != nil)
		}
		d, err := m.G.Dealing(ctx, m.Parties["kz"], m.key.ID)
		require.NoError(t, err)
		require.Equal(t, i == 2, len(d.Redealings) == 1)
	}
	p, err := m.G.Product(ctx, "trade")
	require.NoError(t, err)
	require.Len(t, p.Redealt, 2, "the owner's word and the resharing")
	requireReason(t, "RESHARE_OVER", first(m.contribution(1)))

	// Policies judge with the committee that answers now.
	require.NoError(t, m.G.Store.View(ctx, func(tx flow.Tx) error {
		now, err := flow.OpenedWith(tx, m.key.ID)
		require.Equal(t, m.hash, now.Committee)
		return err
	}))

	// Whoever destroyed its seeds is not given them again.
	id := carnet.KeyID(p.Redealt[1].Hash)
	gone := carnet.Destruction{Key: id, By: m.next.Members[0], Number: 1, Created: m.Now()}
	_, err = m.G.SubmitDestruction(ctx, m.Parties[gone.By], m.Seal(carnet.TypeDestruction, gone, gone.By))
	require.NoError(t, err)
	requireReason(t, "NO_OBJECT", second(m.G.HandedSeeds(ctx, m.Parties[gone.By], h)))
	_, err = m.G.HandedSeeds(ctx, m.Parties[m.next.Members[1]], h)
	require.NoError(t, err)
}

func second[T any](_ T, err error) error { return err }

// Rule (resharing): a word that was taken back stops the switch, and retiring the key
// deletes what was handed on.
func TestReshareTakenBack(t *testing.T) {
	m := newMoving(t)
	require.NoError(t, m.succeed("kz", nil))
	for i := 1; i <= 3; i++ {
		c, polys, sealed := m.contribution(i)
		require.NoError(t, m.submit(c, polys, sealed))
	}
	require.NoError(t, m.succeed("kz", func(s *carnet.Succession) { s.Committees = nil }))
	member := m.next.Members[0]
	requireReason(t, "SUCCESSION_MISSING", second(m.G.SubmitResharing(ctx, m.Parties[member], m.resharing(member))))
	got, err := m.G.Succession(ctx, m.key.ID)
	require.NoError(t, err)
	h := got.Contributions[0].Hash
	require.NoError(t, second(m.G.HandedSeeds(ctx, m.Parties[member], h)))
	r := carnet.Retirement{Key: m.key.ID, Owner: "kz", Created: m.Now()}
	_, err = m.G.RetireKey(ctx, m.Parties["kz"], m.Seal(carnet.TypeRetirement, r, "kz"))
	require.NoError(t, err)
	requireReason(t, "NO_OBJECT", second(m.G.HandedSeeds(ctx, m.Parties[member], h)))
	require.NoError(t, m.G.Store.View(ctx, func(tx flow.Tx) error { _, err := tx.GetRetirement(m.key.ID); return err }))
}
