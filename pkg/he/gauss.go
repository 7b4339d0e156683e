package he

import (
	"encoding/binary"
	"math/bits"
)

const (
	errorBytes = 16  // random bytes per error coefficient
	errorChunk = 256 // coefficients sampled at a time: 4 KiB of random bytes
)

// gaussTable[k] is 2^127 * P(|e| <= k), rounded down, for the discrete Gaussian of
// standard deviation 3.2 cut at 19, as high and low 64 bits. P(|e| <= 19) is 1.
var gaussTable = [errorCut][2]uint64{
	{0x0ff52b40a5917f1d, 0x1fa28a8cb4dd2682},
	{0x2e5a25d4bf0e400e, 0x4e2075cc16f91d5f},
	{0x489ae26955b04bd6, 0x2e7d5045b1f79589},
	{0x5d2bc20f621bf185, 0x6b1dde1ecc34e2e4},
	{0x6bc8694c3cc80ff4, 0xf0d1f94802eb5e98},
	{0x7532d89ac6ba7dce, 0xcada3227ceaa3c12},
	{0x7ab396cb74436798, 0xff0edcb3fe86f975},
	{0x7d9e4e916643eb07, 0xd6c69048bb9cb2f0},
	{0x7f05495819eb2051, 0x6cd416b6c700fbc3},
	{0x7fa1ce9c0039a957, 0x11d0bf2604dd667e},
	{0x7fdfb3f212e8c4e8, 0x98a5d46542f825cf},
	{0x7ff5e6f9d2314fcc, 0x59b0f9e201a13897},
	{0x7ffd1f97bc4406a2, 0xbce504737b5fc9ab},
	{0x7fff40fa0088d11d, 0x96dbe13e1e09b787},
	{0x7fffd2e835e1c57d, 0xbeadd7c437ab90dd},
	{0x7ffff6524386ff1e, 0x293c5c27fae3b735},
	{0x7ffffe1db4769da5, 0x3ce7b085553d74aa},
	{0x7fffffac0a1dcb08, 0xcd0f40ae68af5308},
	{0x7ffffff428673853, 0x1beb12885aacee5a},
}

// gaussian turns 16 random bytes per coefficient into errors. The bytes are a
// little-endian integer: its lowest bit is the sign, the other 127 bits u give the
// magnitude, the number of table entries not above u. Every entry is compared, in
// time that does not depend on the outcome.
func gaussian(random []byte, out []int64) {
	for i := range out {
		b := random[errorBytes*i : errorBytes*i+errorBytes]
		lo, hi := binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])
		sign := lo & 1
		lo, hi = lo>>1|hi<<63, hi>>1
		below := uint64(0)
		for k := range gaussTable {
			_, borrow := bits.Sub64(lo, gaussTable[k][1], 0)
			_, borrow = bits.Sub64(hi, gaussTable[k][0], borrow)
			below += borrow
		}
		out[i] = int64((errorCut - below ^ -sign) + sign)
	}
}
