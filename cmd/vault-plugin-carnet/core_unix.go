//go:build unix

package main

import (
	"errors"
	"syscall"
)

// forbidCoreDumps keeps the memory of this process out of core files, and on Linux out of
// what reads core dumps in their place.
func forbidCoreDumps() error {
	return errors.Join(syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{}), forbidReading())
}
