package keyholder

import (
	"context"
	"crypto/rand"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/he/wire"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/seal"
	"github.com/carnet-network/carnet/pkg/share"
)

const secretMonth = "SELECT COUNT(*), SUM(value) FROM trade WHERE month = PRIVATE($1)"

// private is a query with a private parameter as an honest buyer makes it, but for the
// changes.
func (w *world) private(t *testing.T, sql string, codes []int, change ...func(q *carnet.Query)) *evidence.Envelope {
	t.Helper()
	q := w.query(t, sql)
	s, seeds, err := share.NewSelection(w.scheme, q.ID, 3, codes, rand.Reader)
	require.NoError(t, err)
	q.Private = &carnet.PrivateParameter{Weight: s.Weight, Deltas: s.Deltas, Commitments: s.Commitments}
	for i, m := range w.stores() {
		q.Private.Seeds = append(q.Private.Seeds, w.sealSelection(t, &q, m.SealingKey(), i+1, seeds.Bundle(w.scheme, i+1)))
	}
	for _, c := range change {
		c(&q)
	}
	return sign(t, carnet.TypeQuery, q, w.buyer)
}

func (w *world) sealSelection(t *testing.T, q *carnet.Query, key []byte, number int, b share.Bundle) []byte {
	sealed, err := seal.Seal(key, share.SelectionInfo(q, number), b.Append(nil))
	require.NoError(t, err)
	return sealed
}

// add changes what a selection is for one code: w_g becomes w_g + v.
func add(g int, v int64) func(q *carnet.Query) {
	return func(q *carnet.Query) {
		q.Private.Deltas = slices.Clone(q.Private.Deltas)
		field := q.Private.Deltas[g*share.DeltaBytes : (g+1)*share.DeltaBytes]
		x := new(big.Int).SetBytes(field)
		x.Sub(x, big.NewInt(v)).FillBytes(field)
	}
}

// everyone runs all keyholders.
func (g *gateway) everyone(t *testing.T) (hs []*holder) {
	for i := 1; i <= holders; i++ {
		hs = append(hs, g.run(t, i))
	}
	return hs
}

// privateTotals opens an answer to a query with a private parameter.
func (w *world) privateTotals(t *testing.T, query *evidence.Envelope, codes []int, answers []*received) []int64 {
	t.Helper()
	var q carnet.Query
	require.NoError(t, query.Decode(carnet.TypeQuery, &q))
	p, err := plan.Compile(q.SQL, &w.product)
	require.NoError(t, err)
	ring := he.NewRing(w.profile)
	var numbers []int
	var values [][]he.Scalar
	var public []he.Scalar
	for _, a := range answers {
		plain, err := w.recipient.Open(share.AnswerInfo(query.Hash(), a.number), a.sealed)
		require.NoError(t, err)
		scalars, err := wire.ReadScalars(w.profile, plain, len(p.Openings))
		require.NoError(t, err)
		numbers, values = append(numbers, a.number), append(values, scalars)
		public, err = wire.ReadScalars(w.profile, a.public, p.Cost.Functionals)
		require.NoError(t, err)
	}
	sums, liars, _, _, err := share.CombineSelected(ring, w.scheme, numbers, values)
	require.NoError(t, err)
	require.Empty(t, liars)
	var out []int64
	for i, s := range sums {
		n := len(p.Private.Codes)
		v, _ := ring.Decode(ring.ScalarAdd(s, share.SelectedPublic(ring, codes, public[i*n:(i+1)*n])), p.Openings[i].Degree)
		out = append(out, he.Centre(v, w.profile.T()))
	}
	return out
}

