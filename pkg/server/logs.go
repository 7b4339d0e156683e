package server

import (
	"log"
	"log/slog"
)

// quiet turns the HTTP server's own messages, mostly failed handshakes of port
// scanners, into debug records.
func quiet(l *slog.Logger) *log.Logger { return slog.NewLogLogger(l.Handler(), slog.LevelDebug) }
