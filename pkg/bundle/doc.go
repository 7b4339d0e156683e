// Package bundle is the file in which everything that proves one query travels: the
// entries of the log that it rests on with their salts and inclusion proofs, the signed
// checkpoint, and, where they were at hand, policy bundles and hashes of ciphertext.
//
// A bundle is a ZIP archive that any tool opens, with one form for given contents: what
// Decode accepts is, byte for byte, what Encode writes. docs/formats/bundle.md describes
// it. Nothing in it is secret, and it holds no answer.
//
//	Bundle --Encode--> bytes --Decode--> the same Bundle
//
// Decoding proves nothing; package verify checks the contents. The package is pure.
package bundle
