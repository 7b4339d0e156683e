package engine

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/he/wire"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/keys/keystest"
	"github.com/carnet-network/carnet/pkg/seal"
	"github.com/carnet-network/carnet/pkg/share"
	"github.com/carnet-network/carnet/pkg/ticket"
)

const (
	monthly     = `SELECT month, COUNT(*), SUM(value) FROM trade GROUP BY month`
	january     = `SELECT SUM(value) FROM trade WHERE month = '01'`
	february    = `SELECT SUM(value) FROM trade WHERE month = '02'`
	secretMonth = `SELECT COUNT(*), SUM(value) FROM trade WHERE month = PRIVATE($1)`
)

// attacker has a token for every path of the keyholder's policy, and no policy key.
type attacker struct {
	t       testing.TB
	engine  *inProcess
	storage *storage
	sharer  keys.Sharer
	net     *keystest.Network
}

func newAttacker(t *testing.T, layout carnet.Layout) *attacker {
	a := &attacker{t: t, storage: &storage{}}
	a.engine = newEngine(t, a.storage)
	configure(t, a.engine, keystest.NewPerson("buyer").Public())
	a.sharer = sharer(t, a.engine)
	a.net = keystest.NewNetwork(t, a.sharer.SealingKey(), layout, 2, false)
	a.net.Accept(t, a.sharer)
	return a
}

func (a *attacker) ticket(r *keys.Release, ids []carnet.Hash) *ticket.Ticket {
	return ticket.ForAnswer(1, keystest.Member, r.Hash, r.Query, a.net.Profile.N(), r.Plan.Openings, ids)
}

func (a *attacker) sign(tk *ticket.Ticket, by evidence.Signer) string {
	b, err := tk.Sign(by)
	require.NoError(a.t, err)
	return text(b)
}

// request is what an honest keyholder sends, without its ticket.
func (a *attacker) request(r *keys.Release) map[string]any {
	env, err := json.Marshal(r.Statement)
	require.NoError(a.t, err)
	var names []string
	for _, d := range r.Dealings {
		names = append(names, d.Key.String())
	}
	var handles []byte
	for i, f := range r.Plan.Functionals() {
		if f.Degree == 1 {
			continue
		}
		for _, p := range a.net.Parts(r, i, 0) {
			h, err := a.handle(p.Key, p)
			require.NoError(a.t, err)
			handles = append(handles, h...)
		}
	}
	return map[string]any{"query": []string{text(env)}, "keys": names, "handles": []string{text(handles)},
		"openings": []string{text(ticket.AppendOpenings(nil, r.Plan.Openings))}}
}

func (a *attacker) handle(key carnet.KeyID, p keys.Part) ([]byte, error) {
	var raw []byte
	for _, d := range p.D {
		raw = wire.AppendPoly(raw, a.net.Profile, d)
	}
	return a.upload(key, raw)
}

func (a *attacker) upload(key carnet.KeyID, raw []byte) ([]byte, error) {
	var pieces []string
	for chunk := range slices.Chunk(raw, 512<<10) {
		pieces = append(pieces, text(chunk))
	}
	data, err := a.engine.Write(a.t.Context(), "functional", map[string]any{"key": key.String(), "d": pieces})
	if err != nil {
		return nil, err
	}
	return bytesOf(a.t, data["handle"]), nil
}

// refused sends a request and wants it refused with the reason; nothing is counted.
func (a *attacker) refused(reason string, path string, data map[string]any) {
	a.t.Helper()
	before := a.released()
	got, err := a.engine.Write(a.t.Context(), path, data)
	require.Error(a.t, err)
	require.Nil(a.t, got)
	require.Equal(a.t, reason, carnet.ReasonOf(err), err)
	require.Equal(a.t, before, a.released(), "nothing is counted")
}

func (a *attacker) released() (n int) {
	for _, d := range a.net.Dealings {
		data, err := a.engine.Read(a.t.Context(), "keys/"+d.Key.String())
		require.NoError(a.t, err)
		count, err := data["released"].(json.Number).Int64()
		require.NoError(a.t, err)
		n += int(count)
	}
	return n
}

