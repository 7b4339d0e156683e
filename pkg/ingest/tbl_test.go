package ingest

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/schema"
)

func TestTbl(t *testing.T) {
	for _, c := range []struct {
		name, text string
		records    [][]string
		last       schema.Position // of the second field of the last record
	}{
		{"as written by dbgen", "0|AFRICA|a b|\n1|ASIA||\n", [][]string{{"0", "AFRICA", "a b"}, {"1", "ASIA", ""}}, schema.Position{Line: 2, Column: 3}},
		{"no last pipe", "0|AFRICA|x\n", [][]string{{"0", "AFRICA", "x"}}, schema.Position{Line: 1, Column: 3}},
		{"CRLF, empty lines, no line end", "\r\n0|AFRICA|x|\r\n\n1|ASIA|\"y|", [][]string{{"0", "AFRICA", "x"}, {"1", "ASIA", "\"y"}}, schema.Position{Line: 4, Column: 3}},
		{"nothing", "", nil, schema.Position{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := NewTbl("dir/REGION.tbl.12", strings.NewReader(c.text), 0)
			require.NoError(t, err)
			require.Equal(t, []string{"r_regionkey", "r_name", "r_comment"}, r.Header())
			records, last := all(t, r)
			require.Equal(t, c.records, records)
			if records != nil {
				require.Equal(t, c.last, last.At[1])
			}
			done, total := r.Progress()
			require.Equal(t, int64(len(c.text)), done)
			require.Equal(t, done, total)
			require.NoError(t, r.Close())
		})
	}
}

func TestTblRefuses(t *testing.T) {
	_, err := NewTbl("things.tbl", strings.NewReader(""), 0)
	require.Equal(t, "BAD_TBL", carnet.ReasonOf(err))
	for _, text := range []string{"\xff|x|\n", strings.Repeat("x", maxRecord+1)} {
		r, err := NewTbl("region.tbl", strings.NewReader(text), 0)
		require.NoError(t, err)
		require.Equal(t, "BAD_TBL", carnet.ReasonOf(r.Read(&schema.Record{})))
	}
}

// Open recognises the files by their names, and bad rows are shown by line and column.
func TestOpenTbl(t *testing.T) {
	s, err := schema.Parse("s.yaml", []byte("name: regions\nversion: 1\ndimensions: [{name: r_name, codes: [AFRICA, ASIA]}]\nlimits: {rows: 9, datasets: 1}\nlayouts: [cube]\n"))
	require.NoError(t, err)
	e, err := s.Encode(carnet.LayoutCube)
	require.NoError(t, err)
	load := func(name, text string) (*Table, error) {
		path := filepath.Join(t.TempDir(), name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		table, err := Load(context.Background(), e, Options{}, path)
		if err != nil {
			return nil, err
		}
		return table, table.Refused()
	}
	table, err := load("region.tbl", "0|AFRICA|x|\n1|ASIA|y|\n")
	require.NoError(t, err)
	require.Equal(t, int64(2), table.Tables.Rows())
	_, err = load("region.tbl.1", "0|AFRIKA|x|\n1|ASIA\n")
	var e2 *carnet.Error
	require.ErrorAs(t, err, &e2)
	require.Len(t, e2.Violations, 2)
	require.Contains(t, e2.Violations[0].Field, "region.tbl.1:1:3")
	require.Contains(t, e2.Violations[1].Msg, "the record has 2 fields, the header has 3")
	_, err = load("other.tbl", "")
	require.Equal(t, "BAD_TBL", carnet.ReasonOf(err))
	_, err = load("region.tbl.csv", "r_name\nASIA\n")
	require.NoError(t, err)
}

func FuzzTbl(f *testing.F) {
	f.Add("0|AFRICA|x|\n\n1|ASIA")
	f.Fuzz(func(t *testing.T, text string) {
		r, err := NewTbl("region.tbl", strings.NewReader(text), 0)
		require.NoError(t, err)
		var rec schema.Record
		for {
			if err := r.Read(&rec); err != nil {
				break
			}
			require.Len(t, rec.At, len(rec.Fields))
			require.NotEmpty(t, rec.Fields)
		}
	})
}
