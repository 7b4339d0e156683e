package flow_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/flow"
	"github.com/carnet-network/carnet/pkg/flow/flowtest"
	"github.com/carnet-network/carnet/pkg/ident"
	"github.com/carnet-network/carnet/pkg/meter"
)

// drawer is a flow.NextKey in memory.
type drawer struct {
	next    evidence.Signer
	fail    error
	adopted int
}

func (d *drawer) Prepared(context.Context) (evidence.Signer, error) { return d.next, nil }

func (d *drawer) Adopt(_ context.Context, registered *carnet.Party) error {
	if d.next == nil || !d.next.Public().Equal(ed25519.PublicKey(registered.SigningKey)) {
		return nil
	}
	d.adopted++
	return d.fail
}

// Rule (rotation): a gateway takes no statement that gives its operator a key that it does not
// have. What it said after that entry would be refused by everybody, until somebody restarts it.
func TestAttackAnOperatorKeyElsewhere(t *testing.T) {
	n := flowtest.New(t)
	env, next := rotated(n, "gateway", nil)
	_, err := n.G.RegisterParty(ctx, env)
	requireReason(t, "OPERATOR_KEY_MISSING", err)
	other, _ := rotated(n, "gateway", nil)
	n.Config.NextKey = &drawer{next: next}
	n.Restart()
	_, err = n.G.RegisterParty(ctx, other)
	requireReason(t, "OPERATOR_KEY_MISSING", err)
	p, _, err := n.G.Party(ctx, "gateway")
	require.NoError(t, err)
	require.Equal(t, []byte(n.IDs["gateway"].Public()), p.SigningKey)
	_, err = n.G.RegisterParty(ctx, env)
	require.NoError(t, err)
}

// An operator's key is replaced while the gateway runs: all that it journals is signed with the
// key that its place in the journal asks for, also if it stops before the new key is in place.
func TestOperatorKeyIsReplaced(t *testing.T) {
	for name, fail := range map[string]error{"adopted": nil, "stopped before": errors.New("disk full")} {
		t.Run(name, func(t *testing.T) {
			d := &drawer{fail: fail}
			n, tables := twoOwners(t)
			n.Config.NextKey = d
			n.Restart()
			refuse := func(purpose string) {
				t.Helper()
				q := n.Ask(sumSQL, "trade", tables...)
				q.Body.Purpose = purpose
				_, err := n.Submit(q)
				require.Equal(t, carnet.Refused, carnet.KindOf(err), "%v", err)
			}
			refuse("before")
			first, err := n.G.CertifyDataset(ctx, "kz/trade")
			require.NoError(t, err)
			old := n.G.SigningKey()
			env, next := rotated(n, "gateway", nil)
			d.next = next
			require.Equal(t, old, n.G.SigningKey(), "drawing changes nothing")
			ref, err := n.G.RegisterParty(ctx, env)
			require.NoError(t, err)
			require.Equal(t, 1, d.adopted)
			require.Equal(t, next.Public(), n.G.SigningKey())
			refuse("after")
			n.Restart() // with the old key, as if it were not in place
			require.NoError(t, n.G.Recover(ctx))
			require.Equal(t, next.Public(), n.G.SigningKey())
			require.Equal(t, 3, d.adopted)
			refuse("once more")
			again, err := n.G.CertifyDataset(ctx, "kz/trade")
			require.NoError(t, err)
			require.Equal(t, first, again, "what was certified stays as it was signed")
			product, err := n.G.CertifyProduct(ctx, "trade")
			require.NoError(t, err)
			require.True(t, product.Envelope.SignedBy(next.Public()))

			by := map[string]int{}
			require.NoError(t, n.Store.View(ctx, func(tx flow.Tx) error {
				entries, err := tx.Entries(0, 1000)
				require.NoError(t, err)
				for _, e := range entries {
					if e.Envelope.PayloadType != carnet.TypeDecision && e.Envelope.PayloadType != carnet.TypeCertificate {
						continue
					}
					want := old
					if e.Seq > ref.Seq {
						want = next.Public()
					}
					require.True(t, e.Envelope.SignedBy(want), "entry %d", e.Seq)
					require.Len(t, e.Envelope.Signatures, 1)
					by[evidence.KeyHint(want)]++
				}
				return nil
			}))
			require.Equal(t, map[string]int{evidence.KeyHint(old): 2, evidence.KeyHint(next.Public()): 3}, by)
		})
	}
}

