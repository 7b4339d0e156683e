// Package vaultclient connects to HashiCorp Vault: it logs in, keeps its token alive,
// logs in again when Vault no longer knows the token, and says what went wrong in this
// project's errors. Keystores and certificates in Vault are built on it.
//
// It never repeats a request by itself, except once after a new login. A caller that can
// wait does so when an error is of kind Unavailable: Vault is sealed, starting or not
// reachable. What Vault says in an error is never passed on, because it could quote a
// request.
package vaultclient
