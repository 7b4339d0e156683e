package server

import (
	"net/http"
)

// addLog serves the transparency log to anybody, as C2SP tlog-tiles has it: the
// checkpoint changes, so it is asked for again; tiles never do.
func (s *Server) addLog(mux *http.ServeMux) {
	mux.HandleFunc("GET /checkpoint", func(w http.ResponseWriter, r *http.Request) {
		c, err := s.g.Checkpoint(r.Context())
		var text []byte
		if err == nil {
			text, err = c.MarshalText()
		}
		if err != nil {
			s.log.Error("show the checkpoint", "error", err)
			http.Error(w, "the checkpoint can't be read", http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Cache-Control", "no-cache")
		_, _ = w.Write(text)
	})
	if s.tiles != nil {
		mux.Handle("GET /tile/", s.tiles)
	}
}
