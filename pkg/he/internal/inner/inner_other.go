//go:build !amd64 || purego

package inner

// Available says that Sum can't be called here.
func Available() bool { return false }

// Sum can't be called: it is not available.
func Sum(_, _ []uint64) (hi, lo uint64) { panic("inner: not available") }