func with(data map[string]any, field string, v any) map[string]any {
	out := maps.Clone(data)
	out[field] = v
	return out
}

func TestAttackTickets(t *testing.T) {
	for _, layout := range []carnet.Layout{carnet.LayoutCube, carnet.LayoutRecords} {
		a := newAttacker(t, layout)
		r, other := a.net.Ask(monthly), a.net.Ask(january)
		ids := a.net.IDs(r, 0)
		data := a.request(r)
		good := a.ticket(r, ids)
		a.refused("NO_TICKET", "share", data)
		a.refused("NO_TICKET", "share", with(data, "ticket", text(make([]byte, ticket.Size-1))))
		a.refused("NO_TICKET", "share", with(data, "ticket", text(make([]byte, ticket.Size))))
		a.refused("BAD_TICKET_SIGNATURE", "share", with(data, "ticket", a.sign(good, keystest.NewPerson("thief"))))
		a.refused("BAD_TICKET_SIGNATURE", "share", with(data, "ticket", a.sign(good, a.net.Buyer)))
		for name, change := range map[string]func(k *ticket.Ticket){
			"another query":      func(k *ticket.Ticket) { k.Query = other.Hash },
			"another plan":       func(k *ticket.Ticket) { k.Plan[0] ^= 1 },
			"another recipient":  func(k *ticket.Ticket) { k.Recipient[0] ^= 1 },
			"another functional": func(k *ticket.Ticket) { k.Content[0] ^= 1 },
			"another degree":     func(k *ticket.Ticket) { k.Degree++ },
			"another keyholder":  func(k *ticket.Ticket) { k.Number++ },
			"fewer openings":     func(k *ticket.Ticket) { k.Count-- },
			"a check":            func(k *ticket.Ticket) { k.Op = ticket.Check },
		} {
			changed := *good
			change(&changed)
			t.Run(name, func(t *testing.T) {
				a.refused("TICKET_DIFFERS", "share", with(data, "ticket", a.sign(&changed, policy)))
			})
		}
		// The ticket of another release does not serve, nor its openings under this one.
		a.refused("TICKET_DIFFERS", "share", with(data, "ticket", a.sign(a.ticket(other, a.net.IDs(other, 0)), policy)))
		a.refused("TICKET_DIFFERS", "share", with(a.request(other), "ticket", a.sign(good, policy)))
		swapped := with(data, "openings", a.request(other)["openings"])
		a.refused("TICKET_DIFFERS", "share", with(with(swapped, "handles", a.request(other)["handles"]), "ticket", a.sign(good, policy)))

		_, err := a.engine.Write(t.Context(), "share", with(data, "ticket", a.sign(good, policy)))
		require.NoError(t, err)
	}
}

// A product's D_1.. are what the ticket's F was derived from, not what a description says.
func TestAttackOtherPolynomials(t *testing.T) {
	a := newAttacker(t, carnet.LayoutRecords)
	r := a.net.Ask(monthly)
	data := a.request(r)
	signed := a.sign(a.ticket(r, a.net.IDs(r, 0)), policy)
	handles := bytesOf(t, data["handles"].([]string)[0])
	size := len(handles) / (2 * products(r))
	p := a.net.Parts(r, firstProduct(r), 1)[0] // other polynomials
	h, err := a.handle(p.Key, p)
	require.NoError(t, err)
	a.refused("TICKET_DIFFERS", "share", with(with(data, "handles", []string{text(append(bytes.Clone(h), handles[size:]...))}), "ticket", signed))

	swap := append(append(bytes.Clone(handles[size:2*size]), handles[:size]...), handles[2*size:]...) // of another key
	a.refused("BAD_HANDLE", "share", with(with(data, "handles", []string{text(swap)}), "ticket", signed))
	flipped := bytes.Clone(handles)
	flipped[40] ^= 1
	a.refused("BAD_HANDLE", "share", with(with(data, "handles", []string{text(flipped)}), "ticket", signed))
	a.refused("FUNCTIONAL_MISSING", "share", with(with(data, "handles", []string{text(handles[:len(handles)-size])}), "ticket", signed))
	a.refused("BAD_REQUEST", "share", with(with(data, "handles", []string{text(append(bytes.Clone(handles), h...))}), "ticket", signed))
}

