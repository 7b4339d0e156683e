package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/carnet-network/carnet/pkg/carnet"
)

const (
	// vaultService is what health checks over gRPC call the gateway's Vault.
	vaultService = "vault"

	vaultEvery = 2 * time.Second // how often it is asked
	vaultLimit = 3 * time.Second // for its answer
)

// vaultState is what is known of the Vault that certificates come from.
type vaultState struct {
	ask func(context.Context) error
	mu  sync.Mutex
	err error
}

func newVaultState(ask func(context.Context) error, r *prometheus.Registry) *vaultState {
	if ask == nil {
		return nil
	}
	v := &vaultState{ask: ask}
	r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "carnet_vault_usable", Help: "1 while the Vault that the certificate comes from serves requests."}, func() float64 {
		if v.last() != nil {
			return 0
		}
		return 1
	}))
	return v
}

func (v *vaultState) last() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.err
}

// follow asks until ctx ends. A change is logged once.
func (v *vaultState) follow(ctx context.Context, h *health.Server, log *slog.Logger) {
	h.SetServingStatus(vaultService, healthpb.HealthCheckResponse_SERVING) // it gave the certificate
	for {
		limited, done := context.WithTimeout(ctx, vaultLimit)
		err := v.ask(limited)
		done()
		if ctx.Err() != nil {
			return
		}
		v.mu.Lock()
		before := v.err
		v.err = err
		v.mu.Unlock()
		switch {
		case err != nil && (before == nil || carnet.ReasonOf(before) != carnet.ReasonOf(err)):
			h.SetServingStatus(vaultService, healthpb.HealthCheckResponse_NOT_SERVING)
			var e *carnet.Error
			errors.As(err, &e)
			log.Warn("Vault can't be used; the certificate serves until it ends", "error", err, "remedy", remedyOf(e))
		case err == nil && before != nil:
			h.SetServingStatus(vaultService, healthpb.HealthCheckResponse_SERVING)
			log.Info("Vault can be used again")
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(vaultEvery):
		}
	}
}

func remedyOf(e *carnet.Error) string {
	if e == nil {
		return ""
	}
	return e.Remedy
}

// write says on the loopback address how Vault is.
func (v *vaultState) write(w io.Writer) {
	if v == nil {
		return
	}
	if err := v.last(); err != nil {
		fmt.Fprintf(w, "vault: %s: %v\n", carnet.ReasonOf(err), err)
		return
	}
	fmt.Fprintln(w, "vault: ok")
}