// afterwards is a store that does something between a change and its caller's next step.
type afterwards struct {
	flow.Store
	do func()
}

func (s *afterwards) Update(ctx context.Context, change func(flow.Tx) error) error {
	err := s.Store.Update(ctx, change)
	if do := s.do; do != nil {
		s.do = nil
		do()
	}
	return err
}

// Rule (rotation): what the gateway decides or works out between the entry of its new key and the
// moment at which it puts that in place is signed with the new key already.
func TestAttackBetweenTwoOperatorKeys(t *testing.T) {
	n, tables := twoOwners(t)
	env, next := rotated(n, "gateway", nil)
	c := n.Config
	s := &afterwards{Store: n.Store}
	c.Store, c.NextKey = s, &drawer{next: next}
	g, err := flow.New(c)
	require.NoError(t, err)
	old := g.SigningKey()
	s.do = func() {
		require.Equal(t, old, g.SigningKey(), "not in place yet")
		q := n.Ask(sumSQL, "trade", tables...)
		q.Body.Purpose = "between"
		_, err := g.SubmitQuery(ctx, n.Parties["bank"], n.Seal(carnet.TypeQuery, q.Body, "bank"))
		require.Equal(t, carnet.Refused, carnet.KindOf(err), "%v", err)
		_, err = g.Publish(ctx)
		require.NoError(t, err)
		_, figures, err := g.Settlement(ctx, n.Parties["bank"], meter.MonthOf(n.Config.Now()), false)
		require.NoError(t, err)
		require.True(t, figures.SignedBy(next.Public()))
		require.Equal(t, old, g.SigningKey(), "still not")
	}
	ref, err := g.RegisterParty(ctx, env)
	require.NoError(t, err)
	require.NoError(t, n.Store.View(ctx, func(tx flow.Tx) error {
		entries, err := tx.Entries(ref.Seq+1, 1)
		require.NoError(t, err)
		require.Equal(t, carnet.TypeDecision, entries[0].Envelope.PayloadType)
		require.True(t, entries[0].Envelope.SignedBy(next.Public()))
		return nil
	}))
}

// Rule (rotation): a gateway whose operator is registered with a key that it does not have decides
// nothing: what it journals can't be taken back. It takes the statement that replaces the lost key.
func TestAttackOperatorKeyLost(t *testing.T) {
	n, tables := twoOwners(t)
	p, _, err := n.G.Party(ctx, "gateway")
	require.NoError(t, err)
	list, _, err := n.G.PartyHistory(ctx, "gateway")
	require.NoError(t, err)
	next, err := ident.New("gateway", rand.Reader)
	require.NoError(t, err)
	env, err := evidence.LostReplacement(p, list[0].Hash, next, nil, p.Created.Add(time.Minute))
	require.NoError(t, err)
	_, err = n.G.RegisterParty(ctx, env)
	requireReason(t, "NOT_REGISTRAR", err)
	require.NoError(t, env.Countersign(n.Registrar))
	_, err = n.G.RegisterParty(ctx, env)
	requireReason(t, "OPERATOR_KEY_MISSING", err)

	d := &drawer{}
	n.Config.Signer, n.Config.NextKey = next, d
	n.Restart()
	require.NoError(t, n.G.Recover(ctx))
	q := n.Ask(sumSQL, "trade", tables...)
	q.Body.Purpose = "refused"
	_, err = n.Submit(q)
	requireReason(t, "OPERATOR_UNREGISTERED", err)
	_, err = n.Submit(n.Ask(sumSQL, "trade", tables...))
	requireReason(t, "OPERATOR_UNREGISTERED", err) // that it is allowed is a decision, too
	_, err = n.G.CertifyDataset(ctx, "kz/trade")
	requireReason(t, "OPERATOR_UNREGISTERED", err)
	require.Equal(t, 0, d.adopted)
	_, err = n.G.RegisterParty(ctx, env)
	require.NoError(t, err)
	_, err = n.Submit(q)
	require.Equal(t, carnet.Refused, carnet.KindOf(err), "%v", err)
	c, err := n.G.CertifyDataset(ctx, "kz/trade")
	require.NoError(t, err)
	require.True(t, c.Envelope.SignedBy(next.Public()))
}
