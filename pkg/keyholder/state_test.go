package keyholder

import (
	"crypto/ed25519"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// change decodes a statement of the world, changes it and signs it anew.
func change[T any](t *testing.T, env *evidence.Envelope, edit func(*T), signers ...evidence.Signer) *evidence.Envelope {
	t.Helper()
	var body T
	require.NoError(t, env.Decode(env.PayloadType, &body))
	edit(&body)
	return sign(t, env.PayloadType, body, signers...)
}

func (w *world) first(typ carnet.StatementType) *evidence.Envelope {
	for _, env := range w.base {
		if env.PayloadType == typ {
			return env
		}
	}
	return nil
}

// TestStatementsWithoutEffect: what the registrar, an owner or a committee did not
// sign in the form the scheme demands changes nothing.
func TestStatementsWithoutEffect(t *testing.T) {
	w := cubeWorld(t)
	party, com, sc := w.first(carnet.TypeParty), w.first(carnet.TypeCommittee), w.first(carnet.TypeSchema)
	deal, data, product := w.first(carnet.TypeDealing), w.first(carnet.TypeDataset), w.first(carnet.TypeProduct)
	owner, owner2, registrar := w.owners[0], w.owners[1], w.registrar
	fresh := func(d *carnet.Dataset) { d.ID, d.Files[0].Nonce[0] = "owner1/new", d.Files[0].Nonce[0]^1 }
	dataset := func(edit func(*carnet.Dataset)) *evidence.Envelope {
		return change(t, data, func(d *carnet.Dataset) { fresh(d); edit(d) }, owner)
	}
	dealing := func(edit func(*carnet.Dealing)) *evidence.Envelope { return change(t, deal, edit, owner) }
	committee := func(edit func(*carnet.Committee)) *evidence.Envelope { return change(t, com, edit, registrar) }

	for _, c := range []struct {
		name string
		env  *evidence.Envelope
	}{
		{"party without the registrar", change(t, party, func(p *carnet.Party) { p.Roles = append(p.Roles, carnet.RoleOwner) }, w.buyer)},
		{"party without its own signature", change(t, party, func(p *carnet.Party) { p.Name = "x" }, registrar)},
		{"party with a bad name", change(t, party, func(p *carnet.Party) { p.ID = "No Name" }, registrar, w.buyer)},
		{"party with a bad key", change(t, party, func(p *carnet.Party) { p.SigningKey = p.SigningKey[:5] }, registrar, w.buyer)},
		{"committee without the registrar", change(t, com, func(*carnet.Committee) {}, owner)},
		{"committee with a low quorum", committee(func(c *carnet.Committee) { c.Quorum = 2 })},
		{"committee with a stranger", committee(func(c *carnet.Committee) { c.Members[0] = "nobody" })},
		{"committee with an owner", committee(func(c *carnet.Committee) { c.Members[0] = "owner1" })},
		{"committee with a member twice", committee(func(c *carnet.Committee) { c.Members[0] = c.Members[1] })},
		{"committee with an impossible threshold", committee(func(c *carnet.Committee) { c.Threshold = 4 })},
		{"schema signed by a buyer", func() *evidence.Envelope {
			e := *sc
			e.Signatures = nil
			require.NoError(t, e.Countersign(w.buyer))
			return &e
		}()},
		{"dealing signed by another owner", change(t, deal, func(d *carnet.Dealing) { d.Nonce[0] ^= 1 }, owner2)},
		{"dealing for an unknown committee", dealing(func(d *carnet.Dealing) { d.Committee[0] ^= 1 })},
		{"dealing with other parameters", dealing(func(d *carnet.Dealing) { d.Params[0] ^= 1 })},
		{"dealing for an unknown profile", dealing(func(d *carnet.Dealing) { d.Profile = "tiny" })},
		{"dealing with a commitment missing", dealing(func(d *carnet.Dealing) { d.Commitments = d.Commitments[1:] })},
		{"dealing with a correction too many", dealing(func(d *carnet.Dealing) { d.Corrections = append(d.Corrections, carnet.Hash{1}) })},
		{"dealing with a home outside", dealing(func(d *carnet.Dealing) { d.Home = &carnet.HomePart{Member: 4} })},
		{"dealing without a nonce", dealing(func(d *carnet.Dealing) { d.Nonce = carnet.Nonce{} })},
		{"dataset of a foreign name", dataset(func(d *carnet.Dataset) { d.ID = "owner2/new" })},
		{"dataset under a foreign key", dataset(func(d *carnet.Dataset) { d.Key = w.product.Datasets[1].Manifest.Key })},
		{"dataset under an unknown key", dataset(func(d *carnet.Dataset) { d.Key[0] ^= 1 })},
		{"dataset signed by another owner", change(t, data, fresh, owner2)},
		{"dataset of an unknown schema", dataset(func(d *carnet.Dataset) { d.Schema[0] ^= 1 })},
		{"dataset of another layout", dataset(func(d *carnet.Dataset) { d.Layout = carnet.LayoutRecords })},
		{"dataset with a block too many", dataset(func(d *carnet.Dataset) { d.Files[0].Blocks++ })},
		{"dataset with a column too few", dataset(func(d *carnet.Dataset) { d.Files[0].Columns-- })},
		{"dataset with negative rows", dataset(func(d *carnet.Dataset) { d.Files[0].Rows = -1 })},
		{"dataset with too many rows", dataset(func(d *carnet.Dataset) { d.Files[0].Rows = 1 << 40 })},
		{"dataset with a file twice", dataset(func(d *carnet.Dataset) { d.Files = append(d.Files, d.Files[0]) })},
		{"dataset without files", dataset(func(d *carnet.Dataset) { d.Files = nil })},
		{"dataset without a root", dataset(func(d *carnet.Dataset) { d.Files[0].Root = carnet.Hash{} })},
		{"product of a buyer", change(t, product, func(p *carnet.Product) { p.Publisher = "buyer" }, w.buyer)},
		{"product signed by another", change(t, product, func(p *carnet.Product) { p.Title = "x" }, owner2)},
		{"product of another publisher", change(t, product, func(p *carnet.Product) { p.Publisher, p.Created = "owner2", testTime.Add(time.Hour) }, owner2)},
		{"unknown type", sign(t, "application/vnd.carnet.wish.v1+json", struct{}{}, registrar)},
		{"unknown field", sign(t, carnet.TypeProduct, map[string]any{"id": "trade", "publisher": "owner1", "wish": 1}, owner)},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newState(registrar.Public(), "kh1")
			for _, env := range w.base {
				require.NoError(t, s.apply(env))
			}
			before := counts(s)
			err := s.apply(c.env)
			require.Error(t, err)
			require.NotEmpty(t, carnet.ReasonOf(err))
			require.Equal(t, before, counts(s))
		})
	}
}

