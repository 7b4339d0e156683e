package policy_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/policy"
)

// Terms and instruments that end after the nanoseconds of Rego do, or that do not say
// when, are judged like any others: one owner's "never" does not stop a product.
func TestTimesThatRulesCanNotCount(t *testing.T) {
	e := engine(t)
	for year, valid := range map[int]bool{1: false, 1600: false, 2030: true, 2262: true, 2263: true, 9999: true} {
		end := time.Date(year, 12, 31, 0, 0, 0, 0, time.FixedZone("", 3600))
		d := &carnet.Declaration{Classes: []carnet.DataClass{carnet.ClassImportant}, Instruments: []carnet.Instrument{
			{Kind: "security_assessment", Number: "1", Jurisdiction: "CN", Destinations: []carnet.Jurisdiction{"*"}, Flows: []string{"*"}, Expires: end}}}
		in := storage("CN", "KZ", d)
		got, err := e.Decide(ctx, in)
		require.NoError(t, err, "%d", year)
		require.Equal(t, valid, got.Allow, "%d", year)

		in.Flow, in.Buyer, in.Purpose = policy.FlowRelease, policy.Party{ID: "bank", Jurisdiction: "KZ"}, "statistics"
		in.Datasets[0].Terms = policy.Terms{Buyers: []carnet.PartyID{"*"}, Purposes: []string{"*"}, Expires: end}
		in.Datasets[0].FewestOwners = 1
		got, err = e.Decide(ctx, in)
		require.NoError(t, err, "%d", year)
		require.Equal(t, valid, got.Allow, "%d", year)
		judged, err := e.Judged(in, got)
		require.NoError(t, err)
		require.NoError(t, e.Replay(ctx, &judged))
	}
}
