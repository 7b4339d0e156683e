package server_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	carnetv1 "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/apiconv"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/flow/flowtest"
	"github.com/carnet-network/carnet/pkg/ident"
	"github.com/carnet-network/carnet/pkg/server"
)

var ctx = context.Background()

// edge is a network whose gateway is served on real sockets.
type edge struct {
	*flowtest.Network
	ca            *ident.CA
	roots         *x509.CertPool
	l             server.Listeners
	stop          context.CancelFunc
	done          chan error
	rest, metrics string
}

func serve(t *testing.T, n *flowtest.Network) *edge { return serveTLS(t, n, nil) }

func serveTLS(t *testing.T, n *flowtest.Network, verify func(tls.ConnectionState) error) *edge {
	return serveWith(t, n, func(_ *edge, c *server.Config) { c.TLS.VerifyConnection = verify })
}

// serveWith serves with another configuration.
func serveWith(t *testing.T, n *flowtest.Network, change func(e *edge, c *server.Config)) *edge {
	e := &edge{Network: n, roots: x509.NewCertPool(), done: make(chan error, 1)}
	var err error
	e.ca, err = ident.NewCA("test", time.Hour)
	require.NoError(t, err)
	e.roots.AppendCertsFromPEM(e.ca.PEM())
	cert, key, err := e.ca.IssueServer([]string{"localhost", "127.0.0.1"}, time.Hour)
	require.NoError(t, err)
	pair, err := tls.X509KeyPair(cert, key)
	require.NoError(t, err)
	cfg := server.Config{Gateway: n.G, TLS: &tls.Config{Certificates: []tls.Certificate{pair}, ClientCAs: e.roots}, Logger: n.Config.Logger}
	change(e, &cfg)
	s, err := server.New(cfg)
	require.NoError(t, err)
	for _, l := range []*net.Listener{&e.l.GRPC, &e.l.REST, &e.l.Metrics} {
		*l, err = net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
	}
	e.rest, e.metrics = "https://"+e.l.REST.Addr().String(), "http://"+e.l.Metrics.Addr().String()
	var c context.Context
	c, e.stop = context.WithCancel(ctx)
	go func() { e.done <- s.Serve(c, e.l) }()
	t.Cleanup(func() { e.stop(); <-e.done; e.done <- nil })
	return e
}

// tls is a client's configuration; party "" has no certificate.
func (e *edge) tls(party carnet.PartyID) *tls.Config {
	c := &tls.Config{RootCAs: e.roots, MinVersion: tls.VersionTLS13}
	if party != "" {
		cert, key, err := e.ca.IssueParty(party, time.Hour)
		require.NoError(e.T, err)
		pair, err := tls.X509KeyPair(cert, key)
		require.NoError(e.T, err)
		c.Certificates = []tls.Certificate{pair}
	}
	return c
}

func (e *edge) dial(party carnet.PartyID) *grpc.ClientConn { return e.dialTLS(e.tls(party)) }

func (e *edge) dialTLS(c *tls.Config) *grpc.ClientConn {
	conn, err := grpc.NewClient(e.l.GRPC.Addr().String(), grpc.WithTransportCredentials(credentials.NewTLS(c)),
		grpc.WithDefaultCallOptions(grpc.MaxCallSendMsgSize(64<<20)))
	require.NoError(e.T, err)
	e.T.Cleanup(func() { conn.Close() })
	return conn
}

// http makes a REST call and returns code and body.
func (e *edge) http(party carnet.PartyID, method, path string, body proto.Message) (int, []byte) {
	var b []byte
	if body != nil {
		var err error
		b, err = protojson.Marshal(body)
		require.NoError(e.T, err)
	}
	return e.raw(party, method, path, b, nil)
}

func (e *edge) raw(party carnet.PartyID, method, path string, body []byte, header http.Header) (int, []byte) {
	req, err := http.NewRequestWithContext(ctx, method, e.rest+path, bytes.NewReader(body))
	require.NoError(e.T, err)
	for k, v := range header {
		req.Header[k] = v
	}
	c := &http.Client{Transport: &http.Transport{TLSClientConfig: e.tls(party), ForceAttemptHTTP2: true}}
	defer c.CloseIdleConnections()
	resp, err := c.Do(req)
	require.NoError(e.T, err)
	defer resp.Body.Close()
	out, err := io.ReadAll(resp.Body)
	require.NoError(e.T, err)
	return resp.StatusCode, out
}

