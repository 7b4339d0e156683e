// Package columnfile is the form in which ciphertext is stored, sent and proved: the
// order of its words, their packing into bits, and the Merkle tree whose root the
// owner signs. docs/formats/column-file.md describes it byte by byte.
//
// A file version has columns, each of the same number of blocks. A column is cut
// into chunks of up to ChunkBlocks blocks, a chunk into limbs, a limb of a chunk
// into pieces of at most PieceWords words. In memory and on a disk that is scanned,
// a limb of a chunk is one run of words in the order in which kernels read; on the
// wire and in cold storage every residue takes only as many bits as its prime has.
// Both forms have the same hashes, so whoever holds the signed root can check any
// piece, in either form, without the others.
//
// Functions are pure and safe for concurrent use as far as their arguments are.
package columnfile
