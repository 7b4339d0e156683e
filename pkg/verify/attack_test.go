package verify_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/bundle"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/history/historytest"
	"github.com/carnet-network/carnet/pkg/verify"
)

// attack makes a bundle that is whole, of a log that says what nobody honest would say.
type attack struct {
	check, reason string
	part          string // how the part's name ends; "" any
	make          func(t *testing.T, w *historytest.World) *bundle.Bundle
	options       func(w *historytest.World, o *verify.Options)
}

// without returns the bundle without the entries of a kind.
func without(b *bundle.Bundle, kind string, keep int) *bundle.Bundle {
	n := 0
	b.Entries = slices.DeleteFunc(b.Entries, func(e bundle.Entry) bool {
		if bundle.Kind(e.Envelope.PayloadType) != kind {
			return false
		}
		n++
		return n > keep
	})
	return b
}

// answered puts a query and a changed answer of k1 into the log.
func answered(w *historytest.World, q *evidence.Envelope, change func(*carnet.Answer)) *bundle.Bundle {
	a := w.Answer(q, 1)
	change(&a)
	w.Append(carnet.TypeAnswer, a, "k1")
	w.Append(carnet.TypeAnswer, w.Answer(q, 2), "k2")
	return w.Bundle(q.Hash())
}

func honest(w *historytest.World) *bundle.Bundle {
	return w.Bundle(w.Release(historytest.SQL, 3).Hash())
}

