package carnettest

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	pb "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/client"
	"github.com/carnet-network/carnet/pkg/columnfile"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/keyholder"
)

// Rule (scheme §6.6): the correctness of an answer does not rest on the gateway. A
// gateway that sends other public values is found out by the keyholders that computed
// them, who are named. Without attestation the same lie passes, and the answer is
// marked unattested.
func TestWrongPublicValues(t *testing.T) {
	t.Parallel()
	n := Start(t, Options{})
	publishTrade(t, n, carnet.LayoutCube)
	publishTrade(t, n, carnet.LayoutRecords)
	forge := func(m *Message) error {
		if r, ok := m.Body.(*pb.FetchAnswerResponse); ok && m.FromGateway && len(r.GetPublicValues()) > 0 {
			r.GetPublicValues()[0] ^= 1
		}
		return nil
	}
	for layout, sql := range layoutQueries {
		asked := n.Submit(t, "buyer", carnet.ProductID(layout), sql)
		_, err := n.Wait(t, asked)
		require.NoError(t, err)
		n.Meddle(forge)
		_, err = n.Open(t, asked)
		var e *carnet.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, "PUBLIC_VALUES_WRONG", e.Reason)
		require.Len(t, e.Violations, 3, "the witnesses are named")
		n.Meddle(nil)
		got, err := n.Open(t, asked)
		require.NoError(t, err)
		require.Equal(t, 3, got.Attested)
		require.False(t, got.Unattested)
	}
	for _, k := range n.Keyholders {
		k.Attest = keyholder.AttestNever
		k.Restart(t)
	}
	asked := n.Submit(t, "buyer", "cube", "SELECT COUNT(*) FROM cube")
	got, err := n.Open(t, asked)
	require.NoError(t, err)
	require.True(t, got.Unattested)
	n.Meddle(forge)
	if got, err = n.Open(t, asked); err == nil { // or the number is implausible
		require.NotEqual(t, [][]string{{"36"}}, Rows(got.Result))
		require.True(t, got.Unattested)
	}
}

// forged makes a statement with another body under the signatures of the original.
func forged[T any](t *testing.T, env *evidence.Envelope, change func(*T)) *evidence.Envelope {
	t.Helper()
	var body T
	require.NoError(t, env.Decode(env.PayloadType, &body))
	change(&body)
	payload, err := json.Marshal(body)
	require.NoError(t, err)
	return &evidence.Envelope{PayloadType: env.PayloadType, Payload: payload, Signatures: env.Signatures}
}

// statement finds a query's envelope in the journal.
func (n *Network) statement(t *testing.T, h carnet.Hash) *evidence.Envelope {
	t.Helper()
	for _, e := range n.Gateway.Journal(t) {
		if e.Envelope.Hash() == h {
			return e.Envelope
		}
	}
	require.Fail(t, "no such statement")
	return nil
}

// refusedBy waits until every keyholder has refused a query for the reason, and
// checks that none has answered.
func (n *Network) refusedBy(t *testing.T, query carnet.Hash, reason string) {
	t.Helper()
	for _, k := range n.Keyholders {
		var o *keyholder.Outcome
		Eventually(t, "a decision of "+string(k.Party), 2*time.Minute, func() bool { o = k.Outcome(t, query); return o != nil })
		require.Equal(t, "refusal", o.Kind)
		require.Equal(t, reason, o.Reason)
		require.Empty(t, o.Sealed)
	}
}

