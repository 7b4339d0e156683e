package carnettest

import (
	"bytes"
	"crypto/rand"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	pb "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/ident"
)

// web is a REST client of the gateway in the name of a party.
type web struct {
	*http.Client
	base string
}

func (n *Network) web(t *testing.T, conf *tls.Config) *web {
	w := &web{&http.Client{Transport: &http.Transport{TLSClientConfig: conf, ForceAttemptHTTP2: true}, Timeout: time.Minute}, n.Gateway.REST()}
	t.Cleanup(w.CloseIdleConnections)
	return w
}

func (n *Network) webOf(t *testing.T, id carnet.PartyID) *web { return n.web(t, n.ClientTLS(t, id)) }

// call sends body, if any, and returns status and answer.
func (w *web) call(t *testing.T, method, path string, body proto.Message) (int, []byte) {
	t.Helper()
	var in io.Reader
	if body != nil {
		b, err := protojson.Marshal(body)
		require.NoError(t, err)
		in = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(Context(t), method, w.base+path, in)
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	resp, err := w.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	out, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, out
}

// ok calls and decodes an answer that must be a success.
func (w *web) ok(t *testing.T, method, path string, body, out proto.Message) {
	t.Helper()
	code, b := w.call(t, method, path, body)
	require.Equal(t, http.StatusOK, code, "%s %s: %s", method, path, b)
	require.NoError(t, protojson.Unmarshal(b, out))
}

func samePB(t *testing.T, want, got proto.Message) {
	t.Helper()
	require.True(t, proto.Equal(want, got), "gRPC %v\nREST %v", want, got)
}

// Rule: REST is the same API. A party registers, and a buyer searches, explains,
// submits, follows and fetches with plain JSON over HTTPS; every answer equals gRPC's,
// byte string by byte string.
func TestREST(t *testing.T) {
	t.Parallel()
	n := Start(t, Options{})
	sets := publishTrade(t, n, carnet.LayoutCube)
	ctx, conn := Context(t), n.Conn(t, "buyer")
	kz, buyer := n.webOf(t, "kz"), n.webOf(t, "buyer")

	// Registering: a party, a schema, a product.
	newcomer, err := ident.New("newcomer", rand.Reader)
	require.NoError(t, err)
	party, err := evidence.Seal(carnet.TypeParty, carnet.Party{ID: "newcomer", Name: "Newcomer", Jurisdiction: "CH", Roles: []carnet.Role{carnet.RoleBuyer},
		SigningKey: newcomer.Public(), Created: time.Now().UTC()}, newcomer, n.Identity(Registrar))
	require.NoError(t, err)
	var registered pb.RegisterPartyResponse
	n.webOf(t, "newcomer").ok(t, "POST", "/v1/parties", &pb.RegisterPartyRequest{Statement: toProto(party)}, &registered)
	require.Equal(t, party.Hash().String(), registered.GetRef().GetHash())
	byGRPC, err := pb.NewRegistryServiceClient(conn).GetParty(ctx, &pb.GetPartyRequest{Id: "newcomer"})
	require.NoError(t, err)
	var byREST pb.GetPartyResponse
	buyer.ok(t, "GET", "/v1/parties/newcomer", nil, &byREST)
	samePB(t, byGRPC, &byREST)
	schema := n.seal(t, carnet.TypeSchema, ParseSchema(t, "name: small\nversion: 1\ndimensions: [{name: d, codes: [{value: a}]}]\nmeasures: [{name: m, min: '0', max: '9'}]\nlimits: {rows: 10, datasets: 1}\nlayouts: [cube]\n"), "kz")
	kz.ok(t, "POST", "/v1/schemas", &pb.RegisterSchemaRequest{Statement: toProto(schema)}, &pb.RegisterSchemaResponse{})
	product := n.seal(t, carnet.TypeProduct, carnet.Product{ID: "by-rest", Publisher: "kz", Title: "Registered by REST", Schema: sets[0].Schema,
		Datasets: []carnet.DatasetID{sets[0].ID, sets[1].ID}, Created: time.Now().UTC()}, "kz")
	kz.ok(t, "POST", "/v1/products", &pb.RegisterProductRequest{Statement: toProto(product)}, &pb.RegisterProductResponse{})

	// Searching and reading.
	found, err := pb.NewCatalogueServiceClient(conn).SearchProducts(ctx, &pb.SearchProductsRequest{Text: "rest"})
	require.NoError(t, err)
	require.Len(t, found.GetProducts(), 1)
	var foundREST pb.SearchProductsResponse
	buyer.ok(t, "GET", "/v1/products?text=rest", nil, &foundREST)
	samePB(t, found, &foundREST)
	entry, err := pb.NewDatasetServiceClient(conn).GetDataset(ctx, &pb.GetDatasetRequest{Id: string(sets[0].ID)})
	require.NoError(t, err)
	var entryREST pb.GetDatasetResponse
	buyer.ok(t, "GET", "/v1/datasets/"+string(sets[0].ID), nil, &entryREST)
	samePB(t, entry, &entryREST)

	// Explaining, submitting, following, fetching.
	const sql = "SELECT chapter, SUM(value) FROM \"by-rest\" GROUP BY chapter ORDER BY chapter"
	queries := pb.NewQueryServiceClient(conn)
	explain := &pb.ExplainQueryRequest{Product: "by-rest", Sql: sql, Purpose: Purpose}
	explained, err := queries.ExplainQuery(ctx, explain)
	require.NoError(t, err)
	var explainedREST pb.ExplainQueryResponse
	buyer.ok(t, "POST", "/v1/queries:explain", explain, &explainedREST)
	require.NotNil(t, explainedREST.Plan.Estimate)
	explainedREST.Plan.Estimate = explained.Plan.Estimate // partly a time, measured each time
	samePB(t, explained, &explainedREST)

	var submit *pb.SubmitQueryRequest // made by the client, sent by REST
	n.Meddle(func(m *Message) error {
		if r, ok := m.Body.(*pb.SubmitQueryRequest); ok {
			submit = proto.Clone(r).(*pb.SubmitQueryRequest)
			return errors.New("sent by REST instead")
		}
		return nil
	})
	_, err = n.Client(t, "buyer").Ask(ctx, n.Identity("buyer"), "by-rest", sql, Purpose, 0)
	require.Error(t, err)
	n.Meddle(nil)
	var submitted pb.SubmitQueryResponse
	buyer.ok(t, "POST", "/v1/queries", submit, &submitted)
	again, err := queries.SubmitQuery(ctx, submit)
	require.NoError(t, err)
	samePB(t, again, &submitted) // the same statement is the same query
	id := submitted.GetRef().GetHash()
	hash, err := carnet.ParseHash(id)
	require.NoError(t, err)
	_, err = n.Client(t, "buyer").Wait(ctx, hash, grace, nil)
	require.NoError(t, err)
	state, err := queries.GetQuery(ctx, &pb.GetQueryRequest{Id: id})
	require.NoError(t, err)
	var stateREST pb.GetQueryResponse
	buyer.ok(t, "GET", "/v1/queries/"+id, nil, &stateREST)
	samePB(t, state, &stateREST)
	code, watched := buyer.call(t, "GET", "/v1/queries/"+id+":watch", nil)
	require.Equal(t, http.StatusOK, code)
	require.Contains(t, string(watched), "QUERY_STATE_READY")

	stream, err := queries.FetchAnswer(ctx, &pb.FetchAnswerRequest{Id: id})
	require.NoError(t, err)
	code, lines := buyer.call(t, "GET", "/v1/queries/"+id+"/answer", nil)
	require.Equal(t, http.StatusOK, code)
	dec := json.NewDecoder(bytes.NewReader(lines))
	parts := 0
	for ; ; parts++ {
		want, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		var line struct{ Result json.RawMessage }
		require.NoError(t, dec.Decode(&line))
		var got pb.FetchAnswerResponse
		require.NoError(t, protojson.Unmarshal(line.Result, &got))
		samePB(t, want, &got)
	}
	require.False(t, dec.More())
	require.Equal(t, 1+2*3, parts)
	answer, err := n.Client(t, "buyer").Reopen(ctx, n.Identity("buyer"), hash, nil)
	require.NoError(t, err)
	_, compiled, err := n.Client(t, "buyer").Explain(ctx, "by-rest", sql)
	require.NoError(t, err)
	require.Equal(t, Rows(Twin(t, compiled, PlainOf(sets[:2]...))), Rows(answer.Result))
}

// Rule: the OpenAPI description is served to anybody and names the paths there are.
func TestOpenAPI(t *testing.T) {
	t.Parallel()
	n := Start(t, Options{})
	code, b := n.web(t, n.NoPartyTLS()).call(t, "GET", "/openapi.json", nil)
	require.Equal(t, http.StatusOK, code)
	var doc struct {
		Swagger, OpenAPI string
		Paths            map[string]any
	}
	require.NoError(t, json.Unmarshal(b, &doc))
	require.NotEmpty(t, doc.Swagger+doc.OpenAPI)
	for _, p := range []string{"/v1/products", "/v1/queries", "/v1/queries:explain", "/v1/queries/{id}/answer", "/v1/uploads/pieces"} {
		require.Contains(t, doc.Paths, p)
	}
}

// Rule: nobody is served without a certificate of the CA that names a registered
// party, every method has its roles, and what belongs to others looks absent. REST and
// gRPC agree about it.
func TestStrangersAndWrongRoles(t *testing.T) {
	t.Parallel()
	n := Start(t, Options{})
	sets := publishTrade(t, n, carnet.LayoutCube)
	a := n.Submit(t, "buyer", "cube", linearQuery)
	_, err := n.Open(t, a)
	require.NoError(t, err)
	file := sets[0].Manifest.Files[0].Nonce.String()

	foreign, err := ident.NewCA("another", time.Hour)
	require.NoError(t, err)
	cert, key, err := foreign.IssueParty("buyer", time.Hour)
	require.NoError(t, err)
	pair, err := tls.X509KeyPair(cert, key)
	require.NoError(t, err)
	conf := n.NoPartyTLS()
	conf.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil } // unasked
	_, err = n.web(t, conf).Get(n.Gateway.REST() + "/v1/products")
	require.Error(t, err, "a certificate of another CA")

	query := toProto(n.statement(t, a.Hash))
	for _, c := range []struct {
		what         string
		web          *web
		method, path string
		body         proto.Message
		want         []int
	}{
		{"no certificate", n.web(t, n.NoPartyTLS()), "GET", "/v1/products", nil, []int{401}},
		{"no certificate", n.web(t, n.NoPartyTLS()), "POST", "/v1/queries", &pb.SubmitQueryRequest{Statement: query}, []int{401}},
		{"unregistered", n.webOf(t, "stranger"), "GET", "/v1/products", nil, []int{403}},
		{"unregistered", n.webOf(t, "stranger"), "GET", "/v1/queries/" + a.Hash.String() + "/answer", nil, []int{403}},
		{"an owner submits a query", n.webOf(t, "kz"), "POST", "/v1/queries", &pb.SubmitQueryRequest{Statement: query}, []int{403}},
		{"another buyer submits the buyer's", n.webOf(t, "second"), "POST", "/v1/queries", &pb.SubmitQueryRequest{Statement: query}, []int{403}},
		{"a buyer registers a schema", n.webOf(t, "buyer"), "POST", "/v1/schemas", &pb.RegisterSchemaRequest{Statement: query}, []int{403}},
		{"a buyer reads ciphertext", n.webOf(t, "buyer"), "POST", "/v1/files/" + file + "/pieces", &pb.ReadPiecesRequest{}, []int{403}},
		{"a buyer fetches sealed seeds", n.webOf(t, "buyer"), "GET", "/v1/dealings/" + sets[0].Key.Key.String() + "/seeds", nil, []int{403}},
		{"a buyer follows the journal", n.webOf(t, "buyer"), "GET", "/v1/journal?stop_at_end=true", nil, []int{403}},
		{"another buyer's query", n.webOf(t, "second"), "GET", "/v1/queries/" + a.Hash.String(), nil, []int{404}},
		{"another buyer's answer", n.webOf(t, "second"), "GET", "/v1/queries/" + a.Hash.String() + "/answer", nil, []int{404}},
		{"another owner's upload", n.webOf(t, "uz"), "GET", "/v1/uploads/" + file, nil, []int{404}},
		{"another owner's ciphertext", n.webOf(t, "uz"), "POST", "/v1/files/" + file + "/pieces", &pb.ReadPiecesRequest{}, []int{404}},
		{"a forged identity header", n.webOf(t, "stranger"), "GET", "/v1/products?" + url.Values{"x": {"1"}}.Encode(), nil, []int{403}},
		{"no such path", n.webOf(t, "buyer"), "GET", "/v1/nothing", nil, []int{404}},
	} {
		code, b := c.web.call(t, c.method, c.path, c.body)
		require.Contains(t, c.want, code, "%s: %s", c.what, b)
		var e struct{ Message string }
		require.NoError(t, json.Unmarshal(bytes.SplitN(b, []byte("\n"), 2)[0], &e), "%s: %s", c.what, b)
	}
	// The header that the REST side uses to say for whom it calls is nobody else's.
	req, err := http.NewRequestWithContext(Context(t), "GET", n.Gateway.REST()+"/v1/queries/"+a.Hash.String(), nil)
	require.NoError(t, err)
	for _, h := range []string{"Grpc-Metadata-Carnet-Forwarded-Party", "Carnet-Forwarded-Party"} {
		req.Header.Set(h, "buyer")
	}
	resp, err := n.webOf(t, "second").Do(req)
	require.NoError(t, err)
	resp.Body.Close()
	require.True(t, slices.Contains([]int{403, 404}, resp.StatusCode), resp.Status)
}
