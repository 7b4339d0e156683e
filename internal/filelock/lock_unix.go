//go:build unix

package filelock

import (
	"os"
	"syscall"
)

// Take takes the exclusive lock at path without waiting; the kernel gives it up when
// the process ends, however it ends.
func Take(path string) (release func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, ErrLocked
	}
	return func() { f.Close() }, nil
}
