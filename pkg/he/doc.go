// Package he is the encryption of the scheme: parameter profiles, the ring they
// live in, and secret-key BGV ciphertexts of which only one half is stored.
//
// Values (numbers below the plaintext modulus T) become blocks of N values. An
// Encryptor turns a block into one polynomial c0 = -a*s + e + m/T, where a is
// expanded from public names (dataset key, file nonce, column, block), s and e from
// the owner's 32-byte seed. Whoever needs a expands it again: PublicBlock for a
// whole block, Expand for any range of its words. Sums and products of blocks are
// made by package scan; the number they open to is a Scalar, which Decode turns
// back into a value modulo T.
//
// Everything is a deterministic function of its inputs, byte for byte; the bytes
// are described in docs/formats/encryption.md. Every ciphertext is also an ordinary
// Lattigo BGV ciphertext, which the tests check with Lattigo's own decryptor. This
// package is the only one that imports Lattigo, and only its number-theoretic
// transform: no sampler, no evaluator, no decoder of it.
package he
