package share

import (
	"math/big"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// maskKey is K_A: the key of everything random in openings over this set of dataset
// keys that part a is responsible for. It takes the part's seeds under all the keys,
// ascending by key id, so that no owner alone knows it. It is an HMAC of the seeds
// and never of a commitment, which is public.
func maskKey(keys []carnet.KeyID, a Subset, seeds [][32]byte) [32]byte {
	return maskKeyTagged(tagMask, keys, a, seeds)
}

// maskKeyTagged is maskKey under the given tag. With a selection, the buyer's seed of
// the part follows those of the keys and the tag is another: seeds that a buyer chose
// never lead to a mask key that is used without them.
func maskKeyTagged(tag string, keys []carnet.KeyID, a Subset, seeds [][32]byte) [32]byte {
	var secret []byte
	for i := range seeds {
		secret = append(secret, seeds[i][:]...)
	}
	fields := [][]byte{u32(uint32(len(keys)))}
	for i := range keys {
		fields = append(fields, keys[i][:])
	}
	return carnet.Keyed(secret, tag, append(fields, u16(uint16(a)))...)
}

// Flood is the flood of a part with this mask key in the opening F: uniform in
// [-2^k, 2^k), k >= 0. It is an exact integer made of k+1 bits of HMAC output: blocks
// numbered from 0 are joined, cut to the first ceil((k+1)/8) bytes, read big-endian,
// cut to the lowest k+1 bits, and 2^k is subtracted. F already binds k; it is bound
// here again because floods of two sizes that share bits would cancel to the noise.
func Flood(mask [32]byte, f carnet.Hash, k int) *big.Int {
	size := (k + 8) / 8
	buf := make([]byte, 0, size+32)
	for block := uint32(0); len(buf) < size; block++ {
		h := carnet.Keyed(mask[:], tagFlood, f[:], u32(uint32(k)), u32(block))
		buf = append(buf, h[:]...)
	}
	buf = buf[:size]
	buf[0] &= 0xff >> (8*size - (k + 1))
	flood := new(big.Int).SetBytes(buf)
	return flood.Sub(flood, new(big.Int).Lsh(big.NewInt(1), uint(k)))
}
