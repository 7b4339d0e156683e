// Package ident holds what says who somebody is: identity files, dataset-key files,
// the registrar's trust anchor, and the certificates of a development CA.
//
// A party has one Ed25519 seed in an identity file. Statements are signed with it
// (Identity implements evidence.Signer), and the buyer's answer keys are derived
// from it, one for each query, so that nothing else needs to be stored. An owner
// keeps one more small file for each dataset key. Both kinds are encrypted with age
// under a passphrase, or, for trying out, plain and readable by their owner only.
//
// Connections are mutual TLS 1.3. A certificate names its party in the URI
// "carnet:party/<id>"; it decides read access and which party a stream speaks for.
// Consequential things are decided by the signature of a statement, which is checked
// against the registrar's key that everyone pins.
package ident
