package share

import (
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/he"
)

// window is how many coefficients of the key the attack below reads.
const window = 8

// idempotent is the gateway's change to D_1: one aligned run of residues in one limb
// set to 1. As a polynomial modulo that prime it has only a few coefficients, evenly
// spaced, so that its product with the key shows that many key coefficients.
func idempotent(r *he.Ring) he.Poly {
	d := r.NewPoly()
	run := r.Profile().N() / window
	for i := 5 * run; i < 6*run; i++ {
		d[0][i] = 1
	}
	return d
}

// readKey tries all ternary values of the key coefficients that the changed D_1
// touches, and returns those with which the opened total makes sense: the known
// value, and a noise that fits the certificate.
func readKey(s *system, o *opening, total he.Scalar, value uint64) (found [][window]int8) {
	n, q := s.p.N(), s.p.Primes()[0]
	d := idempotent(s.r)
	s.r.INTT(d)
	var weight [window]uint64 // of s at index (n - m*n/window) mod n
	for m := range weight {
		weight[m] = d[0][m*n/window]
		if m > 0 && weight[m] != 0 {
			weight[m] = q - weight[m] // X^n = -1
		}
	}
	worst := worstQuotient(s, o)
	var guess [window]int8
	var try func(m int, sum uint64)
	try = func(m int, sum uint64) {
		if m == window {
			got, quotient := s.r.Decode(s.r.ScalarSub(total, he.Scalar{sum}), 1)
			if got == value && quotient.Cmp(worst) <= 0 {
				found = append(found, guess)
			}
			return
		}
		for _, c := range []struct {
			v   int8
			add uint64
		}{{-1, q - weight[m]}, {0, 0}, {1, weight[m]}} {
			guess[m] = c.v
			try(m+1, (sum+c.add)%q)
		}
	}
	try(0, 0)
	return found
}

// TestAttackChangedD: a keyholder derives every D_j itself (hard rule 4). One that
// took D_1 from the gateway and merely checked samples of it would, with the flooding
// at its largest, give away several coefficients of the key in a single answer.
func TestAttackChangedD(t *testing.T) {
	s := newSystem(t, smallRecords, 3, 2, 0)
	f := s.linear(0)
	o := s.open(f)
	value := s.plain(f)

	// The coefficients of the key that are at stake.
	key := s.r.NewPoly()
	s.r.Add(key, s.owners[0].secret.Power(1), key)
	s.r.INTT(key)
	var at [window]int8
	for m := range at {
		switch v := key[0][(s.p.N()-m*s.p.N()/window)%s.p.N()]; v {
		case 0, 1:
			at[m] = int8(v)
		default:
			at[m] = -1
		}
	}
	require.NotZero(t, at)

	// Keyholders and buyer use D_1 + idempotent, z included.
	extra := func(w he.Poly) he.Scalar { return s.r.InnerConst([]he.Poly{idempotent(s.r)}, []he.Poly{w}) }
	weak := *o
	weak.answers = nil
	for i := 1; i <= s.c.N; i++ {
		ks, rs := s.keyholder(i)
		v := s.r.ScalarAdd(s.value(ks, f), extra(ks[0].Power(1)))
		weak.answers = append(weak.answers, Answer{i, rs.Respond(o.id, 1, o.k, nil, v)})
	}
	weak.z = s.r.ScalarAdd(o.z, extra(s.owners[0].deal.Corrections[0]))
	require.Equal(t, [][window]int8{at}, readKey(s, o, s.total(&weak, weak.answers), value),
		"exactly the key's coefficients fit")

	// Keyholders that derive D_1 from the public XOF have no use for the gateway's;
	// the total makes sense as it is, and no equation on the key is left.
	require.Equal(t, [][window]int8{{}}, readKey(s, o, s.total(o, o.answers), value))
	mixed := *o
	mixed.z = weak.z // all that the gateway can still change is public
	require.Empty(t, readKey(s, o, s.total(&mixed, o.answers), value))
	shift := s.r.ScalarSub(s.total(&mixed, o.answers), s.total(o, o.answers))
	require.Equal(t, extra(s.owners[0].deal.Corrections[0]), shift)
	require.Positive(t, s.r.ScalarBig(shift).Cmp(big.NewInt(0)))
}
