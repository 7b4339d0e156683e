//go:build !unix

// Package syncdir flushes directories.
package syncdir

// Sync does nothing where directories can't be flushed.
func Sync(string) error { return nil }
