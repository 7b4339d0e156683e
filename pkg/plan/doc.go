// Package plan turns a query into exactly what has to be opened, and opened numbers
// into the answer.
//
//	SQL + Product --Compile--> Plan{Openings, Groups} --(scheme)--> one integer per opening --Evaluate--> Result
//
// Compile is a pure function of the query text and of signed, public facts: schema,
// manifests, profile, committee. Buyer, gateway and every keyholder run it for
// themselves and compare Plan.Hash, so nobody has to be believed about what a query
// opens. It names each opening as a functional, works out the worst case in exact
// integers (does the result wrap, does the flooding fit, how many releases does it
// use) and refuses what cannot run with the position in the text, the reason and the
// nearest form that runs.
//
// How a query is taken apart:
//
//   - WHERE is evaluated in three-valued logic on code lists. For one file the public
//     columns (partitions, jurisdiction, owner) are constants; what remains is a
//     region: a set of combinations of dimension codes.
//   - In the cube layout a region is a list of cells. In the records layout it is
//     written as a sum of disjoint products of sums of indicator columns, as far as
//     the degree of the profile allows.
//   - An aggregate needs quantities (counts, sums, sums of squares); a quantity is
//     the sum over its digit columns of an opening times a power of two.
//   - A join has a source for each side, over one product or two. Its groups are those
//     that both sides can have; a difference of two sums is one opening where it can be.
//   - Equal functionals are opened once. Ratios, HAVING, ORDER BY and LIMIT are left
//     to Evaluate, which runs at the buyer on exact rationals.
package plan
