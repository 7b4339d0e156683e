// Package client is the Go SDK of a Carnet network: what owners, buyers and the
// registrar do, over gRPC with mutual TLS.
//
// The gateway is not trusted. An owner encrypts here and sends ciphertext only; the
// state of an unfinished upload is kept locally, keyed to its plaintext, so that a
// nonce is never used for two contents. A buyer compiles the query here, from a
// product whose every signature and hash was checked here against the registrar's
// pinned key; opens the keyholders' sealed answers here; and compares what the
// gateway computed with what keyholders attest.
//
//	input -> schema.Tables -> Publish -> ciphertext blocks -> gateway
//	product <- LoadProduct <- statements <- gateway
//	SQL -> Ask -> signed query -> gateway -> keyholders -> Open -> plan.Result
//
// A Client is safe for concurrent use.
package client
