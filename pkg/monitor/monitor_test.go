package monitor_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/history/historytest"
	"github.com/carnet-network/carnet/pkg/monitor"
)

func options() monitor.Options {
	return monitor.Options{Registrar: historytest.KeyOf(historytest.Registrar).Public()}
}

// follow has a monitor read a whole log and its checkpoint, and settle.
func follow(w *historytest.World, o monitor.Options) (m *monitor.Monitor, out []monitor.Finding) {
	m = monitor.New(o)
	for _, e := range w.Entries {
		out = append(out, m.Entry(e)...)
	}
	size := int64(len(w.Entries))
	out = append(out, m.Served(size, "gateway")...)
	out = append(out, m.Noted(w.Checkpoint(size, historytest.Keyholders...), "gateway")...)
	return m, append(out, m.Settle()...)
}

func TestAnHonestLogHasNoFindings(t *testing.T) {
	w := historytest.New(t)
	w.Release(historytest.SQL, 3)
	w.Publish("acme", func(d *carnet.Dataset) { d.Terms.Approval = carnet.ApprovalOwner })
	q := w.Ask(historytest.SQL)
	w.Append(carnet.TypeDeferral, carnet.Deferral{Query: q.Hash(), By: "k1", For: []carnet.PartyID{"acme"}}, "k1")
	w.Append(carnet.TypeApproval, carnet.Approval{Query: q.Hash(), By: "acme", Allow: true}, "acme")
	answer(w, q, func(*carnet.Answer) {})
	w.Publish("acme", nil)
	private := w.AskPrivate("SELECT SUM(value) FROM trade WHERE month = PRIVATE($1)")
	for i, k := range historytest.Keyholders {
		w.Append(carnet.TypeCheck, w.Check(private, i+1), k)
	}
	for i, k := range historytest.Keyholders {
		w.Append(carnet.TypeAnswer, w.Answer(private, i+1), k)
	}
	w.Append(carnet.TypeRevocation, carnet.Revocation{Dataset: "bolt/trade", Owner: "bolt", Created: w.Now()}, "bolt")
	w.Append(carnet.TypeRetirement, carnet.Retirement{Key: carnet.KeyID(w.Dealings["acme"].Hash()), Owner: "acme", Created: w.Now()}, "acme")
	m, out := follow(w, options())
	require.Empty(t, out)
	require.EqualValues(t, len(w.Entries), m.Size())
	require.Equal(t, w.Checkpoint(m.Size()).Checkpoint, m.Checkpoint())
}

// forged is a log that breaks one invariant. With a monitor that has read it, and what it
// found so far, it does the rest, and returns the findings.
type forged struct {
	invariant, reason string
	by                carnet.PartyID
	make              func(t *testing.T, w *historytest.World)
	options           func(*monitor.Options)
	then              func(t *testing.T, w *historytest.World, m *monitor.Monitor) []monitor.Finding
}

// answer puts an answer of k1, changed, into the log.
func answer(w *historytest.World, q *evidence.Envelope, change func(*carnet.Answer)) {
	a := w.Answer(q, 1)
	change(&a)
	w.Append(carnet.TypeAnswer, a, "k1")
}

// noisy has the first owner publish anew with a privacy budget.
func noisy(w *historytest.World, budget int64) {
	w.Publish("acme", func(d *carnet.Dataset) {
		d.Terms.Privacy = &carnet.Privacy{Budget: budget, PerNumber: 10, RowsPerUnit: 1}
	})
}

