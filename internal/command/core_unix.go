//go:build unix

package command

import (
	"errors"
	"syscall"
)

// ForbidCoreDumps keeps the memory of this process out of core files. Where the system hands
// them to a program instead of writing a file, the limit does not count: there the process is
// marked as one that may not be dumped, nor read by other processes of its user.
func ForbidCoreDumps() error {
	return errors.Join(syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{}), forbidReading())
}
