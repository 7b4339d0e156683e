package store

import "time"

// Limit replaces how long the server is waited for.
func (s *Store) Limit(d time.Duration) { s.limit = d }
