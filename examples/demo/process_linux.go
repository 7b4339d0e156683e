package main

import "syscall"

// childAttributes makes the kernel end a child whose parent was killed, so that not
// even kill -9 of the demo leaves servers behind. A group of its own keeps a Ctrl-C on
// the terminal from reaching children before the demo stops them in order.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
