//go:build !unix

package command

// ForbidCoreDumps does nothing where processes leave no core files.
func ForbidCoreDumps() error { return nil }
