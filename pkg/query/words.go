package query

import "strings"

// reserved words can't be names without quotes.
var reserved = set(`all and any as asc between by case cast cross desc distinct else end except
	exists false fetch for from full group having in inner intersect into is join
	lateral left like ilike limit natural not null nulls offset on or order outer returning right select
	some table then true union using when where window with`)

// taken are further words that PostgreSQL does not read as names of columns. They are
// no part of the subset, so a name is meant, and needs quotes.
var taken = set(`analyse analyze array authorization binary both check collate collation column concurrently constraint
	create current_catalog current_role current_schema current_user default deferrable do fetch foreign freeze grant
	ilike initially isnull leading localtime localtimestamp notnull only overlaps placing primary references session_user
	similar symmetric asymmetric table tablesample trailing unique user variadic verbose current_date current_time current_timestamp`)

// needsAs are words that name a column of the result only behind AS.
var needsAs = set(`char character day filter hour minute month over precision second varying within without year`)

type advice struct{ why, fix string }

// unsupported explains SQL that people will try. Words that are not reserved get
// here only where a name can't stand.
var unsupported = map[string]advice{
	"distinct":          {"DISTINCT is not supported", "use GROUP BY: every group appears once"},
	"join":              {"a query joins two products", "ask about the others with a query of its own"},
	"inner":             {"a query joins two products", "ask about the others with a query of its own"},
	"left":              {"rows without a partner are not joined", "write JOIN ... USING; or " + nearestJoin},
	"right":             {"rows without a partner are not joined", "write JOIN ... USING; or " + nearestJoin},
	"full":              {"rows without a partner are not joined", "write JOIN ... USING; or " + nearestJoin},
	"cross":             {"rows without a partner are not joined", "write JOIN ... USING; or " + nearestJoin},
	"natural":           {"rows without a partner are not joined", "write JOIN ... USING; or " + nearestJoin},
	"lateral":           {"LATERAL is not supported: a query reads one product", "write one SELECT over one product"},
	"union":             {"UNION of queries is not supported", "a product is already the union of its owners' datasets; GROUP BY owner tells them apart"},
	"intersect":         {"INTERSECT is not supported", "combine the conditions with AND in one WHERE"},
	"except":            {"EXCEPT is not supported", "exclude with NOT in one WHERE"},
	"with":              {"WITH is not supported", "write one SELECT over one product"},
	"select":            {"queries inside queries are not supported", "write one SELECT over one product, with literal values"},
	"exists":            {"queries inside queries are not supported", "write one SELECT over one product, with literal values"},
	"values":            {"VALUES is not supported", "write one SELECT over one product"},
	"any":               {"ANY is not supported", "write IN (...)"},
	"some":              {"SOME is not supported", "write IN (...)"},
	"like":              {"LIKE is not supported: codes are compared as a whole", "list the codes with IN (...), or use BETWEEN"},
	"ilike":             {"ILIKE is not supported: codes are compared as a whole", "list the codes with IN (...), or use BETWEEN"},
	"similar":           {"SIMILAR TO is not supported: codes are compared as a whole", "list the codes with IN (...), or use BETWEEN"},
	"~":                 {"pattern matching is not supported: codes are compared as a whole", "list the codes with IN (...), or use BETWEEN"},
	"||":                {"text is not computed with", "select the columns separately"},
	"%":                 {"the operator % is not supported", "use + - * / on released numbers"},
	"^":                 {"the operator ^ is not supported", "write x * x"},
	"over":              {"window functions are not supported", "use GROUP BY and compute the rest from the released groups"},
	"within":            {"WITHIN GROUP belongs to PERCENTILE_DISC, PERCENTILE_CONT and MODE", "drop it"},
	"window":            {"window functions are not supported", "use GROUP BY and compute the rest from the released groups"},
	"fetch":             {"FETCH is not supported", "write LIMIT n"},
	"for":               {"FOR is not supported", "drop it: queries change nothing"},
	"collate":           {"COLLATE is not supported", "drop it: codes are compared byte by byte or in their declared order"},
	"symmetric":         {"BETWEEN SYMMETRIC is not supported", "write the smaller bound first"},
	"asymmetric":        {"BETWEEN ASYMMETRIC is not supported", "drop ASYMMETRIC: it is what BETWEEN means"},
	"interval":          {"an interval needs a quantity in quotes", "write INTERVAL '90' DAY, INTERVAL '3' MONTH or INTERVAL '1 year'"},
	"date":              {"a date is written in single quotes", "write DATE '2024-01-31'"},
	"timestamp":         {"times of the day are not supported", "compare with DATE '2024-01-31'"},
	"time":              {"times of the day are not supported", "compare with DATE '2024-01-31'"},
	"current_date":      {"the answer does not depend on the time", "write DATE '2024-01-31'"},
	"current_time":      {"the answer does not depend on the time", "write DATE '2024-01-31'"},
	"current_timestamp": {"the answer does not depend on the time", "write DATE '2024-01-31'"},
	"array":             {"arrays are not supported", "write IN (...)"},
	"[":                 {"arrays are not supported", "write IN (...)"},
	"row":               {"row values are not supported", "compare column by column, joined by AND"},
	"$":                 {"parameters are not supported: the text that is signed has to say what is asked", "write the value into the query"},
	"?":                 {"parameters are not supported", "write the value into the query"},
	":":                 {"parameters are not supported", "write the value into the query"},
	"@":                 {"parameters are not supported", "write the value into the query"},
	"`":                 {"names are not quoted with `", "quote names with \" or not at all"},
	"{":                 {"braces have no meaning here", "use parentheses"},
	";":                 {"only one statement is read", "send the statements one by one"},
	"into":              {"a query stores nothing", "drop INTO"},
	"rollup":            {"ROLLUP is not supported", "ask for each grouping separately"},
	"cube":              {"CUBE is not supported", "ask for each grouping separately"},
	"grouping":          {"GROUPING SETS are not supported", "ask for each grouping separately"},
	"insert":            {"data is published, not inserted", "only SELECT is supported; owners use carnet publish"},
	"update":            {"published data is not changed", "only SELECT is supported"},
	"delete":            {"published data is not deleted", "only SELECT is supported; owners use carnet revoke"},
	"create":            {"nothing is created here", "only SELECT is supported"},
	"drop":              {"nothing is dropped here", "only SELECT is supported"},
	"explain":           {"EXPLAIN is not part of the query", "use carnet explain with the query"},
	"set":               {"there are no settings", "only SELECT is supported"},
	"show":              {"there are no settings", "only SELECT is supported; carnet products lists what can be asked"},
	"begin":             {"there are no transactions", "only SELECT is supported"},
}

