package carnettest

import (
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	pb "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/client"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/he/wire"
	"github.com/carnet-network/carnet/pkg/share"
)

// collude is what keyholders find who put their keystores together: the value at 0 of
// their shares of the first power of the secret, plus the public correction. It is the
// secret if there are enough of them.
func (n *Network) collude(t *testing.T, key carnet.KeyID, profile *he.Profile, numbers ...int) he.Poly {
	t.Helper()
	ring := he.NewRing(profile)
	c, err := share.NewCommittee(n.Options.Keyholders, n.Threshold)
	require.NoError(t, err)
	delta, err := os.ReadFile(filepath.Join(n.Gateway.BlobDir(), "dealings", key.String(), "1"))
	require.NoError(t, err)
	sum := ring.NewPoly()
	require.NoError(t, wire.ReadPoly(profile, delta, sum))
	for _, i := range numbers {
		b, err := n.Keyholders[i-1].Keys.Get(Context(t), key)
		require.NoError(t, err)
		bundle, err := share.ParseBundle(b)
		require.NoError(t, err)
		s, err := share.NewKeyShare(ring, c, key, bundle, 1)
		require.NoError(t, err)
		num, den := big.NewInt(1), big.NewInt(1)
		for _, j := range numbers {
			if j != i {
				num.Mul(num, big.NewInt(int64(-j)))
				den.Mul(den, big.NewInt(int64(i-j)))
			}
		}
		den.Mod(den, profile.Q())
		ring.MulScalarAdd(s.Power(1), ring.ScalarFromBig(num.Mul(num, den.ModInverse(den, profile.Q()))), sum)
	}
	return sum
}

// Rule (retiring a key): after n-t+1 keyholders destroyed their seeds nothing opens, even
// if all the others collude with the gateway; before, it does. The statements that say so
// are in the journal, and the buyer's tools check them.
func TestRetiredKeyOpensNothing(t *testing.T) {
	t.Parallel()
	n := Start(t, Options{})
	sets := publishTrade(t, n, carnet.LayoutCube)
	a := n.Submit(t, "buyer", "cube", linearQuery)
	_, err := n.Open(t, a)
	require.NoError(t, err)
	key, profile := sets[0].Key.Key, a.Product.Profile
	secret := he.NewRing(profile).DeriveSecret(he.Seed(sets[0].Key.Seed)).Power(1)
	found := func(numbers ...int) bool {
		p := n.collude(t, key, profile, numbers...)
		return slices.EqualFunc(p, secret, func(a, b []uint64) bool { return slices.Equal(a, b) })
	}
	require.True(t, found(1, 2))
	require.False(t, found(3), "t-1 never find it")
	state := func() *client.KeyState {
		s, err := n.Client(t, "buyer").KeyState(Context(t), key)
		require.NoError(t, err)
		return s
	}
	require.Nil(t, state().Retired)
	require.True(t, state().Opens)

	for _, k := range n.Keyholders[1:] {
		require.NoError(t, k.Stop(t))
	}
	_, err = n.Client(t, "uz").Retire(Context(t), n.Identity("uz"), key, "not mine")
	require.Equal(t, carnet.NotFound, carnet.KindOf(err))
	_, err = n.Client(t, "kz").Retire(Context(t), n.Identity("kz"), key, "retention ended")
	require.NoError(t, err)
	Eventually(t, "the first destruction", time.Minute, func() bool { return len(state().Destroyed) == 1 })
	require.Equal(t, "retention ended", state().Reason)
	require.True(t, state().Opens)
	require.True(t, found(2, 3), "two that have not destroyed their seeds still open")

	n.Keyholders[1].Start(t)
	Eventually(t, "the second destruction", time.Minute, func() bool { return len(state().Destroyed) == 2 })
	require.False(t, state().Opens)
	require.Equal(t, []carnet.PartyID{"kh1", "kh2"}, state().Destroyed)
	for i, k := range n.Keyholders[:2] {
		_, err := k.Keys.Get(Context(t), key)
		require.Equal(t, "KEY_DESTROYED", carnet.ReasonOf(err))
		_, err = pb.NewDealingServiceClient(n.Conn(t, k.Party)).GetSealedSeeds(Context(t), &pb.GetSealedSeedsRequest{KeyId: key.String()})
		require.Error(t, err, "the gateway has the sealed seeds of keyholder %d no more", i+1)
	}
	require.False(t, found(3), "the last one has one part too few")

	// Queries: the rest of the product goes on; a gateway that asks for the retired
	// dataset all the same is refused by everybody.
	n.Keyholders[2].Start(t)
	Eventually(t, "the third destruction", time.Minute, func() bool { return len(state().Destroyed) == 3 })
	query := n.dishonestQuery(t, a, func(*carnet.Query) {})
	n.Gateway.Inject(t, nil, query)
	n.refusedBy(t, query.Hash(), "INPUTS_DIFFER")
	p, err := n.Client(t, "buyer").LoadProduct(Context(t), "cube")
	require.NoError(t, err)
	require.Equal(t, []carnet.DatasetID{sets[0].ID}, p.Retired)
	_, err = n.Open(t, n.Submit(t, "buyer", "cube", linearQuery))
	require.NoError(t, err)
}
