package share

import (
	"fmt"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/he"
)

// craft shares any vector that can be written, as a dishonest buyer would. ok is false
// if some entry can't be.
func (s *system) craft(label string, fs []*functional.Functional, weight int, w ...*big.Int) (a *asked, ok bool) {
	sel, seeds, err := NewSelection(s.c, carnet.Digest("test", []byte(label)), len(fs), []int{0}, stream(label))
	require.NoError(s.t, err)
	sel.Weight = weight
	for g, want := range w {
		field := sel.Deltas[g*DeltaBytes : (g+1)*DeltaBytes]
		v := new(big.Int).SetBytes(field) // 1 - Delta, for the entry 1 at 0 and 0 elsewhere
		if g == 0 {
			v.Add(v, big.NewInt(1))
		}
		if v.Sub(v, want); v.Sign() < 0 || v.BitLen() > 8*DeltaBytes {
			return nil, false
		}
		v.FillBytes(field)
	}
	require.NoError(s.t, sel.Validate(s.c))
	return s.asked(sel, seeds, fs), true
}

func ints(vs ...int64) (out []*big.Int) {
	for _, v := range vs {
		out = append(out, big.NewInt(v))
	}
	return out
}

// TestAttackWeights: a vector that is no selection of the declared number of codes is
// found by the check. Without it the buyer would read twice a value, a difference of
// two, several at once, or more codes than the policy was asked about.
func TestAttackWeights(t *testing.T) {
	s := newSystem(t, smallRecords, 5, 2, 0)
	fs := s.choices(1)
	for name, x := range map[string]struct {
		weight int
		w      []*big.Int
	}{
		"two":                     {2, ints(2, 0, 0)},
		"a difference":            {1, ints(2, -1, 0)},
		"minus one":               {1, ints(1, 1, -1)},
		"more than declared":      {1, ints(1, 1, 0)},
		"fewer than declared":     {2, ints(1, 0, 0)},
		"none":                    {1, ints(0, 0, 0)},
		"packed":                  {1<<30 + 1, ints(1, 1<<30, 0)},
		"packed, weight declared": {1, ints(1, 1<<30, -1<<30)},
	} {
		if x.weight > len(fs) {
			x.weight = len(fs)
		}
		a, ok := s.craft(name, fs, x.weight, x.w...)
		require.True(t, ok, name)
		requireReason(t, "PRIVATE_CHECK_FAILED", VerifySelection(s.r, s.c, 4, a.checks()))
	}

	// Spare entries are no way around: they are checked like those of codes.
	for name, w := range map[string][]*big.Int{
		"more codes, less spare":   ints(1, 1, 1, -1, 0),
		"a difference, more spare": ints(1, -1, 0, 1, 1),
		"a spare entry of two":     ints(0, 0, 0, 2, 0),
		"more than declared":       ints(1, 1, 0, 1, 0),
		"fewer than declared":      ints(1, 0, 0, 0, 0),
	} {
		a, ok := s.craft("spare "+name, append(fs[:3:3], fs[:2]...), 2, w...)
		require.True(t, ok, name)
		a.sel.Spare = 2
		a = s.asked(a.sel, a.seeds, fs[:3])
		requireReason(t, "PRIVATE_CHECK_FAILED", VerifySelection(s.r, s.c, 4, a.checks()))
	}

	// What the check prevents: keyholders that answered all the same.
	a, _ := s.craft("difference", fs, 1, ints(2, -1, 0)...)
	sum, _, err := combineSelected(a, a.answers())
	require.NoError(t, err)
	for g, w := range []int64{2, -1, 0} {
		sum = s.r.ScalarAdd(sum, s.r.ScalarMul(small(s.r, int(w)), s.z(fs[g])))
	}
	got, _ := s.r.Decode(sum, 1)
	p := s.p.T()
	require.Equal(t, (2*s.plain(fs[0])+p-s.plain(fs[1]))%p, got, "the buyer would read 2a - b")
}