var forgeries = map[string]forged{
	"two checkpoints of one size": {monitor.OneHistory, "SPLIT_VIEW", "k1", nil, nil, func(t *testing.T, w *historytest.World, m *monitor.Monitor) []monitor.Finding {
		n := m.Size() + 5
		require.Empty(t, m.Noted(w.Sign(carnet.Checkpoint{Size: n, Head: carnet.Hash{1}}, "k1", "k2"), "one gateway"))
		return m.Noted(w.Sign(carnet.Checkpoint{Size: n, Head: carnet.Hash{2}}, "k1"), "another gateway")
	}},
	"a checkpoint that is not of the entries": {monitor.OneHistory, "SPLIT_VIEW", "", nil, nil, func(t *testing.T, w *historytest.World, m *monitor.Monitor) []monitor.Finding {
		return m.Noted(w.Sign(carnet.Checkpoint{Size: 3, Head: carnet.Hash{1}}, "k1", "k2"), "a keyholder")
	}},
	"entries that do not lead to a checkpoint seen before": {monitor.OneHistory, "SPLIT_VIEW", "", nil, nil, func(t *testing.T, w *historytest.World, m *monitor.Monitor) []monitor.Finding {
		require.Empty(t, m.Noted(w.Sign(carnet.Checkpoint{Size: m.Size() + 1, Head: carnet.Hash{1}}, "k1"), "a keyholder"))
		w.Ask(historytest.SQL)
		return m.Entry(w.Entries[m.Size()])
	}},
	"a log that became smaller": {monitor.Grows, "JOURNAL_SHORTER", "", nil, nil, func(t *testing.T, w *historytest.World, m *monitor.Monitor) []monitor.Finding {
		require.Empty(t, m.Served(m.Size(), "another gateway"), "another source may be behind")
		return m.Served(m.Size()-1, "gateway")
	}},
	"an entry left out": {monitor.Grows, "JOURNAL_GAP", "", nil, nil, func(t *testing.T, w *historytest.World, m *monitor.Monitor) []monitor.Finding {
		w.Release(historytest.SQL, 1)
		return m.Entry(w.Entries[m.Size()+1])
	}},
	"answers before a quorum": {monitor.Cosigned, "NO_QUORUM", "", nil, nil, func(t *testing.T, w *historytest.World, m *monitor.Monitor) []monitor.Finding {
		w.Release(historytest.SQL, 1)
		for _, e := range w.Entries[m.Size():] {
			require.Empty(t, m.Entry(e))
		}
		require.Empty(t, m.Noted(w.Checkpoint(m.Size(), "k1", "k2"), "gateway"), "two of three are no quorum")
		return m.Settle()
	}},
	"a forged co-signature": {monitor.Genuine, "BAD_COSIGNATURE", "k2", nil, nil, func(t *testing.T, w *historytest.World, m *monitor.Monitor) []monitor.Finding {
		cp := w.Checkpoint(m.Size(), "k1")
		require.NoError(t, cp.Cosign("k2", historytest.Start, historytest.KeyOf("k1")))
		return m.Noted(cp, "gateway")
	}},
	"a co-signature with a key that was replaced": {monitor.Genuine, "BAD_COSIGNATURE", "k1", nil, nil, func(t *testing.T, w *historytest.World, m *monitor.Monitor) []monitor.Finding {
		w.Rotate("k1")
		require.Empty(t, m.Entry(w.Entries[m.Size()]))
		require.Empty(t, m.Noted(w.Checkpoint(m.Size(), "k1", "k2", "k3"), "gateway"), "with the present one")
		cp := w.Checkpoint(m.Size(), "k2")
		require.NoError(t, cp.Cosign("k1", historytest.Start, w.Key("k1#1")))
		return m.Noted(cp, "gateway")
	}},
	"a co-signature of a revoked keyholder": {monitor.Genuine, "BAD_COSIGNATURE", "k1", nil, nil, func(t *testing.T, w *historytest.World, m *monitor.Monitor) []monitor.Finding {
		w.RevokeParty("k1")
		require.Empty(t, m.Entry(w.Entries[m.Size()]))
		return m.Noted(w.Checkpoint(m.Size(), "k1", "k2", "k3"), "gateway")
	}},
	"a key replaced on the registrar's word": {monitor.Continuous, "OLD_KEY_LOST", "k1", func(_ *testing.T, w *historytest.World) {
		w.Lose("k1")
	}, nil, nil},
	"a statement dated back, with a key that was replaced": {monitor.Effect, "KEY_REPLACED", "k1", func(t *testing.T, w *historytest.World) {
		q := w.Ask(historytest.SQL)
		a := w.Answer(q, 1)
		w.Rotate("k1")
		w.Append(carnet.TypeAnswer, a, "k1#1")
	}, nil, nil},
	"a rotation taken back": {monitor.Once, "STATEMENT_REPEATED", "", func(t *testing.T, w *historytest.World) {
		w.Rotate("k1")
		w.Put(w.First("k1"))
	}, nil, nil},
	"a checkpoint that the log did not sign": {monitor.Genuine, "BAD_SIGNATURE", "", nil, nil, func(t *testing.T, w *historytest.World, m *monitor.Monitor) []monitor.Finding {
		cp, err := evidence.SignCheckpoint(evidence.Origin(options().Registrar), m.Checkpoint(), historytest.KeyOf("k1"))
		require.NoError(t, err)
		return m.Noted(cp, "gateway")
	}},
	"a checkpoint of another log": {monitor.Genuine, "WRONG_LOG", "", nil, nil, func(t *testing.T, w *historytest.World, m *monitor.Monitor) []monitor.Finding {
		cp, err := evidence.SignCheckpoint("example.org/log", m.Checkpoint(), historytest.KeyOf(historytest.Operator))
		require.NoError(t, err)
		return m.Noted(cp, "gateway")
	}},
	"an unknown signer": {monitor.Effect, "UNKNOWN_PARTY", "", func(_ *testing.T, w *historytest.World) {
		w.Append(carnet.TypeRevocation, carnet.Revocation{Dataset: "x/trade", Owner: "x"}, "x")
	}, nil, nil},
	"two manifests for one nonce": {monitor.Effect, "NONCE_REUSED", "", func(t *testing.T, w *historytest.World) {
		var first carnet.Dataset
		require.NoError(t, w.Manifests["acme"].Decode(carnet.TypeDataset, &first))
		w.Publish("bolt", func(d *carnet.Dataset) { d.Files = first.Files })
	}, nil, nil},
	"an answer before its query": {monitor.Effect, "UNKNOWN_QUERY", "k1", func(t *testing.T, w *historytest.World) {
		q := w.Seal(carnet.TypeQuery, w.Query(historytest.SQL), historytest.Buyer)
		answer(w, q, func(*carnet.Answer) {})
		w.Put(q)
	}, nil, nil},
	"an answer whose query was left out": {monitor.Effect, "UNKNOWN_QUERY", "k1", func(t *testing.T, w *historytest.World) {
		answer(w, w.Seal(carnet.TypeQuery, w.Query(historytest.SQL), historytest.Buyer), func(*carnet.Answer) {})
	}, nil, nil},
	"a query of a revoked dataset": {monitor.Effect, "INPUTS_DIFFER", "", func(t *testing.T, w *historytest.World) {
		q := w.Query(historytest.SQL)
		w.Append(carnet.TypeRevocation, carnet.Revocation{Dataset: "bolt/trade", Owner: "bolt", Created: w.Now()}, "bolt")
		w.Append(carnet.TypeQuery, q, historytest.Buyer)
	}, nil, nil},
	"a statement again": {monitor.Once, "STATEMENT_REPEATED", "", func(t *testing.T, w *historytest.World) {
		w.Put(w.Release(historytest.SQL, 1))
	}, nil, nil},
	"another plan": {monitor.Planned, "PLAN_DIFFERS", historytest.Buyer, func(t *testing.T, w *historytest.World) {
		q := w.Query(historytest.SQL)
		q.Plan = carnet.Hash{1}
		w.Append(carnet.TypeQuery, q, historytest.Buyer)
	}, nil, nil},
	"a question that can't be asked": {monitor.Planned, "UNKNOWN_COLUMN", historytest.Buyer, func(t *testing.T, w *historytest.World) {
		q := w.Query(historytest.SQL)
		q.SQL = "SELECT SUM(price) FROM trade"
		w.Append(carnet.TypeQuery, q, historytest.Buyer)
	}, nil, nil},
	"a purpose that terms do not allow": {monitor.Allowed, "PURPOSE_NOT_ALLOWED", "k1", func(t *testing.T, w *historytest.World) {
		q := w.Query(historytest.SQL)
		q.Purpose = "advertising"
		answer(w, w.Append(carnet.TypeQuery, q, historytest.Buyer), func(*carnet.Answer) {})
	}, nil, nil},
	"terms that had expired": {monitor.Allowed, "TERMS_EXPIRED", "k1", func(t *testing.T, w *historytest.World) {
		w.Pass(366 * 24 * time.Hour)
		answer(w, w.Ask(historytest.SQL), func(*carnet.Answer) {})
	}, nil, nil},
	"an answer that the gateway refused": {monitor.Decided, "RELEASE_REFUSED", "k1", func(t *testing.T, w *historytest.World) {
		q := w.Ask(historytest.SQL)
		w.Append(carnet.TypeDecision, carnet.Decision{Query: q.Hash(), By: historytest.Operator, Reason: "POLICY_DENIED"}, historytest.Operator)
		answer(w, q, func(*carnet.Answer) {})
	}, nil, nil},
	"an answer after an own refusal": {monitor.Decided, "RELEASE_REFUSED", "k1", func(t *testing.T, w *historytest.World) {
		q := w.Ask(historytest.SQL)
		w.Append(carnet.TypeDecision, carnet.Decision{Query: q.Hash(), By: "k1", Reason: "POLICY_DENIED"}, "k1")
		answer(w, q, func(*carnet.Answer) {})
	}, nil, nil},
	"an answer that an owner refused": {monitor.Decided, "APPROVAL_REFUSED", "k1", func(t *testing.T, w *historytest.World) {
		q := w.Ask(historytest.SQL)
		w.Append(carnet.TypeApproval, carnet.Approval{Query: q.Hash(), By: "bolt", Reason: "no"}, "bolt")
		answer(w, q, func(*carnet.Answer) {})
	}, nil, nil},
	"an answer without an owner's approval": {monitor.Decided, "APPROVAL_MISSING", "k1", func(t *testing.T, w *historytest.World) {
		w.Publish("bolt", func(d *carnet.Dataset) { d.Terms.Approval = carnet.ApprovalOwner })
		q := w.Ask(historytest.SQL)
		answer(w, q, func(*carnet.Answer) {})
		w.Append(carnet.TypeApproval, carnet.Approval{Query: q.Hash(), By: "bolt", Allow: true}, "bolt")
	}, nil, nil},
	"a release without decision": {monitor.Decided, "DECISION_MISSING", "k1", func(t *testing.T, w *historytest.World) {
		answer(w, w.Ask(historytest.SQL), func(*carnet.Answer) {})
	}, func(o *monitor.Options) { o.Decisions = true }, nil},
	"more numbers than a key may open": {monitor.Within, "RELEASES_EXHAUSTED", "k1", func(t *testing.T, w *historytest.World) {
		key, next := carnet.KeyID(w.Dealings["acme"].Hash()), w.Deal("acme")
		w.Append(carnet.TypeRedealing, carnet.Redealing{Key: key, Dealing: next, Owner: "acme", Released: 1 << 62, Created: w.Now()}, "acme")
		answer(w, w.Ask(historytest.SQL), func(*carnet.Answer) {})
	}, nil, nil},
	"more than a privacy budget has": {monitor.Budget, "BUDGET_SPENT", "k1", func(t *testing.T, w *historytest.World) {
		noisy(w, 15)
		answer(w, w.Ask("SELECT COUNT(*) FROM trade"), func(*carnet.Answer) {})
		answer(w, w.Ask("SELECT SUM(value) FROM trade"), func(*carnet.Answer) {})
	}, nil, nil},
	"a privacy budget below what was spent": {monitor.NeverShrinks, "BUDGET_SHRANK", "acme", func(t *testing.T, w *historytest.World) {
		noisy(w, 15)
		answer(w, w.Ask("SELECT COUNT(*) FROM trade"), func(*carnet.Answer) {})
		noisy(w, 9)
	}, nil, nil},
	"privacy terms that were dropped": {monitor.NeverShrinks, "PRIVACY_DROPPED", "acme", func(t *testing.T, w *historytest.World) {
		noisy(w, 15)
		w.Publish("acme", nil)
	}, nil, nil},
	"a budget that shrank": {monitor.NeverShrinks, "BUDGET_SHRANK", "acme", func(t *testing.T, w *historytest.World) {
		w.Release(historytest.SQL, 3)
		key, next := carnet.KeyID(w.Dealings["acme"].Hash()), w.Deal("acme")
		w.Append(carnet.TypeRedealing, carnet.Redealing{Key: key, Dealing: next, Owner: "acme", Released: 1, Created: w.Now()}, "acme")
	}, nil, nil},
	"an answer about a revoked dataset": {monitor.InUse, "DATASET_REVOKED", "k1", func(t *testing.T, w *historytest.World) {
		q := w.Ask(historytest.SQL)
		w.Append(carnet.TypeRevocation, carnet.Revocation{Dataset: "bolt/trade", Owner: "bolt", Created: w.Now()}, "bolt")
		w.Pass(20 * time.Minute)
		answer(w, q, func(*carnet.Answer) {})
	}, nil, nil},
	"an answer under a retired key": {monitor.InUse, "DATASET_REVOKED", "k1", func(t *testing.T, w *historytest.World) {
		q := w.Ask(historytest.SQL)
		w.Append(carnet.TypeRetirement, carnet.Retirement{Key: carnet.KeyID(w.Dealings["acme"].Hash()), Owner: "acme", Created: w.Now()}, "acme")
		w.Pass(20 * time.Minute)
		answer(w, q, func(*carnet.Answer) {})
	}, nil, nil},
	"an answer after the expiry": {monitor.InTime, "QUERY_EXPIRED", "k1", func(t *testing.T, w *historytest.World) {
		q := w.Ask(historytest.SQL)
		w.Pass(2 * time.Hour)
		answer(w, q, func(*carnet.Answer) {})
	}, nil, nil},
	"other numbers": {monitor.AsAsked, "BAD_ANSWER", "k1", func(t *testing.T, w *historytest.World) {
		answer(w, w.Ask(historytest.SQL), func(a *carnet.Answer) { a.Openings++ })
	}, nil, nil},
	"other functionals": {monitor.AsAsked, "FUNCTIONALS_DIFFER", "k1", func(t *testing.T, w *historytest.World) {
		answer(w, w.Ask(historytest.SQL), func(a *carnet.Answer) { a.Functionals = carnet.Hash{1} })
	}, nil, nil},
	"other public values": {monitor.AsAsked, "PUBLIC_VALUES_WRONG", "k2", func(t *testing.T, w *historytest.World) {
		q := w.Release(historytest.SQL, 1)
		a := w.Answer(q, 2)
		a.Attested = &carnet.Hash{1}
		w.Append(carnet.TypeAnswer, a, "k2")
	}, nil, nil},
	"an answer before enough checks": {monitor.Checked, "PRIVATE_CHECK_OPEN", "k1", func(t *testing.T, w *historytest.World) {
		q := w.AskPrivate("SELECT SUM(value) FROM trade WHERE month = PRIVATE($1)")
		for i := range 2 {
			w.Append(carnet.TypeCheck, w.Check(q, i+1), historytest.Keyholders[i])
		}
		answer(w, q, func(*carnet.Answer) {})
	}, nil, nil},
	"an answer that tells of one owner": {monitor.Company, "OVERLAPS_RELEASED", "k1", func(t *testing.T, w *historytest.World) {
		w.Publish("acme", func(d *carnet.Dataset) { d.Terms.MinOwners = 2 })
		answer(w, w.Ask(ofAll), func(*carnet.Answer) {})
		answer(w, w.Ask(mixed), func(*carnet.Answer) {})
	}, nil, nil},
	"figures that the log does not give": {monitor.AsCounted, "RECOMPUTED_DIFFERS", historytest.Operator, func(t *testing.T, w *historytest.World) {
		w.Release(historytest.SQL, 2)
		u := usage(t, w, "acme/trade", int64(len(w.Entries)))
		u.Rows++
		w.Append(carnet.TypeUsage, u, historytest.Operator)
	}, nil, nil},
	"a type of the future": {monitor.Known, "UNKNOWN_STATEMENT_TYPE", "", func(t *testing.T, w *historytest.World) {
		w.Append("application/vnd.carnet.other.v1+json", struct{}{}, "k1")
	}, nil, nil},
}

