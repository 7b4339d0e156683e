package doctest

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/schema"
)

// described are the types that docs/formats/statements.md has a table of, by heading.
var described = map[string]any{
	"Party": carnet.Party{}, "PartyRevocation": carnet.PartyRevocation{}, "Committee": carnet.Committee{}, "Committee.Demand": carnet.PolicyDemand{}, "Answer.Policy": carnet.PolicyBundle{}, "Dealing": carnet.Dealing{}, "Dataset": carnet.Dataset{},
	"Product": carnet.Product{}, "Query": carnet.Query{}, "Query.PrivateParameter": carnet.PrivateParameter{}, "Check": carnet.Check{}, "Decision": carnet.Decision{}, "Answer": carnet.Answer{},
	"Revocation": carnet.Revocation{}, "Retirement": carnet.Retirement{}, "Destruction": carnet.Destruction{}, "Approval": carnet.Approval{}, "Deferral": carnet.Deferral{}, "Redealing": carnet.Redealing{}, "Succession": carnet.Succession{}, "Succession.Rule": carnet.SuccessionRule{}, "Contribution": carnet.Contribution{}, "Contribution.Part": carnet.HandedPart{}, "Resharing": carnet.Resharing{}, "Schema": schema.Schema{},
	"Dealing.HomePart": carnet.HomePart{}, "Dataset.File": carnet.File{}, "Dataset.Terms": carnet.Terms{},
	"Dataset.Groups": carnet.Groups{}, "Dataset.Groups.Dimension": carnet.GroupedDimension{},
	"Dataset.Declaration": carnet.Declaration{}, "Dataset.Instrument": carnet.Instrument{}, "Decision.Judged": carnet.Judged{},
	"Certificate": carnet.Certificate{}, "Figures": carnet.Figures{}, "Usage": carnet.Usage{}, "Usage.Buyer": carnet.BuyerUsage{}, "Usage.Reason": carnet.ReasonCount{}, "Usage.Money": carnet.Money{},
	"Dataset.Privacy": carnet.Privacy{}, "Dataset.Price": carnet.Price{}, "Dataset.PriceShare": carnet.PriceShare{},
	"Schema.Dimension": schema.Dimension{}, "Schema.Code": schema.Code{}, "Schema.Input": schema.Input{}, "Schema.Measure": schema.Measure{},
	"Schema.Partition": schema.Partition{}, "Schema.Combination": schema.Combination{}, "Schema.Limits": schema.Limits{},
}

var fieldRow = regexp.MustCompile("^\\| `([a-z_]+)` \\| ([^|]+) \\| ([^|]+) \\|$")

// TestStatementsAreDescribed compares the tables of statements.md with the structs:
// every field, in order, with its type.
func TestStatementsAreDescribed(t *testing.T) {
	page := readText(t, "docs", "formats", "statements.md")
	tables := map[string][]string{}
	heading := ""
	for line := range strings.Lines(page) {
		line = strings.TrimSpace(line)
		if m := headingForm.FindStringSubmatch(line); m != nil {
			heading = m[1]
		}
		if m := fieldRow.FindStringSubmatch(line); m != nil && described[heading] != nil {
			tables[heading] = append(tables[heading], m[1]+": "+m[2])
		}
	}
	names := map[reflect.Type]string{}
	for name, v := range described {
		names[reflect.TypeOf(v)] = name
	}
	for name, v := range described {
		var want []string
		for _, f := range reflect.VisibleFields(reflect.TypeOf(v)) {
			tag, options, _ := strings.Cut(f.Tag.Get("json"), ",")
			text := fieldText(t, f.Type, names)
			if options == "omitempty" {
				text += ", optional"
			}
			want = append(want, tag+": "+text)
		}
		require.Equal(t, want, tables[name], "the table of %s in statements.md", name)
	}
}

func fieldText(t *testing.T, x reflect.Type, names map[reflect.Type]string) string {
	t.Helper()
	if name, ok := names[x]; ok {
		return name
	}
	switch x {
	case reflect.TypeFor[carnet.Hash]():
		return "hash"
	case reflect.TypeFor[carnet.Nonce]():
		return "nonce"
	case reflect.TypeFor[carnet.KeyID]():
		return "key id"
	case reflect.TypeFor[time.Time]():
		return "time"
	case reflect.TypeFor[carnet.Amount]():
		return "amount"
	case reflect.TypeFor[[]byte]():
		return "bytes"
	case reflect.TypeFor[json.RawMessage]():
		return "document"
	}
	switch x.Kind() {
	case reflect.String:
		return "text"
	case reflect.Int, reflect.Int64:
		return "integer"
	case reflect.Bool:
		return "truth"
	case reflect.Pointer:
		return fieldText(t, x.Elem(), names)
	case reflect.Slice:
		return "list of " + fieldText(t, x.Elem(), names)
	case reflect.Map:
		return fmt.Sprintf("map of %s to %s", fieldText(t, x.Key(), names), fieldText(t, x.Elem(), names))
	}
	t.Fatalf("statements.md has no word for %s", x)
	return ""
}

// TestEveryStatementTypeIsDescribed finds payload types that the page does not name.
func TestEveryStatementTypeIsDescribed(t *testing.T) {
	page := readText(t, "docs", "formats", "statements.md")
	f, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", "..", "pkg", "carnet", "statements.go"), nil, 0)
	require.NoError(t, err)
	n := 0
	ast.Inspect(f, func(node ast.Node) bool {
		if v, ok := node.(*ast.ValueSpec); ok && nameOf(v.Type) == "StatementType" {
			for i := range v.Values {
				text, _ := literal(v.Values[i])
				require.Contains(t, page, "`"+text+"`")
				n++
			}
		}
		return true
	})
	require.Equal(t, 24, n)
}
