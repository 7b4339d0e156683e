package policy

import (
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
)

// builtins are what rules may call: functions of their arguments that always give the
// same result, in time that a deadline can end. What is missing is missing on purpose:
// http.send, net.*, opa.runtime and rego.* reach out, time.now_ns, rand.* and uuid.*
// differ from call to call, crypto and tokens are no business of rules.
var builtins = []string{
	"eq", "equal", "neq", "lt", "lte", "gt", "gte", "assign", "internal.member_2", "internal.member_3",
	"plus", "minus", "mul", "div", "rem", "abs", "ceil", "floor", "round", "to_number",
	"and", "or", "intersection", "union", "set_diff", "sum", "count", "max", "min", "sort", "product",
	"array.concat", "array.reverse", "array.slice", "object.get", "object.keys", "object.union", "object.remove", "object.filter",
	"concat", "contains", "endswith", "format_int", "indexof", "lower", "upper", "replace", "split", "sprintf", "startswith",
	"substring", "trim", "trim_left", "trim_prefix", "trim_right", "trim_space", "trim_suffix", "strings.count", "regex.match",
	"is_array", "is_boolean", "is_null", "is_number", "is_object", "is_set", "is_string", "type_name",
	"time.add_date", "time.clock", "time.date", "time.diff", "time.format", "time.parse_ns", "time.parse_rfc3339_ns", "time.weekday",
}

// capabilities restricts the compiler to them. Hosts are an empty list, not an absent
// one, which would allow all.
func capabilities() *ast.Capabilities {
	c := ast.CapabilitiesForThisVersion()
	all := c.Builtins
	c.Builtins = nil
	for _, b := range all {
		if slices.Contains(builtins, b.Name) {
			c.Builtins = append(c.Builtins, b)
		}
	}
	c.AllowNet = []string{}
	return c
}

// compiled are the capabilities of rules whose calls are bounded.
func compiled() *ast.Capabilities {
	c := capabilities()
	c.Builtins = append(c.Builtins, boundedBuiltins()...)
	return c
}
