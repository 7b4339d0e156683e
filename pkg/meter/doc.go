// Package meter works out what the use of datasets costs and who owes it to whom: the
// quote before a query is asked, the lines of released queries, settlements that net to
// zero, usage statements and figures for valuation.
//
//	plan --Uses--> what is used --Quote--> lines (before)
//	journal's releases, in order --Bill.Add--> lines --Settle--> balances, payments
//	                                             |--> Usage, Valuation of one dataset
//
// Everything is computed from the journal alone, in exact decimals and without rounding
// in anybody's favour: whoever can read the journal gets the same numbers. The package
// is pure.
package meter
