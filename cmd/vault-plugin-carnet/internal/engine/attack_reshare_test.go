package engine

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/keys/keystest"
	"github.com/carnet-network/carnet/pkg/keys/vaultplugin"
	"github.com/carnet-network/carnet/pkg/seal"
	"github.com/carnet-network/carnet/pkg/ticket"
)

// handOver has the first key's parts handed on, with whatever was changed.
func (a *attacker) handOver(h *keys.Handing) (*keys.HandedOver, error) {
	return a.sharer.HandOver(a.t.Context(), a.net.Dealings[0], h)
}

func (a *attacker) wants(reason string, err error) {
	a.t.Helper()
	require.Error(a.t, err)
	require.Equal(a.t, reason, carnet.ReasonOf(err), err)
	var e *carnet.Error
	require.ErrorAs(a.t, err, &e)
	require.NotEmpty(a.t, e.Remedy)
}

func sealedBy(t testing.TB, typ carnet.StatementType, body any, by evidence.Signer) *evidence.Envelope {
	env, err := evidence.Seal(typ, body, by)
	require.NoError(t, err)
	return env
}

// Rule (resharing): seeds go to another committee only if the owner, whose key an operator
// entered, lets it have the key.
func TestAttackHandOverWithoutOwner(t *testing.T) {
	a := newAttacker(t, carnet.LayoutCube)
	h := a.net.Handing(0, "next")
	approve(t, a.engine, h.Committee, h.Recipients)
	word := func(by evidence.Signer, change func(s *carnet.Succession)) *keys.Handing {
		var s carnet.Succession
		require.NoError(t, h.Succession.Decode(carnet.TypeSuccession, &s))
		change(&s)
		out := *h
		out.Succession = sealedBy(t, carnet.TypeSuccession, s, by)
		return &out
	}
	refused := func(h *keys.Handing) {
		t.Helper()
		got, err := a.handOver(h)
		require.Nil(t, got)
		a.wants("SUCCESSION_MISSING", err)
	}
	refused(word(keystest.NewPerson("thief"), func(*carnet.Succession) {}))
	for _, change := range []func(s *carnet.Succession){
		func(s *carnet.Succession) { s.Committees = nil },
		func(s *carnet.Succession) { s.Committees[0][0] ^= 1 },
		func(s *carnet.Succession) { s.Key = a.net.Dealings[1].Key },
		func(s *carnet.Succession) { s.Owner = "owner9" },
		func(s *carnet.Succession) {
			s.Committees, s.Rule = nil, &carnet.SuccessionRule{Members: 4, Threshold: 2}
		},
		func(s *carnet.Succession) {
			s.Committees, s.Rule = nil, &carnet.SuccessionRule{Members: 3, Threshold: 3}
		},
	} {
		refused(word(a.net.Buyer, change))
	}
	// By a rule; where members are registered is for who approves the committee.
	_, err := a.handOver(word(a.net.Buyer, func(s *carnet.Succession) {
		s.Committees, s.Rule = nil, &carnet.SuccessionRule{Members: 3, Threshold: 2, Jurisdictions: []carnet.Jurisdiction{"KZ"}}
	}))
	require.NoError(t, err)

	// What was taken back does not return, even if the newer word never let anybody.
	later := func(s *carnet.Succession) { s.Created, s.Committees = s.Created.Add(time.Hour), nil }
	refused(word(keystest.NewPerson("thief"), later))
	_, err = a.handOver(h)
	require.NoError(t, err, "a word that nobody but a thief signed is none")
	refused(word(a.net.Buyer, later))
	refused(h)
	again := word(a.net.Buyer, func(s *carnet.Succession) { s.Created = s.Created.Add(2 * time.Hour) })
	_, err = a.handOver(again)
	require.NoError(t, err)

	// An owner whom the engine does not know, or another than the one that dealt.
	owner := a.net.Dealings[0].Body.Owner
	require.NoError(t, a.engine.Delete(t.Context(), "owners/"+string(owner)))
	_, err = a.handOver(again)
	a.wants("OWNER_NOT_KNOWN", err)
	thief := keystest.NewPerson("thief")
	_, err = a.engine.Write(t.Context(), "owners/"+string(owner), map[string]any{"signing_key": text(thief.Public())})
	require.NoError(t, err)
	refused(again)
	refused(word(thief, func(s *carnet.Succession) { s.Created = s.Created.Add(3 * time.Hour) }))
}

