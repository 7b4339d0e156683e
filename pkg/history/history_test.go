package history_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/history"
	"github.com/carnet-network/carnet/pkg/history/historytest"
)

// apply applies a whole world and then one more statement.
func apply(w *historytest.World, env *evidence.Envelope) (*history.Event, error) {
	return w.State().Apply(int64(len(w.Entries)), env)
}

func TestAnHonestLogHasEffect(t *testing.T) {
	w := historytest.New(t)
	q := w.Release(historytest.SQL, 2)
	s := history.New(historytest.KeyOf(historytest.Registrar).Public())
	for _, e := range w.Entries {
		_, err := s.Apply(e.Seq, e.Envelope)
		require.NoError(t, err, "entry %d", e.Seq)
	}
	c := s.Case(q.Hash())
	require.True(t, c.Released())
	require.Len(t, c.Inputs, 2)
	charges, err := c.Charges()
	require.NoError(t, err)
	p, err := c.Plan()
	require.NoError(t, err)
	require.Len(t, charges, 2*len(p.Openings), "under two keys")
	require.Equal(t, c.Query.Plan, p.Hash())
}

// What nobody honest would publish has no effect, for the reason that keyholders have.
func TestStatementsWithoutEffect(t *testing.T) {
	owner, other := historytest.Owners[0], historytest.Owners[1]
	for _, c := range []struct {
		what, reason string
		make         func(w *historytest.World) *evidence.Envelope
	}{
		{"a party that the registrar did not sign", "BAD_SIGNATURE", func(w *historytest.World) *evidence.Envelope {
			return w.Seal(carnet.TypeParty, carnet.Party{ID: "x", SigningKey: historytest.KeyOf("x").Public()}, "x")
		}},
		{"a party without its own signature", "BAD_SIGNATURE", func(w *historytest.World) *evidence.Envelope {
			return w.Seal(carnet.TypeParty, carnet.Party{ID: "x", SigningKey: historytest.KeyOf("x").Public()}, historytest.Registrar)
		}},
		{"a party with a malformed name", "BAD_PARTY", func(w *historytest.World) *evidence.Envelope {
			return w.Seal(carnet.TypeParty, carnet.Party{ID: "X", SigningKey: historytest.KeyOf("X").Public()}, "X", historytest.Registrar)
		}},
		{"an older party", "OLDER_STATEMENT", func(w *historytest.World) *evidence.Envelope {
			p := w.Replacement(owner)
			p.Created = historytest.Start.Add(-time.Hour)
			return w.Seal(carnet.TypeParty, p, owner, owner+"#2", historytest.Registrar)
		}},
		{"another first statement", "PARTY_EXISTS", func(w *historytest.World) *evidence.Envelope {
			p := w.Replacement(owner)
			p.Replaces = nil
			return w.Seal(carnet.TypeParty, p, owner, owner+"#2", historytest.Registrar)
		}},
		{"the first statement after it was replaced", "PARTY_EXISTS", func(w *historytest.World) *evidence.Envelope {
			first := w.First(owner)
			w.Rotate(owner)
			return first
		}},
		{"a replacement of the first statement once more", "PARTY_REPLACED", func(w *historytest.World) *evidence.Envelope {
			p := w.Replacement(owner)
			w.Rotate(owner)
			p.SigningKey, p.Created = historytest.KeyOf("thief").Public(), w.Now()
			return w.Seal(carnet.TypeParty, p, owner+"#1", "thief", historytest.Registrar)
		}},
		{"a replacement of nothing", "UNKNOWN_PARTY", func(w *historytest.World) *evidence.Envelope {
			p := w.Replacement(owner)
			p.ID = "x"
			return w.Seal(carnet.TypeParty, p, owner, owner+"#2", historytest.Registrar)
		}},
		{"a replacement without the old key", "OLD_KEY_MISSING", func(w *historytest.World) *evidence.Envelope {
			return w.Seal(carnet.TypeParty, w.Replacement(owner), owner+"#2", historytest.Registrar)
		}},
		{"a replacement without the new key", "BAD_SIGNATURE", func(w *historytest.World) *evidence.Envelope {
			return w.Seal(carnet.TypeParty, w.Replacement(owner), owner, historytest.Registrar)
		}},
		{"a replacement without the registrar", "BAD_SIGNATURE", func(w *historytest.World) *evidence.Envelope {
			return w.Seal(carnet.TypeParty, w.Replacement(owner), owner, owner+"#2")
		}},
		{"a replacement by the same key", "KEY_REUSED", func(w *historytest.World) *evidence.Envelope {
			p := w.Replacement(owner)
			p.SigningKey = historytest.KeyOf(owner).Public()
			return w.Seal(carnet.TypeParty, p, owner, historytest.Registrar)
		}},
		{"a return to the first key", "KEY_REUSED", func(w *historytest.World) *evidence.Envelope {
			w.Rotate(owner)
			p := w.Replacement(owner)
			p.SigningKey = historytest.KeyOf(owner).Public()
			return w.Seal(carnet.TypeParty, p, owner+"#1", owner+"#2", historytest.Registrar)
		}},
		{"a replacement that moves", "PARTY_CHANGED", func(w *historytest.World) *evidence.Envelope {
			p := w.Replacement(owner)
			p.Jurisdiction = "US"
			return w.Seal(carnet.TypeParty, p, owner, owner+"#2", historytest.Registrar)
		}},
		{"a replacement with another role", "PARTY_CHANGED", func(w *historytest.World) *evidence.Envelope {
			p := w.Replacement(owner)
			p.Roles = append(p.Roles, carnet.RoleKeyholder)
			return w.Seal(carnet.TypeParty, p, owner, owner+"#2", historytest.Registrar)
		}},
		{"a query with a key that was replaced", "KEY_REPLACED", func(w *historytest.World) *evidence.Envelope {
			q := w.Query(historytest.SQL)
			w.Rotate(historytest.Buyer)
			return w.Seal(carnet.TypeQuery, q, historytest.Buyer+"#1")
		}},
		{"a query with a key before it is in force", "BAD_SIGNATURE", func(w *historytest.World) *evidence.Envelope {
			return w.Seal(carnet.TypeQuery, w.Query(historytest.SQL), historytest.Buyer+"#2")
		}},
		{"a query of a revoked buyer", "PARTY_REVOKED", func(w *historytest.World) *evidence.Envelope {
			q := w.Query(historytest.SQL)
			w.RevokeParty(historytest.Buyer)
			return w.Seal(carnet.TypeQuery, q, historytest.Buyer)
		}},
		{"a replacement of a revoked party", "PARTY_REVOKED", func(w *historytest.World) *evidence.Envelope {
			p := w.Replacement(owner)
			w.RevokeParty(owner)
			return w.Seal(carnet.TypeParty, p, owner, owner+"#2", historytest.Registrar)
		}},
		{"a revocation that the registrar did not sign", "BAD_SIGNATURE", func(w *historytest.World) *evidence.Envelope {
			return w.Seal(carnet.TypePartyRevocation, carnet.PartyRevocation{Party: owner}, other)
		}},
		{"a revocation of nobody", "UNKNOWN_PARTY", func(w *historytest.World) *evidence.Envelope {
			return w.Seal(carnet.TypePartyRevocation, carnet.PartyRevocation{Party: "x"}, historytest.Registrar)
		}},
		{"a committee with a revoked member", "BAD_MEMBER", func(w *historytest.World) *evidence.Envelope {
			w.RevokeParty("k1")
			return w.Seal(carnet.TypeCommittee, carnet.Committee{ID: "next", Members: historytest.Keyholders, Threshold: 2, Quorum: 3}, historytest.Registrar)
		}},
		{"a committee with a low quorum", "BAD_QUORUM", func(w *historytest.World) *evidence.Envelope {
			return w.Seal(carnet.TypeCommittee, carnet.Committee{Members: historytest.Keyholders, Threshold: 2, Quorum: 2}, historytest.Registrar)
		}},
		{"a committee that demands no bundle in particular", "BAD_COMMITTEE", func(w *historytest.World) *evidence.Envelope {
			return w.Seal(carnet.TypeCommittee, carnet.Committee{Members: historytest.Keyholders, Threshold: 2, Quorum: 3, Policy: &carnet.PolicyDemand{Version: 2}}, historytest.Registrar)
		}},
		{"a committee with a stranger", "BAD_MEMBER", func(w *historytest.World) *evidence.Envelope {
			return w.Seal(carnet.TypeCommittee, carnet.Committee{Members: []carnet.PartyID{"k1", "k2", owner}, Threshold: 2, Quorum: 3}, historytest.Registrar)
		}},
		{"a schema by a buyer", "BAD_SIGNATURE", func(w *historytest.World) *evidence.Envelope {
			return &evidence.Envelope{PayloadType: carnet.TypeSchema, Payload: []byte(`{}`)}
		}},
		{"a dealing by another", "BAD_SIGNATURE", func(w *historytest.World) *evidence.Envelope {
			return w.Seal(carnet.TypeDealing, carnet.Dealing{Owner: owner, Committee: w.Committee}, other)
		}},
		{"a dealing by a buyer", "WRONG_ROLE", func(w *historytest.World) *evidence.Envelope {
			return w.Seal(carnet.TypeDealing, carnet.Dealing{Owner: historytest.Buyer, Committee: w.Committee}, historytest.Buyer)
		}},
		{"a dealing to nobody", "UNKNOWN_COMMITTEE", func(w *historytest.World) *evidence.Envelope {
			return w.Seal(carnet.TypeDealing, carnet.Dealing{Owner: owner}, owner)
		}},
		{"a dealing of other parameters", "WRONG_PARAMS", func(w *historytest.World) *evidence.Envelope {
			return w.Seal(carnet.TypeDealing, carnet.Dealing{Owner: owner, Committee: w.Committee, Profile: w.Profile().Name()}, owner)
		}},
		{"a dealing without commitments", "BAD_DEALING", func(w *historytest.World) *evidence.Envelope {
			return w.Seal(carnet.TypeDealing, carnet.Dealing{Owner: owner, Committee: w.Committee, Profile: w.Profile().Name(), Params: w.Profile().ID()}, owner)
		}},
		{"a file of another manifest", "NONCE_REUSED", func(w *historytest.World) *evidence.Envelope {
			d := w.Manifest(other)
			var first carnet.Dataset
			require.NoError(t, w.Manifests[owner].Decode(carnet.TypeDataset, &first))
			d.Files = first.Files
			return w.Seal(carnet.TypeDataset, d, other)
		}},
		{"other terms for a known file", "NONCE_REUSED", func(w *historytest.World) *evidence.Envelope {
			var d carnet.Dataset
			require.NoError(t, w.Manifests[owner].Decode(carnet.TypeDataset, &d))
			d.Terms.Purposes, d.Created = []string{"*"}, w.Now()
			return w.Seal(carnet.TypeDataset, d, owner)
		}},
		{"an older manifest", "OLDER_STATEMENT", func(w *historytest.World) *evidence.Envelope {
			d := w.Manifest(owner)
			d.Created = historytest.Start
			return w.Seal(carnet.TypeDataset, d, owner)
		}},
		{"a manifest in another's name space", "BAD_DATASET", func(w *historytest.World) *evidence.Envelope {
			d := w.Manifest(owner)
			d.ID = "bolt/trade"
			return w.Seal(carnet.TypeDataset, d, owner)
		}},
		{"a manifest under another's key", "BAD_DATASET", func(w *historytest.World) *evidence.Envelope {
			d := w.Manifest(owner)
			d.Key = carnet.KeyID(w.Dealings[other].Hash())
			return w.Seal(carnet.TypeDataset, d, owner)
		}},
		{"a manifest of another shape", "BAD_DATASET", func(w *historytest.World) *evidence.Envelope {
			d := w.Manifest(owner)
			d.Files[0].Blocks++
			return w.Seal(carnet.TypeDataset, d, owner)
		}},
		{"a manifest of an unknown schema", "UNKNOWN_SCHEMA", func(w *historytest.World) *evidence.Envelope {
			d := w.Manifest(owner)
			d.Schema = carnet.Hash{1}
			return w.Seal(carnet.TypeDataset, d, owner)
		}},
		{"a product taken over", "PRODUCT_EXISTS", func(w *historytest.World) *evidence.Envelope {
			return w.Seal(carnet.TypeProduct, carnet.Product{ID: historytest.Product, Publisher: other, Created: w.Now()}, other)
		}},
		{"a product with a dataset twice", "DATASET_TWICE", func(w *historytest.World) *evidence.Envelope {
			return w.Seal(carnet.TypeProduct, carnet.Product{ID: "twice", Publisher: owner, Datasets: []carnet.DatasetID{"a/b", "a/b"}}, owner)
		}},
		{"a revocation of another's dataset", "BAD_REVOCATION", func(w *historytest.World) *evidence.Envelope {
			return w.Seal(carnet.TypeRevocation, carnet.Revocation{Dataset: "acme/trade", Owner: other}, other)
		}},
		{"a retirement of another's key", "BAD_RETIREMENT", func(w *historytest.World) *evidence.Envelope {
			return w.Seal(carnet.TypeRetirement, carnet.Retirement{Key: carnet.KeyID(w.Dealings[owner].Hash()), Owner: other}, other)
		}},
		{"a destruction by a stranger", "BAD_DESTRUCTION", func(w *historytest.World) *evidence.Envelope {
			return w.Seal(carnet.TypeDestruction, carnet.Destruction{Key: carnet.KeyID(w.Dealings[owner].Hash()), By: "k1", Number: 2}, "k1")
		}},
		{"a redealing with a key in use", "BAD_REDEALING", func(w *historytest.World) *evidence.Envelope {
			key := carnet.KeyID(w.Dealings[owner].Hash())
			return w.Seal(carnet.TypeRedealing, carnet.Redealing{Key: w.Deal(owner), Dealing: key, Owner: owner}, owner)
		}},
		{"a query by an owner", "WRONG_ROLE", func(w *historytest.World) *evidence.Envelope {
			q := w.Query(historytest.SQL)
			q.Buyer = owner
			return w.Seal(carnet.TypeQuery, q, owner)
		}},
		{"a query of other inputs", "INPUTS_DIFFER", func(w *historytest.World) *evidence.Envelope {
			q := w.Query(historytest.SQL)
			q.Inputs = q.Inputs[:1]
			return w.Seal(carnet.TypeQuery, q, historytest.Buyer)
		}},
		{"a query of no product", "UNKNOWN_PRODUCT", func(w *historytest.World) *evidence.Envelope {
			q := w.Query(historytest.SQL)
			q.Product = "nothing"
			return w.Seal(carnet.TypeQuery, q, historytest.Buyer)
		}},
		{"a query again", "QUERY_REPEATED", func(w *historytest.World) *evidence.Envelope { return w.Ask(historytest.SQL) }},
		{"a query id again", "QUERY_ID_USED", func(w *historytest.World) *evidence.Envelope {
			q := w.Query(historytest.SQL)
			w.Append(carnet.TypeQuery, q, historytest.Buyer)
			q.Purpose = "other"
			return w.Seal(carnet.TypeQuery, q, historytest.Buyer)
		}},
		{"a certificate by an owner", "BAD_SIGNATURE", func(w *historytest.World) *evidence.Envelope {
			return w.Seal(carnet.TypeCertificate, struct{}{}, owner)
		}},
		{"groups that nobody asked for", "BAD_GROUPS", func(w *historytest.World) *evidence.Envelope {
			d := w.Manifest(owner)
			d.Terms.MinGroup = 3
			return w.Seal(carnet.TypeDataset, d, owner)
		}},
		{"an answer to nothing", "UNKNOWN_QUERY", func(w *historytest.World) *evidence.Envelope {
			return w.Seal(carnet.TypeAnswer, carnet.Answer{By: "k1", Number: 1}, "k1")
		}},
		{"an answer under another number", "NOT_A_MEMBER", func(w *historytest.World) *evidence.Envelope {
			a := w.Answer(w.Ask(historytest.SQL), 1)
			a.Number = 2
			return w.Seal(carnet.TypeAnswer, a, "k1")
		}},
		{"an answer in another's name", "BAD_SIGNATURE", func(w *historytest.World) *evidence.Envelope {
			return w.Seal(carnet.TypeAnswer, w.Answer(w.Ask(historytest.SQL), 1), "k2")
		}},
		{"a second answer", "ANSWER_DIFFERS", func(w *historytest.World) *evidence.Envelope {
			return w.Seal(carnet.TypeAnswer, w.Answer(w.Release(historytest.SQL, 1), 1), "k1")
		}},
		{"a check of nothing private", "BAD_CHECK", func(w *historytest.World) *evidence.Envelope {
			return w.Seal(carnet.TypeCheck, carnet.Check{Query: w.Ask(historytest.SQL).Hash(), By: "k1", Number: 1}, "k1")
		}},
		{"a permission by a keyholder", "BAD_DECISION", func(w *historytest.World) *evidence.Envelope {
			return w.Seal(carnet.TypeDecision, carnet.Decision{Query: w.Ask(historytest.SQL).Hash(), By: "k1", Allow: true}, "k1")
		}},
		{"an approval by a stranger", "NOT_AN_OWNER", func(w *historytest.World) *evidence.Envelope {
			w.Party("corp", "KG", carnet.RoleOwner)
			return w.Seal(carnet.TypeApproval, carnet.Approval{Query: w.Ask(historytest.SQL).Hash(), By: "corp", Allow: true}, "corp")
		}},
		{"an approval of nothing", "UNKNOWN_QUERY", func(w *historytest.World) *evidence.Envelope {
			return w.Seal(carnet.TypeApproval, carnet.Approval{By: owner, Allow: true}, owner)
		}},
		{"a second approval", "APPROVAL_DIFFERS", func(w *historytest.World) *evidence.Envelope {
			q := w.Ask(historytest.SQL).Hash()
			w.Append(carnet.TypeApproval, carnet.Approval{Query: q, By: owner, Reason: "no"}, owner)
			return w.Seal(carnet.TypeApproval, carnet.Approval{Query: q, By: owner, Allow: true}, owner)
		}},
		{"a deferral by a stranger", "NOT_A_MEMBER", func(w *historytest.World) *evidence.Envelope {
			w.Party("k9", "CH", carnet.RoleKeyholder)
			return w.Seal(carnet.TypeDeferral, carnet.Deferral{Query: w.Ask(historytest.SQL).Hash(), By: "k9"}, "k9")
		}},
		{"a decision by an owner", "WRONG_ROLE", func(w *historytest.World) *evidence.Envelope {
			return w.Seal(carnet.TypeDecision, carnet.Decision{Query: w.Ask(historytest.SQL).Hash(), By: owner}, owner)
		}},
	} {
		w := historytest.New(t)
		env := c.make(w)
		_, err := apply(w, env)
		require.Equal(t, c.reason, carnet.ReasonOf(err), c.what)
	}
}

