package advise

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/schema"
	"github.com/carnet-network/carnet/pkg/share"
)

func example(t *testing.T, name string) *schema.Schema {
	text, err := os.ReadFile("../../examples/" + name)
	require.NoError(t, err)
	s, err := schema.Parse(name, text)
	require.NoError(t, err)
	return s
}

func compare(t *testing.T, s *schema.Schema, questions ...string) *Report {
	committee, err := share.NewCommittee(5, 3)
	require.NoError(t, err)
	r, err := Compare(s, questions, committee)
	require.NoError(t, err)
	return r
}

// Every choice is a valid schema that says what the report says, costs are those of
// its encoding, and what is recommended answers as much as any.
func TestChoicesAreSchemas(t *testing.T) {
	for _, name := range []string{"customs/cube.yaml", "customs/records.yaml", "comtrade/schema.yaml", "consignments/schema.yaml"} {
		s := example(t, name)
		r := compare(t, s)
		require.Greater(t, len(r.Choices), 3, name)
		now, seen := 0, map[carnet.Hash]bool{}
		for i, c := range r.Choices {
			require.NoError(t, c.Schema.Validate(), name)
			require.False(t, seen[c.Schema.Hash()])
			seen[c.Schema.Hash()] = true
			e, err := c.Schema.Encode(c.Layout)
			require.NoError(t, err)
			require.Equal(t, e.Profile, c.Profile)
			require.Len(t, e.Columns, c.Columns)
			require.Equal(t, e.BytesPerRow, c.Bytes)
			require.LessOrEqual(t, c.PackedBits, 8*c.Bytes)
			require.Len(t, c.Outcomes, len(r.Questions))
			for _, o := range c.Outcomes {
				require.Equal(t, o.Refused == "", o.Releases > 0 && o.Cost > 0 && o.Openings > 0 && o.Degree >= 1)
				require.LessOrEqual(t, o.Degree, c.Degree)
			}
			if c.AsWritten {
				now++
			}
			require.LessOrEqual(t, c.Answers(), r.Choices[r.Recommended].Answers(), "%s: choice %d", name, i)
		}
		require.Equal(t, len(s.Layouts), now, name)
		require.Equal(t, carnet.LayoutRecords, r.Choices[r.InRecords].Layout)
		_, err := json.Marshal(r)
		require.NoError(t, err)
	}
}

// TestThreeHundredValues: a dimension of 300 values over 3 million records is
// practical, which one-hot columns are not.
func TestThreeHundredValues(t *testing.T) {
	s := &schema.Schema{Name: "long", Version: 1, Layouts: []carnet.Layout{carnet.LayoutRecords}, Limits: schema.Limits{Rows: 3_000_000, Datasets: 1},
		Measures: []schema.Measure{{Name: "value", Min: "0", Max: "100000"}}, Dimensions: []schema.Dimension{{Name: "port"}}}
	for i := range 300 {
		s.Dimensions[0].Codes = append(s.Dimensions[0].Codes, schema.Code{Value: "P" + string(rune('A'+i/26)) + string(rune('A'+i%26))})
	}
	r := compare(t, s, "SELECT SUM(value) FROM t WHERE port = 'PCA'", "SELECT COUNT(*) FROM t WHERE port IN ('PCA', 'PDA')")
	best := r.Choices[r.InRecords]
	require.Equal(t, []string{"port digits"}, best.Encodings)
	require.Equal(t, 3, best.Degree)
	require.Equal(t, 37, best.Columns) // rows, 35 of ports, value
	for _, c := range r.Choices {
		if c.Layout == carnet.LayoutRecords && len(c.Encodings) == 0 && c.Degree == 2 {
			require.Equal(t, 302, c.Columns)
			require.Greater(t, c.PackedTotal(), 6*best.PackedTotal())
			require.Less(t, c.Outcomes[0].Cost, best.Outcomes[0].Cost)
		}
	}
	// The question decides: nothing but counts does not need degree 3.
	r = compare(t, s, "SELECT COUNT(*) FROM t WHERE port = 'PCA'")
	require.Equal(t, 2, r.Choices[r.InRecords].Degree)
}

// A question that no encoding makes possible is an error with its place.
func TestQuestionsThatNothingAnswers(t *testing.T) {
	committee, err := share.NewCommittee(5, 3)
	require.NoError(t, err)
	s := example(t, "customs/records.yaml")
	_, err = Compare(s, []string{"SELECT COUNT(*) FROM t", "SELECT SUM(valu) FROM t"}, committee)
	r := plan.RefusalOf(err)
	require.NotNil(t, r, "%v", err)
	require.Equal(t, "UNKNOWN_COLUMN", r.Reason)
	require.Equal(t, "valu", r.Near)
	// Four dimensions and a measure are beyond records, and a cube answers.
	report := compare(t, s, "SELECT SUM(value) FROM t WHERE section = '01' AND partner = 'DE' AND month = '01' AND year = '2024'",
		"SELECT SUM(value * weight) FROM t WHERE section = '01' AND partner = 'DE' AND month = '01'")
	require.Equal(t, "DEGREE", report.Choices[report.InRecords].Outcomes[1].Refused)
}

// The model's cost grows with what is read and multiplied.
func TestCost(t *testing.T) {
	s := example(t, "customs/records.yaml")
	r := compare(t, s, "SELECT COUNT(*) FROM t", "SELECT SUM(value) FROM t", "SELECT SUM(value) FROM t WHERE month = '01'",
		"SELECT SUM(value) FROM t WHERE month IN ('01', '02', '03')", "SELECT month, SUM(value) FROM t GROUP BY month")
	for _, c := range r.Choices {
		if c.Layout == carnet.LayoutRecords && len(c.Encodings) == 0 {
			for i := 1; i < len(c.Outcomes); i++ {
				require.Greater(t, c.Outcomes[i].Cost, c.Outcomes[i-1].Cost)
			}
		}
	}
}

// An aligned schema is compared with others, of which only those of records are aligned.
func TestChoicesOfAlignedSchemas(t *testing.T) {
	s, err := schema.Parse("panel.yaml", []byte(`
name: panel
version: 1
dimensions:
  - {name: month, codes: ["01", "02", "03"]}
  - {name: partner, codes: [DE, FR, KZ]}
measures:
  - {name: value, min: 0, max: 1000}
aligned: true
limits: {rows: 1000, datasets: 2}
layouts: [records]
`))
	require.NoError(t, err)
	layouts := map[carnet.Layout]bool{}
	for _, c := range compare(t, s).Choices {
		require.Equal(t, c.Layout == carnet.LayoutRecords, c.Schema.Aligned)
		require.NoError(t, c.Schema.Validate())
		layouts[c.Layout] = true
	}
	require.Len(t, layouts, 2)
}
