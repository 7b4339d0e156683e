package carnettest

import (
	"crypto/rand"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/client"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/ident"
)

// dealAgain deals a key of the owner to another committee and sends the dealing.
func (n *Network) dealAgain(t *testing.T, k *ident.DatasetKey, c *client.Committee) carnet.KeyID {
	t.Helper()
	same := *k // Deal fills in the new dealing's id
	d, err := n.Client(t, k.Owner).Deal(Context(t), n.Identity(k.Owner), &same, c, "", rand.Reader)
	require.NoError(t, err)
	_, err = n.Client(t, k.Owner).SubmitDealing(Context(t), d)
	require.NoError(t, err)
	Eventually(t, "seeds of the new dealing", time.Minute, func() bool {
		said, err := n.Client(t, k.Owner).DealingStatus(Context(t), d.Key)
		require.NoError(t, err)
		return len(said) == len(c.Members) && !slices.ContainsFunc(said, func(c client.Confirmation) bool { return !c.OK })
	})
	return d.Key
}

// redeal has a key opened by another committee.
func (n *Network) redeal(t *testing.T, k *ident.DatasetKey, c *client.Committee) carnet.KeyID {
	t.Helper()
	dealing := n.dealAgain(t, k, c)
	cl := n.Client(t, k.Owner)
	released, err := cl.Released(Context(t), k.Key)
	require.NoError(t, err)
	_, err = cl.Redeal(Context(t), n.Identity(k.Owner), k.Key, dealing, released)
	require.NoError(t, err)
	return dealing
}

// second makes another committee: the last keyholder of the first and two new ones.
func (n *Network) second(t *testing.T) *client.Committee {
	t.Helper()
	body := carnet.Committee{ID: "second", Threshold: 2, Quorum: 3, Attestations: 1, PrivateChecks: 3}
	for i := range 2 {
		k := newKeyholder(t, n, len(n.Keyholders)+1)
		n.Register(t, carnet.Party{ID: k.Party, Name: string(k.Party), Jurisdiction: "CH", Roles: []carnet.Role{carnet.RoleKeyholder},
			SigningKey: k.Keys.Signer().Public(), SealingKey: k.Keys.SealingKey(), Created: now()}, k.Keys.Signer())
		n.Keyholders = append(n.Keyholders, k)
		body.Members = append(body.Members, k.Party)
		if i == 0 {
			body.Members = append(body.Members, n.Keyholders[2].Party)
		}
		k.Start(t)
	}
	_, err := n.Client(t, Operator).RegisterCommittee(Context(t), n.identities[Registrar], body)
	require.NoError(t, err)
	c, err := n.Client(t, Operator).Committee(Context(t), "second")
	require.NoError(t, err)
	return c
}

// TestRedealt: tables dealt to another committee are opened by that one, without being
// encrypted again, to the same totals; the old committee destroys its seeds, and releases
// count on. One keyholder is in both committees, under another number.
func TestRedealt(t *testing.T) {
	t.Parallel()
	for layout, sql := range layoutQueries {
		t.Run(string(layout), func(t *testing.T) {
			t.Parallel()
			n := Start(t, Options{})
			sets := publishTrade(t, n, layout)
			product := carnet.ProductID(layout)
			open := func() *client.Answer {
				a := n.Submit(t, "buyer", product, sql)
				require.Len(t, a.Product.Committee.Members, 3)
				Eventually(t, "two answers", time.Minute, func() bool {
					s, err := n.Client(t, "buyer").Status(Context(t), a.Hash)
					require.NoError(t, err)
					return s.Answers >= 2
				})
				got, err := n.Client(t, "buyer").Open(Context(t), n.Identity("buyer"), a)
				require.NoError(t, err)
				return got
			}
			before := open()
			key := sets[0].Key.Key
			charged := n.Keyholders[2].Charged(t, key)
			require.Positive(t, charged)

			second := n.second(t)
			var dealings []carnet.KeyID
			for i, s := range sets {
				dealings = append(dealings, n.redeal(t, s.Key, second))
				if i == 0 { // one product, two committees
					_, err := n.Client(t, "buyer").Ask(Context(t), n.Identity("buyer"), product, sql, Purpose, 0)
					require.Error(t, err)
				}
			}
			after := open()
			require.Equal(t, Rows(before.Result), Rows(after.Result))
			require.Equal(t, Rows(before.Result), Rows(open().Result), "also with what was kept from the first")

			// The same numbers have new floods now, so they count anew, on top of what was.
			Eventually(t, "charges", time.Minute, func() bool { return n.Keyholders[2].Charged(t, key) == 2*charged })
			require.Equal(t, charged, n.Keyholders[4].Charged(t, key), "a new member counts from here on; the owner's statement says what was before")
			released, err := n.Client(t, "kz").Released(Context(t), key)
			require.NoError(t, err)
			require.Equal(t, 2*charged, released)

			// The old dealing ends: its seeds go, and what is left of it opens nothing.
			Eventually(t, "destruction of the old seeds", time.Minute, func() bool {
				s, err := n.Client(t, "buyer").KeyState(Context(t), key)
				require.NoError(t, err)
				require.Len(t, s.Redealt, 1)
				require.Equal(t, dealings[0], s.Redealt[0].Key)
				require.True(t, s.Opens, "with the new dealing")
				return !s.Remaining.Opens() && len(s.Destroyed) == 3
			})
			for _, k := range n.Keyholders[:3] {
				_, err := k.Keys.Get(Context(t), key)
				require.Equal(t, "KEY_DESTROYED", carnet.ReasonOf(err))
			}

			// Retiring the key ends both.
			_, err = n.Client(t, "kz").Retire(Context(t), n.Identity("kz"), key, "")
			require.NoError(t, err)
			Eventually(t, "destruction of all seeds", time.Minute, func() bool {
				s, err := n.Client(t, "buyer").KeyState(Context(t), key)
				require.NoError(t, err)
				return !s.Opens
			})
		})
	}
}

// Rule (dealing again): until the old committee destroyed its seeds, both can open. That is
// said, and here shown: what two of each collude to find is the secret.
func TestRedealingDoesNotRevoke(t *testing.T) {
	t.Parallel()
	n := Start(t, Options{})
	sets := publishTrade(t, n, carnet.LayoutCube)
	profile, err := he.Lookup(sets[0].Key.Profile)
	require.NoError(t, err)
	secret := he.NewRing(profile).DeriveSecret(he.Seed(sets[0].Key.Seed)).Power(1)
	for _, k := range n.Keyholders {
		require.NoError(t, k.Stop(t))
	}
	found := n.collude(t, sets[0].Key.Key, profile, 1, 3)
	require.True(t, slices.EqualFunc(found, secret, func(a, b []uint64) bool { return slices.Equal(a, b) }))
	n.Keyholders[2].Start(t)
	dealing := n.redeal(t, sets[0].Key, n.second(t))
	found = n.collude(t, sets[0].Key.Key, profile, 1, 2)
	require.True(t, slices.EqualFunc(found, secret, func(a, b []uint64) bool { return slices.Equal(a, b) }))
	s, err := n.Client(t, "buyer").KeyState(Context(t), sets[0].Key.Key)
	require.NoError(t, err)
	require.True(t, s.Remaining.Opens())
	require.True(t, s.Redealt[0].Remaining.Opens())
	require.NotEqual(t, sets[0].Key.Key, dealing)
}
