//go:build !unix

package agefile

// syncDir does nothing where directories can't be flushed.
func syncDir(string) error { return nil }
