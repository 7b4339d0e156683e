package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/keyholder"
)

// loopback refuses addresses that other machines can reach.
func loopback(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err == nil {
		if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() {
			return nil
		}
	}
	return carnet.E(carnet.Invalid, "NOT_LOOPBACK", "%q is not a loopback address", addr).Fix("use 127.0.0.1:PORT")
}

// vaultLimit is how long Vault may take to say how it is.
const vaultLimit = 3 * time.Second

// vaultHealth is what is known of the Vault that has the keys.
type vaultHealth struct {
	Usable bool   `json:"usable"`
	Reason string `json:"reason,omitempty"`
	Error  string `json:"error,omitempty"`
	Remedy string `json:"remedy,omitempty"`
}

func askVault(ctx context.Context, ask func(context.Context) error) *vaultHealth {
	if ask == nil {
		return nil
	}
	ctx, done := context.WithTimeout(ctx, vaultLimit)
	defer done()
	err := ask(ctx)
	if err == nil {
		return &vaultHealth{Usable: true}
	}
	h := &vaultHealth{Reason: carnet.ReasonOf(err), Error: err.Error()}
	var e *carnet.Error
	if errors.As(err, &e) {
		h.Remedy = e.Remedy
	}
	return h
}

// serveHealth answers /healthz (200 if connected to the gateway and Vault, if that has the
// keys, serves requests; else 503) and /metrics on a loopback address. Neither shows a
// secret. vault is nil without one.
func serveHealth(addr string, k *keyholder.Keyholder, l *keyholder.Ledger, vault func(context.Context) error) (stop func(), at string, err error) {
	if err := loopback(addr); err != nil {
		return nil, "", err
	}
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, "", carnet.E(carnet.Precondition, "ADDRESS_IN_USE", "the health address can't be used").Because(err).Fix("choose another port with --health")
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {
		h := struct {
			keyholder.Connection
			Vault *vaultHealth `json:"vault,omitempty"`
		}{k.Connection(), askVault(r.Context(), vault)}
		w.Header().Set("Content-Type", "application/json")
		if !h.Connected || h.Vault != nil && !h.Vault.Usable {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_ = json.NewEncoder(w).Encode(h)
	})
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		st, err := l.Status(r.Context())
		if err != nil {
			http.Error(w, "the ledger can't be read", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		connected := 0
		if k.Connection().Connected {
			connected = 1
		}
		gauge := func(name, help string, v any) {
			fmt.Fprintf(w, "# HELP carnet_keyholder_%s %s\n# TYPE carnet_keyholder_%s gauge\ncarnet_keyholder_%s %v\n", name, help, name, name, v)
		}
		gauge("connected", "1 while the journal is followed.", connected)
		if v := askVault(r.Context(), vault); v != nil {
			usable := 0
			if v.Usable {
				usable = 1
			}
			gauge("vault_usable", "1 while the Vault that has the keys serves requests.", usable)
		}
		gauge("journal_size", "Entries of the journal seen.", st.Size)
		gauge("cosigned_size", "Journal size of the newest own co-signature.", st.Cosigned)
		gauge("keys", "Keys dealt to this keyholder.", len(st.Keys))
		gauge("answers", "Queries answered.", st.Outcomes["answer"])
		gauge("refusals", "Queries refused.", st.Outcomes["refusal"])
		gauge("unsent", "Outcomes the gateway has not taken yet.", st.Unsent)
	})
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			return
		}
	}()
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		_ = srv.Shutdown(ctx)
	}, ln.Addr().String(), nil
}