// Rule (resharing): an operator of the engine approves the committee with the very keys
// that seeds are sealed to. Token, policy key and the owner's word are not enough: whoever
// has them would name a sealing key of its own.
func TestAttackHandOverToOtherKeys(t *testing.T) {
	a := newAttacker(t, carnet.LayoutCube)
	h := a.net.Handing(0, "next")
	_, err := a.handOver(h)
	a.wants("SUCCESSOR_NOT_APPROVED", err)
	require.Equal(t, carnet.Forbidden, carnet.KindOf(err), "it waits for a person")
	approve(t, a.engine, h.Committee, h.Recipients)
	_, err = a.handOver(h)
	require.NoError(t, err)

	thief, err := seal.GenerateKey()
	require.NoError(t, err)
	for _, keys := range [][][]byte{
		{thief.Public(), h.Recipients[1], h.Recipients[2]},
		{h.Recipients[1], h.Recipients[0], h.Recipients[2]},
	} {
		other := *h
		other.Recipients = keys
		_, err = a.handOver(&other)
		a.wants("SUCCESSOR_NOT_APPROVED", err)
	}
	short := *h
	short.Recipients = h.Recipients[:2]
	_, err = a.handOver(&short)
	require.Equal(t, "BAD_REQUEST", carnet.ReasonOf(err))

	// Approved is a committee, not a set of keys.
	elsewhere := a.net.Handing(0, "other")
	_, err = a.handOver(elsewhere)
	a.wants("SUCCESSOR_NOT_APPROVED", err)

	names, err := a.engine.List(t.Context(), "successors")
	require.NoError(t, err)
	require.Equal(t, []string{h.Committee.String()}, names)
	got, err := a.engine.Read(t.Context(), "successors/"+h.Committee.String())
	require.NoError(t, err)
	require.Equal(t, ticket.RecipientsDigest(h.Recipients).String(), got["recipients"])
	require.NoError(t, a.engine.Delete(t.Context(), "successors/"+h.Committee.String()))
	_, err = a.handOver(h)
	a.wants("SUCCESSOR_NOT_APPROVED", err)
	_, err = a.engine.Write(t.Context(), "successors/"+h.Committee.String(), map[string]any{"recipients": "none"})
	require.Equal(t, "BAD_REQUEST", carnet.ReasonOf(err))
}

// meddle changes requests to a path of a key before the engine gets them.
type meddle struct {
	*inProcess
	change func(path string, data map[string]any)
}

func (m meddle) Write(ctx context.Context, path string, data map[string]any) (map[string]any, error) {
	data = maps.Clone(data)
	m.change(path, data)
	return m.inProcess.Write(ctx, path, data)
}

// Rule (resharing): a ticket signed by the policy key, of this epoch, for these very
// parts, committee, keys and succession.
func TestAttackReshareTickets(t *testing.T) {
	a := newAttacker(t, carnet.LayoutCube)
	h, other := a.net.Handing(0, "next"), a.net.Handing(1, "next")
	approve(t, a.engine, h.Committee, h.Recipients)
	m, _ := a.net.Move(0, h, a.sharer.SealingKey())
	give := func(s keys.Sharer) error {
		_, err := s.HandOver(t.Context(), a.net.Dealings[0], h)
		return err
	}
	take := func(s keys.Sharer) error { _, err := m.TakeOver(t, s, h, m.Sealed); return err }
	good := ticket.ForHandOver(1, keystest.Member, h.Succession.Hash(), a.net.Dealings[0].Key, h.Committee, h.Recipients)
	goodTake := ticket.ForTakeOver(1, keystest.Member, h.Succession.Hash(), m.Dealing.Key, h.Committee, 0)
	for _, c := range []struct {
		do   func(s keys.Sharer) error
		good *ticket.Ticket
	}{{give, good}, {take, goodTake}} {
		with := func(signed string) error {
			return c.do(sharer(t, meddle{a.engine, func(path string, data map[string]any) { data["ticket"] = signed }}))
		}
		a.wants("NO_TICKET", with(""))
		a.wants("BAD_TICKET_SIGNATURE", with(a.sign(c.good, a.net.Buyer)))
		for name, change := range map[string]func(k *ticket.Ticket){
			"other parts":        func(k *ticket.Ticket) { k.Plan = carnet.Hash(other.From) },
			"another committee":  func(k *ticket.Ticket) { k.Recipient[0] ^= 1 },
			"another succession": func(k *ticket.Ticket) { k.Query = other.Succession.Hash() },
			"another keyholder":  func(k *ticket.Ticket) { k.Number++ },
			"other keys":         func(k *ticket.Ticket) { k.Content[0] ^= 1 },
			"the other way":      func(k *ticket.Ticket) { k.Op ^= ticket.HandOver ^ ticket.TakeOver },
			"an answer":          func(k *ticket.Ticket) { k.Op = ticket.Answer },
		} {
			k := *c.good
			change(&k)
			require.Equal(t, "TICKET_DIFFERS", carnet.ReasonOf(with(a.sign(&k, policy))), name)
		}
	}
	require.NoError(t, a.configure(map[string]any{"epoch": 2}))
	old := sharer(t, meddle{a.engine, func(path string, data map[string]any) { data["ticket"] = a.sign(good, policy) }})
	a.wants("TICKET_EPOCH", give(old))
	require.NoError(t, give(a.sharer))
	require.NoError(t, take(a.sharer))
}

