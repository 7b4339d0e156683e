//go:build !linux

package carnettest

import "syscall"

func childAttributes() *syscall.SysProcAttr { return nil }