func counts(s *state) [7]int {
	return [7]int{len(s.parties), len(s.committees), len(s.schemas), len(s.dealings), len(s.manifests), len(s.products), len(s.nonces)}
}

// TestReplayedStatementsChangeNothing: the same statement twice is the same state.
func TestReplayedStatementsChangeNothing(t *testing.T) {
	w := cubeWorld(t)
	s := newState(w.registrar.Public(), "kh1")
	for range 2 {
		for _, env := range w.base {
			require.NoError(t, s.apply(env))
		}
	}
	require.Len(t, s.manifests, 2)
	require.Empty(t, s.reused)
	require.Equal(t, 1, s.mine()[0].number)
}

// TestAttackOlderStatementsDoNotComeBack: a gateway that kept an owner's first, wider
// terms out of the journal, or a party's statement with a key that was lost since,
// can't put them in force later. Signatures never expire, so the time in them counts.
func TestAttackOlderStatementsDoNotComeBack(t *testing.T) {
	w := cubeWorld(t)
	s := newState(w.registrar.Public(), "kh1")
	for _, env := range w.base {
		require.NoError(t, s.apply(env))
	}
	before := testTime.Add(-time.Hour)
	manifest := change(t, w.first(carnet.TypeDataset), func(d *carnet.Dataset) {
		d.Files[0].Nonce[0] ^= 1
		d.Terms.Purposes, d.Created = []string{"*"}, before
	}, w.owners[0])
	product := change(t, w.first(carnet.TypeProduct), func(p *carnet.Product) { p.Title, p.Created = "old", before }, w.owners[0])
	lost := newIdentity("a lost key")
	first := w.first(carnet.TypeParty).Hash()
	party := change(t, w.first(carnet.TypeParty), func(p *carnet.Party) {
		p.SigningKey, p.Created, p.Replaces, p.ReplacesLost = lost.Public(), before, &first, true
	}, w.registrar, lost)
	for _, env := range []*evidence.Envelope{manifest, product, party} {
		require.Equal(t, "OLDER_STATEMENT", carnet.ReasonOf(s.apply(env)), env.PayloadType)
	}
	require.Equal(t, []string{"statistics"}, s.datasets["owner1/trade"].body.Terms.Purposes)
	require.Equal(t, "Trade", s.products["trade"].Title)
	require.True(t, w.buyer.Public().Equal(ed25519.PublicKey(s.party("buyer").SigningKey)))

	later := change(t, manifest, func(d *carnet.Dataset) { d.Created = testTime.Add(time.Hour) }, w.owners[0])
	require.NoError(t, s.apply(later))
	require.Equal(t, later.Hash(), s.datasets["owner1/trade"].hash)
}
