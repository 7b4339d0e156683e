//go:build unix

package columnstore

import (
	"os"

	"golang.org/x/sys/unix"
)

const canMap = true

// mapFile maps a file for reading; its pages are those of the system's cache.
func mapFile(f *os.File, size int64) ([]byte, error) {
	return unix.Mmap(int(f.Fd()), 0, int(size), unix.PROT_READ, unix.MAP_SHARED)
}

func unmapFile(mem []byte) { _ = unix.Munmap(mem) }
