package schema

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
)

const bindable = `
name: trade
version: 1
nulls: [NA, "-"]
dimensions:
  - {name: chapter, source: Commodity Code, prefix: 2, codes: ["01", "02", ÄÖ, X]}
  - {name: level, source: Commodity Code, length: true, codes: ["2", "4"]}
  - {name: unit, nullable: true, codes: [kg, items]}
measures:
  - {name: value, scale: 2, min: -5.00, max: 100}
  - {name: weight, min: 0, max: 50, nullable: true, outside: clip}
partitions:
  - {name: year, source: Year}
limits: {rows: 100, datasets: 1}
layouts: [cube]
`

func bind(t testing.TB, header ...string) *Binder {
	t.Helper()
	s, err := Parse("bindable.yaml", []byte(bindable))
	require.NoError(t, err)
	b, err := s.Bind("in.csv", header)
	require.NoError(t, err)
	return b
}

func record(line int, fields ...string) *Record {
	r := &Record{Fields: fields, Line: line}
	col := 1
	for _, f := range fields {
		r.At = append(r.At, Position{line, col})
		col += len(f) + 1
	}
	return r
}

func TestBinderReads(t *testing.T) {
	b := bind(t, "Year", "commodity code ", "UNIT", "extra", "value", "Weight")
	require.Equal(t, []string{"extra"}, b.Unused())
	var row Row
	for _, c := range []struct {
		fields []string
		want   Row
	}{
		{[]string{"2024", "0101", "kg", "?", "1.50", "7"}, Row{[]string{"2024"}, []int{0, 1, 0}, []int64{150, 7}, []bool{false, false}, ""}},
		{[]string{" 2024 ", " 02 ", "", "", "-5", ""}, Row{[]string{"2024"}, []int{1, 0, -1}, []int64{-500, 0}, []bool{false, true}, ""}},
		{[]string{"2024", "ÄÖÜ.", "NA", "", "+100.000", "NA"}, Row{[]string{"2024"}, []int{2, 1, -1}, []int64{10000, 0}, []bool{false, true}, ""}},
		{[]string{"2024", "02", "-", "", "0", "51"}, Row{[]string{"2024"}, []int{1, 0, -1}, []int64{0, 50}, []bool{false, false}, ""}},
		{[]string{"2024", "02", "kg", "", "0", "-1"}, Row{[]string{"2024"}, []int{1, 0, 0}, []int64{0, 0}, []bool{false, false}, ""}},
		{[]string{"2024", "02", "kg", "", "0", strings.Repeat("9", 300)}, Row{[]string{"2024"}, []int{1, 0, 0}, []int64{0, 50}, []bool{false, false}, ""}},
	} {
		require.NoError(t, b.Row(record(2, c.fields...), &row), "%q", c.fields)
		require.Equal(t, c.want, row, "%q", c.fields)
	}
	require.Equal(t, map[string]int64{"weight": 3}, b.Clipped())

	rec := record(2, "2024", "02", "kg", "", "0", "7")
	rec.Null = []bool{false, false, true, false, false, true}
	require.NoError(t, b.Row(rec, &row))
	require.Equal(t, -1, row.Dims[2])
	require.True(t, row.Null[1])
}

// TestOwnNamesAreFinishedValues: a header equal to the column's own name holds the
// derived value already.
func TestOwnNamesAreFinishedValues(t *testing.T) {
	b := bind(t, "year", "chapter", "level", "unit", "value", "weight")
	var row Row
	require.NoError(t, b.Row(record(2, "2024", "X", "4", "kg", "0", "0"), &row))
	require.Equal(t, []int{3, 1, 0}, row.Dims)
}