func combineSelected(a *asked, answers []Answer) (he.Scalar, []int, error) {
	var numbers []int
	var values [][]he.Scalar
	for _, x := range answers {
		numbers, values = append(numbers, x.Number), append(values, []he.Scalar{x.Value})
	}
	sums, liars, _, _, err := CombineSelected(a.s.r, a.s.c, numbers, values)
	if err != nil {
		return he.Scalar{}, nil, err
	}
	return sums[0], liars, nil
}

// TestAttackIdempotents: Z_Q has 2^L solutions of w^2 = w. A vector of idempotents that
// add up to 1 passes every check modulo Q, and mixes the values of several codes in one
// answer. Shared over the integers, none of them but 0 and 1 can be written.
func TestAttackIdempotents(t *testing.T) {
	s := newSystem(t, smallCube, 5, 2, 0)
	fs := s.choices(1)
	q, primes := s.p.Q(), s.p.Primes()
	limit := new(big.Int).Lsh(big.NewInt(1), he.SelectionBits)
	for set := 1; set < 1<<len(primes)-1; set++ {
		e := new(big.Int)
		for l, prime := range primes {
			if set>>l&1 == 1 {
				b := new(big.Int).SetUint64(prime)
				rest := new(big.Int).Quo(q, b)
				e.Add(e, rest.Mul(rest, new(big.Int).ModInverse(rest, b)))
			}
		}
		e.Mod(e, q)
		other := new(big.Int).Sub(big.NewInt(1), e)
		require.Zero(t, new(big.Int).Mod(new(big.Int).Mul(e, other), q).Sign(), "e*e = e")

		// Entries are taken modulo Q here, as if differences could be that long.
		weak := s.ask("idempotent", fs, 0)
		var checks []CheckAnswer
		for i := 1; i <= s.c.N; i++ {
			_, rs := weak.responder(i)
			rs.view.w[0] = s.r.ScalarAdd(rs.view.w[0], s.r.ScalarFromBig(new(big.Int).Sub(e, big.NewInt(1))))
			rs.view.w[1] = s.r.ScalarAdd(rs.view.w[1], s.r.ScalarFromBig(other))
			checks = append(checks, CheckAnswer{i, rs.Check(weak.request)})
		}
		require.NoError(t, VerifySelection(s.r, s.c, 4, checks), "the check is no help")

		for _, x := range []*big.Int{e, new(big.Int).Sub(e, q)} {
			require.GreaterOrEqual(t, x.CmpAbs(limit), 0)
			_, ok := s.craft("idempotent", fs, 1, x, new(big.Int).Sub(big.NewInt(1), x))
			require.False(t, ok, "but the differences can't be written")
		}
	}
}

// TestAttackInconsistentSeeds: a buyer gives two holders of a part different seeds, to
// have one selection checked and another one used. Holders compare with the signed
// commitments; had they not, their scalars would be on no codeword.
func TestAttackInconsistentSeeds(t *testing.T) {
	s := newSystem(t, smallRecords, 5, 2, 0)
	a := s.ask("inconsistent", s.choices(1), 1)
	b := a.seeds.Bundle(s.c, 3)
	for part := range b.Seeds {
		b.Seeds[part] = [32]byte{1, 2, 3}
		break
	}
	_, err := NewSelectionView(s.r, s.c, a.sel, b)
	requireReason(t, "BAD_SELECTION_SEEDS", err)
	missing := a.seeds.Bundle(s.c, 3)
	delete(missing.Seeds, 0b00001)
	_, err = NewSelectionView(s.r, s.c, a.sel, missing)
	requireReason(t, "BAD_SELECTION_SEEDS", err)
	home := a.seeds.Bundle(s.c, 3)
	home.Home = &[32]byte{}
	_, err = NewSelectionView(s.r, s.c, a.sel, home)
	requireReason(t, "BAD_SELECTION_SEEDS", err)
	// The seeds of another request do not open this one.
	other := s.ask("another", s.choices(1), 1)
	_, err = NewSelectionView(s.r, s.c, a.sel, other.seeds.Bundle(s.c, 3))
	requireReason(t, "BAD_SELECTION_SEEDS", err)

	// Two keyholders that did not compare: nobody's scalars agree with theirs.
	checks := a.checks()
	for _, i := range []int{3, 4} {
		_, rs := a.responder(i)
		rs.view.w[0] = s.r.ScalarAdd(rs.view.w[0], small(s.r, 77))
		checks[i-1].Values = rs.Check(a.request)
	}
	requireReason(t, "PRIVATE_CHECK_OPEN", VerifySelection(s.r, s.c, 4, checks))
}

