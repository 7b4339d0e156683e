package client

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	pb "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

type fakeCatalogue struct {
	pb.UnimplementedCatalogueServiceServer
	pb.UnimplementedRegistryServiceServer
	product *pb.GetProductResponse
}

func (f *fakeCatalogue) GetProduct(context.Context, *pb.GetProductRequest) (*pb.GetProductResponse, error) {
	return f.product, nil
}

func (f *fakeCatalogue) ListParties(context.Context, *pb.ListPartiesRequest) (*pb.ListPartiesResponse, error) {
	return &pb.ListPartiesResponse{Statements: f.product.Parties}, nil
}

func load(t *testing.T, w *world, resp *pb.GetProductResponse) (*Product, error) {
	t.Helper()
	f := &fakeCatalogue{product: resp}
	c := serve(t, w.registrar, func(s *grpc.Server) {
		pb.RegisterCatalogueServiceServer(s, f)
		pb.RegisterRegistryServiceServer(s, f)
	})
	return c.LoadProduct(context.Background(), "trade")
}

func TestLoadProduct(t *testing.T) {
	w := newWorld(t)
	p, err := load(t, w, w.build(nil))
	require.NoError(t, err)
	require.Len(t, p.Datasets, 2)
	require.Equal(t, 3, p.Product.Committee.N)
	require.Equal(t, p.Encoding.Profile, p.Profile.Name())

	snapshot, err := (&Asked{Product: p, With: []*Product{p}}).Snapshot()
	require.NoError(t, err)
	c := serve(t, w.registrar, func(*grpc.Server) {})
	both := []carnet.ProductID{"trade", "trade"}
	again, err := c.loadSnapshot(context.Background(), both, snapshot)
	require.NoError(t, err)
	for i := range both {
		require.Equal(t, p.Datasets, again[i].Datasets)
	}
	_, err = c.loadSnapshot(context.Background(), append(both, "trade"), snapshot)
	require.Equal(t, "BAD_SNAPSHOT", carnet.ReasonOf(err))
	_, err = c.loadSnapshot(context.Background(), []carnet.ProductID{"other"}, snapshot)
	require.ErrorContains(t, err, "asked for product other")
	for _, at := range []int{len(snapshot) / 4, len(snapshot) * 3 / 4} {
		snapshot[at] ^= 1
		_, err = c.loadSnapshot(context.Background(), both, snapshot)
		require.Error(t, err)
		snapshot[at] ^= 1
	}
}

func TestLoadProductRevoked(t *testing.T) {
	w := newWorld(t)
	revoke := func(by, owner carnet.PartyID) func(*world) {
		return func(w *world) {
			w.revoked["uz/trade"] = w.seal(carnet.TypeRevocation, carnet.Revocation{Dataset: "uz/trade", Owner: owner, Created: testTime}, by)
		}
	}
	p, err := load(t, w, w.build(revoke("uz", "uz")))
	require.NoError(t, err)
	require.Len(t, p.Datasets, 1)
	require.Equal(t, []carnet.DatasetID{"uz/trade"}, p.Revoked)

	for _, change := range []func(*world){revoke("kz", "uz"), revoke("kz", "kz"), func(w *world) { w.revoked["uz/trade"] = nil }} {
		w := newWorld(t)
		_, err := load(t, w, w.build(change))
		require.Error(t, err)
	}
}

// Rule: a gateway can't hide a dataset by calling its key retired.
func TestLoadProductRetired(t *testing.T) {
	retire := func(by, owner carnet.PartyID, key *carnet.KeyID) func(*world) {
		return func(w *world) {
			w.retired["uz/trade"] = func(k carnet.KeyID) *evidence.Envelope {
				if key != nil {
					k = *key
				}
				return w.seal(carnet.TypeRetirement, carnet.Retirement{Key: k, Owner: owner, Created: testTime}, by)
			}
		}
	}
	w := newWorld(t)
	p, err := load(t, w, w.build(retire("uz", "uz", nil)))
	require.NoError(t, err)
	require.Len(t, p.Datasets, 1)
	require.Equal(t, []carnet.DatasetID{"uz/trade"}, p.Retired)
	for reason, change := range map[string]func(*world){
		"BAD_SIGNATURE": retire("kz", "uz", nil),
		"GATEWAY_WRONG": retire("kz", "kz", nil),
	} {
		w := newWorld(t)
		_, err := load(t, w, w.build(change))
		require.Equal(t, reason, carnet.ReasonOf(err), "%v", err)
	}
	w = newWorld(t)
	_, err = load(t, w, w.build(retire("uz", "uz", &carnet.KeyID{9})))
	require.Equal(t, "GATEWAY_WRONG", carnet.ReasonOf(err), "of another key of that owner")
}

