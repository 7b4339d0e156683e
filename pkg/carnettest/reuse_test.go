package carnettest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	pb "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/client"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// seal signs a statement as a party of the network.
func (n *Network) seal(t *testing.T, typ carnet.StatementType, body any, by carnet.PartyID) *evidence.Envelope {
	t.Helper()
	env, err := evidence.Seal(typ, body, n.Identity(by))
	require.NoError(t, err)
	return env
}

// dishonestQuery is a query of a buyer that colludes with the gateway: properly
// signed, over whatever inputs and plan it claims.
func (n *Network) dishonestQuery(t *testing.T, like *client.Asked, change func(*carnet.Query)) *evidence.Envelope {
	t.Helper()
	q := like.Query
	q.ID = carnet.Digest("dishonest", []byte(t.Name()), []byte(time.Now().String()))
	q.Expires = time.Now().UTC().Add(time.Hour).Truncate(time.Second)
	change(&q)
	return n.seal(t, carnet.TypeQuery, q, q.Buyer)
}

// Rule (scheme §1, hard rule 5): a nonce is used once. Two contents under one nonce
// would reveal their difference, one content counted twice its double. The gateway
// refuses a known nonce for another dataset, owner or shape; keyholders refuse a
// journal in which it happened all the same.
func TestReusedNonce(t *testing.T) {
	t.Parallel()
	n := Start(t, Options{})
	sets := publishTrade(t, n, carnet.LayoutCube)
	a := n.Submit(t, "buyer", "cube", linearQuery)
	_, err := n.Open(t, a)
	require.NoError(t, err)
	file := sets[0].Manifest.Files[0]
	begin := func(by carnet.PartyID, dataset string, columns int) error {
		_, err := pb.NewDatasetServiceClient(n.Conn(t, by)).BeginUpload(Context(t), &pb.BeginUploadRequest{Dataset: dataset, Profile: sets[0].Manifest.Profile,
			Files: []*pb.UploadFile{{Nonce: file.Nonce.String(), Columns: int32(columns), Blocks: int32(file.Blocks)}}})
		return err
	}
	for what, err := range map[string]error{
		"another dataset of the owner": begin("kz", "kz/other", file.Columns),
		"another owner":                begin("uz", "uz/other", file.Columns),
		"another shape":                begin("kz", "kz/cube", file.Columns-1),
	} {
		require.ErrorContains(t, err, "was used before", what)
	}
	// The owner's own tool refuses to go on with another input.
	p := n.Prepare(t, Publication{Owner: "kz", Name: "cube", Schema: ParseSchema(t, tradeYAML), Layout: carnet.LayoutCube, CSV: trade(7), Key: sets[0].Key})
	_, err = n.Client(t, "kz").Publish(Context(t), n.Identity("kz"), p)
	require.Equal(t, "NONCE_REUSED", carnet.ReasonOf(err), "%v", err)

	// An owner that signs a second manifest over a file it has published, and a gateway
	// that journals it.
	second := sets[0].Manifest
	second.ID = "kz/other"
	manifest := n.seal(t, carnet.TypeDataset, second, "kz")
	product := n.seal(t, carnet.TypeProduct, carnet.Product{ID: "twice", Publisher: "kz", Title: "twice", Schema: sets[0].Schema,
		Datasets: []carnet.DatasetID{"kz/cube", "kz/other"}, Created: second.Created}, "kz")
	query := n.dishonestQuery(t, a, func(q *carnet.Query) {
		q.Product, q.Inputs = "twice", []carnet.Hash{sets[0].Hash, manifest.Hash()}
		q.SQL = "SELECT SUM(value) FROM twice"
	})
	n.Gateway.Inject(t, nil, manifest, product, query)
	n.refusedBy(t, query.Hash(), "NONCE_REUSED")
	// The same files under other terms: a new manifest of the same dataset.
	lenient := sets[0].Manifest
	lenient.Terms.MinOwners = 0
	lenient.Title = "under other terms"
	again := n.seal(t, carnet.TypeDataset, lenient, "kz")
	query = n.dishonestQuery(t, a, func(q *carnet.Query) { q.Inputs[0] = again.Hash() })
	n.Gateway.Inject(t, nil, again, query)
	n.refusedBy(t, query.Hash(), "INPUTS_DIFFER")
}

// Rule (scheme §6.5): no file counts twice. A dataset listed twice, in a product or in
// a query's inputs, is refused by gateway, keyholders and buyer.
func TestDatasetListedTwice(t *testing.T) {
	t.Parallel()
	n := Start(t, Options{})
	sets := publishTrade(t, n, carnet.LayoutCube)
	a := n.Submit(t, "buyer", "cube", linearQuery)
	_, err := n.Open(t, a)
	require.NoError(t, err)
	charged := n.Keyholders[0].Charged(t, sets[0].Key.Key)

	body := carnet.Product{ID: "double", Title: "double", Schema: sets[0].Schema, Datasets: []carnet.DatasetID{"kz/cube", "kz/cube"}}
	_, err = n.Client(t, "kz").RegisterProduct(Context(t), n.Identity("kz"), body)
	require.Equal(t, "BAD_PRODUCT", carnet.ReasonOf(err), "%v", err)
	// Both files of one dataset are the same file.
	twin := sets[0].Manifest
	twin.ID, twin.Files = "kz/twin", append(twin.Files[:1:1], twin.Files[0])
	_, err = pb.NewDatasetServiceClient(n.Conn(t, "kz")).CommitDataset(Context(t), &pb.CommitDatasetRequest{Manifest: toProto(n.seal(t, carnet.TypeDataset, twin, "kz"))})
	require.Error(t, err)

	// In the journal all the same: the product has no effect, so a query of it is none.
	body.Publisher, body.Created = "kz", time.Now().UTC()
	product := n.seal(t, carnet.TypeProduct, body, "kz")
	ofProduct := n.dishonestQuery(t, a, func(q *carnet.Query) { q.Product, q.SQL = "double", "SELECT SUM(value) FROM double" })
	ofInputs := n.dishonestQuery(t, a, func(q *carnet.Query) { q.Inputs = append(q.Inputs[:1:1], q.Inputs...) })
	n.Gateway.Inject(t, nil, product, ofProduct, ofInputs)
	n.refusedBy(t, ofInputs.Hash(), "INPUTS_DIFFER")
	for _, k := range n.Keyholders {
		if o := k.Outcome(t, ofProduct.Hash()); o != nil {
			require.Equal(t, "refusal", o.Kind)
		}
	}
	require.Equal(t, charged, n.Keyholders[0].Charged(t, sets[0].Key.Key))

	// The buyer's tool refuses what such a gateway shows it.
	body.ID = "cube"
	shown := n.seal(t, carnet.TypeProduct, body, "kz")
	n.Meddle(func(m *Message) error {
		if r, ok := m.Body.(*pb.GetProductResponse); ok && m.FromGateway {
			r.Product = toProto(shown)
			r.Datasets = append(r.Datasets[:1:1], r.Datasets[0])
		}
		return nil
	})
	_, err = n.Client(t, "buyer").LoadProduct(Context(t), "cube")
	require.Equal(t, "NONCE_REUSED", carnet.ReasonOf(err), "%v", err)
}
