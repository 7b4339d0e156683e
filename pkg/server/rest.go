package server

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/carnet-network/carnet/pkg/api"
	carnetv1 "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/ident"
)

// Bounds of REST bodies. A streaming call reads any number of JSON messages; what
// does not fit goes by gRPC or in several calls.
const (
	maxBody       = 8 << 20
	maxStreamBody = 64 << 20
)

var streamPaths = map[string]bool{"/v1/uploads/blocks": true, "/v1/dealings": true, "/v1/answers": true}

// restServer serves REST by dialling the gRPC port, so that every call goes through
// the same interceptors.
func (s *Server) restServer(ctx context.Context, grpcAddr net.Addr) (*http.Server, func(), error) {
	conn, err := grpc.NewClient("passthrough:///"+loopback(grpcAddr),
		grpc.WithTransportCredentials(credentials.NewTLS(s.internalTLS())),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(64<<20)))
	if err != nil {
		return nil, nil, err
	}
	json := &runtime.JSONPb{MarshalOptions: protojson.MarshalOptions{EmitUnpopulated: true}}
	var options []runtime.ServeMuxOption
	for name, report := range s.reports {
		options = append(options, runtime.WithMarshalerOption(name, &reportMarshaler{json, name, report}))
	}
	mux := runtime.NewServeMux(append(append(options, restErrors()...),
		// No header of the client becomes metadata.
		runtime.WithIncomingHeaderMatcher(func(string) (string, bool) { return "", false }),
		runtime.WithOutgoingHeaderMatcher(func(string) (string, bool) { return "", false }),
		runtime.WithMetadata(func(_ context.Context, r *http.Request) metadata.MD {
			id, err := ident.PartyFromCert(r.TLS.VerifiedChains[0][0]) // withParty has checked both
			if err != nil {
				return nil
			}
			return metadata.Pairs(forwardedParty, string(id))
		}),
		runtime.WithMarshalerOption(runtime.MIMEWildcard, json),
		runtime.WithDisablePathLengthFallback(),
	)...)
	for _, register := range []func(context.Context, *runtime.ServeMux, *grpc.ClientConn) error{
		carnetv1.RegisterRegistryServiceHandler, carnetv1.RegisterDealingServiceHandler, carnetv1.RegisterDatasetServiceHandler,
		carnetv1.RegisterCatalogueServiceHandler, carnetv1.RegisterQueryServiceHandler, carnetv1.RegisterJournalServiceHandler,
		carnetv1.RegisterReleaseServiceHandler, carnetv1.RegisterReshareServiceHandler, carnetv1.RegisterPolicyServiceHandler, carnetv1.RegisterEvidenceServiceHandler,
		carnetv1.RegisterMeteringServiceHandler,
		carnetv1.RegisterApprovalServiceHandler,
	} {
		if err := register(ctx, mux, conn); err != nil {
			conn.Close()
			return nil, nil, err
		}
	}
	root := http.NewServeMux()
	root.Handle("/v1/", s.withParty(reported(s.reports, mux)))
	root.HandleFunc("GET /openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(api.OpenAPI)
	})
	root.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { answer(w, http.StatusNotFound, noSuchPath(r)) })
	s.addLog(root)
	s.addHealth(root, nil)
	var web func(c *tls.Config) *tls.Config
	web = func(c *tls.Config) *tls.Config {
		c = c.Clone()
		c.ClientAuth = tls.VerifyClientCertIfGiven // health, OpenAPI and the log need none
		c.NextProtos = []string{"h2", "http/1.1"}
		return eachTime(c, web)
	}
	conf := web(s.tls)
	return &http.Server{
		Handler: root, TLSConfig: conf, MaxHeaderBytes: maxHeaderBytes,
		ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		BaseContext: func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
		ErrorLog:    quiet(s.log),
	}, func() { conn.Close() }, nil
}

// withParty lets only callers with a verified party certificate through, and bounds
// bodies.
func (s *Server) withParty(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS == nil || len(r.TLS.VerifiedChains) == 0 {
			refuse(w, unauthenticated("a client certificate is needed"))
			return
		}
		if _, err := ident.PartyFromCert(r.TLS.VerifiedChains[0][0]); err != nil {
			refuse(w, err)
			return
		}
		if err := s.stillTrusted(r.TLS); err != nil {
			refuse(w, err)
			return
		}
		limit := int64(maxBody)
		if streamPaths[r.URL.Path] {
			limit = maxStreamBody
		}
		r.Body = http.MaxBytesReader(w, r.Body, limit)
		ctx, end := s.whileTrusted(r.Context(), r.TLS)
		defer end()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// internalTLS dials this very server: with the internal certificate, and accepting
// no other server certificate than its own, whatever names it has.
func (s *Server) internalTLS() *tls.Config {
	return &tls.Config{
		MinVersion:         tls.VersionTLS13,
		Certificates:       []tls.Certificate{s.internal},
		InsecureSkipVerify: true, // replaced by the exact comparison below
		VerifyConnection: func(c tls.ConnectionState) error {
			own, err := s.certificate()
			if err != nil {
				return err
			}
			if len(c.PeerCertificates) == 0 || !bytes.Equal(c.PeerCertificates[0].Raw, own.Certificate[0]) {
				return x509.CertificateInvalidError{Reason: x509.NotAuthorizedToSign, Detail: "not the gateway's own certificate"}
			}
			return nil
		},
	}
}

// certificate is the one that handshakes use now.
func (s *Server) certificate() (*tls.Certificate, error) {
	if s.tls.GetCertificate != nil {
		return s.tls.GetCertificate(&tls.ClientHelloInfo{})
	}
	return &s.tls.Certificates[0], nil
}

// loopback returns the address at which this process reaches its own listener.
func loopback(a net.Addr) string {
	t, ok := a.(*net.TCPAddr)
	if ok && t.IP.IsUnspecified() {
		ip := net.IPv6loopback
		if t.IP.To4() != nil {
			ip = net.IPv4(127, 0, 0, 1)
		}
		return (&net.TCPAddr{IP: ip, Port: t.Port}).String()
	}
	return a.String()
}

// plainServer serves metrics and health without TLS, for the loopback interface.
func (s *Server) plainServer() *http.Server {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.registry, promhttp.HandlerOpts{}))
	s.addHealth(mux, s.vault)
	return &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: maxHeaderBytes, ErrorLog: quiet(s.log)}
}

// addHealth: /healthz says that the process runs, /readyz that it can serve. How its Vault
// is, only those inside are told; the gateway serves either way.
func (s *Server) addHealth(mux *http.ServeMux, inside *vaultState) {
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("ok\n"))
		inside.write(w)
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
		defer cancel()
		_, _, err := s.g.Journal(ctx)
		if fault := s.g.LogFault(); fault != nil {
			http.Error(w, fault.Error(), http.StatusServiceUnavailable)
			return
		}
		if err == nil && s.isStopping() {
			err = errors.New("shutting down")
		}
		if err != nil {
			http.Error(w, "not ready", http.StatusServiceUnavailable)
			return
		}
		_, _ = w.Write([]byte("ready\n"))
	})
}
