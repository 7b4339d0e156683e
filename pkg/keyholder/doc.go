// Package keyholder is one jurisdiction's guard over the datasets dealt to it.
//
// A keyholder dials out to a gateway it does not trust and listens on nothing. It
// follows the gateway's journal of signed statements, checks chain and signatures
// itself, and keeps what it saw in its own ledger; it co-signs the journal's
// checkpoints, so that all keyholders of a committee act on one history. When an
// owner deals it seeds, it fetches them, compares them with the published
// commitments and puts them into its keystore.
//
// The life of a query: the entry arrives (follow.go), is compiled and charged in
// the transaction that records it (charge.go, ledger_journal.go), waits until a
// quorum has co-signed a checkpoint that includes it (cosign.go), passes the checks
// of the scheme in their order (checks.go), is derived again from signed manifests
// and, for products, from every block (derive.go, blocks.go); the flooded share is
// sealed to the buyer, written to the ledger and only then sent (release.go). A
// refusal goes the same way and names a public reason.
package keyholder
