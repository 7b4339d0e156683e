//go:build !purego

package vaes

import "golang.org/x/sys/cpu"

const vaesBit = 1 << 9

// Available says whether this processor has the instructions.
var Available = cpu.X86.HasAES && cpu.X86.HasAVX2 && features()&vaesBit != 0

// Expand sets s to the round keys of the key.
func Expand(key *[32]byte, s *Schedule) { expand(key, (*[240]byte)(s)) }

// Stream sets dst to the words of the key stream from the given one on, cut to the
// mask, and reports whether one is above limit. word and len(dst) are multiples of Step.
func Stream(s *Schedule, word uint64, dst []uint64, mask, limit uint64) bool {
	if word%Step != 0 || len(dst)%Step != 0 {
		panic("vaes: a range of part of a step")
	}
	return len(dst) > 0 && stream((*[240]byte)(s), word/2, &dst[0], len(dst)/Step, mask, limit) != 0
}

// Column makes the Step words from the given one on of every key and puts word 8*j+i of
// key k at dst[(j*len(keys)+k)*8+i]. It reports whether one is above limit. dst has
// Step*len(keys) words. If ahead is as long, it is fetched into the cache meanwhile.
func Column(keys []Schedule, word uint64, dst []uint64, mask, limit uint64, ahead []uint64) bool {
	if word%Step != 0 || len(dst) != Step*len(keys) {
		panic("vaes: a range of part of a step")
	}
	if len(keys) == 0 {
		return false
	}
	if len(ahead) != len(dst) {
		ahead = dst
	}
	return column((*[240]byte)(&keys[0]), len(keys), word/2, &dst[0], mask, limit, &ahead[0]) != 0
}
