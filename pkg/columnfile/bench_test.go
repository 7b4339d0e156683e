package columnfile_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/carnet-network/carnet/pkg/columnfile"
)

func BenchmarkPacking(b *testing.B) {
	for _, bits := range []int{52, 55, 60} {
		q := uint64(1)<<bits - 59
		words := make([]uint64, columnfile.PieceWords)
		for i := range words {
			words[i] = rand.Uint64N(q)
		}
		packed := columnfile.AppendPacked(nil, bits, words)
		perWord := func(b *testing.B) {
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(words)), "ns/word")
		}
		b.Run(fmt.Sprintf("pack-%d", bits), func(b *testing.B) {
			for b.Loop() {
				packed = columnfile.AppendPacked(packed[:0], bits, words)
			}
			perWord(b)
		})
		b.Run(fmt.Sprintf("unpack-%d", bits), func(b *testing.B) {
			for b.Loop() {
				if err := columnfile.Unpack(words, packed, bits, q); err != nil {
					b.Fatal(err)
				}
			}
			perWord(b)
		})
		b.Run(fmt.Sprintf("hash-%d", bits), func(b *testing.B) {
			for b.Loop() {
				columnfile.HashPiece(words)
			}
			perWord(b)
		})
	}
	b.Run("order", func(b *testing.B) {
		const n, g = 1 << 14, 64
		words, limb := make([]uint64, n*g), make([]uint64, n)
		for b.Loop() {
			for k := range g {
				columnfile.Put(words, g, k, limb)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(n*g), "ns/word")
	})
}
