package verify_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/bundle"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/history/historytest"
	"github.com/carnet-network/carnet/pkg/verify"
)

// Rules that another rule often covers are found alone, too.
func TestRulesByThemselves(t *testing.T) {
	t.Run("all keyholders open the same other functionals", func(t *testing.T) {
		w := historytest.New(t)
		q := w.Ask(historytest.SQL)
		for i, k := range historytest.Keyholders {
			a := w.Answer(q, i+1)
			a.Functionals = carnet.Hash{1}
			w.Append(carnet.TypeAnswer, a, k)
		}
		faults := run(t, w.Bundle(q.Hash()), options()).Check(verify.CheckAnswers).Faults
		require.Len(t, faults, len(historytest.Keyholders))
		require.Equal(t, "FUNCTIONALS_DIFFER", faults[0].Reason)
	})
	t.Run("keyholders open different products", func(t *testing.T) {
		w := historytest.NewOf(t, carnet.LayoutRecords)
		q := w.Ask("SELECT SUM(value) FROM trade WHERE month = '1'") // of which the verifier has no ciphertext
		for i, k := range historytest.Keyholders {
			a := w.Answer(q, i+1)
			a.Functionals = carnet.Hash{byte(i)}
			w.Append(carnet.TypeAnswer, a, k)
		}
		r := run(t, w.Bundle(q.Hash()), options())
		require.Equal(t, "FUNCTIONALS_DIFFER", r.Check(verify.CheckAnswers).Faults[0].Reason, "%v", r.Failures())
	})
	t.Run("a question that can't be asked", func(t *testing.T) {
		w := historytest.New(t)
		q := w.Query(historytest.SQL)
		q.SQL = "SELECT SUM(price) FROM trade"
		r := run(t, w.Bundle(w.Append(carnet.TypeQuery, q, historytest.Buyer).Hash()), options())
		require.Equal(t, "UNKNOWN_COLUMN", r.Check(verify.CheckPlan).Faults[0].Reason)
	})
	t.Run("a private parameter that was not shared", func(t *testing.T) {
		w := historytest.New(t)
		q := w.Ask("SELECT SUM(value) FROM trade WHERE month = PRIVATE($1)")
		r := run(t, w.Bundle(q.Hash()), options())
		require.Equal(t, verify.Failed, r.Check(verify.CheckPrivate).Status)
		require.Equal(t, "NO_PRIVATE_PARAMETER", r.Check(verify.CheckReleases).Faults[0].Reason)
	})
	t.Run("an earlier state of another log", func(t *testing.T) {
		w := historytest.New(t)
		b := w.Bundle(w.Release(historytest.SQL, 3).Hash(), 5)
		var err error
		b.Older[0].Checkpoint, err = evidence.SignCheckpoint("example.org/log", b.Older[0].Checkpoint.Checkpoint, historytest.KeyOf(historytest.Operator))
		require.NoError(t, err)
		require.Equal(t, "WRONG_LOG", run(t, b, options()).Check(verify.CheckConsistency).Faults[0].Reason)
	})
	t.Run("the log can't be read", func(t *testing.T) {
		w := historytest.New(t)
		o := options()
		o.Log = unreadable{}
		require.Equal(t, verify.Failed, run(t, w.Bundle(w.Release(historytest.SQL, 2).Hash()), o).Check(verify.CheckWhole).Status)
	})
	t.Run("a selection of another weight than the question's", func(t *testing.T) {
		w := historytest.New(t)
		var q carnet.Query
		require.NoError(t, w.AskPrivate("SELECT SUM(value) FROM trade WHERE month = PRIVATE($1)").Decode(carnet.TypeQuery, &q))
		q.ID[0] ^= 1
		q.Private.Weight = 2
		r := run(t, w.Bundle(w.Append(carnet.TypeQuery, q, historytest.Buyer).Hash()), options())
		require.Equal(t, verify.Failed, r.Check(verify.CheckPrivate).Status, "%v", r.Failures())
	})
	t.Run("a policy bundle that nobody can read", func(t *testing.T) {
		w := historytest.New(t)
		p := bundle.Policy{Statement: []byte("rules"), Files: map[string][]byte{}}
		q := w.Release(historytest.SQL, 3)
		w.Append(carnet.TypeDecision, carnet.Decision{Query: q.Hash(), By: historytest.Operator, Allow: true,
			Judged: []carnet.Judged{{Flow: "release", Allow: true, Bundle: p.Digest(), Name: "rules", Input: []byte("{}"), Output: []byte("{}")}}}, historytest.Operator)
		b := w.Bundle(q.Hash())
		b.Policies = []bundle.Policy{p}
		require.Equal(t, "BAD_POLICY", run(t, b, options()).Check(verify.CheckPolicy).Faults[0].Reason)
	})
	t.Run("a document with a statement that has no effect", func(t *testing.T) {
		w := historytest.New(t)
		bad := w.Put(w.Seal(carnet.TypeParty, carnet.Party{ID: "x", Roles: []carnet.Role{carnet.RoleOperator}, SigningKey: historytest.KeyOf("x").Public()}, "x"))
		d := certified(w, nil, historytest.Operator)
		proof, err := evidence.ProveInclusion(w.Leaves(int64(len(w.Entries))), bad.Seq)
		require.NoError(t, err)
		d.Proof.Entries = append(d.Proof.Entries, bundle.ProvedEntry{Entry: bad.Seq, Salt: bad.Salt, Path: proof, Statement: bad.Envelope})
		slices.SortFunc(d.Proof.Entries, func(a, b bundle.ProvedEntry) int { return int(a.Entry - b.Entry) })
		require.Equal(t, "BAD_SIGNATURE", check(t, d, options()).Check(verify.CheckSignatures).Faults[0].Reason)
	})
}

type unreadable struct{}

func (unreadable) ReadLog(context.Context, int64, func(*evidence.Entry) error) (carnet.Checkpoint, error) {
	return carnet.Checkpoint{}, errors.New("no connection")
}