// TestLoadProductTampered changes one thing at a time that a gateway, an owner or a
// stranger could; every one is noticed.
func TestLoadProductTampered(t *testing.T) {
	for name, c := range map[string]struct {
		reason string
		change func(*world)
	}{
		"party without registrar":     {"BAD_SIGNATURE", func(w *world) { w.partySigner = "kz" }},
		"committee without registrar": {"BAD_SIGNATURE", func(w *world) { w.committeeSigner = "kz" }},
		"committee of another size":   {"BAD_DEALING", func(w *world) { w.committee.Threshold = 1 }},
		"committee member twice":      {"BAD_COMMITTEE", func(w *world) { w.committee.Members[2] = "kh1" }},
		"member is no keyholder":      {"GATEWAY_WRONG", func(w *world) { w.parties[2].Roles = []carnet.Role{carnet.RoleBuyer} }},
		"unknown member":              {"GATEWAY_WRONG", func(w *world) { w.parties = w.parties[:4] }},
		"party twice":                 {"GATEWAY_WRONG", func(w *world) { w.parties = append(w.parties, w.parties[0]) }},
		"schema signed by keyholder":  {"BAD_SIGNATURE", func(w *world) { w.schemaSigner = "kh1" }},
		"another schema":              {"GATEWAY_WRONG", func(w *world) { w.schema.Title = "x" }},
		"product signed by another":   {"BAD_SIGNATURE", func(w *world) { w.productSigner = "uz" }},
		"product of a keyholder":      {"WRONG_ROLE", func(w *world) { w.product.Publisher = "kh1" }},
		"another product":             {"GATEWAY_WRONG", func(w *world) { w.product.ID = "other" }},
		"fewer datasets":              {"GATEWAY_WRONG", func(w *world) { w.datasets = w.datasets[:1] }},
		"datasets swapped":            {"GATEWAY_WRONG", func(w *world) { w.datasets[0], w.datasets[1] = w.datasets[1], w.datasets[0] }},
		"dealing signed by another":   {"BAD_SIGNATURE", func(w *world) { w.dealingSigner = "kh1" }},
		"dealing missing":             {"GATEWAY_WRONG", func(w *world) { delete(w.dealings, "uz") }},
		"dealing of another committee": {"BAD_DEALING", func(w *world) {
			d := w.dealings["uz"]
			d.Committee = carnet.Hash{1}
			w.dealings["uz"] = d
		}},
		"dealing with other parameters": {"BAD_DEALING", func(w *world) {
			d := w.dealings["uz"]
			d.Params = carnet.Hash{1}
			w.dealings["uz"] = d
		}},
		"dealing with fewer parts": {"BAD_DEALING", func(w *world) {
			d := w.dealings["uz"]
			d.Commitments = d.Commitments[:2]
			w.dealings["uz"] = d
		}},
		"home of a stranger": {"BAD_DEALING", func(w *world) {
			d := w.dealings["uz"]
			d.Home = &carnet.HomePart{Member: 4}
			w.dealings["uz"] = d
		}},
		"manifest signed by another":   {"BAD_SIGNATURE", func(w *world) { w.datasetSigner = "kh1" }},
		"manifest with another layout": {"BAD_DATASET", func(w *world) { w.datasets[1].Layout = carnet.LayoutCube }},
		"manifest of another country":  {"BAD_DATASET", func(w *world) { w.datasets[1].Jurisdiction = "CN" }},
		"more rows than blocks":        {"BAD_DATASET", func(w *world) { w.datasets[1].Files[0].Rows = 1 << 16 }},
		"more rows than the schema":    {"BAD_DATASET", func(w *world) { w.datasets[1].Files[0].Rows = 1 << 40 }},
		"fewer columns":                {"BAD_DATASET", func(w *world) { w.datasets[1].Files[0].Columns-- }},
		"key of another owner": {"BAD_DATASET", func(w *world) {
			w.datasets[1].Key = carnet.KeyID(w.seal(carnet.TypeDealing, w.dealings["kz"], "kz").Hash())
		}},
		"no files":                 {"BAD_DATASET", func(w *world) { w.datasets[1].Files = nil }},
		"one file in two datasets": {"NONCE_REUSED", func(w *world) { w.datasets[1].Files[0].Nonce = w.datasets[0].Files[0].Nonce }},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			_, err := load(t, w, w.build(c.change))
			require.Error(t, err)
			require.Equal(t, c.reason, carnet.ReasonOf(err), "%v", err)
		})
	}
}

func TestProductsOf(t *testing.T) {
	join := func(p, q string) string {
		return "SELECT d FROM (SELECT d FROM " + p + " GROUP BY d) p JOIN (SELECT d FROM " + q + " GROUP BY d) q USING (d)"
	}
	for sql, want := range map[string][]carnet.ProductID{
		"SELECT COUNT(*) FROM trade":           {"acme/trade"},
		"SELECT nothing":                       {"acme/trade"},
		join("trade", "trade"):                 {"acme/trade"},
		join("acme/trade", "trade"):            {"acme/trade"},
		join("trade", "bolt/trade"):            {"acme/trade", "bolt/trade"},
		join("trade", `"bolt/mirror"`):         {"acme/trade", "bolt/mirror"},
		join("bolt/mirror", "trade"):           {"acme/trade"}, // which the planner refuses
		"SELECT d FROM trade JOIN b USING (d)": {"acme/trade", "b"},
	} {
		require.Equal(t, want, productsOf("acme/trade", sql), sql)
	}
}
