//go:build !unix

package postgres

import "syscall"

func unprivileged() *syscall.SysProcAttr { return nil }

func handOver(string) error { return nil }
