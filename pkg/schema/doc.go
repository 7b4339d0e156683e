// Package schema describes tables and turns their rows into the integers that are
// encrypted.
//
// A Schema is a shared, versioned standard: dimensions with code lists, measures
// with exact bounds, public partitions, limits. People write it as YAML (Parse,
// whose errors name file, line, column and the fix); it is signed and exchanged as
// the JSON of the same struct, and whoever receives it calls Validate.
//
// From a schema and a layout follows an Encoding: which columns exist, under which
// numbers, how wide values are split into digits, and which parameter profile holds
// every total without wrapping. Encode is a pure function, so owner, gateway,
// keyholders and buyers each compute it from the signed schema and nobody has to be
// believed about it.
//
// Data flows in one direction:
//
//	input fields --Binder--> Row --Tables.Add--> one Builder per partition --Column--> N integers mod T
//
// A Builder keeps rows (records layout) or cell sums (cube layout) compactly and
// makes the integers of one (column, block) on demand, so that a table never has to
// exist in memory in its encoded form. All arithmetic is exact; nothing here uses
// floating point.
package schema