// TestAttackHelpedBuyer: a buyer knows by how much its vector fails the check, and
// keyholders that help it subtract that from their scalars. With 3t-2 that have to agree
// t-1 helpers only make the check stay open; with 2t-1, which a committee has to accept
// openly, one helper is enough.
func TestAttackHelpedBuyer(t *testing.T) {
	for _, x := range []struct{ n, t, least int }{{5, 2, 4}, {8, 3, 7}, {5, 3, 5}, {5, 2, 3}} {
		s := newSystem(t, smallRecords, x.n, x.t, 0)
		a, ok := s.craft("helped", s.choices(1), 1, ints(2, -1, 0)...)
		require.True(t, ok)
		checks := a.checks()[:x.least]
		var numbers []int
		for _, c := range checks {
			numbers = append(numbers, c.Number)
		}
		// What the check opens to, and how the helpers' scalars count for it.
		d := newDecoder(s.r, 2*x.t-1, numbers[:2*x.t-1], 0)
		at := func(i int) he.Scalar { return checks[i].Values[0] }
		off, _ := d.decode(at)
		require.NotEqual(t, he.Scalar{}, off)
		weight := new(big.Int).ModInverse(s.r.ScalarBig(d.zero[0]), s.p.Q())
		checks[0].Values[0] = s.r.ScalarSub(checks[0].Values[0], s.r.ScalarMul(off, s.r.ScalarFromBig(weight)))
		err := VerifySelection(s.r, s.c, x.least, checks)
		if x.least >= 3*x.t-2 {
			requireReason(t, "PRIVATE_CHECK_OPEN", err)
			requireReason(t, "PRIVATE_CHECK_FAILED", VerifySelection(s.r, s.c, x.least, append(a.checks()[1:], checks[0])[:min(x.n, x.least+1)]))
			continue
		}
		require.NoError(t, err, "%d scalars can't tell", x.least)
	}
}

// TestAttackChecksOfOthers: scalars are counted once a keyholder, and those that a
// keyholder made for another request do not agree.
func TestAttackChecksOfOthers(t *testing.T) {
	s := newSystem(t, smallRecords, 5, 2, 0)
	bad, _ := s.craft("replayed", s.choices(1), 1, ints(2, -1, 0)...)
	good := s.ask("good", s.choices(1), 1)
	requireReason(t, "PRIVATE_CHECK_FAILED", VerifySelection(s.r, s.c, 4, bad.checks()))
	mixed := append(good.checks()[:2], bad.checks()[2:]...)
	requireReason(t, "PRIVATE_CHECK_OPEN", VerifySelection(s.r, s.c, 4, mixed))
	twice := append(good.checks()[:3], good.checks()[0])
	requireReason(t, "BAD_ANSWERS", VerifySelection(s.r, s.c, 4, twice))
	// Withheld: the rest waits. In another order: the same verdict.
	requireReason(t, "PRIVATE_CHECK_OPEN", VerifySelection(s.r, s.c, 4, good.checks()[:3]))
	c := good.checks()
	require.NoError(t, VerifySelection(s.r, s.c, 4, []CheckAnswer{c[4], c[2], c[0], c[3]}))
	// One liar among five is left out; so is one in the second scalar only.
	for x := range CheckScalars {
		c = good.checks()
		c[1].Values[x] = s.r.ScalarAdd(c[1].Values[x], small(s.r, 1))
		require.NoError(t, VerifySelection(s.r, s.c, 4, c))
		c[3].Values[1-x] = s.r.ScalarAdd(c[3].Values[1-x], small(s.r, 1))
		requireReason(t, "PRIVATE_CHECK_OPEN", VerifySelection(s.r, s.c, 4, c))
	}
}