func TestWhatWasWithdrawnIsNotInUse(t *testing.T) {
	w := historytest.New(t)
	w.Append(carnet.TypeRevocation, carnet.Revocation{Dataset: "bolt/trade", Owner: "bolt", Created: w.Now()}, "bolt")
	w.Append(carnet.TypeRetirement, carnet.Retirement{Key: carnet.KeyID(w.Dealings["acme"].Hash()), Owner: "acme", Created: w.Now()}, "acme")
	s := w.State()
	require.NotNil(t, s.Revoked("bolt/trade"))
	require.NotNil(t, s.Retired(carnet.KeyID(w.Dealings["acme"].Hash())))
	_, err := apply(w, w.Seal(carnet.TypeQuery, carnet.Query{Buyer: historytest.Buyer, Product: historytest.Product}, historytest.Buyer))
	require.Equal(t, "UNKNOWN_PRODUCT", carnet.ReasonOf(err), "no dataset is left")
	_, err = apply(w, w.Seal(carnet.TypeDataset, w.Manifest("acme"), "acme"))
	require.Equal(t, "KEY_RETIRED", carnet.ReasonOf(err))
}

// A key that was dealt again keeps its name, and the same question counts anew under it.
func TestAKeyDealtAgain(t *testing.T) {
	w := historytest.New(t)
	first := w.Ask(historytest.SQL)
	before := w.State().Case(first.Hash())
	key := carnet.KeyID(w.Dealings["acme"].Hash())
	dealing := w.Deal("acme")
	w.Append(carnet.TypeRedealing, carnet.Redealing{Key: key, Dealing: dealing, Owner: "acme", Released: 7, Created: w.Now()}, "acme")
	s := w.State()
	require.Equal(t, dealing, s.Opened(key).ID)
	require.EqualValues(t, 7, s.Opened(key).Released)
	second := w.Ask(historytest.SQL)
	after := w.State().Case(second.Hash())
	a, err := before.Charges()
	require.NoError(t, err)
	b, err := after.Charges()
	require.NoError(t, err)
	require.Equal(t, a[0].Key, b[0].Key)
	require.NotEqual(t, a[0].Opened, b[0].Opened)
}