func products(r *keys.Release) (n int) {
	for _, f := range r.Plan.Functionals() {
		if f.Degree > 1 {
			n++
		}
	}
	return n
}

func firstProduct(r *keys.Release) int {
	return slices.IndexFunc(r.Plan.Functionals(), func(f *functional.Functional) bool { return f.Degree > 1 })
}

func TestAttackPolynomials(t *testing.T) {
	a := newAttacker(t, carnet.LayoutRecords)
	p, key := a.net.Profile, a.net.Dealings[0].Key
	good := make([]byte, 2*p.BlockBytes())
	_, err := a.upload(key, good)
	require.NoError(t, err)
	unreduced := bytes.Clone(good)
	for i := range 8 {
		unreduced[p.BlockBytes()+i] = 0xff
	}
	for name, raw := range map[string][]byte{"empty": nil, "one": good[:p.BlockBytes()], "truncated": good[:len(good)-1], "three": append(bytes.Clone(good), good[:p.BlockBytes()]...),
		"unreduced": unreduced, "huge": make([]byte, maxField+3)} {
		_, err := a.upload(key, raw)
		require.Equal(t, carnet.Invalid, carnet.KindOf(err), name)
	}
	_, err = a.upload(carnet.KeyID{1}, good)
	require.Equal(t, "KEY_NOT_HELD", carnet.ReasonOf(err))
}

// Answers go to recipients that an approved buyer chose, in a query that it signed.
func TestAttackRecipients(t *testing.T) {
	a := newAttacker(t, carnet.LayoutCube)
	thief, err := seal.GenerateKey()
	require.NoError(t, err)
	r := a.net.Ask(january, func(q *carnet.Query) { q.Recipient = thief.Public() })
	signed := a.sign(a.ticket(r, a.net.IDs(r, 0)), policy)
	// The thief signs with a key of its own, under its own or the buyer's name.
	for _, name := range []carnet.PartyID{"buyer", "thief", "", "../config", "x/y"} {
		q := *r.Query
		q.Buyer = name
		env, err := evidence.Seal(carnet.TypeQuery, q, keystest.NewPerson("thief"))
		require.NoError(t, err)
		b, err := json.Marshal(env)
		require.NoError(t, err)
		a.refused("RECIPIENT_NOT_APPROVED", "share", with(with(a.request(r), "query", []string{text(b)}), "ticket", signed))
	}
	// An honest query with the recipient changed has no signature.
	env := *a.net.Ask(january).Statement
	env.Payload = r.Statement.Payload
	b, err := json.Marshal(env)
	require.NoError(t, err)
	a.refused("RECIPIENT_NOT_APPROVED", "share", with(with(a.request(r), "query", []string{text(b)}), "ticket", signed))

	require.NoError(t, a.engine.Delete(t.Context(), "buyers/buyer"))
	a.refused("RECIPIENT_NOT_APPROVED", "share", with(a.request(r), "ticket", signed))
}

func TestAttackExpiredQuery(t *testing.T) {
	a := newAttacker(t, carnet.LayoutCube)
	r := a.net.Ask(january, func(q *carnet.Query) { q.Expires = time.Now().Add(-time.Minute).UTC() })
	a.refused("QUERY_EXPIRED", "share", with(a.request(r), "ticket", a.sign(a.ticket(r, a.net.IDs(r, 0)), policy)))
}

