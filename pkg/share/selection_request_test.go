package share

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/seal"
)

// sealed is the private parameter of a query, with seeds sealed to fresh keys.
func sealedSelection(t *testing.T, c Committee, codes ...int) (*carnet.Query, SelectionSeeds, []*seal.PrivateKey) {
	id := carnet.Hash{7}
	s, seeds, err := NewSelection(c, id, 6, codes, stream("request"))
	require.NoError(t, err)
	q := &carnet.Query{ID: id, Private: &carnet.PrivateParameter{Weight: s.Weight, Deltas: s.Deltas, Commitments: s.Commitments}}
	var keys []*seal.PrivateKey
	for i := 1; i <= c.N; i++ {
		key, err := seal.GenerateKey()
		require.NoError(t, err)
		sealed, err := seal.Seal(key.Public(), SelectionInfo(q, i), seeds.Bundle(c, i).Append(nil))
		require.NoError(t, err)
		keys, q.Private.Seeds = append(keys, key), append(q.Private.Seeds, sealed)
	}
	return q, seeds, keys
}

func TestCheckPrivate(t *testing.T) {
	require.Equal(t, seal.Overhead, sealOverhead)
	for _, nt := range [][2]int{{1, 1}, {5, 2}, {8, 3}, {12, 2}} {
		c := must(NewCommittee(nt[0], nt[1]))
		q, seeds, keys := sealedSelection(t, c, 4, 1)
		require.NoError(t, CheckPrivate(c, q, 6, 0, 2))
		require.Equal(t, q.Private.Deltas, SelectionOf(q).Deltas)
		plain, err := keys[0].Open(SelectionInfo(q, 1), q.Private.Seeds[0])
		require.NoError(t, err)
		require.Equal(t, seeds.Bundle(c, 1), must(ParseBundle(plain)))
		codes, err := SelectionOf(q).Codes(c, seeds)
		require.NoError(t, err)
		require.Equal(t, []int{1, 4}, codes)
		for name, other := range map[string]*carnet.Query{
			"another buyer":     {ID: q.ID, Buyer: "mallory", Recipient: q.Recipient},
			"another recipient": {ID: q.ID, Buyer: q.Buyer, Recipient: []byte{1}},
			"another id":        {ID: carnet.Hash{8}, Buyer: q.Buyer, Recipient: q.Recipient},
		} {
			_, err := keys[0].Open(SelectionInfo(other, 1), q.Private.Seeds[0])
			require.Error(t, err, name)
		}
	}
	c := must(NewCommittee(5, 2))
	require.NoError(t, CheckPrivate(c, &carnet.Query{}, 0, 0, 0))
	requireReason(t, "BAD_SELECTION", CheckPrivate(c, &carnet.Query{}, 6, 0, 2))
	for name, change := range map[string]func(p *carnet.PrivateParameter){
		"weight":           func(p *carnet.PrivateParameter) { p.Weight = 1 },
		"spare":            func(p *carnet.PrivateParameter) { p.Spare = 1 },
		"less than none":   func(p *carnet.PrivateParameter) { p.Spare = -1 },
		"no code at all":   func(p *carnet.PrivateParameter) { p.Spare = 6 },
		"codes":            func(p *carnet.PrivateParameter) { p.Deltas = p.Deltas[DeltaBytes:] },
		"commitments":      func(p *carnet.PrivateParameter) { p.Commitments = p.Commitments[1:] },
		"seeds":            func(p *carnet.PrivateParameter) { p.Seeds = p.Seeds[1:] },
		"length of a seed": func(p *carnet.PrivateParameter) { p.Seeds[2] = p.Seeds[2][1:] },
	} {
		q, _, _ := sealedSelection(t, c, 4, 1)
		change(q.Private)
		require.Equal(t, "BAD_SELECTION", carnet.ReasonOf(CheckPrivate(c, q, 6, 0, 2)), name)
	}
	q, _, _ := sealedSelection(t, c, 4, 1)
	requireReason(t, "BAD_SELECTION", CheckPrivate(c, q, 0, 0, 0))
}

// Codes are found with the right seeds only, and only if they are a selection.
func TestCodes(t *testing.T) {
	c := must(NewCommittee(5, 2))
	q, seeds, _ := sealedSelection(t, c, 4, 1)
	wrong := SelectionSeeds{}
	for a, seed := range seeds {
		wrong[a] = seed
	}
	wrong[0b100] = [32]byte{1}
	_, err := SelectionOf(q).Codes(c, wrong)
	requireReason(t, "BAD_SELECTION_SEEDS", err)
	q.Private.Deltas[DeltaBytes-1] ^= 2 // another difference: no selection any more
	_, err = SelectionOf(q).Codes(c, seeds)
	requireReason(t, "BAD_SELECTION_SEEDS", err)
	q.Private.Deltas[DeltaBytes-1] ^= 2
	q.Private.Weight = 1
	_, err = SelectionOf(q).Codes(c, seeds)
	requireReason(t, "BAD_SELECTION_SEEDS", err)
	q.Private.Weight = 0
	_, err = SelectionOf(q).Codes(c, seeds)
	requireReason(t, "BAD_SELECTION", err)
}
