// Package advise compares the ways in which a schema can be encoded: layouts, profiles,
// and encodings of dimensions, with what each stores and what typical questions take
// under it, and recommends one.
//
// Questions are compiled by package plan over datasets as large as the schema allows,
// so that degrees, releases and refusals are those that a real product will have. Speed
// is a model, see Cost, and only compared with itself.
package advise
