package ingest

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/schema"
)

// all reads everything, copying.
func all(t *testing.T, r Reader) (records [][]string, last schema.Record) {
	t.Helper()
	var rec schema.Record
	for {
		err := r.Read(&rec)
		if errors.Is(err, io.EOF) {
			return records, last
		}
		require.NoError(t, err)
		records = append(records, append([]string(nil), rec.Fields...))
		last = rec
	}
}

func TestCSV(t *testing.T) {
	for _, c := range []struct {
		name, text string
		header     []string
		records    [][]string
		last       schema.Position // of the second field of the last record
	}{
		{"plain", "a,b\n1,2\n3,4\n", []string{"a", "b"}, [][]string{{"1", "2"}, {"3", "4"}}, schema.Position{Line: 3, Column: 3}},
		{"no line end", "a,b\n1,2", []string{"a", "b"}, [][]string{{"1", "2"}}, schema.Position{Line: 2, Column: 3}},
		{"CRLF, empty lines", "a,b\r\n\r\n1,2\r\n\r\n", []string{"a", "b"}, [][]string{{"1", "2"}}, schema.Position{Line: 3, Column: 3}},
		{"byte order mark", "\ufeffa,b\n1,2\n", []string{"a", "b"}, [][]string{{"1", "2"}}, schema.Position{Line: 2, Column: 3}},
		{"quotes", "\"a\", b \n\"x \"\"y\"\", z\",\"2\n3\"\n", []string{"a", "b"}, [][]string{{`x "y", z`, "2\n3"}}, schema.Position{Line: 2, Column: 14}},
		{"field on a later line", "a,b\n\"1\n\n\",2\n", []string{"a", "b"}, [][]string{{"1\n\n", "2"}}, schema.Position{Line: 4, Column: 3}},
		{"semicolons", "a;\"b,c,d\";e\n1;2,5;3\n", []string{"a", "b,c,d", "e"}, [][]string{{"1", "2,5", "3"}}, schema.Position{Line: 2, Column: 3}},
		{"tabs", "a\tb\n1\t2\n", []string{"a", "b"}, [][]string{{"1", "2"}}, schema.Position{Line: 2, Column: 3}},
		{"pipes", "a|b\n1|2,3\n", []string{"a", "b"}, [][]string{{"1", "2,3"}}, schema.Position{Line: 2, Column: 3}},
		{"ragged", "a,b\n1,2,3\n", []string{"a", "b"}, [][]string{{"1", "2", "3"}}, schema.Position{Line: 2, Column: 3}},
		{"header only", "a,b\n", []string{"a", "b"}, nil, schema.Position{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := NewCSV("in.csv", strings.NewReader(c.text), int64(len(c.text)))
			require.NoError(t, err)
			require.Equal(t, c.header, r.Header())
			records, last := all(t, r)
			require.Equal(t, c.records, records)
			if c.records != nil {
				require.Equal(t, c.last, last.At[1])
			}
			done, total := r.Progress()
			require.Equal(t, total, max(done, int64(len(c.text))))
			require.NoError(t, r.Close())
		})
	}
}

func TestCSVRefuses(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", "in.csv:1:1: the file is empty; the first line names the columns"},
		{"only a mark", "\ufeff", "in.csv:1:1: the file is empty; the first line names the columns"},
		{"UTF-16", "\xff\xfea\x00", "in.csv:1:1: the file is UTF-16; save it as UTF-8"},
		{"cp1251", "a,b\n1,\xc0\xc1\n", "in.csv:2:3: the field is not UTF-8; save the file as UTF-8, for instance with iconv -f cp1251 -t utf-8"},
		{"bare quote", "a,b\n1,2\"3\n", "in.csv:2:4: a quote inside a field that is not quoted; enclose the field in quotes and double the quotes inside"},
		{"after the quote", "a,b\n1,\"2\"3\n", "in.csv:2:5: a quoted field does not end here, or never; double the quotes inside, and close it (it begins in line 2)"},
		{"never closed", "a,b\n1,\"2\n3,4\n", "in.csv:3:5: a quoted field does not end here, or never; double the quotes inside, and close it (it begins in line 2)"},
		{"endless", "a,b\n1,\"2" + strings.Repeat("x\n", maxRecord), "in.csv:2: the record is longer than 1048576 bytes; is a closing quote missing?"},
		{"endless line", "a,b\n1," + strings.Repeat("x", 3*maxRecord), "in.csv:2: the record is longer than 1048576 bytes; is a closing quote missing?"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var rec schema.Record
			r, err := NewCSV("in.csv", strings.NewReader(c.text), 0)
			for err == nil {
				err = r.Read(&rec)
			}
			require.Equal(t, "BAD_CSV", carnet.ReasonOf(err))
			require.Equal(t, c.want, violations(err))
		})
	}
}

func violations(err error) string {
	var e *carnet.Error
	if !errors.As(err, &e) {
		return ""
	}
	var lines []string
	for _, v := range e.Violations {
		lines = append(lines, v.Field+": "+v.Msg)
	}
	return strings.Join(lines, "\n")
}

// FuzzCSV: any bytes give records or a *carnet.Error, and positions inside the text.
func FuzzCSV(f *testing.F) {
	for _, s := range []string{"a,b\n1,2\n", "a;b\n\"1\n\",2", "\ufeffa\n", "\"", "a\n\"b\"c\n", "\xff\xfe", "a,b\r\n\r\n,\r\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := NewCSV("in.csv", bytes.NewReader(text), int64(len(text)))
		var rec schema.Record
		for err == nil {
			if err = r.Read(&rec); err != nil {
				break
			}
			require.NotEmpty(t, rec.Fields)
			require.Len(t, rec.At, len(rec.Fields))
			for _, p := range rec.At {
				require.Positive(t, p.Line)
				require.Positive(t, p.Column)
			}
		}
		if !errors.Is(err, io.EOF) {
			require.Equal(t, "BAD_CSV", carnet.ReasonOf(err))
		}
	})
}
