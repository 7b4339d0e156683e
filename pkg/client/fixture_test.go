package client

import (
	"context"
	"crypto/rand"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	pb "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/apiconv"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/ident"
	"github.com/carnet-network/carnet/pkg/schema"
)

const testSchema = `
name: trade
version: 1
dimensions:
  - name: month
    codes: [{value: "01"}, {value: "02"}, {value: "03"}]
measures:
  - name: value
    min: "0"
    max: "1000000"
limits: {rows: 100000, datasets: 4}
layouts: [records, cube]
`

// world is a network's statements before anyone serves them. Tests change a part and
// expect the client to notice.
type world struct {
	t         *testing.T
	ids       map[carnet.PartyID]*ident.Identity
	registrar *ident.Identity
	parties   []carnet.Party
	committee carnet.Committee
	schema    *schema.Schema
	dealings  map[carnet.PartyID]carnet.Dealing
	datasets  []carnet.Dataset
	product   carnet.Product
	revoked   map[carnet.DatasetID]*evidence.Envelope
	retired   map[carnet.DatasetID]func(key carnet.KeyID) *evidence.Envelope

	// signers of statements, if not the right ones
	schemaSigner, productSigner, datasetSigner, dealingSigner, committeeSigner, partySigner carnet.PartyID
}

var testTime = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

func newWorld(t *testing.T) *world {
	w := &world{t: t, ids: map[carnet.PartyID]*ident.Identity{}, dealings: map[carnet.PartyID]carnet.Dealing{}, revoked: map[carnet.DatasetID]*evidence.Envelope{},
		retired: map[carnet.DatasetID]func(carnet.KeyID) *evidence.Envelope{}}
	w.registrar = w.identity("registrar")
	party := func(id carnet.PartyID, j carnet.Jurisdiction, r carnet.Role) {
		w.parties = append(w.parties, carnet.Party{ID: id, Name: string(id), Jurisdiction: j, Roles: []carnet.Role{r}, SigningKey: w.identity(id).Public(), Created: testTime})
	}
	party("kz", "KZ", carnet.RoleOwner)
	party("uz", "UZ", carnet.RoleOwner)
	w.committee = carnet.Committee{ID: "corridor", Threshold: 2, Quorum: 3, Attestations: 1, Created: testTime}
	for _, k := range []carnet.PartyID{"kh1", "kh2", "kh3"} {
		party(k, "CH", carnet.RoleKeyholder)
		w.committee.Members = append(w.committee.Members, k)
	}
	s, err := schema.Parse("schema.yaml", []byte(testSchema))
	require.NoError(t, err)
	w.schema = s
	return w
}

// build fills in what follows from the rest and signs everything.
func (w *world) build(change func(*world)) *pb.GetProductResponse {
	enc, err := w.schema.Encode(carnet.LayoutRecords)
	require.NoError(w.t, err)
	profile, err := he.Lookup(enc.Profile)
	require.NoError(w.t, err)
	committee := w.seal(carnet.TypeCommittee, w.committee, "registrar")
	sch := w.seal(carnet.TypeSchema, w.schema, "kz")
	for _, o := range []carnet.PartyID{"kz", "uz"} {
		d := carnet.Dealing{
			Owner: o, Committee: committee.Hash(), Profile: enc.Profile, Params: profile.ID(),
			Commitments: make([]carnet.Hash, 3), Corrections: make([]carnet.Hash, profile.MaxDegree()), Created: testTime,
		}
		w.dealings[o] = d
		w.datasets = append(w.datasets, carnet.Dataset{
			ID: carnet.DatasetID(o + "/trade"), Owner: o, Jurisdiction: map[carnet.PartyID]carnet.Jurisdiction{"kz": "KZ", "uz": "UZ"}[o],
			Schema: sch.Hash(), Layout: carnet.LayoutRecords, Profile: enc.Profile, Created: testTime,
			Files: []carnet.File{{Nonce: carnet.Nonce{byte(len(o)), o[0]}, Rows: 20000, Columns: len(enc.Columns), Blocks: 2, Root: carnet.Hash{1}}},
			Terms: carnet.Terms{Buyers: []carnet.PartyID{"*"}, Purposes: []string{"*"}, Expires: testTime.AddDate(1, 0, 0)},
		})
	}
	w.product = carnet.Product{ID: "trade", Publisher: "kz", Title: "Trade", Schema: sch.Hash(), Datasets: []carnet.DatasetID{"kz/trade", "uz/trade"}, Created: testTime}
	if change != nil {
		change(w)
	}
	resp := &pb.GetProductResponse{
		Committee: pbEnv(w.seal(carnet.TypeCommittee, w.committee, or(w.committeeSigner, "registrar"))),
		Schema:    pbEnv(w.seal(carnet.TypeSchema, w.schema, or(w.schemaSigner, "kz"))),
		Product:   pbEnv(w.seal(carnet.TypeProduct, w.product, or(w.productSigner, w.product.Publisher))),
	}
	for _, p := range w.parties {
		e := w.seal(carnet.TypeParty, p, p.ID)
		require.NoError(w.t, e.Countersign(w.ids[or(w.partySigner, "registrar")]))
		resp.Parties = append(resp.Parties, pbEnv(e))
	}
	keys := map[carnet.PartyID]carnet.KeyID{}
	for o, d := range w.dealings {
		e := w.seal(carnet.TypeDealing, d, or(w.dealingSigner, o))
		keys[o] = carnet.KeyID(e.Hash())
		resp.Dealings = append(resp.Dealings, pbEnv(e))
	}
	for _, d := range w.datasets {
		if d.Key.IsZero() {
			d.Key = keys[d.Owner]
		}
		entry := &pb.DatasetEntry{Manifest: pbEnv(w.seal(carnet.TypeDataset, d, or(w.datasetSigner, d.Owner)))}
		if env, ok := w.revoked[d.ID]; ok {
			entry.Revoked, entry.Revocation = true, apiconv.ToEnvelope(env)
		}
		if make, ok := w.retired[d.ID]; ok {
			entry.Revoked, entry.Retirement = true, apiconv.ToEnvelope(make(d.Key))
		}
		resp.Datasets = append(resp.Datasets, entry)
	}
	return resp
}

func or(a, b carnet.PartyID) carnet.PartyID {
	if a != "" {
		return a
	}
	return b
}

func (w *world) identity(id carnet.PartyID) *ident.Identity {
	i, err := ident.New(id, rand.Reader)
	require.NoError(w.t, err)
	w.ids[id] = i
	return i
}

func (w *world) seal(t carnet.StatementType, body any, by carnet.PartyID) *evidence.Envelope {
	e, err := evidence.Seal(t, body, w.ids[by])
	require.NoError(w.t, err)
	return e
}

func pbEnv(e *evidence.Envelope) *pb.Envelope { return apiconv.ToEnvelope(e) }

// serve starts an in-memory gateway and a client of it.
func serve(t *testing.T, registrar *ident.Identity, register func(*grpc.Server)) *Client {
	t.Helper()
	l := bufconn.Listen(1 << 20)
	s := grpc.NewServer(grpc.MaxRecvMsgSize(maxMessage))
	register(s)
	go func() { _ = s.Serve(l) }()
	t.Cleanup(s.Stop)
	conn, err := grpc.NewClient("passthrough:///gateway", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return l.DialContext(ctx) }))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	c := newClient(conn, registrar.Public())
	c.now = func() time.Time { return testTime }
	return c
}
