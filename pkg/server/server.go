package server

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"

	carnetv1 "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/flow"
)

// Limits of the edge.
const (
	maxMessage     = 4 << 20 // bytes of one message to the gateway
	maxStreams     = 1024    // concurrent calls of one connection
	maxPartyCalls  = 128     // concurrent calls of one party, over all connections
	maxHeaderBytes = 64 << 10
	recheckEvery   = 2 * time.Second
	grace          = 10 * time.Second // time that calls get to finish at a shutdown
)

// Config is what a Server is made of.
type Config struct {
	Gateway *flow.Gateway
	Tiles   http.Handler // of the transparency log, for /tile/; nil: none are served
	// TLS has the server's certificate in Certificates[0], or in GetCertificate if it is
	// replaced from time to time, and the client CA in ClientCAs, also in what
	// GetConfigForClient returns if that is replaced, too. The server sets version and client
	// authentication itself.
	TLS *tls.Config
	// Reports are what REST answers to who asks for other media types than JSON, by type.
	Reports map[string]Report
	// Vault says whether the Vault that the certificate comes from serves requests; nil
	// without one. The gateway serves on while it does not, until its certificate ends.
	Vault   func(context.Context) error
	Logger  *slog.Logger         // default slog.Default
	Metrics *prometheus.Registry // default a fresh one
}

// Listeners are the sockets to serve on. GRPC is needed, the others may be nil.
type Listeners struct {
	GRPC, REST, Metrics net.Listener
}

// Server serves one gateway.
type Server struct {
	g        *flow.Gateway
	tiles    http.Handler
	reports  map[string]Report
	log      *slog.Logger
	metrics  *metrics
	registry *prometheus.Registry
	tls      *tls.Config
	internal tls.Certificate // of the REST listener's connection to the gRPC port
	grpc     *grpc.Server
	health   *health.Server
	parties  sync.Map // carnet.PartyID -> *lookup
	limit    *limiter
	vault    *vaultState // nil without Vault

	recheck  time.Duration // how often the certificates of open streams are looked up again
	stopping chan struct{} // closed when a shutdown begins
	stopOnce sync.Once
}

// New makes a server. Serve runs it.
func New(c Config) (*Server, error) {
	if c.TLS == nil || len(c.TLS.Certificates) == 0 && c.TLS.GetCertificate == nil || c.TLS.ClientCAs == nil {
		return nil, carnet.E(carnet.Precondition, "NO_TLS", "a gateway needs a certificate and a client CA")
	}
	s := &Server{g: c.Gateway, tiles: c.Tiles, reports: c.Reports, log: c.Logger, registry: c.Metrics, limit: newLimiter(maxPartyCalls), recheck: recheckEvery, stopping: make(chan struct{})}
	if s.log == nil {
		s.log = slog.Default()
	}
	if s.registry == nil {
		s.registry = prometheus.NewRegistry()
	}
	s.metrics = newMetrics(s.registry, s.g)
	s.vault = newVaultState(c.Vault, s.registry)
	var err error
	if s.internal, err = internalCertificate(); err != nil {
		return nil, err
	}
	s.tls = s.admitting(c.TLS)
	s.grpc = newGRPC(s, grpc.Creds(credentials.NewTLS(s.tls)))
	return s, nil
}

// admitting is a configuration that only parties and the REST listener get through.
func (s *Server) admitting(c *tls.Config) *tls.Config {
	c = c.Clone()
	c.MinVersion = tls.VersionTLS13
	c.ClientAuth = tls.RequireAndVerifyClientCert
	c.ClientCAs = c.ClientCAs.Clone()
	c.ClientCAs.AddCert(s.internal.Leaf)
	return eachTime(c, s.admitting)
}

