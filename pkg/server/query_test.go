package server_test

import (
	"context"
	"errors"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	carnetv1 "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/apiconv"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/flow/flowtest"
)

func TestAnswerFetchAndWatch(t *testing.T) {
	n := flowtest.New(t)
	e := serve(t, n)
	background, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() { _ = n.G.Run(background); close(done) }()
	defer func() { cancel(); <-done }()
	table := n.Publish("kz", "trade", carnet.LayoutCube, [][2]int64{{0, 5}, {1, 6}})
	n.Product("trade", "kz", "kz/trade")
	queries := carnetv1.NewQueryServiceClient(e.dial("bank"))

	ex, err := queries.ExplainQuery(ctx, &carnetv1.ExplainQueryRequest{Product: "trade", Sql: "SELECT SUM(value) FROM trade", Purpose: "statistics"})
	require.NoError(t, err)
	require.Empty(t, ex.Refusals)
	require.NotEmpty(t, ex.Plan.Steps)
	require.Positive(t, ex.Plan.Certificate.FloodBits)
	require.Equal(t, []string{"kz/trade"}, ex.Plan.Datasets)

	q := n.Ask("SELECT SUM(value) FROM trade", "trade", table)
	require.Equal(t, ex.Plan.Hash, q.Plan.Hash().String())
	sub, err := queries.SubmitQuery(ctx, &carnetv1.SubmitQueryRequest{Statement: apiconv.ToEnvelope(n.Seal(carnet.TypeQuery, q.Body, "bank"))})
	require.NoError(t, err)
	id, err := carnet.ParseHash(sub.Ref.Hash)
	require.NoError(t, err)
	watch, err := queries.WatchQuery(ctx, &carnetv1.WatchQueryRequest{Id: sub.Ref.Hash})
	require.NoError(t, err)

	sealed := map[int][]byte{}
	for number, k := range map[int]carnet.PartyID{1: "k1", 2: "k2", 3: "k3"} {
		env, b := n.Answer(id, q, number, table)
		sealed[number] = b
		stream, err := carnetv1.NewReleaseServiceClient(e.dial(k)).SubmitAnswer(ctx)
		require.NoError(t, err)
		require.NoError(t, stream.Send(&carnetv1.SubmitAnswerRequest{Part: &carnetv1.SubmitAnswerRequest_Statement{Statement: apiconv.ToEnvelope(env)}}))
		require.NoError(t, stream.Send(&carnetv1.SubmitAnswerRequest{Part: &carnetv1.SubmitAnswerRequest_Sealed{Sealed: b[:7]}}))
		require.NoError(t, stream.Send(&carnetv1.SubmitAnswerRequest{Part: &carnetv1.SubmitAnswerRequest_Sealed{Sealed: b[7:]}}))
		_, err = stream.CloseAndRecv()
		require.NoError(t, err)
	}
	var last *carnetv1.QueryStatus
	for {
		m, err := watch.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		last = m.Status
	}
	require.Equal(t, carnetv1.QueryState_QUERY_STATE_READY, last.State)
	require.EqualValues(t, 3, last.Answers)

	fetch, err := queries.FetchAnswer(ctx, &carnetv1.FetchAnswerRequest{Id: sub.Ref.Hash})
	require.NoError(t, err)
	var public []byte
	got := map[int][]byte{}
	number := 0
	for {
		m, err := fetch.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		switch p := m.Part.(type) {
		case *carnetv1.FetchAnswerResponse_PublicValues:
			public = append(public, p.PublicValues...)
		case *carnetv1.FetchAnswerResponse_Answer:
			env, err := apiconv.FromEnvelope("statement", p.Answer.Statement)
			require.NoError(t, err)
			var a carnet.Answer
			require.NoError(t, env.Decode(carnet.TypeAnswer, &a))
			number = a.Number
		case *carnetv1.FetchAnswerResponse_Sealed:
			got[number] = append(got[number], p.Sealed.Data...)
		}
	}
	require.Equal(t, sealed, got)
	r, err := q.Plan.Evaluate(n.OpenAnswer(id, q, public, got))
	require.NoError(t, err)
	require.Equal(t, "11", r.Rows[0][0].String())

	code, body := e.http("bank", "GET", "/v1/queries/"+sub.Ref.Hash, nil)
	require.Equal(t, 200, code)
	require.Contains(t, string(body), "QUERY_STATE_READY")
	code, body = e.http("bank", "GET", "/v1/queries/"+sub.Ref.Hash+"/answer", nil)
	require.Equal(t, 200, code)
	require.Contains(t, string(body), "publicValues")
	code, body = e.http("bank", "POST", "/v1/queries:explain", &carnetv1.ExplainQueryRequest{Product: "trade", Sql: "SELECT MEDIAN(value) FROM trade"})
	require.Equal(t, 200, code)
	require.Contains(t, string(body), `"line":1`)
}
