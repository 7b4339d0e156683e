// Package carnet is the vocabulary every other package speaks: who takes part, what
// is published, what is asked, and how anything can fail.
//
// It holds typed identifiers, the bodies of signed statements (party, committee,
// schema, dealing, dataset, product, query, decision, answer, revocation), the one
// hash construction used everywhere (Digest) and the error type that survives the
// wire. It imports the standard library only and does no I/O, so that owners,
// buyers, keyholders, gateways and auditors agree on names and bytes.
//
// A statement is a JSON document. Its identity is the SHA-256 of exactly the bytes
// that were signed; nothing is ever re-encoded before it is hashed.
package carnet
