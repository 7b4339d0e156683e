package carnettest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// A query over a key with a veto is refused once the keyholder that has the veto is revoked: it
// would be charged for good and wait for an answer that nobody takes.
func TestQueriesNeedTheVetosKeyholder(t *testing.T) {
	t.Parallel()
	n := Start(t, Options{})
	home := n.Keyholders[0].Party
	publishTrade(t, n, carnet.LayoutCube, func(i int, p *Publication) {
		if i == 0 {
			p.Home = home
		}
	})
	_, err := n.Client(t, Operator).RevokeParty(Context(t), n.Identity(Registrar), home, "left the network")
	require.NoError(t, err)
	_, err = n.Client(t, "buyer").Ask(Context(t), n.Identity("buyer"), "cube", linearQuery, Purpose, 0)
	require.Equal(t, "KEYHOLDERS_REVOKED", carnet.ReasonOf(err), "%v", err)
	require.ErrorContains(t, err, string(home))
}
