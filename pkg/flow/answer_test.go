package flow_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/flow"
	"github.com/carnet-network/carnet/pkg/flow/flowtest"
)

func TestAnswersAreChecked(t *testing.T) {
	n, tables := twoOwners(t)
	q := n.Ask(sumSQL, "trade", tables...)
	ref, err := n.Submit(q)
	require.NoError(t, err)
	env, sealed := n.Answer(ref.Hash, q, 1, tables...)
	var good carnet.Answer
	require.NoError(t, env.Decode(carnet.TypeAnswer, &good))
	k1 := n.Parties["k1"]

	_, err = n.G.SubmitAnswer(ctx, k1, env, sealed[1:], nil)
	requireReason(t, "SEALED_DIFFERS", err)
	_, err = n.G.SubmitAnswer(ctx, k1, env, sealed, []byte("z"))
	requireReason(t, "VALUES_DIFFER", err)
	_, err = n.G.SubmitAnswer(ctx, n.Parties["k2"], env, sealed, nil)
	requireReason(t, "WRONG_PARTY", err)
	for reason, change := range map[string]func(*carnet.Answer){
		"BAD_ANSWER": func(a *carnet.Answer) { a.Number = 2 },
		"NOT_FOUND":  func(a *carnet.Answer) { a.Query = carnet.Hash{1} },
	} {
		a := good
		change(&a)
		_, err = n.G.SubmitAnswer(ctx, k1, n.Seal(carnet.TypeAnswer, a, "k1"), sealed, nil)
		requireReason(t, reason, err)
	}
	a := good
	a.Openings++
	_, err = n.G.SubmitAnswer(ctx, k1, n.Seal(carnet.TypeAnswer, a, "k1"), sealed, nil)
	requireReason(t, "BAD_ANSWER", err)
	a = good
	a.By = "k4"
	_, err = n.G.SubmitAnswer(ctx, n.Parties["k4"], n.Seal(carnet.TypeAnswer, a, "k4"), sealed, nil)
	requireReason(t, "NOT_A_MEMBER", err)
	_, err = n.G.SubmitAnswer(ctx, k1, n.Seal(carnet.TypeAnswer, good, "k2"), sealed, nil)
	requireReason(t, "BAD_SIGNATURE", err)

	_, err = n.G.SubmitAnswer(ctx, k1, env, sealed, nil)
	require.NoError(t, err)
	other, otherSealed := n.Answer(ref.Hash, q, 1, tables...) // sealing is randomised: other bytes
	_, err = n.G.SubmitAnswer(ctx, k1, other, otherSealed, nil)
	requireReason(t, "ANSWER_DIFFERS", err)
	n.Advance(2 * flowtest.QueryLife)
	late, lateSealed := n.Answer(ref.Hash, q, 2, tables...)
	_, err = n.G.SubmitAnswer(ctx, n.Parties["k2"], late, lateSealed, nil)
	requireReason(t, "QUERY_CLOSED", err)
	_, err = n.G.SubmitAnswer(ctx, k1, env, sealed, nil)
	require.NoError(t, err, "repeating an accepted answer stays harmless")
}

func TestRefusalsAndExpiry(t *testing.T) {
	n, tables := twoOwners(t)
	refuse := func(query carnet.Hash, by carnet.PartyID) error {
		_, err := n.G.SubmitDecision(ctx, n.Parties[by], n.Seal(carnet.TypeDecision, carnet.Decision{
			Query: query, By: by, Reason: "OWN_POLICY", Message: "no", Created: n.Now()}, by))
		return err
	}
	a, err := n.Submit(n.Ask(sumSQL, "trade", tables...))
	require.NoError(t, err)
	b, err := n.Submit(n.Ask(sumSQL, "trade", tables...))
	require.NoError(t, err)
	requireReason(t, "NOT_A_MEMBER", refuse(a.Hash, "k4"))
	require.NoError(t, refuse(a.Hash, "k1"))
	require.NoError(t, refuse(a.Hash, "k1"), "the same statement again")
	require.NoError(t, refuse(b.Hash, "k1"))
	n.Advance(time.Second)
	requireReason(t, "DECISION_DIFFERS", refuse(a.Hash, "k1"))
	_, err = n.G.SubmitDecision(ctx, n.Parties["k2"], n.Seal(carnet.TypeDecision, carnet.Decision{Query: a.Hash, By: "k2", Allow: true}, "k2"))
	requireReason(t, "BAD_DECISION", err)

	watched := make(chan []flow.QueryState, 1)
	go func() {
		var states []flow.QueryState
		_ = n.G.WatchQuery(ctx, n.Parties["bank"], a.Hash, func(s flow.QueryStatus) error { states = append(states, s.State); return nil })
		watched <- states
	}()
	time.Sleep(20 * time.Millisecond)
	require.NoError(t, refuse(a.Hash, "k2"))
	s := waitFor(t, n, a.Hash, flow.QueryRefused)
	require.Len(t, s.Refusals, 2)
	states := <-watched
	require.Equal(t, flow.QueryRefused, states[len(states)-1])
	requireReason(t, "QUERY_CLOSED", refuse(a.Hash, "k3"))

	n.Advance(2 * flowtest.QueryLife)
	require.NoError(t, n.G.Sweep(ctx))
	waitFor(t, n, b.Hash, flow.QueryExpired)
}

func TestOtherAttestationsAreNoticed(t *testing.T) {
	n, tables := twoOwners(t)
	mismatches := 0
	n.Config.Observe.Mismatch = func() { mismatches++ }
	n.Restart()
	q := n.Ask(sumSQL, "trade", tables...)
	ref, err := n.Submit(q)
	require.NoError(t, err)
	run(t, n.G)
	waitFor(t, n, ref.Hash, flow.QueryReleasing)
	attest := func(number int, values []byte) {
		k := n.Committee.Members[number-1]
		env, sealed := n.Answer(ref.Hash, q, number, tables...)
		var a carnet.Answer
		require.NoError(t, env.Decode(carnet.TypeAnswer, &a))
		digest := carnet.Digest("carnet/answers/z/1", values)
		a.Attested = &digest
		_, err = n.G.SubmitAnswer(ctx, n.Parties[k], n.Seal(carnet.TypeAnswer, a, k), sealed, values)
		require.NoError(t, err, "the buyer decides what to make of it")
	}
	attest(1, []byte("something else"))
	attest(2, []byte("something else"))
	require.Equal(t, 2, mismatches)
	f, err := n.G.FetchAnswer(ctx, n.Parties["bank"], ref.Hash)
	require.NoError(t, err)
	attest(3, f.Values)
	require.Equal(t, 2, mismatches)
}
