// Package evidence holds what can be checked later by someone who trusts nobody:
// signed envelopes and the hash-chained journal of them.
//
// A statement body from package carnet is marshalled to JSON once, wrapped in a
// DSSE envelope (https://github.com/secure-systems-lab/dsse) and signed with
// Ed25519. The statement's identity, its Hash, is the SHA-256 of DSSE's
// pre-authentication encoding, so it binds type and bytes. Envelopes become entries
// of a journal, each naming the hash of the entry before it; keyholders co-sign
// checkpoints of the journal they have followed.
//
// The package is pure: it does no I/O and reads no clock.
package evidence
