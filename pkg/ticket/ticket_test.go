package ticket_test

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/keys/keystest"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/seal"
	"github.com/carnet-network/carnet/pkg/ticket"
)

func filled(b byte) (h carnet.Hash) { copy(h[:], bytes.Repeat([]byte{b}, 32)); return }

func example() *ticket.Ticket {
	return &ticket.Ticket{Op: ticket.Answer, Number: 3, Degree: 2, Epoch: 7, Count: 2, Query: filled(1), Plan: filled(2), Recipient: filled(3),
		Content: ticket.OpeningsDigest([]ticket.Permit{
			{F: filled(4), Degree: 1, K: 100},
			{F: filled(5), Descriptions: []carnet.Hash{filled(6)}, Degree: 2, K: 90},
		})}
}

func TestTicketsAreWhatTheyPermit(t *testing.T) {
	policy := keystest.NewPerson("policy")
	signed, err := example().Sign(policy)
	require.NoError(t, err)
	require.Len(t, signed, ticket.Size)
	require.NoError(t, example().Verify(policy.Public(), signed))
	for name, change := range map[string]func(k *ticket.Ticket){
		"op":        func(k *ticket.Ticket) { k.Op = ticket.Check },
		"number":    func(k *ticket.Ticket) { k.Number-- },
		"degree":    func(k *ticket.Ticket) { k.Degree-- },
		"count":     func(k *ticket.Ticket) { k.Count++ },
		"query":     func(k *ticket.Ticket) { k.Query[31] ^= 1 },
		"plan":      func(k *ticket.Ticket) { k.Plan[0] ^= 1 },
		"recipient": func(k *ticket.Ticket) { k.Recipient[5] ^= 1 },
		"content":   func(k *ticket.Ticket) { k.Content[5] ^= 1 },
	} {
		other := example()
		change(other)
		require.Equal(t, "TICKET_DIFFERS", carnet.ReasonOf(other.Verify(policy.Public(), signed)), name)
	}
	other := example()
	other.Epoch++
	require.Equal(t, "TICKET_EPOCH", carnet.ReasonOf(other.Verify(policy.Public(), signed)))
	require.Equal(t, "BAD_TICKET_SIGNATURE", carnet.ReasonOf(example().Verify(keystest.NewPerson("other").Public(), signed)))
	require.Equal(t, "BAD_TICKET_SIGNATURE", carnet.ReasonOf(example().Verify(nil, signed)), "no policy key is configured")
	for _, bad := range [][]byte{nil, signed[:ticket.Size-1], append(bytes.Clone(signed), 0), make([]byte, ticket.Size)} {
		require.Equal(t, "NO_TICKET", carnet.ReasonOf(example().Verify(policy.Public(), bad)))
	}
	for i := range signed {
		flipped := bytes.Clone(signed)
		flipped[i] ^= 1
		require.Error(t, example().Verify(policy.Public(), flipped))
	}
}

// Two lists of openings that have the same bytes in another order, or belong to other
// openings, have other digests.
func TestOpeningsDigestBindsEverything(t *testing.T) {
	seen := map[carnet.Hash]bool{}
	for _, ps := range [][]ticket.Permit{
		nil,
		{{F: filled(1), Degree: 1, K: 5}},
		{{F: filled(2), Degree: 1, K: 5}},
		{{F: filled(1), Degree: 2, K: 5}},
		{{F: filled(1), Degree: 1, K: 6}},
		{{F: filled(1), Degree: 1, K: 5, Descriptions: []carnet.Hash{filled(2)}}},
		{{F: filled(1), Degree: 1, K: 5}, {F: filled(2), Degree: 1, K: 5}},
		{{F: filled(2), Degree: 1, K: 5}, {F: filled(1), Degree: 1, K: 5}},
	} {
		h := ticket.OpeningsDigest(ps)
		require.False(t, seen[h])
		seen[h] = true
	}
	require.NotEqual(t, ticket.KeysDigest([]carnet.KeyID{{1}, {2}}), ticket.KeysDigest([]carnet.KeyID{{2}, {1}}))
}

type vectors struct {
	PolicyKey []byte      `json:"policy_key"`
	Content   carnet.Hash `json:"content"`
	Keys      carnet.Hash `json:"keys_digest"`
	Ticket    []byte      `json:"ticket"`
	Openings  []byte      `json:"openings"`
}

// written has every form of the description.
func written() []plan.Opening {
	cells := []uint32{0, 1, 2, 7, 9, 10}
	return []plan.Opening{
		{F: &functional.Functional{Degree: 1, Keys: []functional.KeyTerms{
			{Key: carnet.KeyID{1}, Linear: []functional.Linear{{File: carnet.Nonce{1}, Column: 3, Blocks: 2, Cells: cells}, {File: carnet.Nonce{1}, Column: 300, Blocks: 2, Cells: cells, Minus: true}}},
			{Key: carnet.KeyID{2}, Linear: []functional.Linear{{File: carnet.Nonce{2}, Blocks: 1}}}}}},
		{F: &functional.Functional{Degree: 2, Keys: []functional.KeyTerms{{Key: carnet.KeyID{2}, Products: []functional.Product{
			{File: carnet.Nonce{2}, Blocks: 1, Factors: []functional.Factor{{Plus: []uint32{1, 4}, Minus: []uint32{2}}, functional.Sum(300)}}}}}}},
	}
}