var attacks = map[string]attack{
	// What the log must hold against whoever runs it.
	"equivocation: another history was seen": {verify.CheckConsistency, "SPLIT_VIEW", "checkpoint", func(t *testing.T, w *historytest.World) *bundle.Bundle { return honest(w) },
		func(w *historytest.World, o *verify.Options) {
			o.Pinned = []carnet.Checkpoint{{Size: int64(len(w.Entries)), Head: carnet.Hash{1}}}
		}},
	"rollback: the log does not begin with what was seen": {verify.CheckConsistency, "SPLIT_VIEW", "checkpoint", func(t *testing.T, w *historytest.World) *bundle.Bundle {
		q := w.Release(historytest.SQL, 3)
		return w.Bundle(q.Hash(), 5)
	}, func(w *historytest.World, o *verify.Options) {
		o.Pinned = []carnet.Checkpoint{{Size: 5, Head: carnet.Hash{1}}}
	}},
	"a proof of another history": {verify.CheckConsistency, "BAD_CONSISTENCY_PROOF", "000005", func(t *testing.T, w *historytest.World) *bundle.Bundle {
		q := w.Release(historytest.SQL, 3)
		b := w.Bundle(q.Hash(), 5)
		b.Older[0].Checkpoint = w.Sign(carnet.Checkpoint{Size: 5, Head: carnet.Hash{1}}, historytest.Keyholders...)
		return b
	}, nil},
	"an omitted statement: the dealing": {verify.CheckSignatures, "BAD_DATASET", "-dataset", func(t *testing.T, w *historytest.World) *bundle.Bundle {
		return without(honest(w), "dealing", 1)
	}, nil},
	"an omitted statement: the query": {verify.CheckSignatures, "UNKNOWN_QUERY", "-answer", func(t *testing.T, w *historytest.World) *bundle.Bundle { return without(honest(w), "query", 0) }, nil},
	"an omitted statement: a manifest": {verify.CheckSignatures, "UNKNOWN_DATASET", "-query", func(t *testing.T, w *historytest.World) *bundle.Bundle {
		b := without(honest(w), "dataset", 1)
		return b
	}, nil},
	"an omitted statement: a party": {verify.CheckSignatures, "UNKNOWN_PARTY", "", func(t *testing.T, w *historytest.World) *bundle.Bundle { return without(honest(w), "party", 6) }, nil},
	"a replayed statement": {verify.CheckInclusion, "BAD_INCLUSION_PROOF", "-query", func(t *testing.T, w *historytest.World) *bundle.Bundle {
		b := honest(w)
		i := slices.IndexFunc(b.Entries, func(e bundle.Entry) bool { return e.Envelope.PayloadType == carnet.TypeQuery })
		again := b.Entries[i]
		again.Seq += 1
		b.Entries[i+1] = again
		return b
	}, nil},
	"a statement replayed in the log": {verify.CheckSignatures, "QUERY_REPEATED", "-query", func(t *testing.T, w *historytest.World) *bundle.Bundle {
		q := w.Release(historytest.SQL, 2)
		again := w.Put(q)
		b := w.Bundle(q.Hash())
		proof, err := evidence.ProveInclusion(w.Leaves(int64(len(w.Entries))), again.Seq)
		require.NoError(t, err)
		b.Entries = append(b.Entries, bundle.Entry{Seq: again.Seq, Salt: again.Salt, Envelope: q, Proof: proof})
		return b
	}, nil},
	"a forged co-signature": {verify.CheckCosigned, "BAD_SIGNATURE", "checkpoint", func(t *testing.T, w *historytest.World) *bundle.Bundle {
		b := honest(w)
		b.Checkpoint = w.Checkpoint(b.Checkpoint.Size, "k1", "k2")
		require.NoError(t, b.Checkpoint.Cosign("k3", historytest.Start, historytest.KeyOf("k1")))
		return b
	}, nil},
	"a co-signature of another state": {verify.CheckCosigned, "BAD_SIGNATURE", "checkpoint", func(t *testing.T, w *historytest.World) *bundle.Bundle {
		b := honest(w)
		other := w.Sign(carnet.Checkpoint{Size: b.Checkpoint.Size, Head: carnet.Hash{1}}, "k3")
		b.Checkpoint = w.Checkpoint(b.Checkpoint.Size, "k1", "k2")
		b.Checkpoint.Signatures = append(b.Checkpoint.Signatures, other.Signatures[1])
		return b
	}, nil},
	"too few co-signatures": {verify.CheckCosigned, "NO_QUORUM", "checkpoint", func(t *testing.T, w *historytest.World) *bundle.Bundle {
		b := honest(w)
		b.Checkpoint = w.Checkpoint(b.Checkpoint.Size, "k1", "k2")
		return b
	}, nil},
	"one keyholder for three": {verify.CheckForm, "BUNDLE_DAMAGED", "", func(t *testing.T, w *historytest.World) *bundle.Bundle {
		b := honest(w)
		b.Checkpoint = w.Checkpoint(b.Checkpoint.Size, "k1", "k1", "k1")
		return b
	}, nil},
	"a checkpoint that the log did not sign": {verify.CheckCosigned, "BAD_SIGNATURE", "checkpoint", func(t *testing.T, w *historytest.World) *bundle.Bundle {
		b := honest(w)
		b.Checkpoint.Signatures = b.Checkpoint.Signatures[1:]
		return b
	}, nil},
	"another network's registrar": {verify.CheckSignatures, "WRONG_REGISTRAR", "checkpoint", func(t *testing.T, w *historytest.World) *bundle.Bundle { return honest(w) },
		func(_ *historytest.World, o *verify.Options) {
			o.Registrar = historytest.KeyOf("another registrar").Public()
		}},
	"wrong order: an answer before its query": {verify.CheckSignatures, "UNKNOWN_QUERY", "-answer", func(t *testing.T, w *historytest.World) *bundle.Bundle {
		q := w.Seal(carnet.TypeQuery, w.Query(historytest.SQL), historytest.Buyer)
		early := w.Put(w.Seal(carnet.TypeAnswer, w.Answer(q, 1), "k1"))
		w.Put(q)
		b := w.Bundle(q.Hash())
		proof, err := evidence.ProveInclusion(w.Leaves(int64(len(w.Entries))), early.Seq)
		require.NoError(t, err)
		b.Entries = append(b.Entries, bundle.Entry{Seq: early.Seq, Salt: early.Salt, Envelope: early.Envelope, Proof: proof})
		b.Sort()
		return b
	}, nil},
	"wrong order: numbers exchanged": {verify.CheckInclusion, "BAD_INCLUSION_PROOF", "", func(t *testing.T, w *historytest.World) *bundle.Bundle {
		b := honest(w)
		n := len(b.Entries)
		b.Entries[n-1].Envelope, b.Entries[n-2].Envelope = b.Entries[n-2].Envelope, b.Entries[n-1].Envelope
		return b
	}, nil},
	"an entry of another salt": {verify.CheckInclusion, "BAD_INCLUSION_PROOF", "-party", func(t *testing.T, w *historytest.World) *bundle.Bundle {
		b := honest(w)
		b.Entries[0].Salt[0] ^= 1
		return b
	}, nil},

	// What the statements say.
	"another plan": {verify.CheckPlan, "PLAN_DIFFERS", "-query", func(t *testing.T, w *historytest.World) *bundle.Bundle {
		q := w.Query(historytest.SQL)
		q.Plan = carnet.Hash{1}
		return w.Bundle(w.Append(carnet.TypeQuery, q, historytest.Buyer).Hash())
	}, nil},
	"a purpose that terms do not allow": {verify.CheckTerms, "PURPOSE_NOT_ALLOWED", "-query", func(t *testing.T, w *historytest.World) *bundle.Bundle {
		q := w.Query(historytest.SQL)
		q.Purpose = "advertising"
		return w.Bundle(w.Append(carnet.TypeQuery, q, historytest.Buyer).Hash())
	}, nil},
	"terms that expired before the answer": {verify.CheckTerms, "TERMS_EXPIRED", "-answer", func(t *testing.T, w *historytest.World) *bundle.Bundle {
		w.Pass(365*24*time.Hour - 10*time.Minute)
		q := w.Query(historytest.SQL)
		q.Expires = q.Created.AddDate(1, 0, 0)
		env := w.Append(carnet.TypeQuery, q, historytest.Buyer)
		w.Pass(time.Hour)
		return answered(w, env, func(*carnet.Answer) {})
	}, nil},
	"an answer after the query expired": {verify.CheckAnswers, "QUERY_EXPIRED", "-answer", func(t *testing.T, w *historytest.World) *bundle.Bundle {
		q := w.Ask(historytest.SQL)
		w.Pass(2 * time.Hour)
		return answered(w, q, func(*carnet.Answer) {})
	}, nil},
	"another number of openings": {verify.CheckAnswers, "BAD_ANSWER", "-answer", func(t *testing.T, w *historytest.World) *bundle.Bundle {
		return answered(w, w.Ask(historytest.SQL), func(a *carnet.Answer) { a.Openings++ })
	}, nil},
	"other functionals": {verify.CheckAnswers, "FUNCTIONALS_DIFFER", "-answer", func(t *testing.T, w *historytest.World) *bundle.Bundle {
		return answered(w, w.Ask(historytest.SQL), func(a *carnet.Answer) { a.Functionals = carnet.Hash{1} })
	}, nil},
	"public halves that differ": {verify.CheckAnswers, "PUBLIC_VALUES_WRONG", "-answer", func(t *testing.T, w *historytest.World) *bundle.Bundle {
		return answered(w, w.Ask(historytest.SQL), func(a *carnet.Answer) { a.Attested = &carnet.Hash{1} })
	}, nil},
	"an answer that the gateway refused": {verify.CheckDecisions, "RELEASE_REFUSED", "-answer", func(t *testing.T, w *historytest.World) *bundle.Bundle {
		q := w.Ask(historytest.SQL)
		w.Append(carnet.TypeDecision, carnet.Decision{Query: q.Hash(), By: historytest.Operator, Reason: "POLICY_DENIED"}, historytest.Operator)
		return answered(w, q, func(*carnet.Answer) {})
	}, nil},
	"an answer that an owner had to approve": {verify.CheckDecisions, "APPROVAL_MISSING", "-answer", func(t *testing.T, w *historytest.World) *bundle.Bundle {
		w.Publish("acme", func(d *carnet.Dataset) { d.Terms.Approval = carnet.ApprovalOwner })
		return answered(w, w.Ask(historytest.SQL), func(*carnet.Answer) {})
	}, nil},
	"an answer that an owner refused": {verify.CheckDecisions, "APPROVAL_REFUSED", "-answer", func(t *testing.T, w *historytest.World) *bundle.Bundle {
		q := w.Ask(historytest.SQL)
		w.Append(carnet.TypeApproval, carnet.Approval{Query: q.Hash(), By: "acme", Reason: "no"}, "acme")
		return answered(w, q, func(*carnet.Answer) {})
	}, nil},
	"a dataset that had been revoked": {verify.CheckEnded, "DATASET_REVOKED", "-answer", func(t *testing.T, w *historytest.World) *bundle.Bundle {
		q := w.Ask(historytest.SQL)
		w.Append(carnet.TypeRevocation, carnet.Revocation{Dataset: "bolt/trade", Owner: "bolt", Created: w.Now()}, "bolt")
		w.Pass(20 * time.Minute)
		return answered(w, q, func(*carnet.Answer) {})
	}, nil},
	"a key without numbers left": {verify.CheckReleases, "RELEASES_EXHAUSTED", "-query", func(t *testing.T, w *historytest.World) *bundle.Bundle {
		key, next := carnet.KeyID(w.Dealings["acme"].Hash()), w.Deal("acme")
		w.Append(carnet.TypeRedealing, carnet.Redealing{Key: key, Dealing: next, Owner: "acme", Released: 1 << 62, Created: w.Now()}, "acme")
		return honest(w)
	}, nil},
	"an unchecked private parameter": {verify.CheckPrivate, "PRIVATE_CHECK_OPEN", "-query", func(t *testing.T, w *historytest.World) *bundle.Bundle {
		q := w.AskPrivate("SELECT SUM(value) FROM trade WHERE month = PRIVATE($1)")
		w.Append(carnet.TypeCheck, w.Check(q, 1), "k1")
		return answered(w, q, func(*carnet.Answer) {})
	}, nil},
	"hashes of other ciphertext": {verify.CheckCiphertext, "PIECE_DIFFERS", "", func(t *testing.T, w *historytest.World) *bundle.Bundle {
		b := honest(w)
		b.Pieces[0].Hashes = slices.Clone(b.Pieces[0].Hashes)
		b.Pieces[0].Hashes[0][0] ^= 1
		return b
	}, nil},
	"a file that nobody asked about": {verify.CheckCiphertext, "PIECE_DIFFERS", "", func(t *testing.T, w *historytest.World) *bundle.Bundle {
		b := honest(w)
		b.Pieces = append(b.Pieces, bundle.Pieces{File: carnet.Nonce{255}, Hashes: []carnet.Hash{{1}}})
		b.Sort()
		return b
	}, nil},
	"another query": {verify.CheckSignatures, "NO_QUERY", "bundle.json", func(t *testing.T, w *historytest.World) *bundle.Bundle {
		b := honest(w)
		b.Query = carnet.Hash{1}
		return b
	}, nil},
	"nothing": {verify.CheckInclusion, "BAD_INCLUSION_PROOF", "checkpoint", func(t *testing.T, w *historytest.World) *bundle.Bundle {
		b := honest(w)
		b.Entries = nil
		return b
	}, nil},
}

