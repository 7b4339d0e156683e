package carnettest

import (
	"bytes"
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/client"
	"github.com/carnet-network/carnet/pkg/keyholder"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/keys/local"
	"github.com/carnet-network/carnet/pkg/scan"
	"github.com/carnet-network/carnet/pkg/share"
)

const totalQuery = "SELECT COUNT(*), SUM(value) FROM cube"

// moved waits until a key is opened with another dealing than before.
func (n *Network) moved(t *testing.T, key carnet.KeyID, dealings int) carnet.KeyID {
	t.Helper()
	var got *client.KeyState
	Eventually(t, "the key moved", time.Minute, func() bool {
		s, err := n.Client(t, "buyer").KeyState(Context(t), key)
		require.NoError(t, err)
		got = s
		return len(s.Redealt) == dealings
	})
	return got.Redealt[dealings-1].Key
}

func (n *Network) succeed(t *testing.T, owner carnet.PartyID, key carnet.KeyID, committees ...carnet.Hash) {
	t.Helper()
	_, err := n.Client(t, owner).Succeed(Context(t), n.Identity(owner), key, committees, nil)
	require.NoError(t, err)
}

// TestReshared: two of three keyholders leave, two join. The owners said beforehand that the
// committee may have their keys, and do nothing else; the tables are opened to the same
// totals, the old seeds go, and releases count on, also at who has just joined.
func TestReshared(t *testing.T) {
	t.Parallel()
	for layout, sql := range layoutQueries {
		t.Run(string(layout), func(t *testing.T) {
			t.Parallel()
			n := Start(t, Options{})
			sets := publishTrade(t, n, layout)
			product := carnet.ProductID(layout)
			open := func() *client.Answer {
				a := n.Submit(t, "buyer", product, sql)
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
			charged := n.Keyholders[0].Charged(t, key)
			second := n.second(t)

			// The operators consent, the owners have not said anything: nothing moves.
			for _, k := range n.Keyholders[:3] {
				k.ReshareTo = []string{"second"}
				k.Restart(t)
			}
			require.Equal(t, Rows(before.Result), Rows(open().Result))
			for _, s := range sets {
				n.succeed(t, s.Key.Owner, s.Key.Key, second.Hash)
			}
			var dealings []carnet.KeyID
			for _, s := range sets {
				dealings = append(dealings, n.moved(t, s.Key.Key, 1))
			}
			p, err := n.Client(t, "buyer").LoadProduct(Context(t), product)
			require.NoError(t, err)
			require.Equal(t, second.Hash, p.Committee.Hash)
			after := open()
			require.Equal(t, Rows(before.Result), Rows(after.Result))
			require.Equal(t, Rows(before.Result), Rows(open().Result), "also with what was kept from the first")

			// Floods are others now: the same numbers count anew, on top of what was.
			released, err := n.Client(t, "kz").Released(Context(t), key)
			require.NoError(t, err)
			require.Equal(t, 2*charged, released)

			// What is left of the old dealing opens nothing.
			Eventually(t, "destruction of the old seeds", time.Minute, func() bool {
				s, err := n.Client(t, "buyer").KeyState(Context(t), key)
				require.NoError(t, err)
				require.Equal(t, dealings[0], s.Redealt[0].Key)
				require.True(t, s.Opens, "with the new dealing")
				return !s.Remaining.Opens() && len(s.Destroyed) == 3
			})
			for _, k := range n.Keyholders[:3] {
				_, err := k.Keys.Get(Context(t), key)
				require.Equal(t, "KEY_DESTROYED", carnet.ReasonOf(err))
			}
			// Two of the old ones leave for good.
			require.NoError(t, n.Keyholders[0].Stop(t))
			require.NoError(t, n.Keyholders[1].Stop(t))
			require.Equal(t, Rows(before.Result), Rows(open().Result))
			n.Keyholders[3].Restart(t)
			require.Equal(t, Rows(before.Result), Rows(open().Result))

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

// Rule (resharing): the owner's word is needed, and so are enough holders whose operators
// consent. One of them less, and the key stays where it is; what was handed on so far
// opens nothing for the members of the new committee.
func TestReshareNeedsEnough(t *testing.T) {
	t.Parallel()
	n := Start(t, Options{})
	sets := publishTrade(t, n, carnet.LayoutCube)
	second := n.second(t)
	key := sets[0].Key.Key
	n.succeed(t, sets[0].Key.Owner, key, second.Hash)
	for _, k := range n.Keyholders[:2] { // 3 are needed: of every part two holders that say the same
		k.ReshareTo = []string{second.Hash.String()}
		k.Restart(t)
	}
	status := func(k *Keyholder) (out []keyholder.ReshareStatus) {
		k.Read(t, func(l *keyholder.Ledger) {
			var err error
			out, err = l.Resharings(Context(t))
			require.NoError(t, err)
		})
		return slices.DeleteFunc(out, func(r keyholder.ReshareStatus) bool { return r.Key != key })
	}
	Eventually(t, "two contributions", time.Minute, func() bool {
		s := status(n.Keyholders[4])
		return len(s) == 1 && len(s[0].Handed) == 2
	})
	s := status(n.Keyholders[4])[0]
	require.Equal(t, []carnet.PartyID{"kh1", "kh2"}, s.Handed)
	require.Equal(t, 3, s.Needed)
	require.False(t, s.Agreed)
	require.Positive(t, s.NewNumber)
	require.Zero(t, s.Number)
	state, err := n.Client(t, "buyer").KeyState(Context(t), key)
	require.NoError(t, err)
	require.Empty(t, state.Redealt)
	held, err := n.Keyholders[4].Keys.List(Context(t))
	require.NoError(t, err)
	require.Empty(t, held)
	m, err := n.Client(t, "kz").Succession(Context(t), key)
	require.NoError(t, err)
	require.Len(t, m.Handed[second.Hash], 2)

	// Restarted in between, all of them, and the last one consents: it goes on.
	n.Keyholders[2].ReshareTo = []string{"second"}
	for _, k := range n.Keyholders {
		k.Restart(t)
	}
	dealing := n.moved(t, key, 1)
	for _, k := range []*Keyholder{n.Keyholders[2], n.Keyholders[3], n.Keyholders[4]} {
		_, err := k.Keys.Get(Context(t), dealing)
		require.NoError(t, err)
	}
	Eventually(t, "that nothing is left to do: it does not go back, nor twice", time.Minute, func() bool { return len(status(n.Keyholders[4])) == 0 })
}

// liar hands on something else than its parts.
type liar struct {
	keys.Sharer
	honest keys.Resharer
	lie    func(*keys.HandedOver)
}

func (l *liar) HandOver(ctx context.Context, d *keys.Dealing, h *keys.Handing) (*keys.HandedOver, error) {
	got, err := l.honest.HandOver(ctx, d, h)
	if err == nil {
		l.lie(got)
	}
	return got, err
}

func (l *liar) TakeOver(ctx context.Context, d *keys.Dealing, h *keys.Handing, agreed map[share.Subset]*carnet.HandedPart, sealed map[int][]byte) ([]int, error) {
	return l.honest.TakeOver(ctx, d, h, agreed, sealed)
}

// Rule (resharing): a keyholder that lies is named, and with n >= 3t-2 stops nothing: not by
// what it says of its parts, not by what it seals. With fewer, both sides are named and
// nothing moves.
func TestReshareLiar(t *testing.T) {
	t.Parallel()
	otherParts := func(h *keys.HandedOver) { // another correction than its seeds give, well formed
		a, b := h.Parts[0].Corrections, h.Parts[1].Corrections
		a[0], b[0] = b[0], a[0]
	}
	otherSeeds := func(h *keys.HandedOver) {
		for i := range h.Sealed {
			h.Sealed[i] = bytes.Repeat([]byte{7}, len(h.Sealed[i]))
		}
	}
	for name, c := range map[string]struct {
		keyholders int
		lie        func(*keys.HandedOver)
		moves      bool
		named      bool
	}{
		"parts, four of them": {4, otherParts, true, true},
		"seeds, three":        {3, otherSeeds, true, false},
		"parts, three":        {3, otherParts, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := Start(t, Options{Keyholders: c.keyholders, Threshold: 2})
			sets := publishTrade(t, n, carnet.LayoutCube)
			a := n.Submit(t, "buyer", "cube", linearQuery)
			before, err := n.Open(t, a)
			require.NoError(t, err)
			second := n.second(t)
			n.Sharer = func(p carnet.PartyID) keys.Sharer {
				for _, k := range n.Keyholders {
					if k.Party == p {
						s := local.New(k.Keys, local.Options{Scan: scan.Options{Workers: 1}})
						if p == "kh1" {
							return &liar{s, s, c.lie}
						}
						return s
					}
				}
				return nil
			}
			for _, k := range n.Keyholders[:c.keyholders] {
				k.ReshareTo = []string{"second"}
				k.Restart(t)
			}
			for _, s := range sets {
				n.succeed(t, s.Key.Owner, s.Key.Key, second.Hash)
			}
			if c.moves {
				for _, s := range sets {
					n.moved(t, s.Key.Key, 1)
				}
				after, err := n.Open(t, n.Submit(t, "buyer", "cube", linearQuery))
				require.NoError(t, err)
				require.Equal(t, Rows(before.Result), Rows(after.Result))
				return
			}
			status := func() (out []keyholder.ReshareStatus) {
				n.Keyholders[1].Read(t, func(l *keyholder.Ledger) {
					out, err = l.Resharings(Context(t))
					require.NoError(t, err)
				})
				return out
			}
			Eventually(t, "all contributions", time.Minute, func() bool {
				s := status()
				return len(s) == len(sets) && !slices.ContainsFunc(s, func(r keyholder.ReshareStatus) bool { return len(r.Handed) < 3 })
			})
			for _, r := range status() {
				require.False(t, r.Agreed)
				require.NotEmpty(t, r.Split)
				for _, x := range r.Split {
					require.Contains(t, slices.Concat(x.Sides...), carnet.PartyID("kh1"))
				}
			}
			s, err := n.Client(t, "buyer").KeyState(Context(t), sets[0].Key.Key)
			require.NoError(t, err)
			require.Empty(t, s.Redealt)
			again, err := n.Open(t, n.Submit(t, "buyer", "cube", totalQuery))
			require.NoError(t, err, "the old committee answers on")
			require.NotEmpty(t, Rows(again.Result))
		})
	}
}

// Rule (releases): the limit is the key's, whoever guards it. Who has joined counts what was
// released before from the journal; no owner says it.
func TestReshareCarriesReleases(t *testing.T) {
	t.Parallel()
	n := Start(t, Options{})
	sets := publishTrade(t, n, carnet.LayoutCube)
	_, err := n.Open(t, n.Submit(t, "buyer", "cube", linearQuery))
	require.NoError(t, err)
	charged := n.Keyholders[0].Charged(t, sets[0].Key.Key)
	n.MaxReleases = 2*charged - 1
	second := n.second(t) // its new members, kh4 and kh5, have the limit
	n.MaxReleases = 0
	for _, k := range n.Keyholders[:3] {
		k.ReshareTo = []string{"second"}
		k.Restart(t)
	}
	for _, s := range sets {
		n.succeed(t, s.Key.Owner, s.Key.Key, second.Hash)
	}
	for _, s := range sets {
		n.moved(t, s.Key.Key, 1)
	}
	a := n.Submit(t, "buyer", "cube", linearQuery)
	outcome := func(k *Keyholder) *keyholder.Outcome {
		var o *keyholder.Outcome
		Eventually(t, "an outcome", time.Minute, func() bool { o = k.Outcome(t, a.Hash); return o != nil })
		return o
	}
	require.Equal(t, "RELEASES_EXHAUSTED", outcome(n.Keyholders[3]).Reason)
	require.Equal(t, "RELEASES_EXHAUSTED", outcome(n.Keyholders[4]).Reason)

	n.MaxReleases = 3 * charged
	n.Keyholders[3].Restart(t)
	n.Keyholders[4].Restart(t)
	_, err = n.Open(t, n.Submit(t, "buyer", "cube", totalQuery))
	require.NoError(t, err)
}

// TestReshareRestarts: keyholders that stop at any time and start again bring it to the same
// end, once.
func TestReshareRestarts(t *testing.T) {
	t.Parallel()
	n := Start(t, Options{})
	sets := publishTrade(t, n, carnet.LayoutCube)
	before, err := n.Open(t, n.Submit(t, "buyer", "cube", linearQuery))
	require.NoError(t, err)
	second := n.second(t)
	for _, k := range n.Keyholders {
		k.ReshareTo = []string{"second"}
	}
	for _, s := range sets {
		n.succeed(t, s.Key.Owner, s.Key.Key, second.Hash)
	}
	for i := range 12 {
		n.Keyholders[i%len(n.Keyholders)].Restart(t)
	}
	for _, s := range sets {
		n.moved(t, s.Key.Key, 1)
	}
	after, err := n.Open(t, n.Submit(t, "buyer", "cube", linearQuery))
	require.NoError(t, err)
	require.Equal(t, Rows(before.Result), Rows(after.Result))
}
