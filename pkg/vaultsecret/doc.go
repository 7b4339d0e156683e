// Package vaultsecret keeps small secrets in HashiCorp Vault so that neither of its two
// stores alone reveals them: encrypted by the transit engine, with the place they belong
// to as associated data, and kept in a KV engine of version 2 by check-and-set, so that
// nothing is overwritten unseen.
//
// Files is that for the identity and the dataset keys of an owner or buyer. Package
// keys/vault builds a keyholder's keystore on KV and Transit, which also signs.
package vaultsecret
