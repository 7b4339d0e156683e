// Package vaes makes the key stream of AES-256-CTR with the VAES instructions, 32
// words at a time. Nothing here depends on data: neither branches nor addresses do.
//
// Where Available is false only the constants may be used.
package vaes

// Step is the number of words that are made together; a range starts at a multiple.
const Step = 32

// Schedule holds the round keys of one AES-256 key.
type Schedule [240]byte
