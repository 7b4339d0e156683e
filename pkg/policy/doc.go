// Package policy judges flows across borders by rules that are data: a bundle of Rego
// rules, each with the law it comes from, since when, and how sure its authors are.
//
//	facts --Input--> Engine (one signed Bundle) --Decision--> allow, or why not and what would pass
//
// Three flows are judged separately: ciphertext kept in a jurisdiction, key shares handed
// out, a result released. Nothing is allowed that no rule allows.
//
// A decision is a function of the bundle and the bytes of the input alone: the clock is
// part of the input, rules reach no network, no file, no randomness, and the decision has
// one form in bytes. Whoever has both can repeat it (Replay).
//
// Open Policy Agent evaluates the rules; nothing else of the project imports it.
package policy
