package keystest

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	mrand "math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/he/wire"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/schema"
	"github.com/carnet-network/carnet/pkg/seal"
	"github.com/carnet-network/carnet/pkg/share"
)

// Member is the number of the keyholder under test in the committees of a Network, which
// have three members and threshold two.
const Member = 1

var networkTime = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// Person signs statements in tests.
type Person struct{ key ed25519.PrivateKey }

// NewPerson derives a key from a name.
func NewPerson(name string) *Person {
	seed := sha256.Sum256([]byte("keystest " + name))
	return &Person{ed25519.NewKeyFromSeed(seed[:])}
}

// Public implements evidence.Signer.
func (p *Person) Public() ed25519.PublicKey { return p.key.Public().(ed25519.PublicKey) }

// Sign implements evidence.Signer.
func (p *Person) Sign(message []byte) ([]byte, error) { return ed25519.Sign(p.key, message), nil }

// Network is what a Sharer is asked about: owners who dealt a key each, and a buyer.
// Tables are described but not encrypted: a share depends on no data, or on D_1.. that
// tests make up.
type Network struct {
	t         testing.TB
	Buyer     *Person
	Recipient *seal.PrivateKey
	Profile   *he.Profile
	Scheme    share.Committee
	Committee *evidence.Envelope
	Product   plan.Product
	Dealings  []*keys.Dealing
	bundles   map[carnet.KeyID]share.Bundle
	all       map[carnet.KeyID][]share.Bundle // of all members
	sealed    map[carnet.KeyID][]byte
	first     map[carnet.KeyID]he.Poly // corrections of the first power

	statements map[carnet.KeyID]*evidence.Envelope // what owners dealt
}

// NewNetwork deals to the given sealing key. With home the keyholder under test also has
// the home part of the first owner's key.
func NewNetwork(t testing.TB, sealing []byte, layout carnet.Layout, owners int, home bool) *Network {
	n := &Network{t: t, Buyer: NewPerson("buyer"), bundles: map[carnet.KeyID]share.Bundle{}, sealed: map[carnet.KeyID][]byte{},
		first: map[carnet.KeyID]he.Poly{}, all: map[carnet.KeyID][]share.Bundle{}, statements: map[carnet.KeyID]*evidence.Envelope{}}
	var err error
	n.Recipient, err = seal.DeriveKey(bytes.Repeat([]byte{7}, 32))
	require.NoError(t, err)
	n.Scheme, err = share.NewCommittee(3, 2)
	require.NoError(t, err)
	n.Committee = n.sign(carnet.TypeCommittee, carnet.Committee{ID: "com", Members: []carnet.PartyID{"a", "b", "c"}, Threshold: 2,
		Quorum: 3, Attestations: 1, PrivateChecks: 3, Created: networkTime})
	s, err := schema.Parse("trade.yaml", []byte(`
name: trade
version: 1
title: Trade
dimensions:
  - name: month
    ordered: true
    codes: [{value: "01"}, {value: "02"}, {value: "03"}]
  - name: partner
    codes: [{value: XA}, {value: XB}]
measures:
  - {name: value, min: "0", max: "1000000"}
limits: {rows: 100000, datasets: 4}
layouts: [cube, records]
`))
	require.NoError(t, err)
	e, err := s.Encode(layout)
	require.NoError(t, err)
	n.Profile, err = he.Lookup(e.Profile)
	require.NoError(t, err)
	n.Product = plan.Product{ID: "trade", Schema: s, Encoding: e, Profile: n.Profile, Committee: n.Scheme, Homes: map[carnet.KeyID]int{}, PrivateChecks: 3}
	for i := range owners {
		n.deal(i, sealing, home && i == 0, layout)
	}
	slices.SortFunc(n.Dealings, func(a, b *keys.Dealing) int { return bytes.Compare(a.Key[:], b.Key[:]) })
	return n
}

func (n *Network) sign(typ carnet.StatementType, body any) *evidence.Envelope {
	env, err := evidence.Seal(typ, body, n.Buyer)
	require.NoError(n.t, err)
	return env
}

func (n *Network) deal(i int, sealing []byte, home bool, layout carnet.Layout) {
	d := n.dealing(i, sealing, home, "")
	owner, key := d.Body.Owner, d.Key
	n.Dealings = append(n.Dealings, d)
	if home {
		n.Product.Homes[key] = Member
	}
	file := carnet.File{Nonce: sha256.Sum256(fmt.Append(nil, "file", i, layout)), Rows: 40, Columns: len(n.Product.Encoding.Columns), Blocks: 1}
	m := carnet.Dataset{ID: carnet.DatasetID(owner + "/trade"), Owner: owner, Jurisdiction: "CH", Layout: layout, Profile: n.Profile.Name(), Key: key,
		Files: []carnet.File{file}, Terms: carnet.Terms{Buyers: []carnet.PartyID{"*"}, Purposes: []string{"statistics"}}, Created: networkTime}
	n.Product.Datasets = append(n.Product.Datasets, plan.Dataset{Hash: n.sign(carnet.TypeDataset, m).Hash(), Manifest: m})
}

