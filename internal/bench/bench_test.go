package main

import (
	"bytes"
	"context"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// One small round of everything: all ways of doing a task run and give the right
// answers, and the report says what was measured.
func TestSmallRound(t *testing.T) {
	b := &bench{sizes: tiny(), rounds: 1, say: t.Logf}
	only := "."
	if testing.Short() { // without servers
		b.server, only = false, "filter|groups|encrypt|bytes|keyholder|cube|estimates|policy|admission"
	}
	r, err := b.run(t.Context(), regexp.MustCompile(only))
	require.NoError(t, err)
	require.NotEmpty(t, r.Machine.CPU)
	require.NotEmpty(t, r.Goals)
	for _, row := range r.Rows {
		require.Positive(t, row.Value, "%s, %s", row.Work, row.How)
		require.NotEmpty(t, row.Unit)
	}
	for _, write := range []func(*bytes.Buffer) error{
		func(w *bytes.Buffer) error { return write(w, r, false, false) },
		func(w *bytes.Buffer) error { return write(w, r, false, true) },
		func(w *bytes.Buffer) error { return write(w, r, true, false) },
	} {
		var out bytes.Buffer
		require.NoError(t, write(&out))
		for _, row := range r.Rows {
			require.Contains(t, out.String(), row.How)
		}
		for _, g := range r.Goals {
			require.Contains(t, out.String(), g.Work)
		}
	}
	var out bytes.Buffer
	require.NoError(t, write(&out, r, true, false))
	var back Report
	require.NoError(t, json.Unmarshal(out.Bytes(), &back))
	require.Equal(t, r, &back)
}

// A wrong answer of any way of doing a task ends the run.
func TestWrongAnswers(t *testing.T) {
	table, err := newTable("records", 1, 1)
	require.NoError(t, err)
	params, err := halfRing(table)
	require.NoError(t, err)
	lattigo, err := newReference(table, params)
	require.NoError(t, err)
	require.NoError(t, lattigo.filteredAdd())
	table.sums[0]++
	require.ErrorContains(t, lattigo.filteredAdd(), "want")
	require.ErrorContains(t, lattigo.filteredFused(), "want")
	require.ErrorContains(t, table.plainSum(), "want")
	require.ErrorContains(t, table.sumWhere(t.Context(), table.r, scanOne), "want")
}

// A run that is interrupted ends soon.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b := &bench{sizes: tiny(), rounds: 1, say: t.Logf}
	_, err := b.run(ctx, regexp.MustCompile("encrypt"))
	require.ErrorIs(t, err, context.Canceled)
}

// The sums of TPC-H's answers are exact, and a cent more or less is noticed.
func TestTPCHTruth(t *testing.T) {
	run := tpchRun{scale: 400}
	want := tpchTruth(run.lines())
	require.Len(t, want["q1"], 4)
	require.Len(t, want["q6"], 1)
	rows := [][]string{{want["q6"][0].numbers[0].FloatString(4)}}
	require.NoError(t, want["q6"].comparePostgres(rows))
	rows[0][0] = strings.TrimRight(rows[0][0], "0123456789") + "9999"
	require.Error(t, want["q6"].comparePostgres(rows))
}