// Every attack fails the check that is for it, with its reason, and the part is named.
func TestAttacks(t *testing.T) {
	for name, a := range attacks {
		t.Run(name, func(t *testing.T) {
			w, o := historytest.New(t), options()
			b := a.make(t, w)
			if a.options != nil {
				a.options(w, &o)
			}
			r := run(t, b, o)
			require.Equal(t, verify.Broken, r.Verdict)
			check := r.Check(a.check)
			require.Equal(t, verify.Failed, check.Status, "%v", r.Failures())
			require.True(t, slices.ContainsFunc(check.Faults, func(f verify.Fault) bool {
				return f.Reason == a.reason && (len(f.Part) >= len(a.part) && f.Part[len(f.Part)-len(a.part):] == a.part)
			}), "%v", check.Faults)
			for _, c := range r.Checks {
				require.True(t, c.Status != verify.NotChecked || c.Why != "", "%s says why it was not made", c.ID)
			}
		})
	}
}

// A checkpoint that was seen at a size for which the bundle has no proof leaves the report
// incomplete, not verified.
func TestAPinWithoutProofIsNotChecked(t *testing.T) {
	w, o := historytest.New(t), options()
	o.Pinned = []carnet.Checkpoint{w.Checkpoint(5).Checkpoint}
	r := run(t, honest(w), o)
	require.Equal(t, verify.Incomplete, r.Verdict)
	require.Equal(t, verify.NotChecked, r.Check(verify.CheckConsistency).Status)
	require.Contains(t, r.Check(verify.CheckConsistency).Why, "5")
}