// restError is a google.rpc.Status as JSON; streaming methods wrap it once more.
type restError struct {
	Message string
	Details []struct{ Reason string }
	Error   *restError
}

func reason(err error) string { return carnet.ReasonOf(apiconv.FromStatus(err)) }

func TestWhoMayCall(t *testing.T) {
	e := serve(t, flowtest.New(t))
	get := func(conn *grpc.ClientConn) error {
		_, err := carnetv1.NewRegistryServiceClient(conn).GetParty(ctx, &carnetv1.GetPartyRequest{Id: "kz"})
		return err
	}
	require.NoError(t, get(e.dial("bank")))
	require.Equal(t, "UNKNOWN_PARTY", reason(get(e.dial("stranger"))))
	require.Error(t, get(e.dial("")), "no certificate")

	foreign, err := ident.NewCA("test", time.Hour)
	require.NoError(t, err)
	cert, key, err := foreign.IssueParty("kz", time.Hour)
	require.NoError(t, err)
	pair, err := tls.X509KeyPair(cert, key)
	require.NoError(t, err)
	c := e.tls("")
	c.Certificates = []tls.Certificate{pair}
	require.Error(t, get(e.dialTLS(c)), "a certificate of another authority")

	cert, key, err = e.ca.IssueServer([]string{"localhost"}, time.Hour)
	require.NoError(t, err)
	pair, err = tls.X509KeyPair(cert, key)
	require.NoError(t, err)
	c.Certificates = []tls.Certificate{pair}
	require.Error(t, get(e.dialTLS(c)), "a certificate that names no party")

	old := e.tls("bank")
	old.MinVersion, old.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
	require.Error(t, get(e.dialTLS(old)), "TLS 1.2")

	_, err = carnetv1.NewReleaseServiceClient(e.dial("bank")).Cosign(ctx, &carnetv1.CosignRequest{})
	require.Equal(t, "WRONG_ROLE", reason(err))
	follow, err := carnetv1.NewJournalServiceClient(e.dial("bank")).Follow(ctx, &carnetv1.FollowRequest{})
	require.NoError(t, err)
	_, err = follow.Recv()
	require.Equal(t, "WRONG_ROLE", reason(err), "streams obey the same rules")
}

func TestAStrangerRegistersItself(t *testing.T) {
	e := serve(t, flowtest.Empty(t))
	conn := e.dial("kz")
	registry := carnetv1.NewRegistryServiceClient(conn)
	_, err := registry.GetParty(ctx, &carnetv1.GetPartyRequest{Id: "kz"})
	require.Equal(t, "UNKNOWN_PARTY", reason(err))
	resp, err := registry.RegisterParty(ctx, &carnetv1.RegisterPartyRequest{Statement: apiconv.ToEnvelope(e.PartyStatement("kz"))})
	require.NoError(t, err)
	require.Equal(t, e.PartyStatement("kz").Hash().String(), resp.Ref.Hash)
	_, err = registry.GetParty(ctx, &carnetv1.GetPartyRequest{Id: "kz"})
	require.NoError(t, err, "the same connection is known from now on")
	_, err = registry.RegisterParty(ctx, &carnetv1.RegisterPartyRequest{})
	require.Equal(t, "BAD_REQUEST", reason(err))
}