// Rule (scheme §6.2): the buyer's signature covers the key that answers are sealed to.
// A gateway that replaces it in the journal, or replays a query under a new id, gets a
// refusal from everybody, and nothing is charged.
func TestSubstitutedBuyerKey(t *testing.T) {
	t.Parallel()
	n := Start(t, Options{})
	sets := publishTrade(t, n, carnet.LayoutCube)
	a := n.Submit(t, "buyer", "cube", linearQuery)
	_, err := n.Open(t, a)
	require.NoError(t, err)
	before := n.Keyholders[0].Charged(t, sets[0].Key.Key)
	attacker := RecipientKey(t, n.Identity("second"), carnet.Hash{1})
	original := n.statement(t, a.Hash)
	for what, change := range map[string]func(*carnet.Query){
		"recipient": func(q *carnet.Query) { q.Recipient = attacker.Public() },
		"buyer":     func(q *carnet.Query) { q.Buyer, q.Recipient = "second", attacker.Public() },
		"sql":       func(q *carnet.Query) { q.SQL = "SELECT SUM(value) FROM cube WHERE month = '02'" },
	} {
		env := forged(t, original, change)
		n.Gateway.Inject(t, nil, env)
		t.Log(what)
		n.refusedBy(t, env.Hash(), "BAD_SIGNATURE")
	}
	require.Equal(t, before, n.Keyholders[0].Charged(t, sets[0].Key.Key), "a query that its buyer did not sign opens nothing and costs nothing")
}

// Rule: ciphertext that is not what its owner committed to is never computed with. A
// bit flipped on the gateway's disk stops the computation; a gateway that
// hides it is refused by every keyholder that reads it.
func TestFlippedBit(t *testing.T) {
	t.Parallel()
	n := Start(t, Options{})
	sets := publishTrade(t, n, carnet.LayoutRecords)
	honest := n.Ask(t, "buyer", "records", productQuery)
	for _, k := range n.Keyholders {
		k.Restart(t) // forgets what it has verified
	}
	// On the way to the keyholders only: the gateway itself does not notice.
	n.Meddle(func(m *Message) error {
		if r, ok := m.Body.(*pb.ReadPiecesResponse); ok && m.FromGateway {
			r.Data[12345] ^= 16
		}
		return nil
	})
	a := n.Submit(t, "buyer", "records", productQuery)
	_, err := n.Wait(t, a)
	require.Equal(t, carnet.Refused, carnet.KindOf(err), "%v", err)
	n.refusedBy(t, a.Hash, "BLOCKS_DIFFER")
	n.Meddle(nil)

	// On disk.
	var columns []string
	require.NoError(t, filepath.WalkDir(n.Gateway.ColumnDir(), func(p string, d os.DirEntry, err error) error {
		switch {
		case err == nil && d.Name() == "constants": // sums of columns, with which nothing is computed here
			return filepath.SkipDir
		case err == nil && d.Type().IsRegular():
			columns = append(columns, p)
		}
		return err
	}))
	require.NotEmpty(t, columns)
	flip := func() {
		for _, p := range columns {
			f, err := os.OpenFile(p, os.O_RDWR, 0)
			require.NoError(t, err)
			var b [1]byte
			const at = columnfile.HeaderBytes + 4711
			_, err = f.ReadAt(b[:], at)
			require.NoError(t, err)
			b[0] ^= 1
			_, err = f.WriteAt(b[:], at)
			require.NoError(t, err)
			require.NoError(t, f.Close())
		}
	}
	flip()
	n.Gateway.Restart(t) // what it had verified it would not look at again
	const other = "SELECT SUM(value) FROM records WHERE month = '01'"
	a = n.Submit(t, "buyer", "records", other)
	if long() { // five attempts, in case the operator repairs the storage meanwhile
		status, err := n.Wait(t, a)
		require.Equal(t, "QUERY_FAILED", carnet.ReasonOf(err), "%v", err)
		require.Equal(t, client.Failed, status.State)
		require.ErrorContains(t, err, "STORAGE_DAMAGED")
		a = n.Submit(t, "buyer", "records", other)
	}
	Eventually(t, "the gateway to notice", 2*time.Minute, func() bool {
		return strings.Contains(n.Log(), "does not have its hash")
	})
	status, err := n.Client(t, "buyer").Status(Context(t), a.Hash)
	require.NoError(t, err)
	require.Contains(t, []client.State{client.Computing, client.RefusedBy}, status.State, "no public value comes from damaged bytes")
	flip() // back again: nothing was lost
	repaired, err := n.Open(t, a)
	require.NoError(t, err)
	require.Equal(t, Rows(Twin(t, a.Plan, PlainOf(sets...))), Rows(repaired.Result))
	require.Equal(t, Rows(honest.Result), Rows(n.Ask(t, "buyer", "records", productQuery).Result))
}