// Rule (resharing): what is taken over counts under the name of the key whose seeds it is,
// whoever says something else. A key with more than one name would have its releases
// counted anew for each.
func TestAttackTakeOverNames(t *testing.T) {
	a := newAttacker(t, carnet.LayoutCube)
	h := a.net.Handing(0, "next")
	second := a.net.Handing(1, "next")
	own, _ := a.net.Move(0, h, a.sharer.SealingKey())
	refuses := func(reason string, m *keystest.Moved, h *keys.Handing) {
		t.Helper()
		_, err := m.TakeOver(t, a.sharer, h, m.Sealed)
		a.wants(reason, err)
		require.Equal(t, "KEY_NOT_HELD", carnet.ReasonOf(a.sharer.Held(t.Context(), m.Dealing)))
	}
	said := func(change func(r *carnet.Resharing)) *keystest.Moved {
		m, _ := a.net.Move(0, h, a.sharer.SealingKey(), change)
		return m
	}
	// Seeds of the first key under the name of the second, of another owner or of the same.
	as := *second
	as.Move, as.Source = h.Move, h.Source
	refuses("BAD_RESHARING", said(func(r *carnet.Resharing) { r.Key, r.Owner = second.From, a.net.Dealings[1].Body.Owner }), &as)
	again, after := a.net.Redeal(0, a.sharer.SealingKey(), "again")
	require.NoError(t, a.sharer.Accept(t.Context(), again, after.Sealed(again.Key)))
	alone := *h
	alone.First = again.Statement
	alone.Succession = sealedBy(t, carnet.TypeSuccession, carnet.Succession{Key: again.Key, Owner: again.Body.Owner, Committees: []carnet.Hash{h.Committee}}, a.net.Buyer)
	_, err := said(func(r *carnet.Resharing) { r.Key = again.Key }).TakeOver(t, a.sharer, &alone, own.Sealed)
	require.Error(t, err, "a dealing that is not of this key")
	moved := after.Handing(0, "next")
	moved.Redealing = nil
	m, _ := after.Move(0, moved, a.sharer.SealingKey())
	_, err = m.TakeOver(t, a.sharer, moved, m.Sealed)
	require.Error(t, err, "nothing says that the dealing is of the key")
	moved.Redealing = sealedBy(t, carnet.TypeRedealing, carnet.Redealing{Key: moved.Move.From, Dealing: again.Key, Owner: again.Body.Owner}, a.net.Buyer)
	_, err = m.TakeOver(t, a.sharer, moved, m.Sealed)
	a.wants("BAD_REDEALING", err)

	// Seeds of another owner's key, with a resharing of one's own as where they are from.
	stolen := *second
	stolen.First, stolen.Source, stolen.Holders = h.First, own.Dealing.Statement, h.To
	stolen.Succession = sealedBy(t, carnet.TypeSuccession, carnet.Succession{Key: h.From, Owner: own.Dealing.Body.Owner, Committees: []carnet.Hash{second.Committee}}, a.net.Buyer)
	theirs, _ := a.net.Move(1, &stolen, a.sharer.SealingKey(), func(r *carnet.Resharing) { r.Key, r.Owner = h.From, own.Dealing.Body.Owner })
	refuses("BAD_RESHARING", theirs, &stolen)
	first := *h
	first.First = again.Statement
	refuses("BAD_RESHARING", own, &first)

	// What does not follow from what was agreed on.
	for _, change := range []func(r *carnet.Resharing){
		func(r *carnet.Resharing) { r.From = second.From },
		func(r *carnet.Resharing) { r.Nonce[0] ^= 1 },
		func(r *carnet.Resharing) { r.Commitments[0][0] ^= 1 },
		func(r *carnet.Resharing) { r.Owner = "owner9" },
	} {
		_, err := said(change).TakeOver(t, a.sharer, h, own.Sealed)
		require.Error(t, err)
	}
	for _, change := range []func(h *keys.Handing){
		func(h *keys.Handing) { h.First = a.net.Dealings[1].Statement },
		func(h *keys.Handing) { h.Source = a.net.Dealings[1].Statement },
		func(h *keys.Handing) { h.Holders = h.To },
		func(h *keys.Handing) { h.Succession = second.Succession },
		func(h *keys.Handing) {
			first := evidence.Envelope{PayloadType: h.First.PayloadType, Payload: h.First.Payload}
			require.NoError(t, first.Countersign(keystest.NewPerson("thief")))
			h.First = &first
		},
	} {
		x := *h
		change(&x)
		_, err := own.TakeOver(t, a.sharer, &x, own.Sealed)
		require.Error(t, err)
	}
	require.Equal(t, "KEY_NOT_HELD", carnet.ReasonOf(a.sharer.Held(t.Context(), own.Dealing)))
	_, err = own.TakeOver(t, a.sharer, h, own.Sealed)
	require.NoError(t, err)
	data, err := a.engine.Read(t.Context(), "keys/"+own.Dealing.Key.String())
	require.NoError(t, err)
	require.Equal(t, h.From.String(), data["key"])

	// An owner's seeds are not imported under a resharing's name.
	require.Equal(t, "BAD_REQUEST", carnet.ReasonOf(a.sharer.Accept(t.Context(), own.Dealing, own.Sealed[1])))
}

