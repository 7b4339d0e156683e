package share

import (
	"crypto/rand"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/he"
)

// pool is what keyholders who put all they have together know: the seeds of every part
// that one of them still holds.
func pool(c Committee, d *Deal, living []int) map[Subset][32]byte {
	out := map[Subset][32]byte{}
	for _, i := range living {
		for a, s := range d.Bundle(c, i, 0).Seeds {
			out[a] = s
		}
	}
	return out
}

// secretFrom is the first power of the secret as far as the pooled seeds give it: the
// public correction and the expansions of the parts.
func secretFrom(r *he.Ring, d *Deal, seeds map[Subset][32]byte) he.Poly {
	sum, part := r.NewPoly(), r.NewPoly()
	r.Add(sum, d.Corrections[0], sum)
	for _, s := range seeds {
		expandPart(r, s, 1, part)
		r.Add(sum, part, sum)
	}
	return sum
}

// Rule (retiring a key): with n-t destructions the others can still find the secret if
// they collude, with one more they can't, whoever they are. Counted is exactly what the
// pooled seeds can do.
func TestDestroyedPartsOpenNothing(t *testing.T) {
	p, err := he.Lookup("cube")
	require.NoError(t, err)
	r := he.NewRing(p)
	secret := r.DeriveSecret(he.Seed{7})
	for _, nt := range [][2]int{{1, 1}, {3, 2}, {4, 2}, {5, 3}} {
		c, err := NewCommittee(nt[0], nt[1])
		require.NoError(t, err)
		d, err := NewDeal(r, secret, c, carnet.Nonce{1}, 1, false, rand.Reader)
		require.NoError(t, err)
		for gone := range 1 << c.N {
			var destroyed, living []int
			for i := 1; i <= c.N; i++ {
				if gone>>(i-1)&1 == 1 {
					destroyed = append(destroyed, i)
				} else {
					living = append(living, i)
				}
			}
			left := c.Remaining(destroyed, 0)
			require.Equal(t, len(living), left.Holders)
			require.Equal(t, c.Parts(), left.Parts)
			require.Equal(t, len(destroyed) < c.N-c.T+1, left.Opens(), "%d/%d without %v", c.N, c.T, destroyed)
			seeds := pool(c, d, living)
			require.Equal(t, c.Parts()-left.Lost, len(seeds))
			require.Equal(t, left.Opens(), equalPolys(secret.Power(1), secretFrom(r, d, seeds)), "%d/%d without %v", c.N, c.T, destroyed)
		}
	}
}

func TestRemainingHomePart(t *testing.T) {
	c, err := NewCommittee(3, 2)
	require.NoError(t, err)
	require.True(t, c.Remaining([]int{2}, 1).Opens())
	require.False(t, c.Remaining([]int{1}, 1).Opens(), "nothing opens without the home keyholder")
	require.True(t, c.Remaining([]int{2, 2, 0, 9}, 1).Opens(), "strangers and repetitions do not count")
}

func equalPolys(a, b he.Poly) bool {
	for l := range a {
		if !slices.Equal(a[l], b[l]) {
			return false
		}
	}
	return len(a) == len(b)
}
