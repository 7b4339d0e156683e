package vaultserver

import "syscall"

// child makes the server end with the process that started it, however that ends, and lead
// a group of processes.
func child() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}

// endGroup ends the plugins of a server that ended, which one that was killed leaves behind.
func endGroup(leader int) { _ = syscall.Kill(-leader, syscall.SIGKILL) } // mostly there are none
