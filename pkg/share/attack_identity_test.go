package share

import (
	"math/big"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/he/wire"
)

// TestAttackRepeat: asking again, from another buyer, of other keyholders, or of one
// that lost its memory and was restored gives the same bytes, so nothing can be
// averaged. Nothing about the request is even an argument of an answer.
func TestAttackRepeat(t *testing.T) {
	s := newSystem(t, smallRecords, 5, 3, 2, 0)
	f := s.product([]uint32{0}, []uint32{1})
	first, second := s.open(f), s.open(f) // every keyholder anew from its sealed bytes
	require.Equal(t, first, second)
	want := s.total(first, first.answers[:3])
	for _, active := range [][]int{{0, 1, 4}, {2, 3, 4}, {4, 2, 0, 1}, {0, 1, 2, 3, 4}} {
		var answers []Answer
		for _, i := range active {
			answers = append(answers, first.answers[i])
		}
		require.Equal(t, want, s.total(first, answers), "active set %v", active)
	}

	// Keys given in another order are the same set of keys.
	ks, rs := s.keyholder(3)
	swapped := must(NewResponder(s.r, s.c, 3, []*KeyShare{ks[1], ks[0]}))
	require.Equal(t, rs, swapped)
}

// TestAttackFunctionalInputs: an answer that depends on something outside F could be
// had twice under one flood, and the difference would be free of flooding. So every
// input changes F, and with F the bytes of the answer.
func TestAttackFunctionalInputs(t *testing.T) {
	s := newSystem(t, smallRecords, 3, 2, 0, 0)
	_, rs := s.keyholder(1)
	base := func() identity {
		return identity{
			params: s.p.ID(), op: "linear", encoding: "slots", degree: 1, level: 3, k: 150,
			noise: "none", variance: "0",
			keys: []keyContent{{s.owners[0].key, carnet.Hash{1}}, {s.owners[1].key, carnet.Hash{2}}},
		}
	}
	rows := map[string]func(id *identity){
		"params":   func(id *identity) { id.params[31] ^= 1 },
		"op":       func(id *identity) { id.op = "product" },
		"encoding": func(id *identity) { id.encoding = "coefficients" },
		"degree":   func(id *identity) { id.degree = 2 },
		"level":    func(id *identity) { id.level = 2 },
		"k":        func(id *identity) { id.k = 149 },
		"noise":    func(id *identity) { id.noise = "gaussian" },
		"variance": func(id *identity) { id.variance = "1" },
		"keys":     func(id *identity) { id.keys = id.keys[:1] },
		"private":  func(id *identity) { id.private[0] = 1 },
	}
	typ := reflect.TypeFor[identity]()
	for i := range typ.NumField() {
		require.Contains(t, rows, typ.Field(i).Name, "a new input needs a row here")
	}
	rows["key id"] = func(id *identity) { id.keys[1].key[0] ^= 1 }
	rows["content"] = func(id *identity) { id.keys[0].content[0] ^= 1 }
	rows["contents swapped"] = func(id *identity) {
		id.keys[0].content, id.keys[1].content = id.keys[1].content, id.keys[0].content
	}
	rows["bytes moved between fields"] = func(id *identity) { id.op, id.encoding = "linears", "lots" }

	b := base()
	value := s.r.ScalarFromBig(big.NewInt(7))
	seenF := map[carnet.Hash]string{b.hash(): "base"}
	seenBytes := map[string]string{string(wire.AppendScalars(nil, s.p, slice(rs.Respond(b.hash(), 1, 150, nil, value)))): "base"}
	for name, change := range rows {
		id := base()
		change(&id)
		f := id.hash()
		require.NotContains(t, seenF, f, name)
		answer := string(wire.AppendScalars(nil, s.p, slice(rs.Respond(f, 1, 150, nil, value))))
		require.NotContains(t, seenBytes, answer, name)
		seenF[f], seenBytes[answer] = name, name
	}
}

