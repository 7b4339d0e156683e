package engine

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/keys/keystest"
)

func (a *attacker) showing(d *keys.Dealing) map[string]any {
	first, err := json.Marshal(d.Again.First)
	require.NoError(a.t, err)
	redealing, err := json.Marshal(d.Again.Redealing)
	require.NoError(a.t, err)
	return map[string]any{"first": []string{text(first)}, "redealing": []string{text(redealing)}}
}

// A key's name goes to other seeds only by its owner's word, whose key an operator entered.
func TestAttackRedealing(t *testing.T) {
	a := newAttacker(t, carnet.LayoutCube)
	thief := keystest.NewPerson("thief")
	again, after := a.net.Redeal(0, a.sharer.SealingKey(), "again")
	path := "keys/" + again.Key.String() + "/again"
	a.refused("KEY_NOT_HELD", path, a.showing(again))
	require.NoError(t, a.sharer.Accept(t.Context(), again, after.Sealed(again.Key)))

	forged := func(by evidence.Signer, change func(r *carnet.Redealing)) map[string]any {
		var r carnet.Redealing
		require.NoError(t, again.Again.Redealing.Decode(carnet.TypeRedealing, &r))
		change(&r)
		env, err := evidence.Seal(carnet.TypeRedealing, r, by)
		require.NoError(t, err)
		return a.showing(&keys.Dealing{Again: &keys.Again{First: again.Again.First, Redealing: env}})
	}
	a.refused("BAD_REDEALING", path, forged(thief, func(*carnet.Redealing) {}))
	for _, change := range []func(r *carnet.Redealing){
		func(r *carnet.Redealing) { r.Dealing[0] ^= 1 },
		func(r *carnet.Redealing) { r.Key[0] ^= 1 },
		func(r *carnet.Redealing) { r.Key = r.Dealing },
		func(r *carnet.Redealing) { r.Owner = "owner9" },
		func(r *carnet.Redealing) { r.Released = -1 },
	} {
		a.refused("BAD_REDEALING", path, forged(a.net.Buyer, change))
	}
	// The name of another owner's key.
	data := forged(a.net.Buyer, func(r *carnet.Redealing) { r.Key = a.net.Dealings[1].Key })
	other, err := json.Marshal(a.net.Dealings[1].Statement)
	require.NoError(t, err)
	a.refused("BAD_REDEALING", path, with(data, "first", []string{text(other)}))
	// A first dealing that somebody else signed has the same hash.
	resigned := evidence.Envelope{PayloadType: again.Again.First.PayloadType, Payload: again.Again.First.Payload}
	require.NoError(t, resigned.Countersign(thief))
	a.refused("BAD_REDEALING", path, a.showing(&keys.Dealing{Again: &keys.Again{First: &resigned, Redealing: again.Again.Redealing}}))

	owner := again.Body.Owner
	require.NoError(t, a.engine.Delete(t.Context(), "owners/"+string(owner)))
	a.refused("OWNER_NOT_KNOWN", path, a.showing(again))
	_, err = after.Answer(t, a.sharer, after.Ask(january), 0)
	require.Equal(t, carnet.Forbidden, carnet.KindOf(err), "the query waits for a person")
	_, err = a.engine.Write(t.Context(), "owners/"+string(owner), map[string]any{"signing_key": text(thief.Public())})
	require.NoError(t, err)
	a.refused("BAD_REDEALING", path, a.showing(again))
	_, err = a.engine.Write(t.Context(), "owners/"+string(owner), map[string]any{"signing_key": text(a.net.Buyer.Public())})
	require.NoError(t, err)
	for range 2 {
		_, err = a.engine.Write(t.Context(), path, a.showing(again))
		require.NoError(t, err)
	}

	// It is for ever, and no dealing deals what was dealt again itself.
	third, _ := a.net.Redeal(0, a.sharer.SealingKey(), "third")
	require.NoError(t, a.sharer.Accept(t.Context(), third, a.net.Sealed(third.Key)))
	chain := forged(a.net.Buyer, func(r *carnet.Redealing) { r.Key, r.Dealing = again.Key, third.Key })
	statement, err := json.Marshal(again.Statement)
	require.NoError(t, err)
	a.refused("BAD_REDEALING", "keys/"+third.Key.String()+"/again", with(chain, "first", []string{text(statement)}))
	elsewhere := forged(a.net.Buyer, func(r *carnet.Redealing) { r.Key = third.Key })
	statement, err = json.Marshal(third.Statement)
	require.NoError(t, err)
	a.refused("BAD_REDEALING", path, with(elsewhere, "first", []string{text(statement)}))

	// A dealing under which numbers were released is a key of its own.
	_, err = a.net.Answer(t, a.sharer, a.net.Ask(january), 0)
	require.NoError(t, err)
	used := a.net.Dealings[0]
	back := forged(a.net.Buyer, func(r *carnet.Redealing) { r.Key, r.Dealing = third.Key, used.Key })
	a.refused("BAD_REDEALING", "keys/"+used.Key.String()+"/again", with(back, "first", []string{text(statement)}))
}

