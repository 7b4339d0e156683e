package flow_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/flow"
	"github.com/carnet-network/carnet/pkg/flow/flowtest"
)

func TestSubmitDealing(t *testing.T) {
	n := flowtest.New(t)
	k := n.MakeKey("kz", carnet.LayoutCube)
	kz := n.Parties["kz"]
	submit := func(env *evidence.Envelope, corrections, sealed [][]byte) (flow.Ref, error) {
		return n.G.SubmitDealing(ctx, kz, env, corrections, sealed)
	}

	_, err := submit(k.Envelope, nil, k.Sealed)
	requireReason(t, "BAD_CORRECTIONS", err)
	_, err = submit(k.Envelope, [][]byte{k.Corrections[0][:100]}, k.Sealed)
	requireReason(t, "BAD_LENGTH", err)
	_, err = submit(k.Envelope, [][]byte{append(bytes.Clone(k.Corrections[0]), 0)}, k.Sealed)
	requireReason(t, "BAD_LENGTH", err)
	_, err = submit(k.Envelope, [][]byte{bytes.Repeat([]byte{255}, len(k.Corrections[0]))}, k.Sealed)
	requireReason(t, "NOT_CANONICAL", err)
	_, err = submit(k.Envelope, [][]byte{make([]byte, len(k.Corrections[0]))}, k.Sealed)
	requireReason(t, "CORRECTIONS_DIFFER", err)
	_, err = submit(k.Envelope, k.Corrections, k.Sealed[:2])
	requireReason(t, "BAD_SEEDS", err)
	_, err = submit(k.Envelope, k.Corrections, [][]byte{k.Sealed[0], k.Sealed[1], make([]byte, flow.MaxSealedSeeds+1)})
	requireReason(t, "BAD_SEEDS", err)

	for field, change := range map[string]func(*carnet.Dealing){
		"params":      func(d *carnet.Dealing) { d.Params = carnet.Hash{1} },
		"nonce":       func(d *carnet.Dealing) { d.Nonce = carnet.Nonce{} },
		"commitments": func(d *carnet.Dealing) { d.Commitments = d.Commitments[:1] },
		"corrections": func(d *carnet.Dealing) { d.Corrections = nil },
		"home":        func(d *carnet.Dealing) { d.Home = &carnet.HomePart{Member: 4} },
	} {
		d := k.Body
		change(&d)
		_, err = submit(n.Seal(carnet.TypeDealing, d, "kz"), k.Corrections, k.Sealed)
		requireReason(t, "BAD_DEALING", err)
		var e *carnet.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, field, e.Violations[0].Field)
	}
	d := k.Body
	d.Committee = carnet.Hash{7}
	_, err = submit(n.Seal(carnet.TypeDealing, d, "kz"), k.Corrections, k.Sealed)
	requireReason(t, "UNKNOWN_COMMITTEE", err)
	_, err = submit(n.Seal(carnet.TypeDealing, k.Body, "hk"), k.Corrections, k.Sealed)
	requireReason(t, "BAD_SIGNATURE", err)
	_, err = n.G.SubmitDealing(ctx, n.Parties["hk"], k.Envelope, k.Corrections, k.Sealed)
	requireReason(t, "WRONG_PARTY", err)

	ref, err := submit(k.Envelope, k.Corrections, k.Sealed)
	require.NoError(t, err)
	again, err := submit(k.Envelope, k.Corrections, k.Sealed)
	require.NoError(t, err)
	require.Equal(t, ref, again)
	d = k.Body
	d.Created = d.Created.Add(1e9)
	_, err = submit(n.Seal(carnet.TypeDealing, d, "kz"), k.Corrections, k.Sealed)
	requireReason(t, "DEALING_NONCE_USED", err)

	var got [][]byte
	require.NoError(t, n.G.Corrections(ctx, k.ID, func(power int, b []byte) error {
		require.Equal(t, len(got)+1, power)
		got = append(got, slices.Clone(b))
		return nil
	}))
	require.Equal(t, k.Corrections, got)
}

func TestSeedsGoToTheirKeyholder(t *testing.T) {
	n := flowtest.New(t)
	k := n.Deal("kz", carnet.LayoutCube)
	for i, m := range n.Committee.Members {
		number, sealed, err := n.G.SealedSeeds(ctx, n.Parties[m], k.ID)
		require.NoError(t, err)
		require.Equal(t, i+1, number)
		require.Equal(t, k.Sealed[i], sealed)
	}
	for _, stranger := range []carnet.PartyID{"k4", "kz", "bank", "gateway"} {
		_, _, err := n.G.SealedSeeds(ctx, n.Parties[stranger], k.ID)
		require.Equal(t, carnet.NotFound, carnet.KindOf(err), stranger)
		require.Equal(t, carnet.NotFound, carnet.KindOf(n.G.ConfirmSeeds(ctx, n.Parties[stranger], k.ID, true, "")))
	}
	require.NoError(t, n.G.ConfirmSeeds(ctx, n.Parties["k1"], k.ID, true, ""))
	require.NoError(t, n.G.ConfirmSeeds(ctx, n.Parties["k2"], k.ID, false, "SEEDS_MISMATCH"))
	requireReason(t, "BAD_REQUEST", n.G.ConfirmSeeds(ctx, n.Parties["k3"], k.ID, false, "not an identifier"))
	requireReason(t, "BAD_REQUEST", n.G.ConfirmSeeds(ctx, n.Parties["k3"], k.ID, false, ""))
	d, err := n.G.Dealing(ctx, nil, k.ID)
	require.NoError(t, err)
	require.Equal(t, []flow.Confirmation{{Number: 1, OK: true}, {Number: 2, Reason: "SEEDS_MISMATCH"}}, d.Said)

	// Better seeds replace those that were not confirmed, and only those.
	better := [][]byte{[]byte("a"), []byte("b"), []byte("c")}
	_, err = n.G.SubmitDealing(ctx, n.Parties["kz"], k.Envelope, k.Corrections, better)
	require.NoError(t, err)
	for i, want := range [][]byte{k.Sealed[0], better[1], better[2]} {
		_, sealed, err := n.G.SealedSeeds(ctx, n.Parties[n.Committee.Members[i]], k.ID)
		require.NoError(t, err)
		require.Equal(t, want, sealed)
	}
}