func slice[T any](v ...T) []T { return v }

// TestAttackFunctionalID is the same from outside: whatever a plan can vary.
func TestAttackFunctionalID(t *testing.T) {
	s := newSystem(t, smallCube, 3, 2, 0, 0)
	records := newSystem(t, smallRecords, 3, 2, 0, 0)
	base := s.linear(0, 1, 2)
	sum := s.linear(0, 1, 2)
	otherFile := s.linear(0, 1, 2)
	otherFile.Keys[0].Linear[0].File[0] ^= 1
	otherKey := s.linear(0, 1, 2)
	otherKey.Keys[1].Key[31] ^= 1
	oneKey := s.linear(0, 1, 2)
	oneKey.Keys = oneKey.Keys[:1]
	product := records.product([]uint32{0}, []uint32{1})
	hd := records.contents(product)

	id := func(f *functional.Functional, k int) carnet.Hash { return FunctionalID(smallCube, f, k, nil, nil) }
	require.Equal(t, id(base, 110), id(sum, 110))
	require.Equal(t, id(base, 110), FunctionalID(smallCube, base, 110, nil, s.contents(base)))
	ids := []carnet.Hash{
		id(base, 110), id(base, 109), id(s.linear(1, 1, 2), 110), id(s.linear(0, 1, 3), 110), id(s.linear(0, 1), 110),
		id(s.linear(0, 1, 2, 65), 110), id(s.linear(0, 65, 66), 110), id(otherFile, 110), id(otherKey, 110), id(oneKey, 110),
		FunctionalID(smallRecords, base, 110, nil, nil),
		FunctionalID(smallRecords, product, 110, nil, hd),
		FunctionalID(smallRecords, product, 110, nil, slice(hd[1], hd[0])),
		FunctionalID(smallRecords, records.linear(0), 110, nil, nil),
	}
	seen := map[carnet.Hash]int{}
	for i, f := range ids {
		require.NotContains(t, seen, f, "%d", i)
		seen[f] = i
	}
	require.Panics(t, func() { FunctionalID(smallRecords, product, 110, nil, nil) })
	require.Panics(t, func() { FunctionalID(smallRecords, product, 110, nil, hd[:1]) })
}

// TestAttackPublicPart: D_0 is in no functional id. If it were, whoever supplies it
// (the gateway) could vary it, get a fresh flood for the same D_1 each time, and
// average the floods away.
func TestAttackPublicPart(t *testing.T) {
	s := newSystem(t, smallRecords, 3, 2, 0)
	f := s.product([]uint32{0}, []uint32{1})
	_, k := s.certificate(f)
	honest := FunctionalID(s.p, f, k, nil, s.contents(f))
	ks, rs := s.keyholder(1)
	answer := rs.Respond(honest, 2, k, nil, s.value(ks, f))

	d := s.parts(0, f)
	d0 := d[0]
	s.r.Add(d0, d[1], d0) // another D_0
	_, k2 := s.certificate(f)
	require.Equal(t, honest, FunctionalID(s.p, f, k2, nil, s.contents(f)))
	require.Equal(t, answer, rs.Respond(honest, 2, k2, nil, s.value(ks, f)))

	const noise, rounds, bits = 1234, 1 << 16, 6
	average := func(id func(i int) carnet.Hash) float64 {
		sum := 0.0
		for i := range rounds {
			sum += float64(noise + Flood([32]byte{7}, id(i), bits).Int64())
		}
		return sum/rounds + 0.5 // floods of [-2^k, 2^k) have mean -1/2
	}
	weak := average(func(i int) carnet.Hash {
		return carnet.Digest("with D_0", honest[:], big.NewInt(int64(i)).Bytes())
	})
	require.InDelta(t, noise, weak, 0.5, "the noise is read off exactly")
	require.Greater(t, abs(average(func(int) carnet.Hash { return honest })-noise), 1.0, "asking again adds nothing")
}

func abs(x float64) float64 { return max(x, -x) }