// TestAttackTwoRho: rho is fixed by the logged request, and the zero sharing of the
// check by rho. Were the second not so, a request logged twice in two forms would give
// two scalars with one mask, whose difference is unmasked.
func TestAttackTwoRho(t *testing.T) {
	s := newSystem(t, smallRecords, 5, 2, 0)
	a := s.ask("rho", s.choices(1), 1)
	_, rs := a.responder(2)
	unmasked := func(request carnet.Hash) (sum he.Scalar) {
		rho := newRho(s.r, request)
		for g, w := range rs.view.w {
			sum = s.r.ScalarAdd(sum, s.r.ScalarMul(rho.at(g), s.r.ScalarMul(w, s.r.ScalarSub(w, small(s.r, 1)))))
		}
		return sum
	}
	one, two := carnet.Hash{1}, carnet.Hash{2}
	require.NotEqual(t, newRho(s.r, one).at(0), newRho(s.r, two).at(0))
	require.NotEqual(t, s.r.ScalarSub(unmasked(one), unmasked(two)), s.r.ScalarSub(rs.Check(one)[0], rs.Check(two)[0]))
	require.NotEqual(t, unmasked(one), rs.Check(one)[0])
	// rho is uniform modulo every prime by itself, over as many codes as there may be.
	rho, n := newRho(s.r, one), s.p.N()
	seen := map[he.Scalar]bool{}
	for g := range 3 * n {
		v := rho.at(g)
		require.False(t, seen[v])
		seen[v] = true
		require.NotEqual(t, v[0], v[1])
	}
	require.Equal(t, newRho(s.r, one).at(2*n), rho.at(2*n), "in any order")
}

