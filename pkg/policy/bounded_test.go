package policy

import (
	"context"
	"fmt"
	"math"
	"runtime/metrics"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// allocated is how many bytes this process has allocated.
func allocated() uint64 {
	s := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}

// Rules that would take gigabytes are stopped before they have them, with the reason, and
// decide nothing; others are decided by the same bundle.
func TestRulesHaveBoundedMemory(t *testing.T) {
	again := func(start, next string) string { // 34 times from the one before
		lines := []string{"x0 := " + start}
		for i := range 34 {
			lines = append(lines, fmt.Sprintf("x%d := ", i+1)+strings.ReplaceAll(next, "P", fmt.Sprintf("x%d", i)))
		}
		return strings.Join(append(lines, "made := x34"), "\n")
	}
	for what, x := range map[string]struct{ rules, in string }{
		"replace":             {again(`"aa"`, `replace(P, "a", "aa")`), "replace"},
		"replace itself":      {again(`"aa"`, `replace(P, "a", P)`), "replace"},
		"concat":              {again(`"aa"`, `concat("", [P, P])`), "concat"},
		"sprintf":             {again(`"aa"`, `sprintf("%s%s", [P, P])`), "sprintf"},
		"one argument":        {"long := concat(\"\", [\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\" | some _ in d; some _ in d; some _ in d])\nmade := sprintf(concat(\"\", [\"%[1]s\" | some _ in d; some _ in d; some _ in d]), [long])", "sprintf"},
		"padding":             {`made := sprintf("%99999999d", [1])`, "sprintf pads"},
		"padding by argument": {`made := sprintf("%*d", [99999999, 1])`, "sprintf pads"},
		"lists":               {again(`[1, 2]`, `array.concat(P, P)`), "array.concat"},
		"pieces":              {"long := concat(\"\", [\"aaaaaaaaaaaaaaaaaaaa\" | some _ in d; some _ in d; some _ in d])\nmade := [split(long, \"\") | some _ in d; some _ in d]", "split"},
		"unions":              {"many := {n | some a in d; some b in d; some c in d; n := ((a * 400) + (b * 20)) + c}\nmade := [all | some i in d; some _ in d; some _ in d; all := many | {i}]", "(in or)"},
	} {
		t.Run(what, func(t *testing.T) {
			b, err := NewBundle(map[string][]byte{
				ManifestName: []byte("name: own\nversion: 1\nexpires: 2099-06-30T00:00:00Z\nroots: [rules]\n"),
				"rules/base.rego": []byte(`package carnet

d := [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19]

` + strings.ReplaceAll(x.rules, "\n", "\n\n") + `

default large := 0

large := 1 if {
	input.threshold == 7
	made
}

finding := {"effect": "deny", "rule": "no pack", "dataset": "", "by": "", "from": "", "to": "", "message": sprintf("%v", [large]), "remedy": "r", "law": "l", "source": "s", "in_force": "2026-01-01", "until": "", "status": "in_force", "confidence": "low"}

decision := {"allow": false, "findings": [finding], "obligations": {"min_owners": 1, "valid_until": "2099-01-01T00:00:00Z"}}
`)})
			require.NoError(t, err)
			e, err := NewEngine(context.Background(), b)
			require.NoError(t, err)
			e.limit = 20 * time.Second
			in := probe(FlowRelease)
			in.Threshold = 7
			before := allocated()
			_, err = e.Decide(context.Background(), in)
			require.Less(t, allocated()-before, uint64(1<<30))
			require.Equal(t, "POLICY_FAILED", carnet.ReasonOf(err), "%v", err)
			require.ErrorContains(t, err, x.in)
			in.Threshold = 2
			_, err = e.Decide(context.Background(), in)
			require.NoError(t, err, "other questions are decided")
		})
	}
}

// Every builtin that rules may call either counts what it makes or makes no more than a
// number, a truth, a time or a part of one of its operands.
func TestEveryBuiltinIsBounded(t *testing.T) {
	small := []string{
		"eq", "equal", "neq", "lt", "lte", "gt", "gte", "assign", "internal.member_2", "internal.member_3",
		"plus", "mul", "div", "rem", "abs", "to_number", "sum", "count", "max", "min", "product", "object.get",
		"contains", "endswith", "indexof", "startswith", "substring", "trim", "trim_left", "trim_prefix", "trim_right", "trim_space", "trim_suffix",
		"strings.count", "regex.match", "is_array", "is_boolean", "is_null", "is_number", "is_object", "is_set", "is_string", "type_name",
		"time.add_date", "time.clock", "time.date", "time.diff", "time.format", "time.parse_ns", "time.parse_rfc3339_ns", "time.weekday",
	}
	for _, name := range builtins {
		require.NotEqual(t, slices.Contains(small, name), slices.Contains(makers, name), name)
	}
	for _, name := range makers {
		require.Contains(t, builtins, name)
	}
}

func TestWeight(t *testing.T) {
	for format, want := range map[string]bool{"%d owners of %s": false, "%5.2f%%": false, "%%99999d": false, "%1000d": true, "%.1000f": true, "%[1]*d": true, "%-999s": false, "100% 9999": true} {
		require.Equal(t, want, wide(format), format)
	}
	for _, n := range []string{"1e999999", "-1E999999"} {
		left := math.MaxInt
		weigh(ast.NumberTerm("1"), &left, false)
		require.Positive(t, left)
		weigh(ast.NewTerm(ast.Number(n)), &left, false)
		require.Negative(t, left, n)
	}
}
