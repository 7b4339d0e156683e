// Package verify checks an evidence bundle: that what it says about one query was signed
// by whom it commits, is in the log that a quorum of keyholders co-signed, and follows
// from the signed statements alone. It believes nobody; it needs the registrar's public
// key, and nothing secret.
//
//	bundle + registrar's key [+ pinned checkpoints, policy bundles, ciphertext]
//	   --Verify--> Report: what was checked, what it means, what was not and why
//
// The package is pure and small in what it links: policies are replayed and ciphertext is
// read by interfaces. A program without either verifies the rest.
package verify
