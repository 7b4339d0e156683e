package carnettest

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	pb "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/apiconv"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/client"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// bigRows is enough for an upload and a computation to be killed in the middle.
const bigRows = 60_000

// bigTrade makes rows and, for each chapter, their number and the sum of their values.
func bigTrade(seed uint64) (text string, totals map[string][2]int64) {
	r := rand.New(rand.NewPCG(seed, 1))
	totals = map[string][2]int64{}
	var b bytes.Buffer
	b.WriteString("chapter,month,value,weight\n")
	for range bigRows {
		c, v := []string{"01", "02", "84"}[r.IntN(3)], r.Int64N(200_000_000)-100_000_000
		fmt.Fprintf(&b, "%s,%02d,%s,%d\n", c, 1+r.IntN(2), decimal(v, 2), r.IntN(1000))
		t := totals[c]
		totals[c] = [2]int64{t[0] + 1, t[1] + v}
	}
	return b.String(), totals
}

// expected are the rows that bigQuery answers.
func expected(tables ...map[string][2]int64) (out [][]string) {
	for _, c := range []string{"01", "02", "84"} {
		var n, v int64
		for _, t := range tables {
			n, v = n+t[c][0], v+t[c][1]
		}
		out = append(out, []string{c, fmt.Sprint(n), decimal(v, 2)})
	}
	return out
}

const bigQuery = "SELECT chapter, COUNT(*), SUM(value) FROM big GROUP BY chapter ORDER BY chapter"

// journal reads the whole journal over the network and compares it with the log.
func (r *realNetwork) journal(t *testing.T) (all []evidence.Envelope) {
	t.Helper()
	stream, err := pb.NewJournalServiceClient(r.Conn(t, Auditor)).Follow(Context(t), &pb.FollowRequest{StopAtEnd: true})
	require.NoError(t, err)
	var tree evidence.Tree
	var last *evidence.SignedCheckpoint
	for {
		m, err := stream.Recv()
		if err != nil {
			require.NotNil(t, last)
			require.Equal(t, tree.Checkpoint(), last.Checkpoint)
			return all
		}
		if c := m.GetCheckpoint(); c != nil {
			last, err = evidence.ParseCheckpoint([]byte(c.Note))
			require.NoError(t, err)
		}
		if e := m.GetEntry(); e != nil {
			entry, err := apiconv.FromEntry(e)
			require.NoError(t, err)
			require.NoError(t, tree.Append(entry))
			all = append(all, *entry.Envelope)
		}
	}
}

// nothingDoubled checks the journal and every ledger: each statement once, one answer
// of each keyholder to a query, each number charged once.
func (r *realNetwork) nothingDoubled(t *testing.T, charges map[carnet.KeyID]int64) {
	t.Helper()
	seen, answered := map[carnet.Hash]bool{}, map[string]bool{}
	for _, e := range r.journal(t) {
		require.False(t, seen[e.Hash()], "a %s statement is journaled twice", e.PayloadType)
		seen[e.Hash()] = true
		if e.PayloadType == carnet.TypeAnswer {
			var a carnet.Answer
			require.NoError(t, e.Decode(carnet.TypeAnswer, &a))
			require.False(t, answered[a.Query.String()+string(a.By)], "%s answered a query twice", a.By)
			answered[a.Query.String()+string(a.By)] = true
		}
	}
	for _, k := range r.Keyholders {
		for key, want := range charges {
			require.Equal(t, want, k.Charged(t, key), "%s, key %s", k.Party, key)
		}
	}
}

// countFiles counts the files of columns, without the sums of columns that are kept with them.
func countFiles(dir string) (n int) {
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		switch {
		case err == nil && d.Name() == "constants":
			return fs.SkipDir
		case err == nil && d.Type().IsRegular():
			n++
		}
		return nil
	})
	return n
}

// Rule: nothing that is acknowledged is lost by kill -9, and nothing is done twice.
// The publishing program is killed in the middle of its upload, then the gateway in the
// middle of another one, then gateway and keyholders again and again while queries are
// computed and released. Every upload resumes, every query gets its right answer.
func TestKill9(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	t.Parallel()
	r := startReal(t)
	s := ParseSchema(t, tradeYAML)
	tables := []map[string][2]int64{}
	var sets []*Dataset

	text, totals := bigTrade(1)
	sets = append(sets, r.killPublisher(t, Publication{Owner: "kz", Name: "big", Schema: s, Layout: carnet.LayoutRecords, CSV: text}))
	tables = append(tables, totals)
	text, totals = bigTrade(2)
	sets = append(sets, r.killGatewayDuringUpload(t, Publication{Owner: "uz", Name: "big", Schema: s, Layout: carnet.LayoutRecords, CSV: text}))
	tables = append(tables, totals)
	r.Product(t, "big", sets...)

	// One query without trouble first, then others of which some servers die.
	want := expected(tables...)
	a := r.Submit(t, "buyer", "big", bigQuery)
	got, err := r.openReal(t, a)
	require.NoError(t, err)
	require.Equal(t, want, Rows(got.Result))
	charges := map[carnet.KeyID]int64{}
	for _, d := range sets {
		charges[d.Key.Key] = int64(len(a.Plan.Openings))
	}
	rounds := 6
	if long() {
		rounds = 60
	}
	rnd := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	all := append([]*process{r.gateway}, r.keyholders...)
	for round := range rounds {
		a := r.Submit(t, "buyer", "big", bigQuery)
		victim := r.gateway
		if round%2 == 1 {
			victim = all[rnd.IntN(len(all))]
		}
		began := time.Now()
		delay := time.Duration(rnd.IntN(500)) * time.Millisecond
		time.Sleep(delay)
		state, _ := r.Client(t, "buyer").Status(Context(t), a.Hash)
		victim.kill(t)
		time.Sleep(50 * time.Millisecond)
		if victim == r.gateway {
			r.startGateway(t)
		} else {
			victim.start(t)
		}
		got, err := r.openReal(t, a)
		require.NoError(t, err, "%s killed after %s", victim.name, delay)
		require.Equal(t, want, Rows(got.Result))
		require.Empty(t, got.Liars)
		require.Empty(t, got.Disagreed)
		if state != nil {
			t.Logf("killed %s after %s, when the query was %s with %d answers; open after %s", victim.name, delay, state.State, state.Answers, time.Since(began).Round(time.Millisecond))
		}
	}
	r.nothingDoubled(t, charges)
}