func TestSelector(t *testing.T) {
	w := historytest.New(t)
	w.Party("stranger", "DE", carnet.RoleBuyer)
	first := w.Release(historytest.SQL, 2)
	w.Release("SELECT COUNT(*) FROM trade", 3)
	w.Append(carnet.TypeDecision, carnet.Decision{Query: first.Hash(), By: "k3", Reason: "POLICY_DENIED", Created: w.Now()}, "k3")
	w.Append("application/vnd.carnet.other.v1+json", map[string]carnet.Hash{"about": first.Hash()}, "k3")
	w.Publish("acme", nil) // a later version has nothing to do with the query
	w.Append(carnet.TypeRevocation, carnet.Revocation{Dataset: "bolt/trade", Owner: "bolt", Created: w.Now()}, "bolt")
	s := history.NewSelector(historytest.KeyOf(historytest.Registrar).Public(), first.Hash())
	for _, e := range w.Entries {
		s.Take(e)
	}
	list, err := s.Selected()
	require.NoError(t, err)
	count := map[carnet.StatementType]int{}
	last := int64(-1)
	for _, e := range list {
		count[e.Envelope.PayloadType]++
		require.Greater(t, e.Seq, last)
		last = e.Seq
	}
	require.Equal(t, map[carnet.StatementType]int{carnet.TypeParty: 7, carnet.TypeCommittee: 1, carnet.TypeSchema: 1, carnet.TypeDealing: 2, carnet.TypeDataset: 2,
		carnet.TypeProduct: 1, carnet.TypeQuery: 1, carnet.TypeAnswer: 2, carnet.TypeDecision: 1, carnet.TypeRevocation: 1, "application/vnd.carnet.other.v1+json": 1}, count)
	_, err = history.NewSelector(historytest.KeyOf(historytest.Registrar).Public(), carnet.Hash{1}).Selected()
	require.Equal(t, carnet.NotFound, carnet.KindOf(err))
}

func TestAfterEnd(t *testing.T) {
	at := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	end := &history.Ended{Seq: 10, At: at}
	answer := func(seq int64, after time.Duration) *history.Answered {
		return &history.Answered{Seq: seq, Body: carnet.Answer{Created: at.Add(after)}}
	}
	require.False(t, history.AfterEnd(answer(9, time.Hour), end), "before it in the log")
	require.False(t, history.AfterEnd(answer(11, time.Minute), end), "on its way")
	require.True(t, history.AfterEnd(answer(11, time.Hour), end))
}
