package vaultclient

import "time"

// LookEvery has authorities fetched more often, before Keep runs.
func (l *Issued) LookEvery(d time.Duration) { l.every = d }
