// Package filelock lets one process at a time use a file or folder.
package filelock

import "errors"

// ErrLocked says that another process, or another call in this one, has the lock.
var ErrLocked = errors.New("locked by another process")
