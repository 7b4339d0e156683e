//go:build unix

// Package syncdir flushes directories.
package syncdir

import "os"

// Sync flushes a directory, so that a rename in it survives a power cut.
func Sync(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
