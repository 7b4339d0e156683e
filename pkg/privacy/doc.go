// Package privacy is the arithmetic of differential privacy: an exact sampler of the
// integer discrete Gaussian, and an accountant for zero-concentrated differential privacy
// (zCDP). Everything is an integer; there is no floating point anywhere, since its rounding
// shows what it was added to.
//
//	variance of a release = Variance(sensitivity, rho)
//	noise                 = Sample(stream, variance)
//	what it costs         = Cost(sensitivity, variance), rounded up
//
// Amounts of rho are int64 in millionths. A release with sensitivity D and variance v costs
// rho = D^2 / (2v), and amounts of adaptively chosen releases add up.
//
// Samplers and proofs: Canonne, Kamath, Steinke, The Discrete Gaussian for Differential
// Privacy, 2020. docs/formats/noise.md says bit by bit how randomness becomes noise.
package privacy