func TestRESTGoesThroughTheSameRules(t *testing.T) {
	n := flowtest.New(t)
	e := serve(t, n)
	n.Publish("kz", "trade", carnet.LayoutCube, [][2]int64{{0, 1}})
	n.Product("kz/trade-product", "kz", "kz/trade")

	code, body := e.http("bank", "GET", "/v1/parties/kz", nil)
	require.Equal(t, 200, code, "%s", body)
	var got carnetv1.GetPartyResponse
	require.NoError(t, protojson.Unmarshal(body, &got))
	env, err := apiconv.FromEnvelope("statement", got.Statement)
	require.NoError(t, err)
	require.Equal(t, n.PartyStatement("kz").Hash(), env.Hash())

	for path, want := range map[string]string{
		"/v1/products/kz/trade-product": `"seq"`, "/v1/datasets/kz/trade": "manifest", "/v1/products?text=chapter": "kz/trade-product",
		"/v1/schemas/trade@1": "statement", "/v1/journal/checkpoint": `"size"`, "/v1/datasets?owner=kz&page_size=1": "nextPageToken",
	} {
		code, body := e.http("bank", "GET", path, nil)
		require.Equal(t, 200, code, "%s: %s", path, body)
		require.Contains(t, string(body), want, path)
	}
	for _, c := range []struct {
		party        carnet.PartyID
		method, path string
		body         proto.Message
		code         int
		reason       string
	}{
		{"", "GET", "/v1/parties/kz", nil, 401, ""},
		{"stranger", "GET", "/v1/parties/kz", nil, 403, "UNKNOWN_PARTY"},
		{"bank", "POST", "/v1/cosignatures", &carnetv1.CosignRequest{}, 403, "WRONG_ROLE"},
		{"bank", "GET", "/v1/journal", nil, 403, "WRONG_ROLE"},
		{"bank", "GET", "/v1/parties/nobody", nil, 404, "NOT_FOUND"},
		{"bank", "GET", "/v1/queries/xyz", nil, 400, "BAD_REQUEST"},
		{"kz", "POST", "/v1/schemas", &carnetv1.RegisterSchemaRequest{}, 400, "BAD_REQUEST"},
		{"bank", "GET", "/v1/nothing", nil, 404, ""},
	} {
		code, body := e.http(c.party, c.method, c.path, c.body)
		require.Equal(t, c.code, code, "%+v: %s", c, body)
		var st restError
		require.NoError(t, json.Unmarshal(body, &st), "%s", body)
		if st.Error != nil {
			st = *st.Error
		}
		if c.reason != "" {
			require.NotEmpty(t, st.Details, "%s", body)
			require.Equal(t, c.reason, st.Details[0].Reason)
		}
	}
	// Nobody but the REST listener may say in whose name it calls.
	for _, h := range []string{"Grpc-Metadata-Carnet-Forwarded-Party", "Carnet-Forwarded-Party"} {
		code, _ := e.raw("stranger", "GET", "/v1/parties/kz", nil, http.Header{h: {"kz"}})
		require.Equal(t, 403, code)
	}
	code, body = e.raw("kz", "POST", "/v1/schemas", []byte(`{"statement":`), nil)
	require.Equal(t, 400, code, "%s", body)
	code, _ = e.raw("kz", "POST", "/v1/schemas", bytes.Repeat([]byte(" "), 9<<20), nil)
	require.Equal(t, 400, code)

	// The journal as a stream of JSON lines.
	code, body = e.http("audit", "GET", "/v1/journal?from=0&stop_at_end=true", nil)
	require.Equal(t, 200, code)
	require.Contains(t, string(bytes.SplitN(body, []byte("\n"), 2)[0]), `"entry"`)
}

func TestForwardedNamesFromOutsideAreIgnored(t *testing.T) {
	e := serve(t, flowtest.New(t))
	conn, err := grpc.NewClient(e.l.GRPC.Addr().String(), grpc.WithTransportCredentials(credentials.NewTLS(e.tls("stranger"))),
		grpc.WithUnaryInterceptor(func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
			return invoke(withMetadata(ctx, "carnet-forwarded-party", "kz"), method, req, reply, cc, opts...)
		}))
	require.NoError(t, err)
	defer conn.Close()
	_, err = carnetv1.NewRegistryServiceClient(conn).GetParty(ctx, &carnetv1.GetPartyRequest{Id: "kz"})
	require.Equal(t, "UNKNOWN_PARTY", reason(err))
}

func TestHealthMetricsAndOpenAPI(t *testing.T) {
	e := serve(t, flowtest.New(t))
	for path, want := range map[string]string{"/healthz": "ok", "/readyz": "ready", "/openapi.json": `"swagger"`} {
		code, body := e.http("", "GET", path, nil)
		require.Equal(t, 200, code, path)
		require.Contains(t, string(body), want)
	}
	_, _ = carnetv1.NewRegistryServiceClient(e.dial("bank")).GetParty(ctx, &carnetv1.GetPartyRequest{Id: "nobody"})
	for path, want := range map[string]string{"/healthz": "ok", "/readyz": "ready",
		"/metrics": `carnet_calls_total{code="NotFound",method="/carnet.v1.RegistryService/GetParty"} 1`} {
		resp, err := http.Get(e.metrics + path)
		require.NoError(t, err)
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		require.NoError(t, err)
		require.Contains(t, string(body), want)
	}
}