// Raising the epoch, or another policy key, voids what was signed before, for good.
func TestAttackOldTickets(t *testing.T) {
	a := newAttacker(t, carnet.LayoutCube)
	r := a.net.Ask(january)
	tk := a.ticket(r, a.net.IDs(r, 0))
	old := with(a.request(r), "ticket", a.sign(tk, policy))
	config := func(data map[string]any) error {
		_, err := a.engine.Write(t.Context(), "config", data)
		return err
	}
	require.NoError(t, config(map[string]any{"epoch": 7}))
	a.refused("TICKET_EPOCH", "share", old)
	require.Equal(t, "EPOCH_BACK", carnet.ReasonOf(config(map[string]any{"epoch": 6})))
	tk.Epoch = 7
	seventh := with(old, "ticket", a.sign(tk, policy))
	require.NoError(t, config(map[string]any{"ticket_key": text(keystest.NewPerson("next").Public())}))
	a.refused("BAD_TICKET_SIGNATURE", "share", seventh)
	require.NoError(t, config(map[string]any{"ticket_key": text(policy.Public())}))
	a.refused("TICKET_EPOCH", "share", seventh)
	_, err := a.net.Answer(t, a.sharer, r, 0)
	require.NoError(t, err, "a new ticket")
}

// A replay gives the buyer the bytes it has, and counts nothing; the limit holds for
// distinct numbers, over restarts.
func TestAttackReplayAndLimit(t *testing.T) {
	a := newAttacker(t, carnet.LayoutCube)
	r := a.net.Ask(january)
	n := len(r.Plan.Openings)
	_, err := a.engine.Write(t.Context(), "config", map[string]any{"max_releases": 2 * n})
	require.NoError(t, err)
	data := with(a.request(r), "ticket", a.sign(a.ticket(r, a.net.IDs(r, 0)), policy))
	open := func() []byte {
		got, err := a.engine.Write(t.Context(), "share", data)
		require.NoError(t, err)
		plain, err := a.net.Recipient.Open(share.AnswerInfo(r.Hash, keystest.Member), bytesOf(t, got["sealed"]))
		require.NoError(t, err)
		return plain
	}
	first := open()
	require.Equal(t, first, open())
	require.Equal(t, 2*n, a.released(), "under each of two keys")
	_, err = a.net.Answer(t, a.sharer, a.net.Ask(february), 0)
	require.NoError(t, err)
	a.engine = newEngine(t, a.storage)
	a.sharer = sharer(t, a.engine)
	third := a.net.Ask(`SELECT SUM(value) FROM trade WHERE month = '03'`)
	a.refused("RELEASES_EXHAUSTED", "share", with(a.request(third), "ticket", a.sign(a.ticket(third, a.net.IDs(third, 0)), policy)))
	require.Equal(t, first, open(), "what was released before is repeated")
	require.Equal(t, 4*n, a.released())
}

// Weight 2 would open another sum than the plan says, and with it something else than
// was decided on.
func TestAttackWeights(t *testing.T) {
	a := newAttacker(t, carnet.LayoutCube)
	r := a.net.Ask(january)
	k := &r.Plan.Openings[0].F.Keys[0]
	k.Linear = append(k.Linear, k.Linear[0])
	a.refused("BAD_FUNCTIONAL", "share", with(a.request(r), "ticket", a.sign(a.ticket(r, a.net.IDs(r, 0)), policy)))
}

// A flood narrower than the description needs is never used: the width is the engine's own.
func TestAttackFloodWidth(t *testing.T) {
	a := newAttacker(t, carnet.LayoutCube)
	r := a.net.Ask(january)
	r.Plan.Openings[0].FloodBits = 1
	a.refused("TICKET_DIFFERS", "share", with(a.request(r), "ticket", a.sign(a.ticket(r, a.net.IDs(r, 0)), policy)))
}

