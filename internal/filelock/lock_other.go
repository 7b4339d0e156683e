//go:build !unix

package filelock

import "os"

// Take takes the exclusive lock at path without waiting. After a crash the lock file
// stays behind and has to be removed by hand.
func Take(path string) (release func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if os.IsExist(err) {
		return nil, ErrLocked
	}
	if err != nil {
		return nil, err
	}
	return func() { f.Close(); os.Remove(path) }, nil
}