// otherFunctions explains functions of PostgreSQL that are not available.
var otherFunctions = map[string]advice{
	"median":       {"there is no MEDIAN in PostgreSQL", "write PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY dimension), of a dimension with buckets"},
	"rank":         {"ranks would need the values to be sorted under encryption", "group by a dimension with buckets and order the released groups"},
	"date":         {"DATE is not a function", "write DATE '2024-01-31', or CAST(dimension AS DATE)"},
	"to_date":      {"TO_DATE is not supported", "write DATE '2024-01-31'"},
	"to_char":      {"TO_CHAR is not supported", "use EXTRACT(YEAR FROM d), date_trunc('month', d), or group by the dimension"},
	"current_date": {"the answer does not depend on the time", "write DATE '2024-01-31'"},
	"age":          {"AGE is not supported", "compare the dates with DATE literals"},
	"array_agg":    {"values of single rows are never released", "use SUM, COUNT or AVG"},
	"string_agg":   {"values of single rows are never released", "use SUM, COUNT or AVG"},
	"json_agg":     {"values of single rows are never released", "use SUM, COUNT or AVG"},
	"bool_and":     {"BOOL_AND is not supported", "compare two counts"},
	"bool_or":      {"BOOL_OR is not supported", "compare a count with 0"},
	"every":        {"EVERY is not supported", "compare two counts"},
	"abs":          {"ABS is not supported", "use COALESCE, NULLIF and ROUND on released numbers"},
	"sqrt":         {"SQRT is not supported", "use STDDEV_POP or STDDEV_SAMP, or compute it from the result"},
	"floor":        {"FLOOR is not supported", "use ROUND"},
	"ceil":         {"CEIL is not supported", "use ROUND"},
	"trunc":        {"TRUNC is not supported", "use ROUND"},
	"power":        {"POWER is not supported", "write x * x"},
	"mod":          {"MOD is not supported", "use + - * / on released numbers"},
	"greatest":     {"GREATEST is not supported", "select both and compare them"},
	"least":        {"LEAST is not supported", "select both and compare them"},
	"now":          {"the answer does not depend on the time", "write the value into the query"},
	"upper":        {"text is not computed with", "compare with the codes as written in the schema"},
	"lower":        {"text is not computed with", "compare with the codes as written in the schema"},
	"substring":    {"text is not computed with", "list the codes with IN (...), or use BETWEEN"},
	"random":       {"queries are deterministic", "drop it"},
}

// reservedWord reports whether a word can't be a name without quotes.
func reservedWord(w string) bool { return reserved[w] || taken[w] }

func set(words string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(words) {
		m[w] = true
	}
	return m
}