// openReal waits for at least a threshold of answers, as a buyer does.
func (r *realNetwork) openReal(t *testing.T, a *client.Asked) (*client.Answer, error) {
	t.Helper()
	c := r.Client(t, a.Query.Buyer)
	if _, err := c.Wait(Context(t), a.Hash, grace, nil); err != nil {
		return nil, err
	}
	return c.Open(Context(t), r.Identity(a.Query.Buyer), a)
}

// killPublisher publishes with the carnet program, which is killed when a part of its
// blocks has arrived, and again to the end.
func (r *realNetwork) killPublisher(t *testing.T, p Publication) *Dataset {
	t.Helper()
	prepared := r.Prepare(t, p)
	home := r.home(t, r.Owners[0], prepared.Key)
	publish := func() *exec.Cmd {
		cmd := exec.Command(filepath.Join(r.bin, "carnet"), "--home", home, "publish", "--schema", p.Schema.ID(), "--layout", string(p.Layout),
			"--id", p.Name, "--key", "trade", "--terms", filepath.Join(home, "terms.yaml"), r.file("kz-big.csv"))
		cmd.SysProcAttr = childAttributes()
		return cmd
	}
	columns := len(prepared.Encoding.Columns)
	first := publish()
	require.NoError(t, first.Start())
	Eventually(t, "a part of the columns", time.Minute, func() bool { return countFiles(r.Gateway.ColumnDir()) >= columns/3 })
	require.NoError(t, first.Process.Kill())
	_ = first.Wait()
	require.Empty(t, r.datasets(t), "nothing is published before the manifest")
	arrived := countFiles(r.Gateway.ColumnDir())
	out, err := publish().CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "resumed")
	require.Less(t, arrived, columns, "killed too late to show anything")
	require.Equal(t, columns, countFiles(r.Gateway.ColumnDir()), "every column once")
	require.Len(t, r.datasets(t), 1)
	t.Logf("killed the publisher with %d of %d columns at the gateway; %s", arrived, columns, strings.ReplaceAll(strings.TrimSpace(string(out)), "\n", "; "))
	// A third time nothing is sent and nothing changes.
	out, err = publish().CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Len(t, r.datasets(t), 1)
	info, err := r.Client(t, "kz").Dataset(Context(t), prepared.ID)
	require.NoError(t, err)
	return &Dataset{Published: &client.Published{Ref: client.Ref{Hash: info.Hash}, Manifest: info.Manifest}, ID: prepared.ID, Key: prepared.Key, Tables: prepared.Tables, Schema: prepared.Schema}
}

func (r *realNetwork) datasets(t *testing.T) []*client.DatasetInfo {
	t.Helper()
	all, err := r.Client(t, "kz").Datasets(Context(t), "", "")
	require.NoError(t, err)
	return all
}

// killGatewayDuringUpload publishes while the gateway is killed and started again.
func (r *realNetwork) killGatewayDuringUpload(t *testing.T, p Publication) *Dataset {
	t.Helper()
	prepared := r.Prepare(t, p)
	total := int64(len(prepared.Encoding.Columns) * prepared.Encoding.Blocks(bigRows))
	reached := make(chan struct{}, 1)
	prepared.Progress = func(now client.Progress) {
		if now.Blocks >= total/2 {
			select {
			case reached <- struct{}{}:
			default:
			}
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	type outcome struct {
		got *client.Published
		err error
	}
	done := make(chan outcome, 1)
	go func() {
		got, err := r.Client(t, p.Owner).Publish(ctx, r.Identity(p.Owner), prepared)
		done <- outcome{got, err}
	}()
	<-reached
	r.gateway.kill(t)
	time.Sleep(200 * time.Millisecond)
	r.startGateway(t)
	o := <-done
	require.NoError(t, o.err, "the upload goes on by itself")
	require.Len(t, r.datasets(t), 2)
	t.Logf("killed the gateway in the middle of %d blocks; %d MB sent for %d MB", total, o.got.Sent>>20, o.got.Bytes>>20)
	_, err := os.Stat(prepared.StateFile)
	require.NoError(t, err)
	return &Dataset{Published: o.got, ID: prepared.ID, Key: prepared.Key, Tables: prepared.Tables, Schema: prepared.Schema}
}
