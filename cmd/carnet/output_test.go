package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/client"
	"github.com/carnet-network/carnet/pkg/plan"
)

// A value that noise can have cost is told, to people and to programs.
func TestLostIsNoted(t *testing.T) {
	var out, errs bytes.Buffer
	a := &app{out: &out, raw: &out, err: &errs}
	ans := &client.Answer{Openings: 2, Result: &plan.Result{Columns: []plan.ColumnInfo{{Name: "n", Type: plan.Integer}, {Name: "mean", Type: plan.Numeric}},
		Rows: [][]plan.Value{{{}, {}}}, Deviations: [][]plan.Value{{{}, {}}}, Lost: []int{0, 1}}}
	const note = "mean is NULL in 1 of 1 row: noise can make a count of rows 0 or less"
	require.NoError(t, (&outputFlags{}).print(a, ans, 0))
	require.Contains(t, errs.String(), note)
	require.NotContains(t, errs.String(), "n is NULL in 0")
	require.NoError(t, (&outputFlags{JSON: true}).print(a, ans, 0))
	require.Contains(t, out.String(), `"notes": [`)
	require.Contains(t, out.String(), note)

	errs.Reset()
	ans.Result.Lost = nil
	require.NoError(t, (&outputFlags{}).print(a, ans, 0))
	require.NotContains(t, errs.String(), "NULL")
}