// TestAttackOwnerReadsSelection: an owner and t-1 keyholders know every seed of the
// data, and every seed of the selection but one. If zero sharings were keyed by the
// owners' seeds alone, they could uncover another keyholder's check scalar and try every
// code on it: the one that fits is the buyer's secret.
func TestAttackOwnerReadsSelection(t *testing.T) {
	s := newSystem(t, smallCube, 5, 3, 0)
	a := s.ask("secret", s.choices(1), 6)
	const unknown = Subset(0b00011) // keyholders 1 and 2 collude
	const victim = 4
	_, rs := a.responder(victim)
	f := coefficient(s.r, unknown, victim)
	rho := newRho(s.r, a.request)
	// known is the victim's W without the part that the coalition lacks, base what w_g
	// is without it.
	known, base := make([]he.Scalar, len(a.fs)), make([]*big.Int, len(a.fs))
	for g := range known {
		known[g], base[g] = s.r.ScalarFromBig(a.sel.delta(g)), a.sel.delta(g)
	}
	for _, b := range s.c.Subsets() {
		if b == unknown {
			continue
		}
		fb := coefficient(s.r, b, victim)
		for g, omega := range omegas(a.seeds[b], a.sel.Request, len(a.fs)) {
			known[g] = s.r.ScalarAdd(known[g], s.r.ScalarMul(fb, s.r.ScalarFromBig(omega)))
			base[g].Add(base[g], omega)
		}
	}
	fits := func(scalar he.Scalar) (codes []int) {
		for code := range a.fs {
			var sum he.Scalar
			for g := range a.fs {
				omega := new(big.Int).Neg(base[g]) // what the unknown part must be
				if g == code {
					omega.Add(omega, big.NewInt(1))
				}
				w := s.r.ScalarAdd(known[g], s.r.ScalarMul(f, s.r.ScalarFromBig(omega)))
				sum = s.r.ScalarAdd(sum, s.r.ScalarMul(rho.at(g), s.r.ScalarMul(w, s.r.ScalarSub(w, small(s.r, 1)))))
			}
			if sum == scalar {
				codes = append(codes, code)
			}
		}
		return codes
	}
	// strip subtracts the zero sharing, given the mask keys of all parts the victim holds.
	strip := func(scalar he.Scalar, mask func(b Subset) [32]byte) he.Scalar {
		for _, b := range s.c.held(victim) {
			key := mask(b)
			z := rs.zero(carnet.Keyed(key[:], tagSelectCheck, a.request[:]), CheckScalars)
			scalar = s.r.ScalarSub(scalar, s.r.ScalarMul(coefficient(s.r, b, victim), z[0]))
		}
		return scalar
	}
	o := s.owners[0]
	ids := []carnet.KeyID{o.key}
	ownerOnly := func(b Subset) [32]byte { return maskKey(ids, b, [][32]byte{o.deal.Seeds[b]}) }
	real := func(b Subset) [32]byte {
		return maskKeyTagged(tagSelectMask, ids, b, [][32]byte{o.deal.Seeds[b], a.seeds[b]})
	}
	scalar := rs.Check(a.request)[0]
	require.Equal(t, []int{6}, fits(strip(scalar, real)), "whoever knows the mask keys finds the code")
	guess := func(b Subset) [32]byte {
		if b == unknown {
			return maskKeyTagged(tagSelectMask, ids, b, [][32]byte{o.deal.Seeds[b], {}})
		}
		return real(b)
	}
	require.Empty(t, fits(strip(scalar, guess)), "one unknown seed of the buyer hides it")
	require.Empty(t, fits(strip(scalar, ownerOnly)))
}

// TestAttackPerCode: a buyer knows all W. If the keyholders' scalars lay on a polynomial
// without zero sharing, its highest coefficient would be a sum of W's highest times the
// highest coefficients of the unflooded values: one exact equation a request, and as many
// requests as codes give every one of them.
func TestAttackPerCode(t *testing.T) {
	s := newSystem(t, smallRecords, 5, 2, 0)
	fs := s.choices(1)
	q := s.p.Q()
	highest := func(ys []he.Scalar, points int) *big.Int { // of the polynomial through them at 1, 2, ...
		sum := new(big.Int)
		for a := range points {
			den := big.NewInt(1)
			for b := range points {
				if a != b {
					den.Mul(den, big.NewInt(int64(a-b)))
				}
			}
			den.Mod(den, q)
			sum.Add(sum, den.Mul(den.ModInverse(den, q), s.r.ScalarBig(ys[a])))
		}
		return sum.Mod(sum, q)
	}
	// The truth: the highest coefficients of the shares of each code's value.
	truth := make([]*big.Int, len(fs))
	for g, f := range fs {
		var ys []he.Scalar
		for i := 1; i <= s.c.N; i++ {
			ks, _ := s.keyholder(i)
			ys = append(ys, s.value(ks, f))
		}
		truth[g] = highest(ys, s.c.T)
	}
	solve := func(answer func(a *asked, ks []*KeyShare, rs *SelectedResponder) he.Scalar) []*big.Int {
		var rows [][]*big.Int
		for request := range fs {
			a := s.ask(fmt.Sprint("request ", request), fs, 1)
			var ys []he.Scalar
			ws := make([][]he.Scalar, len(fs))
			for i := 1; i <= s.c.N; i++ {
				ks, rs := a.responder(i)
				ys = append(ys, answer(a, ks, rs))
				for g, w := range rs.view.w {
					ws[g] = append(ws[g], w)
				}
			}
			var row []*big.Int
			for g := range fs {
				row = append(row, highest(ws[g], s.c.T))
			}
			rows = append(rows, append(row, highest(ys, 2*s.c.T-1)))
		}
		return gauss(rows, q)
	}
	weak := func(a *asked, ks []*KeyShare, rs *SelectedResponder) he.Scalar {
		v := rs.Respond(a.id, 1, a.k, nil, a.values(ks))
		for _, m := range rs.masks {
			z := rs.zero(carnet.Keyed(m.key[:], tagZero, a.id[:]), 1)[0]
			v = s.r.ScalarSub(v, s.r.ScalarMul(m.factor, z))
		}
		return v
	}
	require.Equal(t, truth, solve(weak), "without zero sharing floods hide nothing here")
	require.NotEqual(t, truth, solve(func(a *asked, ks []*KeyShare, rs *SelectedResponder) he.Scalar {
		return rs.Respond(a.id, 1, a.k, nil, a.values(ks))
	}))
}

