// Package flow is what the gateway does, one use case a file, free of transport and
// of storage technology: it says which statements are accepted, what they change,
// and what is computed. Interfaces it needs are in ports.go; adapters implement
// them, package server calls the use cases.
//
// A statement comes in signed. Its use case checks form, signature and role, then,
// in one transaction, checks it against what is known, writes what follows from it
// and appends it to the journal. Repeating a statement returns the place it already
// has. Followers of the journal and watchers of queries are woken after the commit.
//
// The gateway holds no key and no seed: of the heart it uses evidence, schema, plan,
// terms, scan and the public half of he, and cmd/carnet-gateway has a test that
// nothing else is linked.
//
// # Publishing
//
// BeginUpload reserves nonces for ever. WriteBlocks takes blocks in any order, from
// any number of streams, any number of times: a block goes to blob storage, then its
// hash into the index. CommitDataset forces the blobs to disk and then, in one
// transaction, compares index and signed manifest, marks the nonces as committed and
// journals the manifest. Whatever is interrupted is either repeated with the same
// bytes or, after a day without activity, removed by Sweep.
//
// # A query's states
//
//	state      on                                                 becomes
//	---------  -------------------------------------------------  ---------
//	(none)     signed query accepted by plan and owners' terms     computing
//	(none)     the same, and somebody has to approve it            waiting
//	waiting    everybody who has to has approved                   computing
//	computing  public values stored, fewer than t answers          releasing
//	computing  public values stored, at least t answers            ready
//	computing  computation failed for good                         failed
//	releasing  t-th answer                                         ready
//	waiting,   more than n-t keyholders refused, or an owner of    refused
//	computing, its datasets, or the operator, did
//	releasing
//	waiting,   expiry passed                                       expired
//	computing,
//	releasing
//	ready      further answers until the expiry                    ready
//
// With a private parameter 2t-1 answers are needed in place of t. Before it answers, a
// keyholder publishes its check through SubmitCheck; a query for which more keyholders
// refused without one than the check can do without is refused, too.
//
// refused, failed and expired are final; ready stays, and is over once every
// keyholder has answered or refused or the query has expired. Answers and refusals
// are accepted in waiting, computing, releasing and ready, because a keyholder needs no
// ciphertext to answer a linear query. A query refused by the owners' terms is not
// stored: the journal gets the signed decision that names it.
package flow
