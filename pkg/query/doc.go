// Package query reads the SQL that Carnet understands: one SELECT of aggregates over
// one product, or a join of two such queries. The grammar is the allow-list; what it has no rule for is refused
// with the position, the reason and the nearest form that runs.
//
// Text goes in, a closed syntax tree comes out:
//
//	text --lexer--> tokens --Parse--> *Select --Format--> text
//
// The package knows no schema: whether a name is a dimension or a measure, and
// whether the layout can compute an aggregate, is decided by package plan. Input is
// untrusted: text of at most MaxBytes, expressions nested at most MaxDepth deep, no
// recursion that grows with anything else, and nothing panics.
//
// The subset is described construct by construct in docs/reference/sql.md, whose
// examples are executed by tests.
package query
