// Package sample makes customs declarations that look real and are not: for trying
// out, for examples and for tests. The same seed, jurisdiction and number of rows
// give the same declarations on every machine, because only integers are used.
//
// The declarations fit the schemas in examples/customs: commodities, partners and
// months are correlated with values as in trade statistics, values have a heavy tail,
// some weights and partners are missing and some declarations are refunds. Traders
// are invented.
package sample