// A certificate that is revoked while its connection is open is refused at the next call.
func TestAttackOpenConnectionOfRevokedCertificate(t *testing.T) {
	var revoked atomic.Bool
	e := serveTLS(t, flowtest.New(t), func(c tls.ConnectionState) error {
		if _, err := ident.PartyFromCert(c.PeerCertificates[0]); err == nil && revoked.Load() {
			return carnet.E(carnet.Forbidden, "CERTIFICATE_REVOKED", "the certificate was revoked")
		}
		return nil
	})
	conn := e.dial("bank")
	c := &http.Client{Transport: &http.Transport{TLSClientConfig: e.tls("bank"), ForceAttemptHTTP2: true}}
	defer c.CloseIdleConnections()
	call := func() (int, string, error) {
		_, err := carnetv1.NewJournalServiceClient(conn).GetCheckpoint(ctx, &carnetv1.GetCheckpointRequest{})
		resp, httpErr := c.Get(e.rest + "/v1/journal/checkpoint")
		require.NoError(t, httpErr)
		defer resp.Body.Close()
		body, httpErr := io.ReadAll(resp.Body)
		require.NoError(t, httpErr)
		return resp.StatusCode, string(body), err
	}
	code, body, err := call()
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, code, body)
	revoked.Store(true)
	code, body, err = call()
	require.ErrorContains(t, err, "revoked")
	require.Equal(t, http.StatusUnauthorized, code, body)
	require.Contains(t, body, "revoked")
}

// A stream that is open when its certificate is revoked ends, over gRPC and REST; streams of
// others go on. So does one of a certificate whose authority is not trusted any more.
func TestAttackOpenStreamOfRevokedCertificate(t *testing.T) {
	var revoked atomic.Bool
	e := serveTLS(t, flowtest.New(t), func(c tls.ConnectionState) error {
		if id, err := ident.PartyFromCert(c.PeerCertificates[0]); err == nil && id == "audit" && revoked.Load() {
			return carnet.E(carnet.Forbidden, "CERTIFICATE_REVOKED", "the certificate was revoked")
		}
		return nil
	})
	limited, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	follow := func(party carnet.PartyID) (carnetv1.JournalService_FollowClient, chan error) {
		s, err := carnetv1.NewJournalServiceClient(e.dial(party)).Follow(limited, &carnetv1.FollowRequest{})
		require.NoError(t, err)
		_, err = s.Recv()
		require.NoError(t, err)
		ended := make(chan error, 1)
		go func() {
			for {
				if _, err := s.Recv(); err != nil {
					ended <- err
					return
				}
			}
		}()
		return s, ended
	}
	_, audit := follow("audit")
	_, other := follow("k1")
	c := &http.Client{Transport: &http.Transport{TLSClientConfig: e.tls("audit"), ForceAttemptHTTP2: true}}
	defer c.CloseIdleConnections()
	resp, err := c.Get(e.rest + "/v1/journal?from=0")
	require.NoError(t, err)
	defer resp.Body.Close()
	web := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, resp.Body)
		web <- err
	}()
	select {
	case err := <-audit:
		t.Fatal("ended before it was revoked: ", err)
	case err := <-web:
		t.Fatal("ended before it was revoked: ", err)
	case <-time.After(100 * time.Millisecond):
	}
	revoked.Store(true)
	for name, ended := range map[string]chan error{"gRPC": audit, "REST": web} {
		select {
		case err := <-ended:
			if name == "gRPC" {
				require.Equal(t, "CERTIFICATE_REVOKED", reason(err))
			}
		case <-time.After(time.Minute):
			t.Fatal("the stream over ", name, " goes on")
		}
	}
	select {
	case err := <-other:
		t.Fatal("another party's stream ended: ", err)
	default:
	}
}