func TestVectors(t *testing.T) {
	b, err := os.ReadFile("../../docs/formats/vectors/ticket.json")
	require.NoError(t, err)
	var want vectors
	require.NoError(t, json.Unmarshal(b, &want))
	policy := keystest.NewPerson("policy")
	signed, err := example().Sign(policy)
	require.NoError(t, err)
	got := vectors{policy.Public(), example().Content, ticket.KeysDigest([]carnet.KeyID{{1}, {2}}), signed, ticket.AppendOpenings(nil, written())}
	if out, err := json.MarshalIndent(got, "", "  "); err == nil && !bytes.Equal(want.Ticket, got.Ticket) {
		t.Logf("%s", out)
	}
	require.Equal(t, want, got)
}

func fixture(t *testing.T, layout carnet.Layout, sql string) (*keystest.Network, *keys.Release) {
	key, err := seal.GenerateKey()
	require.NoError(t, err)
	n := keystest.NewNetwork(t, key.Public(), layout, 2, false)
	return n, n.Ask(sql)
}

func TestDescriptionsComeBack(t *testing.T) {
	for layout, sql := range map[carnet.Layout]string{
		carnet.LayoutCube:    `SELECT month, COUNT(*), SUM(value) FROM trade GROUP BY month`,
		carnet.LayoutRecords: `SELECT month, COUNT(*), SUM(value) FROM trade GROUP BY month`,
	} {
		n, r := fixture(t, layout, sql)
		b := ticket.AppendOpenings(nil, r.Plan.Openings)
		got, err := ticket.ReadOpenings(n.Profile.N(), b)
		require.NoError(t, err)
		require.Len(t, got, len(r.Plan.Openings))
		for i := range got {
			require.Equal(t, r.Plan.Openings[i].F, got[i].F)
			require.Equal(t, r.Plan.Openings[i].Degree, got[i].Degree)
			k, _, err := ticket.Flood(n.Profile, n.Scheme, 0, &got[i], 0)
			require.NoError(t, err)
			require.Equal(t, r.Plan.Openings[i].FloodBits, k)
		}
		require.Equal(t, b, ticket.AppendOpenings(nil, got))
		for cut := range b {
			_, err := ticket.ReadOpenings(n.Profile.N(), b[:cut])
			require.Error(t, err)
		}
		_, err = ticket.ReadOpenings(n.Profile.N(), append(bytes.Clone(b), 0))
		require.Error(t, err)
	}
}

// Weights other than 0, 1 and -1, and lists that would take a great deal of memory.
func TestDescriptionsAreRefused(t *testing.T) {
	f := written()[0].F
	f.Keys[0].Linear = append(f.Keys[0].Linear, f.Keys[0].Linear[1])
	_, err := ticket.ReadOpenings(64, ticket.AppendOpenings(nil, []plan.Opening{{F: f}}))
	require.Equal(t, "BAD_FUNCTIONAL", carnet.ReasonOf(err), "a column twice")
	huge := []byte{1, 0, 0, 1 /* list */, 1 /* run */, 0, 0xff, 0xff, 0xff, 0x7f /* 2^28 cells */, 0}
	for name, b := range map[string][]byte{
		"nothing": {}, "another version": {2, 0, 0, 0, 0}, "no openings": {1, 0, 0, 0, 0}, "too many cells": huge,
		"long number": {1, 0x80, 0, 0, 0, 0}, "a key that is not listed": {1, 0, 0, 0, 1, 0, 1, 1, 0, 0, 0, 0, 0}, "no choices": {1, 0, 0, 0, 1, 1, 0, 0, 0},
	} {
		_, err := ticket.ReadOpenings(64, b)
		require.Equal(t, "BAD_OPENINGS", carnet.ReasonOf(err), name)
	}
	choices := []plan.Opening{{Choices: []*functional.Functional{written()[0].F, written()[1].F}}}
	_, err = ticket.ReadOpenings(64, ticket.AppendOpenings(nil, choices))
	require.Error(t, err, "choices of two degrees")
}

func FuzzReadOpenings(f *testing.F) {
	f.Add(ticket.AppendOpenings(nil, written()))
	f.Add(ticket.AppendOpenings(nil, []plan.Opening{{Choices: []*functional.Functional{written()[0].F, written()[0].F}}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		os, err := ticket.ReadOpenings(64, b)
		if err != nil {
			return
		}
		again, err := ticket.ReadOpenings(64, ticket.AppendOpenings(nil, os))
		require.NoError(t, err)
		require.Equal(t, os, again)
	})
}