// copyDatabase copies the stopped gateway's SQLite files.
func copyDatabase(t *testing.T, from, to string) {
	t.Helper()
	for _, suffix := range []string{"", "-wal", "-shm"} {
		data, err := os.ReadFile(from + suffix)
		if os.IsNotExist(err) {
			require.NoError(t, os.RemoveAll(to+suffix))
			continue
		}
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(to+suffix, data, 0o600))
	}
}

// Rule (scheme §6.2, §6.3): the journal only grows. A gateway restored from an older
// copy of its database gets no answer while it is behind, and once it has written
// another history every keyholder stops for good and says why.
func TestRolledBackJournal(t *testing.T) {
	t.Parallel()
	n := Start(t, Options{})
	publishTrade(t, n, carnet.LayoutCube)
	n.Ask(t, "buyer", "cube", linearQuery)
	n.Gateway.Stop(t)
	older := filepath.Join(n.Dir, "older.db")
	copyDatabase(t, n.Gateway.Database(), older)
	n.Gateway.Start(t)
	for m := range 4 { // history that the gateway will forget, charges included
		n.Ask(t, "buyer", "cube", fmt.Sprintf("SELECT SUM(value) FROM cube WHERE month = '%02d' AND chapter = '%s'", 1+m%2, []string{"01", "84"}[m/2]))
	}
	size := len(n.Gateway.Journal(t))
	charged := n.Keyholders[0].Charged(t, keyOf(t, n, "kz/cube"))
	n.Gateway.Stop(t)
	copyDatabase(t, older, n.Gateway.Database())
	n.Gateway.Start(t)
	require.Less(t, len(n.Gateway.Journal(t)), size)
	// An honest gateway notices by its log. One that wants to go on gets rid of it.
	Eventually(t, "that the log is found ahead", time.Minute, func() bool { return n.Gateway.Flow.LogFault() != nil })
	n.Gateway.Stop(t)
	require.NoError(t, os.RemoveAll(n.Gateway.LogDir()))
	n.Gateway.Start(t)

	behind := n.Submit(t, "buyer", "cube", "SELECT SUM(weight) FROM cube")
	time.Sleep(1500 * time.Millisecond)
	for _, k := range n.Keyholders {
		require.Nil(t, k.Outcome(t, behind.Hash), "%s answered on a journal that is shorter than the one it has seen", k.Party)
	}
	for len(n.Gateway.Journal(t)) <= size {
		n.Gateway.Nudge(t)
	}
	for _, k := range n.Keyholders {
		Eventually(t, string(k.Party)+" to stop", time.Minute, k.Ended)
		require.Equal(t, "JOURNAL_FORK", carnet.ReasonOf(k.Stop(t)))
		require.Equal(t, "HALTED", carnet.ReasonOf(k.TryStart(t)), "a restart changes nothing")
		require.Nil(t, k.Outcome(t, behind.Hash))
	}
	require.Equal(t, charged, n.Keyholders[0].Charged(t, keyOf(t, n, "kz/cube")), "nothing that was charged is forgotten")
	s, err := n.Client(t, "buyer").Status(Context(t), behind.Hash)
	require.NoError(t, err)
	require.Zero(t, s.Answers)
}

// keyOf is the key of a published dataset.
func keyOf(t *testing.T, n *Network, id carnet.DatasetID) carnet.KeyID {
	t.Helper()
	d, err := n.Client(t, "buyer").Dataset(Context(t), id)
	require.NoError(t, err)
	return d.Manifest.Key
}
