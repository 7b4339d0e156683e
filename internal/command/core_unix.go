//go:build unix

package command

import "syscall"

// ForbidCoreDumps keeps the memory of this process out of core files.
func ForbidCoreDumps() error {
	return syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{})
}
