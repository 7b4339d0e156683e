//go:build unix

package main

import "syscall"

// forbidCoreDumps keeps the memory of this process out of core files.
func forbidCoreDumps() error { return syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{}) }
