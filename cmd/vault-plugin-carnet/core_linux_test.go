package main

import (
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNoCoreDumps(t *testing.T) {
	require.NoError(t, forbidCoreDumps())
	var l syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_CORE, &l))
	require.Zero(t, l.Cur)
	require.Zero(t, l.Max)
	dumpable, _, e := syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_GET_DUMPABLE, 0, 0)
	require.Zero(t, e)
	require.Zero(t, dumpable)
}
