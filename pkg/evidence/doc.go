// Package evidence holds what can be checked later by someone who trusts nobody:
// signed envelopes and the transparency log of them.
//
// A statement body from package carnet is marshalled to JSON once, wrapped in a
// DSSE envelope (https://github.com/secure-systems-lab/dsse) and signed with
// Ed25519. The statement's identity, its Hash, is the SHA-256 of DSSE's
// pre-authentication encoding, so it binds type and bytes. Envelopes become entries of a
// journal, and salted commitments to them the leaves of a Merkle tree, RFC 6962. The log
// signs checkpoints of the tree, and keyholders co-sign those that they have followed
// the journal to (https://c2sp.org/tlog-checkpoint, https://c2sp.org/tlog-cosignature).
//
// The package is pure: it does no I/O and reads no clock.
package evidence