// Every forgery is found, as a breach of its invariant and of no other; the findings name
// entry and culprit.
func TestForgeriesAreFound(t *testing.T) {
	for name, f := range forgeries {
		t.Run(name, func(t *testing.T) {
			w, o := historytest.New(t), options()
			if f.make != nil {
				f.make(t, w)
			}
			if f.options != nil {
				f.options(&o)
			}
			m, out := follow(w, o)
			if f.then != nil {
				require.Empty(t, out)
				out = f.then(t, w, m)
			}
			require.NotEmpty(t, out)
			for _, x := range out { // terms are those of two owners
				require.Equal(t, [3]string{f.invariant, f.reason, string(f.by)}, [3]string{x.Invariant, x.Reason, string(x.By)}, x.Message)
				require.Equal(t, f.make != nil || f.invariant == monitor.Grows && f.reason == "JOURNAL_GAP" || f.invariant == monitor.Cosigned, x.Entry >= 0)
			}
		})
	}
}

// No invariant is without a forgery.
func TestEveryInvariantHasAForgery(t *testing.T) {
	forgedOnes := map[string]bool{}
	for _, f := range forgeries {
		forgedOnes[f.invariant] = true
	}
	for _, i := range monitor.Invariants() {
		require.True(t, forgedOnes[i[0]], i[0])
		require.NotEmpty(t, i[1])
	}
	require.Len(t, forgedOnes, len(monitor.Invariants()))
}