// TestPrivateParameter: honest keyholders publish one check each, answer, and the buyer
// opens the total of the selected codes; the same bytes whenever it is repeated.
func TestPrivateParameter(t *testing.T) {
	for _, layout := range []carnet.Layout{carnet.LayoutCube, carnet.LayoutRecords} {
		w := theWorld(t, options{layout: layout, owners: 2})
		g := newGateway(t, w)
		g.everyone(t)
		query := w.private(t, secretMonth, []int{1})
		g.journal(t, query)
		var value, count int64
		for i := range w.owners {
			for r := range w.rows {
				if x := row(i, r); x.Dims[0] == 1 {
					value, count = value+x.Measures[0], count+1
				}
			}
		}
		require.Equal(t, []int64{count, value}, w.privateTotals(t, query, []int{1}, g.answered(t, query, holders)))
		g.mu.Lock()
		require.Len(t, g.checks[query.Hash()], holders)
		g.mu.Unlock()
	}
}

// TestAttackSelections: what is no selection of the declared number of codes is refused by
// every keyholder, and what is publicly wrong with a query by each alone.
func TestAttackSelections(t *testing.T) {
	w := cubeWorld(t)
	g := newGateway(t, w)
	g.everyone(t)
	refused := func(query *evidence.Envelope) string {
		t.Helper()
		g.journal(t, query)
		return g.refused(t, query).Reason
	}
	for name, changes := range map[string][]func(*carnet.Query){
		"a difference":       {add(1, 1), add(2, -1)},
		"two codes":          {add(2, 1)},
		"none":               {add(1, -1)},
		"packed":             {add(2, 1<<40), add(1, -1<<40)},
		"twice, as declared": {add(1, 1), func(q *carnet.Query) { q.Private.Weight = 1 }},
	} {
		require.Equal(t, "PRIVATE_CHECK_FAILED", refused(w.private(t, secretMonth, []int{1}, changes...)), name)
	}
	for name, change := range map[string]func(*carnet.Query){
		"another weight":       func(q *carnet.Query) { q.Private.Weight = 2 },
		"fewer codes":          func(q *carnet.Query) { q.Private.Deltas = q.Private.Deltas[share.DeltaBytes:] },
		"fewer commitments":    func(q *carnet.Query) { q.Private.Commitments = q.Private.Commitments[1:] },
		"nobody's seeds":       func(q *carnet.Query) { q.Private.Seeds = nil },
		"no private parameter": func(q *carnet.Query) { q.Private = nil },
	} {
		require.Equal(t, "BAD_SELECTION", refused(w.private(t, secretMonth, []int{1}, change)), name)
	}
	require.Equal(t, "BAD_SELECTION", refused(w.private(t, monthly, []int{1})), "the text has none")

	// Other seeds than committed to, to one keyholder; seeds for another request.
	for name, change := range map[string]func(*carnet.Query){
		"inconsistent seeds": func(q *carnet.Query) {
			b := share.Bundle{Number: 2, Seeds: map[share.Subset][32]byte{0b001: {1}, 0b100: {2}}}
			q.Private.Seeds[1] = w.sealSelection(t, q, w.stores()[1].SealingKey(), 2, b)
		},
		"another's seeds": func(q *carnet.Query) { q.Private.Seeds[1] = q.Private.Seeds[0] },
	} {
		query := w.private(t, secretMonth, []int{1}, change)
		require.Equal(t, "BAD_SELECTION_SEEDS", refused(query), name)
		require.Equal(t, carnet.PartyID("kh2"), g.said(query.Hash())[0].By)
		require.Empty(t, g.got(query.Hash()), "the others do not answer without its check")
	}
}