// Seeds leave in no other form than sealed to those who were approved: nothing that the
// engine answers when parts are handed on has one of them.
func TestAttackHandOverShowsNoSeed(t *testing.T) {
	a := newAttacker(t, carnet.LayoutCube)
	h := a.net.Handing(0, "next")
	approve(t, a.engine, h.Committee, h.Recipients)
	var heard []byte
	listen := listening{a.engine, &heard}
	_, err := sharer(t, listen).HandOver(t.Context(), a.net.Dealings[0], h)
	require.NoError(t, err)
	require.NotEmpty(t, heard)
	_, seeds := a.net.ExpectHanded(0, h)
	var secrets [][32]byte
	for _, b := range seeds {
		for at := 3 + 4; at+32 <= len(b); at += 36 {
			secrets = append(secrets, [32]byte(b[at:]))
		}
	}
	require.Len(t, secrets, 2*3*2) // two parts held here, and every member holds two of three
	for _, s := range append(secrets, a.net.Secrets()...) {
		require.NotContains(t, string(heard), string(s[:]))
	}
}

// listening collects all that an engine answers, decoded.
type listening struct {
	*inProcess
	heard *[]byte
}

func (l listening) Write(ctx context.Context, path string, data map[string]any) (map[string]any, error) {
	got, err := l.inProcess.Write(ctx, path, data)
	for _, v := range got {
		list, ok := v.([]any)
		if !ok {
			list = []any{v}
		}
		for _, x := range list {
			if s, ok := x.(string); ok {
				b := make([]byte, len(s))
				n, _ := base64.StdEncoding.Decode(b, []byte(s))
				*l.heard = append(append(*l.heard, b[:n]...), s...)
			}
		}
	}
	return got, err
}