// A key that was destroyed is gone for every path, over restarts, and for handles and
// tickets that were made before.
func TestAttackDestroyedKey(t *testing.T) {
	a := newAttacker(t, carnet.LayoutRecords)
	r := a.net.Ask(monthly)
	data := with(a.request(r), "ticket", a.sign(a.ticket(r, a.net.IDs(r, 0)), policy))
	key := a.net.Dealings[1].Key
	require.NoError(t, a.engine.Delete(t.Context(), "keys/"+key.String()))
	for range 2 {
		for path, in := range map[string]map[string]any{"share": data, "functional": {"key": key.String(), "d": []string{text(make([]byte, 16))}}} {
			_, err := a.engine.Write(t.Context(), path, in)
			require.Equal(t, "KEY_DESTROYED", carnet.ReasonOf(err))
		}
		_, err := a.engine.Read(t.Context(), "keys/"+key.String())
		require.Equal(t, "KEY_DESTROYED", carnet.ReasonOf(err))
		require.Equal(t, "KEY_DESTROYED", carnet.ReasonOf(a.sharer.Accept(t.Context(), a.net.Dealings[1], a.net.Sealed(key))))
		a.engine = newEngine(t, a.storage)
		a.sharer = sharer(t, a.engine)
	}
	e, err := a.storage.Get(t.Context(), storedSeeds+key.String())
	require.NoError(t, err)
	require.Nil(t, e)
}

// Seeds open under their own dealing only, and only as the keyholder they are for.
func TestAttackImport(t *testing.T) {
	a := newAttacker(t, carnet.LayoutCube)
	d := a.net.Dealings[0]
	in := func(dealing *evidence.Envelope, number int) map[string]any {
		b, err := json.Marshal(dealing)
		require.NoError(t, err)
		c, err := json.Marshal(d.Committee)
		require.NoError(t, err)
		return map[string]any{"dealing": []string{text(b)}, "committee": []string{text(c)}, "number": number, "sealed": []string{text(a.net.Sealed(d.Key))}}
	}
	a.refused("BAD_DEALING", "keys/"+d.Key.String(), in(a.net.Dealings[1].Statement, 1))
	a.refused("SEEDS_UNREADABLE", "keys/"+a.net.Dealings[1].Key.String(), in(a.net.Dealings[1].Statement, 1))
	a.refused("SEEDS_UNREADABLE", "keys/"+d.Key.String(), in(d.Statement, 2))
	for _, number := range []int{0, -1, 4, 1 << 30} {
		a.refused("BAD_DEALING", "keys/"+d.Key.String(), in(d.Statement, number))
	}
	// One's own dealing with fewer commitments, or other parameters.
	for _, change := range []func(b *carnet.Dealing){
		func(b *carnet.Dealing) { b.Commitments = b.Commitments[:1] },
		func(b *carnet.Dealing) { b.Params[0] ^= 1 },
	} {
		body := *d.Body
		change(&body)
		env, err := evidence.Seal(carnet.TypeDealing, body, a.net.Buyer)
		require.NoError(t, err)
		a.refused("BAD_DEALING", "keys/"+env.Hash().String(), in(env, 1))
	}
}

// The check of a private parameter needs a ticket of its own.
func TestAttackChecks(t *testing.T) {
	a := newAttacker(t, carnet.LayoutCube)
	change, _ := a.net.Select(a.sharer.SealingKey(), 1)
	r := a.net.Ask(secretMonth, change)
	data := a.request(r)
	ids := r.Plan.Keys()
	a.refused("NO_TICKET", "check", data)
	a.refused("TICKET_DIFFERS", "check", with(data, "ticket", a.sign(a.ticket(r, a.net.IDs(r, 0)), policy)))
	good := a.sign(ticket.ForCheck(1, keystest.Member, r.Hash, r.Query, ids), policy)
	a.refused("TICKET_DIFFERS", "check", with(with(data, "keys", []string{ids[0].String()}), "ticket", good))
	a.refused("TICKET_DIFFERS", "share", with(data, "ticket", good))
	plain := a.net.Ask(january)
	a.refused("BAD_REQUEST", "check", with(a.request(plain), "ticket", a.sign(ticket.ForCheck(1, keystest.Member, plain.Hash, plain.Query, ids), policy)))
	_, err := a.engine.Write(t.Context(), "check", with(data, "ticket", good))
	require.NoError(t, err)
	// Openings without choices under a private parameter, and the other way round.
	a.refused("BAD_REQUEST", "share", with(with(data, "openings", a.request(plain)["openings"]), "ticket", good))
	a.refused("BAD_REQUEST", "share", with(with(a.request(plain), "openings", data["openings"]), "ticket", good))
}
