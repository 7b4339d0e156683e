package vaultserver

import "syscall"

// child makes the server end with the process that started it, however that ends.
func child() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