// dealing deals the key of owner i to the keyholder under test. Another salt is another
// dealing of the same key.
func (n *Network) dealing(i int, sealing []byte, home bool, salt string) *keys.Dealing {
	ring := he.NewRing(n.Profile)
	body := &carnet.Dealing{Owner: carnet.PartyID(fmt.Sprint("owner", i)), Committee: n.Committee.Hash(), Profile: n.Profile.Name(), Params: n.Profile.ID(),
		Nonce: sha256.Sum256(fmt.Append(nil, "dealing", i, salt)), Created: networkTime}
	seed := he.Seed(sha256.Sum256(fmt.Append(nil, "key", i)))
	d, err := share.NewDeal(ring, ring.DeriveSecret(seed), n.Scheme, body.Nonce, n.Profile.MaxDegree(), home,
		mrand.NewChaCha8(sha256.Sum256(fmt.Append(nil, "seeds", i, salt))))
	require.NoError(n.t, err)
	body.Commitments = d.Commitments
	for j, c := range d.Corrections {
		body.Corrections = append(body.Corrections, wire.CorrectionHash(j+1, wire.AppendPoly(nil, n.Profile, c)))
	}
	member := 0
	if home {
		member = Member
		body.Home = &carnet.HomePart{Member: member, Commitment: d.HomeCommitment}
	}
	env := n.sign(carnet.TypeDealing, body)
	key := carnet.KeyID(env.Hash())
	n.bundles[key], n.all[key] = d.Bundle(n.Scheme, Member, member), nil
	for number := 1; number <= n.Scheme.N; number++ {
		n.all[key] = append(n.all[key], d.Bundle(n.Scheme, number, member))
	}
	n.statements[key] = env
	n.sealed[key] = n.Seal(sealing, key, n.bundles[key])
	n.first[key] = d.Corrections[0]
	return &keys.Dealing{Key: key, Statement: env, Body: body, Committee: n.Committee, Scheme: n.Scheme, Number: Member, Profile: n.Profile}
}

// Redeal deals the key of the i-th dealing again, and returns the new dealing and the
// network in which the key is opened with it. The change is made to the statement before
// its owner signs it.
func (n *Network) Redeal(i int, sealing []byte, salt string, change ...func(r *carnet.Redealing)) (*keys.Dealing, *Network) {
	old := n.Dealings[i]
	var owner int
	_, err := fmt.Sscanf(string(old.Body.Owner), "owner%d", &owner)
	require.NoError(n.t, err)
	again := n.dealing(owner, sealing, old.Body.Home != nil, salt)
	r := &carnet.Redealing{Key: old.Key, Dealing: again.Key, Owner: old.Body.Owner, Created: networkTime}
	for _, c := range change {
		c(r)
	}
	again.As, again.Again = old.Key, &keys.Again{First: old.Statement, Redealing: n.sign(carnet.TypeRedealing, r)}
	after := *n
	after.Dealings = slices.Clone(n.Dealings)
	after.Dealings[i] = again
	return again, &after
}

// Secrets are the seeds of the keyholder under test, the same in every network with as
// many owners: they must be in no log.
func (n *Network) Secrets() (out [][32]byte) {
	for _, b := range n.bundles {
		for _, seed := range b.Seeds {
			out = append(out, seed)
		}
	}
	return out
}

// Seal seals a bundle as the owner of the key does.
func (n *Network) Seal(sealing []byte, key carnet.KeyID, b share.Bundle) []byte {
	sealed, err := seal.Seal(sealing, share.SeedsInfo(key, Member), b.Append(nil))
	require.NoError(n.t, err)
	return sealed
}

// Sealed is what the owner of the key sends to the keyholder under test.
func (n *Network) Sealed(key carnet.KeyID) []byte { return n.sealed[key] }

// Ask is a query by the network's buyer, changed before it is signed.
func (n *Network) Ask(sql string, change ...func(q *carnet.Query)) *keys.Release {
	p, err := plan.Compile(sql, &n.Product)
	require.NoError(n.t, err)
	q := &carnet.Query{Buyer: "buyer", Product: "trade", SQL: sql, Purpose: "statistics", Plan: p.Hash(), Recipient: n.Recipient.Public(),
		Inputs: p.Inputs(), Created: networkTime, Expires: time.Now().Add(time.Hour).UTC().Truncate(time.Second)}
	rand.Read(q.ID[:])
	for _, c := range change {
		c(q)
	}
	env := n.sign(carnet.TypeQuery, q)
	return &keys.Release{Hash: env.Hash(), Statement: env, Query: q, Plan: p, Dealings: n.Dealings}
}

// Select adds a private parameter: seeds for the keyholder under test are real, those of
// the others have the right length.
func (n *Network) Select(sealing []byte, codes ...int) (change func(q *carnet.Query), bundle *share.Bundle) {
	bundle = new(share.Bundle)
	return func(q *carnet.Query) {
		s, seeds, err := share.NewSelection(n.Scheme, q.ID, 3, codes, rand.Reader)
		require.NoError(n.t, err)
		*bundle = seeds.Bundle(n.Scheme, Member)
		q.Private = &carnet.PrivateParameter{Weight: s.Weight, Deltas: s.Deltas, Commitments: s.Commitments}
		sealed, err := seal.Seal(sealing, share.SelectionInfo(q, Member), bundle.Append(nil))
		require.NoError(n.t, err)
		q.Private.Seeds = [][]byte{sealed, make([]byte, len(sealed)), make([]byte, len(sealed))}
	}, bundle
}