// TestAttackCopiedSelection: a private parameter that somebody else copies from the journal
// into a query of its own is refused. The total of what is selected, opened to another
// buyer, tells what it is: of the public values of all codes, only those of the selected
// ones fit it.
func TestAttackCopiedSelection(t *testing.T) {
	w := cubeWorld(t)
	g := newGateway(t, w)
	g.everyone(t)
	mallory := newIdentity("mallory")
	g.journal(t, sign(t, carnet.TypeParty, carnet.Party{ID: "mallory", Name: "mallory", Jurisdiction: "CH", Roles: []carnet.Role{carnet.RoleBuyer},
		SigningKey: mallory.Public(), Created: testTime}, w.registrar, mallory))
	query := w.private(t, secretMonth, []int{1})
	g.journal(t, query)
	g.answered(t, query, holders)

	key, err := seal.GenerateKey()
	require.NoError(t, err)
	copied := func(by *identity, change func(q *carnet.Query)) *evidence.Envelope {
		var q carnet.Query
		require.NoError(t, query.Decode(carnet.TypeQuery, &q))
		change(&q)
		return sign(t, carnet.TypeQuery, q, by)
	}
	for name, env := range map[string]*evidence.Envelope{
		"by another buyer": copied(mallory, func(q *carnet.Query) { q.Buyer, q.Recipient = "mallory", key.Public() }),
		// The registrar gave the buyer's name a new key, or the signing key alone was stolen.
		"for another key": copied(w.buyer, func(q *carnet.Query) { q.Recipient = key.Public() }),
		"with another id": copied(w.buyer, func(q *carnet.Query) { q.ID[0] ^= 1 }),
	} {
		g.journal(t, env)
		require.Equal(t, "BAD_SELECTION_SEEDS", g.refused(t, env).Reason, name)
		require.Empty(t, g.got(env.Hash()), name)
	}
}

// TestAttackChecksOfNobodysQuery: no checks are kept of queries that nobody here will decide,
// however many a gateway journals.
func TestAttackChecksOfNobodysQuery(t *testing.T) {
	w := cubeWorld(t)
	g := newGateway(t, w)
	hs := g.everyone(t)
	g.journal(t, w.private(t, secretMonth, []int{1}, func(q *carnet.Query) { q.Product = "nothing" }),
		sign(t, carnet.TypeQuery, w.query(t, secretMonth), newIdentity("mallory")))
	last := w.private(t, secretMonth, []int{1})
	g.journal(t, last)
	g.answered(t, last, holders)
	for _, h := range hs {
		require.Eventually(t, func() bool {
			h.state.mu.RLock()
			defer h.state.mu.RUnlock()
			return len(h.state.checks) == 0
		}, waitLimit, waitStep)
	}
}

// unsealing counts what is opened.
type unsealing struct {
	keys.Store
	times atomic.Int64
}

func (u *unsealing) Unseal(ctx context.Context, info, sealed []byte) ([]byte, error) {
	u.times.Add(1)
	return u.Store.Unseal(ctx, info, sealed)
}

// TestAttackUnfinishedChecks: queries whose check never comes to an end, because seeds are
// wrong or a keyholder is away, cost nothing while they wait, whatever else is journaled.
func TestAttackUnfinishedChecks(t *testing.T) {
	w := cubeWorld(t)
	g := newGateway(t, w)
	u := &unsealing{}
	g.run(t, 1, func(c *Config) { u.Store, c.Keys = c.Keys, u })
	g.run(t, 2)
	query := w.private(t, secretMonth, []int{1})
	g.journal(t, query)
	g.wait(t, "checks", func() bool { return len(g.checks[query.Hash()]) == 2 })
	for range 20 {
		other := w.ask(t, "SELECT COUNT(*) FROM trade")
		g.journal(t, other)
		g.answered(t, other, 2)
	}
	require.LessOrEqual(t, u.times.Load(), int64(5), "the seeds of two keys, and those of the query at first and after each check")
	g.run(t, 3)
	g.answered(t, query, holders)
}

