package carnettest

import "syscall"

// childAttributes makes the kernel end a child whose parent was killed, so that a test
// that times out leaves no servers behind.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
