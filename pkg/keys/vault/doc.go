// Package vault keeps a keyholder's secrets in HashiCorp Vault.
//
// Seeds are encrypted by Vault's transit engine, with the place they belong to as
// associated data, and kept in a KV store of version 2: whoever reads the KV store
// alone, or a copy of it, reads nothing. The signing key is a transit key that can't be
// exported: Vault signs. The sealing key is a seed like the others; it is decrypted for
// each message that is opened and cleared again.
//
//	<kv>/<name>/sealing      the wrapped sealing seed, both public keys
//	<kv>/<name>/keys/<id>    a wrapped seed bundle, or the mark that it was destroyed
//	<kv>/<name>/mark         the newest state of the ledger that was recorded
//	<transit>/keys/<name>-wrap, <name>-sign
//
// Every write is a check-and-set, so that two processes never overwrite each other. A
// process that computes shares sees the seeds it computes with: a keyholder's machine
// that is taken over while it runs can read what Vault lets it decrypt. The secrets
// engine of this project, where Vault may load it, does not give seeds out at all.
//
// Destroying a key replaces its entry by a mark and destroys the older versions. It
// can't remove them from snapshots of Vault that were made before.
package vault