// Rule (decision 16): other seeds flood the same functional anew, so that it counts anew,
// for the keys of other owners too. Otherwise an owner who deals again and again would have
// one total over a co-owner's data flooded as often as it likes, and average the floods away.
func TestAttackFloodsOfManyDealings(t *testing.T) {
	a := newAttacker(t, carnet.LayoutCube)
	per := len(a.net.Ask(january).Plan.Openings)
	require.NoError(t, a.configure(map[string]any{"max_releases": 3 * per}))
	count := func(key carnet.KeyID) string {
		data, err := a.engine.Read(t.Context(), "keys/"+key.String())
		require.NoError(t, err)
		return string(data["released"].(json.Number))
	}
	ask := func(n *keystest.Network) ([]byte, error) { return n.Answer(t, a.sharer, n.Ask(january), 0) }
	first, err := ask(a.net)
	require.NoError(t, err)
	for i, salt := range []string{"second", "third", "fourth"} {
		again, after := a.net.Redeal(0, a.sharer.SealingKey(), salt)
		require.NoError(t, a.sharer.Accept(t.Context(), again, after.Sealed(again.Key)))
		got, err := ask(after)
		if i == 2 {
			require.Equal(t, "RELEASES_EXHAUSTED", carnet.ReasonOf(err))
			continue
		}
		require.NoError(t, err)
		require.NotEqual(t, first, got, "flooded anew")
		for range 2 { // a repetition is the same bytes, and not counted
			same, err := ask(after)
			require.NoError(t, err)
			require.Equal(t, got, same)
		}
		want := fmt.Sprint((2 + i) * per)
		require.Equal(t, want, count(again.Key), "by its name, over all dealings")
		require.Equal(t, want, count(a.net.Dealings[0].Key))
		require.Equal(t, want, count(a.net.Dealings[1].Key), "and for the co-owner")
	}
}

// What an owner says was released elsewhere before is carried over, once.
func TestReleasedElsewhere(t *testing.T) {
	a := newAttacker(t, carnet.LayoutCube)
	per := len(a.net.Ask(january).Plan.Openings)
	_, err := a.net.Answer(t, a.sharer, a.net.Ask(january), 0)
	require.NoError(t, err)
	again, after := a.net.Redeal(0, a.sharer.SealingKey(), "again", func(r *carnet.Redealing) { r.Released = int64(10 * per) })
	require.NoError(t, a.sharer.Accept(t.Context(), again, after.Sealed(again.Key)))
	require.NoError(t, a.configure(map[string]any{"max_releases": 11 * per}))
	for range 2 {
		_, err = after.Answer(t, a.sharer, after.Ask(january), 0)
		require.NoError(t, err)
	}
	data, err := a.engine.Read(t.Context(), "keys/"+again.Key.String())
	require.NoError(t, err)
	require.Equal(t, json.Number(fmt.Sprint(11*per)), data["released"], "one here, nine elsewhere, and this")
	require.Equal(t, a.net.Dealings[0].Key.String(), data["key"])
	_, err = after.Answer(t, a.sharer, after.Ask(february), 0)
	require.Equal(t, "RELEASES_EXHAUSTED", carnet.ReasonOf(err))
}
