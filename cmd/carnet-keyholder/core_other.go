//go:build !unix

package main

// forbidCoreDumps does nothing where processes leave no core files.
func forbidCoreDumps() error { return nil }
