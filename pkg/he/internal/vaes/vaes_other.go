//go:build !amd64 || purego

package vaes

// Available says whether this processor has the instructions.
const Available = false

func Expand(*[32]byte, *Schedule) { panic("vaes: not available") }

func Stream(*Schedule, uint64, []uint64, uint64, uint64) bool { panic("vaes: not available") }

func Column([]Schedule, uint64, []uint64, uint64, uint64, []uint64) bool {
	panic("vaes: not available")
}
