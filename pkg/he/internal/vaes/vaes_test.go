package vaes

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func words(key [32]byte, word uint64, n int, mask uint64) []uint64 {
	block, _ := aes.NewCipher(key[:])
	var iv [16]byte
	binary.BigEndian.PutUint64(iv[8:], word/2)
	b := make([]byte, 8*n)
	cipher.NewCTR(block, iv[:]).XORKeyStream(b, b)
	out := make([]uint64, n)
	for i := range out {
		out[i] = binary.LittleEndian.Uint64(b[8*i:]) & mask
	}
	return out
}

func randomKey(rnd *rand.Rand) (k [32]byte) {
	for i := range k {
		k[i] = byte(rnd.Uint32())
	}
	return k
}

func skipWithout(t testing.TB) {
	if !Available {
		t.Skip("this processor has no VAES")
	}
}

func TestStreamIsThatOfTheStandardLibrary(t *testing.T) {
	skipWithout(t)
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		key := randomKey(rnd)
		var s Schedule
		Expand(&key, &s)
		word := rnd.Uint64N(1<<rnd.IntN(50)) / Step * Step // carries into every byte of the counter
		mask := ^uint64(0) >> (1 + rnd.IntN(40))
		dst := make([]uint64, Step*rnd.IntN(9))
		want := words(key, word, len(dst), mask)
		above := Stream(&s, word, dst, mask, mask)
		require.False(t, above)
		require.Equal(t, want, dst)
		if len(want) > 0 {
			at := rnd.IntN(len(want))
			limit := want[at] // one word is exactly at the limit
			expect := false
			for _, w := range want {
				expect = expect || w > limit
			}
			require.Equal(t, expect, Stream(&s, word, dst, mask, limit))
			if want[at] > 0 {
				require.True(t, Stream(&s, word, dst, mask, want[at]-1))
			}
		}
	}
}

func TestColumnIsInFileOrder(t *testing.T) {
	skipWithout(t)
	rnd := rand.New(rand.NewPCG(3, 4))
	for keys := range 66 {
		s := make([]Schedule, keys)
		all := make([][]uint64, keys)
		word := uint64(rnd.IntN(1<<20)) * Step
		mask := uint64(1)<<55 - 1
		most := uint64(0)
		for k := range s {
			key := randomKey(rnd)
			Expand(&key, &s[k])
			all[k] = words(key, word, Step, mask)
			for _, w := range all[k] {
				most = max(most, w)
			}
		}
		dst := make([]uint64, Step*keys+1)
		dst[Step*keys] = 7
		require.False(t, Column(s, word, dst[:Step*keys], mask, most, nil))
		require.Equal(t, keys > 0, Column(s, word, dst[:Step*keys], mask, most-1, make([]uint64, Step*keys)))
		for k := range s {
			for i, w := range all[k] {
				require.Equal(t, w, dst[(i/8*keys+k)*8+i%8])
			}
		}
		require.EqualValues(t, 7, dst[Step*keys])
	}
}

func BenchmarkColumn(b *testing.B) {
	skipWithout(b)
	s := make([]Schedule, 64)
	dst := make([]uint64, Step*len(s))
	b.SetBytes(int64(8 * len(dst)))
	for b.Loop() {
		Column(s, 0, dst, 1<<55-1, 1<<55-1, nil)
	}
}

func BenchmarkStandardLibrary(b *testing.B) {
	block, _ := aes.NewCipher(make([]byte, 32))
	stream := cipher.NewCTR(block, make([]byte, 16))
	buf := make([]byte, 4096)
	b.SetBytes(int64(len(buf)))
	for b.Loop() {
		stream.XORKeyStream(buf, buf)
	}
}