func TestBinderRefuses(t *testing.T) {
	b := bind(t, "Year", "Commodity Code", "unit", "value", "weight")
	var row Row
	for _, c := range []struct {
		fields []string
		want   string
	}{
		{[]string{"2024", "01", "kg", "0"}, "in.csv:7: the record has 4 fields, the header has 5; quote fields that contain the separator"},
		{[]string{"", "01", "kg", "0", "0"}, "in.csv:7:1: partition year is NULL; every row needs a value"},
		{[]string{"20/4", "01", "kg", "0", "0"}, `in.csv:7:1: partition year: "20/4" is not a partition value; use 1 to 63 of A-Z a-z 0-9 . _ -, starting with a letter or digit`},
		{[]string{"2024", "03", "kg", "0", "0"}, `in.csv:7:6: dimension chapter has no code "03"; known are 01, 02, ÄÖ, X`},
		{[]string{"2024", "010", "kg", "0", "0"}, `in.csv:7:6: dimension level has no code "3"; known are 2, 4`},
		{[]string{"2024", "01", "KG", "0", "0"}, `in.csv:7:9: dimension unit has no code "KG"; did you mean "kg"?`},
		{[]string{"2024", "01", "kg", "", "0"}, "in.csv:7:12: measure value is NULL and not nullable; fill it in, or set nullable: true in the schema"},
		{[]string{"2024", "01", "kg", "1,50", "0"}, `in.csv:7:12: measure value: "1,50" has a comma; write a point for decimals and no thousands separators`},
		{[]string{"2024", "01", "kg", "100.01", "0"}, `in.csv:7:12: measure value: "100.01" is above max 100; correct it, or set outside: clip in the schema`},
		{[]string{"2024", "01", "kg", "-5.01", "0"}, `in.csv:7:12: measure value: "-5.01" is below min -5.00; correct it, or set outside: clip in the schema`},
		{[]string{"2024", "01", "kg", strings.Repeat("9", 20), "0"}, `in.csv:7:12: measure value: "99999999999999999999" is above max 100; correct it, or set outside: clip in the schema`},
		{[]string{"2024", "01", "kg", "0", "1.5"}, `in.csv:7:14: measure weight: "1.5" is not a whole number and the scale is 0; round it before, or raise the scale`},
		{[]string{"2024", "", "kg", "0", "0"}, "in.csv:7:6: dimension chapter is NULL and not nullable; fill it in, or set nullable: true in the schema\n" +
			"in.csv:7:6: dimension level is NULL and not nullable; fill it in, or set nullable: true in the schema"},
	} {
		err := b.Row(record(7, c.fields...), &row)
		require.Equal(t, "BAD_ROW", carnet.ReasonOf(err), "%q", c.fields)
		require.Equal(t, c.want, violations(err))
	}
	require.Empty(t, b.Clipped())
}

func TestBindRefuses(t *testing.T) {
	s, err := Parse("bindable.yaml", []byte(bindable))
	require.NoError(t, err)
	_, err = s.Bind("in.csv", []string{"Year", "Comodity Code", "unit", "Unit ", "value", "Value", "VALUE", "weihgt"})
	require.Equal(t, "BAD_HEADER", carnet.ReasonOf(err))
	require.Equal(t, `chapter: no header for dimension "chapter" (source "Commodity Code"); did you mean "Comodity Code"? Rename it, or set "source: Comodity Code"
level: no header for dimension "level" (source "Commodity Code"); did you mean "Comodity Code"? Rename it, or set "source: Comodity Code"
weight: no header for measure "weight"; did you mean "weihgt"? Rename it, or set "source: weihgt"`, violations(err))
	_, err = s.Bind("in.csv", []string{"Year", "Commodity Code", "Unit", "UNIT", "value", "weight"})
	require.Equal(t, `unit: two headers fit dimension "unit"; rename one of them`, violations(err))
	var e *carnet.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, `the file has: "Year", "Commodity Code", "Unit", "UNIT", "value", "weight"`, e.Remedy)
}

func violations(err error) string {
	var e *carnet.Error
	if !errors.As(err, &e) {
		return ""
	}
	lines := make([]string, len(e.Violations))
	for i, v := range e.Violations {
		lines[i] = v.Field + ": " + v.Msg
	}
	return strings.Join(lines, "\n")
}

// FuzzBinder feeds arbitrary fields; what is accepted must be addable.
func FuzzBinder(f *testing.F) {
	f.Add("2024", "0101", "kg", "1.50", "7")
	f.Add("", "\xff", "", "1e9", "-")
	b := bind(f, "Year", "Commodity Code", "unit", "value", "weight")
	e, err := b.schema.EncodeWith(carnet.LayoutCube, tiny(1<<45+59))
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, year, code, unit, value, weight string) {
		var row Row
		if err := b.Row(record(1, year, code, unit, value, weight), &row); err != nil {
			require.NotEmpty(t, violations(err))
			return
		}
		tables := e.NewTables()
		require.NoError(t, tables.Add(&row))
		_, err = tables.Builders()[0].Digest()
		require.NoError(t, err)
	})
}

// The unit of a row is read where the schema says, has no place in the table, and is
// never missing.
func TestBindUnit(t *testing.T) {
	s := &Schema{Name: "trade", Version: 1, Unit: "Declarant", Dimensions: []Dimension{{Name: "month", Codes: []Code{{Value: "1"}}}},
		Limits: Limits{Rows: 10, Datasets: 1}, Layouts: []carnet.Layout{carnet.LayoutCube}}
	require.NoError(t, s.Validate())
	_, err := s.Bind("a.csv", []string{"month"})
	require.Equal(t, "BAD_HEADER", carnet.ReasonOf(err))
	b, err := s.Bind("a.csv", []string{"month", "declarant"})
	require.NoError(t, err)
	require.Empty(t, b.Unused())
	var row Row
	require.NoError(t, b.Row(&Record{Fields: []string{"1", " 4711 "}}, &row))
	require.Equal(t, "4711", row.Unit)
	err = b.Row(&Record{Fields: []string{"1", ""}, Line: 2}, &row)
	require.ErrorContains(t, err, "every row is about somebody")
}
