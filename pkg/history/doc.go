// Package history replays statements in the order of the log and keeps what they
// establish, as far as signatures prove it: who the parties are, what was dealt,
// published, asked, decided and answered.
//
// It knows the rules that keyholders apply, written a second time: whoever checks an
// evidence bundle or monitors a log must not share a fault with those that are checked.
//
//	entry --Apply--> Event (what it means), or the reason why it has no effect
//
// It is pure. A State is not safe for concurrent use; what it returns does not change
// any more, except for the outcome of a Case, which grows with later entries.
package history
