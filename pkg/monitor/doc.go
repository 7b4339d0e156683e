// Package monitor follows a log and says what is wrong with it: histories that differ,
// entries that vanished, co-signatures that are missing or forged, and statements that
// break an invariant, such as an answer that nobody asked for or numbers beyond what a key
// may open.
//
//	entries, checkpoints of any source --Monitor--> findings, with entry numbers
//
// It believes no checkpoint and no statement more than their signatures, and compares what
// several sources say of one log. It is pure: the caller fetches, keeps Saved between
// runs, and tells the time.
package monitor