// Decisions by rules need their policy bundle and somebody who can repeat them.
func TestPolicies(t *testing.T) {
	statement := []byte(`{"name":"rules","files":[{"path":"a.rego","sha256":"` + carnet.Hash(sum([]byte("package a"))).String() + `"}]}`)
	rules := bundle.Policy{Statement: statement, Files: map[string][]byte{"a.rego": []byte("package a")}}
	w := historytest.New(t)
	q := w.Release(historytest.SQL, 3)
	w.Append(carnet.TypeDecision, carnet.Decision{Query: q.Hash(), By: historytest.Operator, Allow: true,
		Judged: []carnet.Judged{{Flow: "release", Allow: true, Bundle: rules.Digest(), Name: "rules", Input: []byte("{}"), Output: []byte("{}")}}}, historytest.Operator)
	make := func(p ...bundle.Policy) *bundle.Bundle {
		b := w.Bundle(q.Hash())
		b.Policies = p
		return b
	}
	status := func(b *bundle.Bundle, o verify.Options) (verify.Status, string) {
		c := run(t, b, o).Check(verify.CheckPolicy)
		if len(c.Faults) > 0 {
			return c.Status, c.Faults[0].Reason
		}
		return c.Status, ""
	}
	with := func(f replayer) verify.Options {
		o := options()
		o.Replay = f
		return o
	}
	good, bad := replayer{nil}, replayer{carnet.E(carnet.Invalid, "REPLAY_DIFFERS", "it decides otherwise")}
	for _, c := range []struct {
		what   string
		b      *bundle.Bundle
		o      verify.Options
		status verify.Status
		reason string
	}{
		{"as it was", make(rules), with(good), verify.Passed, ""},
		{"otherwise", make(rules), with(bad), verify.Failed, "REPLAY_DIFFERS"},
		{"not at hand", make(), with(good), verify.NotChecked, ""},
		{"nobody to repeat it", make(rules), options(), verify.NotChecked, ""},
		{"another file", make(bundle.Policy{Statement: statement, Files: map[string][]byte{"a.rego": []byte("package b")}}), with(good), verify.Failed, "POLICY_CHANGED"},
		{"a file more", make(bundle.Policy{Statement: statement, Files: map[string][]byte{"a.rego": []byte("package a"), "b.rego": {}}}), with(good), verify.Failed, "POLICY_CHANGED"},
		{"another bundle", make(rules, bundle.Policy{Statement: []byte("{}")}), with(good), verify.Failed, "OTHER_POLICY"},
	} {
		c.b.Sort()
		got, reason := status(c.b, c.o)
		require.Equal(t, [2]string{string(c.status), c.reason}, [2]string{string(got), reason}, c.what)
	}
	o := with(good)
	o.Policies = []bundle.Policy{rules}
	got, _ := status(make(), o)
	require.Equal(t, verify.Passed, got, "the auditor has it")
}

// The checks of a private parameter are verified, not counted only.
func TestAPrivateParameterIsVerified(t *testing.T) {
	w := historytest.New(t)
	q := w.AskPrivate("SELECT SUM(value) FROM trade WHERE month = PRIVATE($1)")
	for i, k := range historytest.Keyholders {
		w.Append(carnet.TypeCheck, w.Check(q, i+1), k)
	}
	for i, k := range historytest.Keyholders {
		w.Append(carnet.TypeAnswer, w.Answer(q, i+1), k)
	}
	r := run(t, w.Bundle(q.Hash()), options())
	require.Empty(t, r.Failures())
	require.Equal(t, verify.Passed, r.Check(verify.CheckPrivate).Status)
}