// Rule (products): numbers released under a key elsewhere may all have been products, and
// count as such here: after the key was handed on, and after it was dealt again.
func TestAttackProductsAfterMoves(t *testing.T) {
	for _, c := range []string{"handed on", "dealt again"} {
		a := newAttacker(t, carnet.LayoutRecords)
		per := products(a.net.Ask(monthly))
		require.Positive(t, per)
		require.NoError(t, a.configure(map[string]any{"max_product_releases": 3 * per}))
		_, err := a.net.Answer(t, a.sharer, a.net.Ask(monthly), 0)
		require.NoError(t, err, "counted under the key's name")
		elsewhere := int64(len(a.net.Ask(monthly).Plan.Openings) + per)
		var key carnet.KeyID
		after := new(keystest.Network)
		if c == "handed on" {
			var both [2]*keystest.Moved
			after = a.net
			for i := range both {
				h := after.Handing(i, "next")
				h.Released = func(context.Context) (int64, error) { return elsewhere, nil }
				both[i], after = after.Move(i, h, a.sharer.SealingKey())
				_, err := both[i].TakeOver(t, a.sharer, h, both[i].Sealed)
				require.NoError(t, err)
			}
			key = both[0].Dealing.Key
		} else {
			var again *keys.Dealing
			again, after = a.net.Redeal(0, a.sharer.SealingKey(), "again", func(r *carnet.Redealing) { r.Released = elsewhere })
			require.NoError(t, a.sharer.Accept(t.Context(), again, after.Sealed(again.Key)))
			key = again.Key
		}
		_, err = after.Answer(t, a.sharer, after.Ask(monthly), 0)
		require.NoError(t, err, "%s: one here, one elsewhere, and this", c)
		data, err := a.engine.Read(t.Context(), "keys/"+key.String())
		require.NoError(t, err)
		require.Equal(t, json.Number(fmt.Sprint(3*per)), data["released_products"], c)
		_, err = after.Answer(t, a.sharer, after.Ask(monthly), 1)
		require.Equal(t, "PRODUCTS_EXHAUSTED", carnet.ReasonOf(err), c)
	}
}

// Requests that are malformed are refused, whatever is wrong with them.
func TestReshareRequests(t *testing.T) {
	a := newAttacker(t, carnet.LayoutCube)
	h := a.net.Handing(0, "next")
	approve(t, a.engine, h.Committee, h.Recipients)
	m, _ := a.net.Move(0, h, a.sharer.SealingKey())
	for name, c := range map[string]struct {
		field string
		value any
	}{
		"no such part":        {"part", 6}, // of one holder less
		"a negative part":     {"part", -1},
		"its own":             {"part", 1},
		"keys no base64":      {"recipients", []string{"?", "?", "?"}},
		"too many keys":       {"recipients", []string{"", "", "", ""}},
		"no committee":        {"to", []string{text([]byte("{}"))}},
		"no succession":       {"succession", []string{text([]byte("{}"))}},
		"no statement":        {"succession", []string{"?"}},
		"ticket is no base64": {"ticket", "?"},
	} {
		s := sharer(t, meddle{a.engine, func(path string, data map[string]any) { data[c.field] = c.value }})
		_, err := s.HandOver(t.Context(), a.net.Dealings[0], h)
		require.Error(t, err, name)
	}
	for name, c := range map[string]struct {
		field string
		value any
	}{
		"agreed is short":        {"agreed", []string{text(make([]byte, 31))}},
		"agreed is empty":        {"agreed", []string{}},
		"a holder twice":         {"from", []int{1, 1, 2}},
		"a holder too many":      {"from", []int{1, 2, 4}},
		"more holders":           {"from", []int{1, 2}},
		"negative":               {"released", -1},
		"another number":         {"number", 0},
		"a number too many":      {"number", 4},
		"no holders":             {"holders", []string{text([]byte("{}"))}},
		"no resharing":           {"resharing", []string{text([]byte("{}"))}},
		"another resharing's id": {"resharing", []string{text(mustJSON(t, h.Succession))}},
		"sealed is no base64":    {"sealed", []string{"?", "?", "?"}},
	} {
		s := sharer(t, meddle{a.engine, func(path string, data map[string]any) { data[c.field] = c.value }})
		_, err := m.TakeOver(t, s, h, m.Sealed)
		require.Error(t, err, name)
		require.Equal(t, "KEY_NOT_HELD", carnet.ReasonOf(a.sharer.Held(t.Context(), m.Dealing)), name)
	}
	short := bytes.Clone(m.Sealed[1][:len(m.Sealed[1])-1])
	liars, err := m.TakeOver(t, a.sharer, h, map[int][]byte{1: short, 2: m.Sealed[2], 3: m.Sealed[3]})
	require.NoError(t, err)
	require.Equal(t, []int{1}, liars)
	require.NoError(t, vaultplugin.Destroy(t.Context(), a.engine, m.Dealing.Key))
	_, err = m.TakeOver(t, a.sharer, h, m.Sealed)
	require.Equal(t, "KEY_DESTROYED", carnet.ReasonOf(err))
}

func mustJSON(t testing.TB, v any) []byte {
	b, err := json.Marshal(v)
	require.NoError(t, err)
	return b
}