// gauss solves a square system with the right side as the last column, modulo q.
func gauss(rows [][]*big.Int, q *big.Int) []*big.Int {
	n := len(rows)
	for c := range n {
		inv := new(big.Int).ModInverse(rows[c][c], q) // invertible but for 2^-50
		for j := range rows[c] {
			rows[c][j] = new(big.Int).Mod(new(big.Int).Mul(rows[c][j], inv), q)
		}
		for r := range n {
			if r == c {
				continue
			}
			f := rows[r][c]
			for j := range rows[r] {
				rows[r][j] = new(big.Int).Mod(new(big.Int).Sub(rows[r][j], new(big.Int).Mul(f, rows[c][j])), q)
			}
		}
	}
	out := make([]*big.Int, n)
	for r := range out {
		out[r] = rows[r][n]
	}
	return out
}

// TestAttackTwoSharings: one functional under two sharings of one selection. If both
// used the same masks, the difference of a keyholder's two answers would be the sum of
// (W - W') times its unflooded values: exact equations for a buyer who knows W and W'.
// The sharing is in F, and the buyer's seeds are in the mask keys.
func TestAttackTwoSharings(t *testing.T) {
	s := newSystem(t, smallRecords, 5, 2, 0)
	fs := s.choices(1)
	one, two := s.ask("one", fs, 1), s.ask("two", fs, 1)
	require.NotEqual(t, one.id, two.id)
	ks, r1 := one.responder(3)
	_, r2 := two.responder(3)
	values := one.values(ks)
	var exact he.Scalar
	for g := range fs {
		exact = s.r.ScalarAdd(exact, s.r.ScalarMul(s.r.ScalarSub(r1.view.w[g], r2.view.w[g]), values[g]))
	}
	difference := func(id1, id2 carnet.Hash, r1, r2 *SelectedResponder) he.Scalar {
		return s.r.ScalarSub(r1.Respond(id1, 1, one.k, nil, values), r2.Respond(id2, 1, one.k, nil, values))
	}
	require.NotEqual(t, exact, difference(one.id, two.id, r1, r2))
	require.NotEqual(t, exact, difference(one.id, one.id, r1, r2), "the seeds alone keep the masks apart")
	same := &SelectedResponder{r: r2.r, c: r2.c, view: r2.view, masks: r1.masks}
	require.NotEqual(t, exact, difference(one.id, two.id, r1, same), "and so does F alone")
	require.Equal(t, exact, difference(one.id, one.id, r1, same), "with neither, nothing is hidden")
	// Seeds of zeros, which a buyer may choose, do not lead to the masks of openings
	// without a selection.
	id := []carnet.KeyID{{1}}
	require.NotEqual(t, maskKey(id, 1, [][32]byte{{2}}), maskKeyTagged(tagSelectMask, id, 1, [][32]byte{{2}, {}}))
}
