//go:build !unix

package agefile

import "os"

// lock takes the exclusive lock. After a crash the lock file stays behind and has
// to be removed by hand.
func lock(path string) (release func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if os.IsExist(err) {
		return nil, errLocked
	}
	if err != nil {
		return nil, err
	}
	return func() { f.Close(); os.Remove(path) }, nil
}

// syncDir does nothing where directories can't be flushed.
func syncDir(string) error { return nil }
