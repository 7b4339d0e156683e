package ticket_test

import (
	"bytes"
	"encoding/json"
	"math/big"
	"os"
	"reflect"
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
	Across    []byte      `json:"across"`

	Recipients carnet.Hash `json:"recipients_digest"`
	HandOver   []byte      `json:"hand_over"`
	TakeOver   []byte      `json:"take_over"`
}

// written has every form of the description.
func written() []plan.Opening {
	cells := []uint32{0, 1, 2, 7, 9, 10}
	return []plan.Opening{
		{F: &functional.Functional{Degree: 1, Keys: []functional.KeyTerms{
			{Key: carnet.KeyID{1}, Linear: []functional.Linear{{File: carnet.Nonce{1}, Column: 3, Blocks: 2, Cells: cells}, {File: carnet.Nonce{1}, Column: 300, Blocks: 2, Cells: cells, Minus: true}}},
			{Key: carnet.KeyID{2}, Linear: []functional.Linear{{File: carnet.Nonce{2}, Blocks: 1}}}}}},
		{F: &functional.Functional{Degree: 2, Keys: []functional.KeyTerms{{Key: carnet.KeyID{2}, Products: []functional.Product{
			{File: carnet.Nonce{2}, Blocks: 1, Factors: []functional.Factor{{Plus: []uint32{1, 4}, Minus: []uint32{2}}, functional.Sum(300)}}}}}}, Variance: big.NewInt(0x1234)},
	}
}

// across is a description of openings across keys: a sum of products, and one of squared
// differences.
func across() []plan.Opening {
	side := func(key byte, f functional.Factor) functional.CrossFactor {
		return functional.CrossFactor{Key: carnet.KeyID{key}, File: carnet.Nonce{key}, Factor: f}
	}
	term := func(weight int, left, right functional.Factor) functional.Cross {
		return functional.Cross{Left: side(1, left), Right: side(2, right), Blocks: 3, Weight: weight}
	}
	return []plan.Opening{
		{F: functional.Across(term(1, functional.Factor{Plus: []uint32{1, 4}, Minus: []uint32{2}}, functional.Sum(300)))},
		{F: functional.Across(term(1, functional.Sum(2), functional.Sum(0)), term(-2, functional.Sum(1), functional.Sum(1)), term(1, functional.Sum(0), functional.Sum(2)))},
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
	got := vectors{policy.Public(), example().Content, ticket.KeysDigest([]carnet.KeyID{{1}, {2}}), signed,
		ticket.AppendOpenings(nil, written()), ticket.AppendOpenings(nil, across()), ticket.RecipientsDigest([][]byte{{1}, {2, 3}}), nil, nil}
	got.HandOver, err = ticket.ForHandOver(7, 3, filled(1), carnet.KeyID(filled(2)), filled(3), [][]byte{{1}, {2, 3}}).Sign(policy)
	require.NoError(t, err)
	got.TakeOver, err = ticket.ForTakeOver(7, 3, filled(1), carnet.KeyID(filled(2)), filled(3), 12).Sign(policy)
	require.NoError(t, err)
	if out, err := json.MarshalIndent(got, "", "  "); err == nil && !reflect.DeepEqual(want, got) {
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
		r.Plan.Openings[0].Variance = big.NewInt(300)
		b := ticket.AppendOpenings(nil, r.Plan.Openings)
		got, err := ticket.ReadOpenings(n.Profile.N(), b)
		require.NoError(t, err)
		require.Len(t, got, len(r.Plan.Openings))
		for i := range got {
			require.Equal(t, r.Plan.Openings[i].F, got[i].F)
			require.Equal(t, r.Plan.Openings[i].Degree, got[i].Degree)
			require.Equal(t, r.Plan.Openings[i].Variance, got[i].Variance)
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

// Descriptions across keys come back, too, and are told from others.
func TestDescriptionsAcrossKeys(t *testing.T) {
	b := ticket.AppendOpenings(nil, across())
	got, err := ticket.ReadOpenings(64, b)
	require.NoError(t, err)
	require.Len(t, got, 2)
	for i, want := range across() {
		require.Equal(t, want.F, got[i].F)
		require.Equal(t, 2, got[i].Degree)
	}
	for cut := range b {
		_, err := ticket.ReadOpenings(64, b[:cut])
		require.Error(t, err)
	}
	refused := func(openings []plan.Opening) {
		t.Helper()
		_, err := ticket.ReadOpenings(64, ticket.AppendOpenings(nil, openings))
		require.Error(t, err)
	}
	refused(append(across(), plan.Opening{F: written()[1].F})) // two kinds
	twice := across()[:1]
	twice[0].F.Cross = append(twice[0].F.Cross, twice[0].F.Cross[0])
	refused(twice)
	single := across()[:1]
	single[0].F.Cross[0].Right = single[0].F.Cross[0].Left
	refused(single)
	none := across()[:1]
	none[0].F.Keys = append(none[0].F.Keys, functional.KeyTerms{Key: carnet.KeyID{9}})
	refused(none)
	doubled := across()[:1]
	doubled[0].F.Cross[0].Weight = -2
	refused(doubled)
}

// Weights other than 0, 1 and -1, and lists that would take a great deal of memory.
func TestDescriptionsAreRefused(t *testing.T) {
	f := written()[0].F
	f.Keys[0].Linear = append(f.Keys[0].Linear, f.Keys[0].Linear[1])
	_, err := ticket.ReadOpenings(64, ticket.AppendOpenings(nil, []plan.Opening{{F: f}}))
	require.Equal(t, "BAD_FUNCTIONAL", carnet.ReasonOf(err), "a column twice")
	huge := []byte{3, 0, 0, 1 /* list */, 1 /* run */, 0, 0xff, 0xff, 0xff, 0x7f /* 2^28 cells */, 0}
	for name, b := range map[string][]byte{
		"nothing": {}, "another version": {2, 0, 0, 0, 0}, "no openings": {3, 0, 0, 0, 0}, "too many cells": huge,
		"long number": {3, 0x80, 0, 0, 0, 0}, "a key that is not listed": {3, 0, 0, 0, 1, 0, 1, 1, 0, 0, 0, 0, 0}, "no choices": {3, 0, 0, 0, 1, 1, 0, 0, 0}, "another kind": {3, 0, 0, 0, 1, 3, 0, 0, 0},
		"a long variance": append(ticket.AppendOpenings(nil, written())[:len(ticket.AppendOpenings(nil, written()))-1], 2, 0, 1),
		"a huge variance": append(ticket.AppendOpenings(nil, written())[:len(ticket.AppendOpenings(nil, written()))-1], append([]byte{21}, make([]byte, 21)...)...),
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
	f.Add(ticket.AppendOpenings(nil, across()))
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
