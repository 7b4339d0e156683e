// Package share splits a dataset key among keyholders and turns their answers back
// into one number: the threshold part of the scheme.
//
// The owner makes a Deal: one random seed for every part, a commitment to each, and
// for every power of the secret a public correction. Each keyholder gets a Bundle
// (the seeds of the parts it holds), checks it against the signed dealing with
// CheckBundle and keeps a KeyShare of it. To answer, it computes the inner product of
// its share with the functional it derived itself, and a Responder adds flooding that
// only the functional id F decides, so that the same question has the same answer
// for ever. The buyer checks and combines the answers with Combine or CombineAll and
// adds the public value. NoiseBound and FloodBits are the certificate that all of
// them recompute. A CrossResponder answers for products of columns of different keys,
// whose answers CombineCross combines.
//
// The bytes are described in docs/formats/dealing.md and docs/formats/shares.md. The
// package is pure: randomness is passed in, nothing is logged, and every result is a
// function of the arguments.
package share