// TestAttackChecksWithheldAndForged: a gateway that keeps checks back stops the answer and
// nothing else; their order does not matter; a check in another's name, of another query or
// after a keyholder's first does not count.
func TestAttackChecksWithheldAndForged(t *testing.T) {
	w := cubeWorld(t)
	g := newGateway(t, w)
	g.withheld = true
	g.everyone(t)
	good, bad := w.private(t, secretMonth, []int{1}), w.private(t, secretMonth, []int{1}, add(1, 1), add(2, -1))
	g.journal(t, good, bad)
	g.wait(t, "checks", func() bool { return len(g.checks[good.Hash()]) == holders && len(g.checks[bad.Hash()]) == holders })
	byHolder := func(query *evidence.Envelope, number int) *evidence.Envelope {
		g.mu.Lock()
		defer g.mu.Unlock()
		for _, env := range g.checks[query.Hash()] {
			if env.SignedBy(w.stores()[number-1].Signer().Public()) {
				return env
			}
		}
		return nil
	}
	// The good checks as if they were about the bad query, which their makers did not sign.
	var forged []*evidence.Envelope
	for i := 1; i <= holders; i++ {
		var c carnet.Check
		require.NoError(t, byHolder(good, i).Decode(carnet.TypeCheck, &c))
		c.Query = bad.Hash()
		forged = append(forged, sign(t, carnet.TypeCheck, c, w.stores()[i%holders].Signer()))
		c.By, c.Number = "kh1", 1
		forged = append(forged, sign(t, carnet.TypeCheck, c, w.stores()[1].Signer()))
	}
	g.journal(t, forged...)
	g.journal(t, byHolder(good, 3), byHolder(good, 1))
	time.Sleep(200 * time.Millisecond)
	require.Empty(t, g.got(good.Hash(), bad.Hash()), "two of three checks are not enough")
	require.Empty(t, g.said(good.Hash(), bad.Hash()))
	// A second check of keyholder 1, with the scalars of another, changes nothing any more.
	var c carnet.Check
	require.NoError(t, byHolder(bad, 1).Decode(carnet.TypeCheck, &c))
	c.Query = good.Hash()
	g.journal(t, sign(t, carnet.TypeCheck, c, w.stores()[0].Signer()), byHolder(good, 2))
	g.answered(t, good, holders)
	g.journal(t, byHolder(bad, 2), byHolder(bad, 3), byHolder(bad, 1))
	require.Equal(t, "PRIVATE_CHECK_FAILED", g.refused(t, bad).Reason)
}

// TestCheckAcrossCrashes: whatever was made durable is sent as it was, and never made anew:
// not after a crash between any two steps, and not after the ledger was lost.
func TestCheckAcrossCrashes(t *testing.T) {
	w := cubeWorld(t)
	for _, at := range []string{"checked", "check sent"} {
		t.Run(at, func(t *testing.T) {
			g := newGateway(t, w)
			query := w.private(t, secretMonth, []int{1})
			g.journal(t, query)
			g.run(t, 2)
			h := g.prepare(t, 1, t.TempDir())
			died := errors.New("power cut")
			h.crash = func(now string) error {
				if now == at {
					return died
				}
				return nil
			}
			h.start(t)
			if at == "checked" {
				require.Eventually(t, func() bool { return errors.Is(h.stopIfDead(), died) }, waitLimit, waitStep)
			} else {
				g.wait(t, "checks", func() bool { return len(g.checks[query.Hash()]) >= 3 }) // it keeps sending
			}
			h.stop()
			h.again(t).start(t)
			g.run(t, 3)
			g.answered(t, query, holders)
			mine := map[carnet.Hash]bool{}
			g.mu.Lock()
			for _, env := range g.checks[query.Hash()] {
				if env.SignedBy(h.signer().Public()) {
					mine[env.Hash()] = true
				}
			}
			g.mu.Unlock()
			require.Len(t, mine, 1)
		})
	}
	t.Run("lost ledger", func(t *testing.T) {
		g := newGateway(t, w)
		query := w.private(t, secretMonth, []int{1})
		g.journal(t, query)
		h := g.run(t, 1)
		sent := func() (n int) {
			g.mu.Lock()
			defer g.mu.Unlock()
			return len(g.checks[query.Hash()])
		}
		g.wait(t, "check", func() bool { return len(g.checks[query.Hash()]) == 1 })
		h.stop()
		require.NoError(t, h.ledger.Close())
		for _, f := range []string{"ledger.db", "ledger.db-wal", "ledger.db-shm"} {
			os.Remove(filepath.Join(h.dir, f))
		}
		h.again(t).start(t)
		g.run(t, 2)
		g.run(t, 3)
		g.answered(t, query, holders)
		require.Equal(t, holders, sent(), "the journal has its check already")
	})
}