// eachTime applies a change also to the configurations that are made for single
// handshakes, with the authorities of that moment.
func eachTime(c *tls.Config, change func(*tls.Config) *tls.Config) *tls.Config {
	if now := c.GetConfigForClient; now != nil {
		c.GetConfigForClient = func(h *tls.ClientHelloInfo) (*tls.Config, error) {
			next, err := now(h)
			if err != nil || next == nil {
				return next, err
			}
			return change(next), nil
		}
	}
	return c
}

// newGRPC makes the gRPC server with every service and limit.
func newGRPC(s *Server, opts ...grpc.ServerOption) *grpc.Server {
	g := grpc.NewServer(append(opts,
		grpc.ChainUnaryInterceptor(s.unary),
		grpc.ChainStreamInterceptor(s.stream),
		grpc.MaxRecvMsgSize(maxMessage),
		grpc.MaxConcurrentStreams(maxStreams),
		grpc.MaxHeaderListSize(maxHeaderBytes),
		grpc.ConnectionTimeout(15*time.Second),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 10 * time.Second, PermitWithoutStream: true}),
		grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionIdle: 15 * time.Minute, Time: time.Minute, Timeout: 20 * time.Second}),
	)...)
	s.health = health.NewServer()
	healthpb.RegisterHealthServer(g, s.health)
	carnetv1.RegisterRegistryServiceServer(g, registryService{s: s})
	carnetv1.RegisterDealingServiceServer(g, dealingService{s: s})
	carnetv1.RegisterReshareServiceServer(g, reshareService{s: s})
	carnetv1.RegisterDatasetServiceServer(g, datasetService{s: s})
	carnetv1.RegisterCatalogueServiceServer(g, catalogueService{s: s})
	carnetv1.RegisterQueryServiceServer(g, queryService{s: s})
	carnetv1.RegisterJournalServiceServer(g, journalService{s: s})
	carnetv1.RegisterReleaseServiceServer(g, releaseService{s: s})
	carnetv1.RegisterPolicyServiceServer(g, policyService{s: s})
	carnetv1.RegisterEvidenceServiceServer(g, evidenceService{s: s})
	carnetv1.RegisterMeteringServiceServer(g, meteringService{s: s})
	carnetv1.RegisterApprovalServiceServer(g, approvalService{s: s})
	return g
}

// Serve serves until ctx is done, then lets calls finish for a short time. It closes
// the listeners.
func (s *Server) Serve(ctx context.Context, l Listeners) error {
	group, ctx := errgroup.WithContext(ctx)
	var web []*http.Server
	serve := func(srv *http.Server, lis net.Listener, useTLS bool) {
		web = append(web, srv)
		group.Go(func() error {
			var err error
			if useTLS {
				err = srv.ServeTLS(lis, "", "")
			} else {
				err = srv.Serve(lis)
			}
			if errors.Is(err, http.ErrServerClosed) {
				return nil
			}
			return err
		})
	}
	if l.REST != nil {
		srv, closeREST, err := s.restServer(ctx, l.GRPC.Addr())
		if err != nil {
			return err
		}
		defer closeREST()
		serve(srv, l.REST, true)
	}
	if l.Metrics != nil {
		serve(s.plainServer(), l.Metrics, false)
	}
	group.Go(func() error { return s.grpc.Serve(l.GRPC) })
	if s.vault != nil {
		group.Go(func() error { s.vault.follow(ctx, s.health, s.log); return nil })
	}
	group.Go(func() error {
		<-ctx.Done()
		s.stop(web)
		return nil
	})
	return group.Wait()
}

// stop lets calls finish: those that wait for news end at once, others have the
// grace period.
func (s *Server) stop(web []*http.Server) {
	s.stopOnce.Do(func() { close(s.stopping) })
	s.health.Shutdown()
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	for _, srv := range web {
		if srv.Shutdown(ctx) != nil {
			srv.Close()
		}
	}
	done := make(chan struct{})
	go func() { s.grpc.GracefulStop(); close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
		s.grpc.Stop()
		<-done
	}
}
