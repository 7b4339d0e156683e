package server

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/flow/flowtest"
)

func TestEveryMethodHasARule(t *testing.T) {
	s := testServer(t)
	methods := map[string]bool{}
	for service, info := range s.grpc.GetServiceInfo() {
		for _, m := range info.Methods {
			name := "/" + service + "/" + m.Name
			methods[name] = true
			r, ok := rules[name]
			require.True(t, ok, "%s has no rule", name)
			require.NotEqual(t, r.within == 0, !r.waits, "%s has a deadline or waits for news", name)
			if r.waits {
				require.True(t, m.IsServerStream, "%s can't wait for news", name)
			}
		}
	}
	for name := range rules {
		require.True(t, methods[name], "there is no method %s", name)
	}
}

func testServer(t *testing.T) *Server {
	n := flowtest.Empty(t)
	s := &Server{g: n.G, log: n.Config.Logger, registry: prometheus.NewRegistry(), limit: newLimiter(2), stopping: make(chan struct{})}
	s.metrics = newMetrics(s.registry, n.G)
	s.grpc = newGRPC(s)
	return s
}

func TestPanicsBecomeIncidents(t *testing.T) {
	s := testServer(t)
	// The call has no peer, so identify fails; a panic further in is caught as well.
	err := s.call(context.Background(), "/carnet.v1.RegistryService/GetParty", func(context.Context) error { return nil })
	require.Equal(t, codes.PermissionDenied, status.Code(err))
	err = s.call(context.Background(), "/no/such", nil)
	require.Equal(t, codes.PermissionDenied, status.Code(err))
	s.g = nil
	err = s.guard(context.Background(), "/carnet.v1.RegistryService/GetParty", &caller{}, func() error { panic("secret") })
	require.Equal(t, codes.Internal, status.Code(err))
	require.NotContains(t, err.Error(), "secret")
}

func TestCallsOfAPartyAreLimited(t *testing.T) {
	l := newLimiter(2)
	a, err := l.enter("a")
	require.NoError(t, err)
	_, err = l.enter("a")
	require.NoError(t, err)
	_, err = l.enter("a")
	require.Equal(t, carnet.Exhausted, carnet.KindOf(err))
	_, err = l.enter("b")
	require.NoError(t, err)
	a()
	_, err = l.enter("a")
	require.NoError(t, err)
}

type silent struct {
	grpc.ServerStream
	release chan struct{}
}

func (s silent) RecvMsg(any) error { <-s.release; return errors.New("stream ended") }

func TestSilentStreamsEnd(t *testing.T) {
	s := silent{release: make(chan struct{})}
	defer close(s.release)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, (&serverStream{s, ctx, time.Minute}).RecvMsg(nil), context.DeadlineExceeded)
	err := (&serverStream{s, context.Background(), 10 * time.Millisecond}).RecvMsg(nil)
	require.Equal(t, "STREAM_IDLE", carnet.ReasonOf(err))
}
