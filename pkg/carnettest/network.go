package carnettest

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/client"
	"github.com/carnet-network/carnet/pkg/columnstore"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/flow"
	"github.com/carnet-network/carnet/pkg/ident"
	"github.com/carnet-network/carnet/pkg/keyholder"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/policy"
)

// Owner is a data owner in a jurisdiction.
type Owner struct {
	ID           carnet.PartyID
	Jurisdiction carnet.Jurisdiction
}

// Options describe a network. The zero value is three keyholders of whom two
// release, three owners, two buyers.
type Options struct {
	Keyholders    int // default 3
	Threshold     int // default 2
	Attestations  int // default 1
	PrivateChecks int // what the committee accepts; default 3t-2
	Attest        keyholder.Attest
	MaxReleases   int64
	Owners        []Owner          // default kz in KZ, uz in UZ, kg in KG
	Buyers        []carnet.PartyID // default buyer and second

	Policy  flow.Policy                     // the gateway's; default the owners' terms, and what queries tell together
	Rules   *policy.Holder                  // a bundle that the gateway decides by, if not nil
	Around  func(flow.Policy) flow.Policy   // wraps the gateway's policy
	Judges  map[int]*policy.Holder          // bundles that keyholders decide by, by their number
	Places  map[int]carnet.Jurisdiction     // of keyholders, by their number; default CH
	Demand  *carnet.PolicyDemand            // of the committee
	Release keyholder.Policy                // the keyholders'; default the owners' terms
	Inboxes map[int]keyholder.ApprovalRules // which queries wait for people of keyholders, by their number
	Blobs   func(flow.Blobs) flow.Blobs     // wraps the gateway's storage
	Storage columnstore.Options             // of ciphertext
	Store   string                          // address of the gateway's database; default a file of SQLite

	Keystore func(carnet.PartyID) keys.Store  // of a keyholder; nil, or what it returns: in memory
	Sharer   func(carnet.PartyID) keys.Sharer // of a keyholder; nil, or what it returns: from its keystore
}

// Auditor is the party that may read everything and open nothing; Registrar vouches
// for parties; Operator is the gateway's.
const (
	Auditor   carnet.PartyID = "auditor"
	Registrar carnet.PartyID = "registrar"
	Operator  carnet.PartyID = "gateway"
)

// CommitteeID names the one committee.
const CommitteeID carnet.CommitteeID = "corridor"

// Network is a running network.
type Network struct {
	Options
	Gateway    *Gateway
	Keyholders []*Keyholder
	Committee  *client.Committee
	Dir        string // everything the network writes

	certs      *certificates
	meddling   meddling
	identities map[carnet.PartyID]*ident.Identity
	log        *lockedBuffer

	mu      sync.Mutex
	clients map[carnet.PartyID]*client.Client
}

func (n *Network) place(number int) carnet.Jurisdiction {
	if j, ok := n.Places[number]; ok {
		return j
	}
	return "CH"
}

// Context is cancelled a little before the test's own deadline would be.
func Context(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// Start starts a network and registers everybody.
func Start(t testing.TB, o Options) *Network {
	t.Helper()
	n := &Network{Options: o.withDefaults(), Dir: t.TempDir(), identities: map[carnet.PartyID]*ident.Identity{},
		log: &lockedBuffer{}, clients: map[carnet.PartyID]*client.Client{}}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log("last lines of the network's log:\n" + n.log.tail(6000))
		}
	})
	n.certs = newCertificates(t)
	for _, id := range append([]carnet.PartyID{Registrar, Operator, Auditor}, n.Buyers...) {
		n.identity(t, id)
	}
	for _, ow := range n.Owners {
		n.identity(t, ow.ID)
	}
	n.Gateway = newGateway(t, n)
	n.Gateway.Start(t)
	t.Cleanup(n.closeClients)
	for i := range n.Options.Keyholders {
		n.Keyholders = append(n.Keyholders, newKeyholder(t, n, i+1))
	}
	n.register(t)
	for _, k := range n.Keyholders {
		k.Start(t)
	}
	return n
}

func (o Options) withDefaults() Options {
	if o.Keyholders == 0 {
		o.Keyholders, o.Threshold = 3, 2
	}
	if o.Attestations == 0 {
		o.Attestations = 1
	}
	if o.Attest == "" {
		o.Attest = keyholder.AttestAlways
	}
	if len(o.Owners) == 0 {
		o.Owners = []Owner{{"kz", "KZ"}, {"uz", "UZ"}, {"kg", "KG"}}
	}
	if len(o.Buyers) == 0 {
		o.Buyers = []carnet.PartyID{"buyer", "second"}
	}
	return o
}

// Identity returns a party's identity. Keyholders have theirs in their keystore.
func (n *Network) Identity(id carnet.PartyID) *ident.Identity { return n.identities[id] }

func (n *Network) identity(t testing.TB, id carnet.PartyID) *ident.Identity {
	i, err := ident.New(id, rand.Reader)
	require.NoError(t, err)
	n.identities[id] = i
	return i
}

// Client returns the party's connection to the gateway, the same every time.
func (n *Network) Client(t testing.TB, id carnet.PartyID) *client.Client {
	n.mu.Lock()
	defer n.mu.Unlock()
	if c := n.clients[id]; c != nil {
		return c
	}
	c, err := client.Dial(n.Gateway.Address(), n.certs.client(t, id), n.identities[Registrar].Public(), n.dialOptions(id)...)
	require.NoError(t, err)
	n.clients[id] = c
	return c
}

// Conn returns a raw connection of the party to the gateway.
func (n *Network) Conn(t testing.TB, id carnet.PartyID) *grpc.ClientConn {
	c := n.dial(t, id)
	t.Cleanup(func() { c.Close() })
	return c
}

func (n *Network) closeClients() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range n.clients {
		c.Close()
	}
	clear(n.clients)
}

// Logger returns a quiet logger: its lines are shown if the test fails.
func (n *Network) Logger(who string) *slog.Logger {
	return slog.New(slog.NewTextHandler(n.log, &slog.HandlerOptions{Level: slog.LevelInfo})).With("who", who)
}

// Log returns what was logged so far.
func (n *Network) Log() string { return n.log.tail(1 << 30) }

// register makes everybody known, and the committee.
func (n *Network) register(t testing.TB) {
	ctx := Context(t)
	n.registerParties(t)
	body := carnet.Committee{ID: CommitteeID, Threshold: n.Threshold, Quorum: (n.Options.Keyholders + n.Threshold + 1) / 2, Attestations: n.Attestations, PrivateChecks: n.PrivateChecks, Policy: n.Demand}
	for _, k := range n.Keyholders {
		n.Register(t, carnet.Party{ID: k.Party, Name: string(k.Party), Jurisdiction: n.place(k.Number), Roles: []carnet.Role{carnet.RoleKeyholder},
			SigningKey: k.Keys.Signer().Public(), SealingKey: k.Keys.SealingKey(), Created: now()}, k.Keys.Signer())
		body.Members = append(body.Members, k.Party)
	}
	c := n.Client(t, Operator)
	_, err := c.RegisterCommittee(ctx, n.identities[Registrar], body)
	require.NoError(t, err)
	n.Committee, err = c.Committee(ctx, string(CommitteeID))
	require.NoError(t, err)
}

// registerParties registers everybody but keyholders.
func (n *Network) registerParties(t testing.TB) {
	party := func(id carnet.PartyID, j carnet.Jurisdiction, r carnet.Role) {
		signer := n.identities[id]
		n.Register(t, carnet.Party{ID: id, Name: fmt.Sprintf("%s of %s", r, j), Jurisdiction: j, Roles: []carnet.Role{r}, SigningKey: signer.Public(), Created: now()}, signer)
	}
	party(Operator, "CH", carnet.RoleOperator)
	party(Auditor, "CH", carnet.RoleAuditor)
	for _, b := range n.Buyers {
		party(b, "CH", carnet.RoleBuyer)
	}
	for _, o := range n.Owners {
		party(o.ID, o.Jurisdiction, carnet.RoleOwner)
	}
}

func now() time.Time { return time.Now().UTC().Truncate(time.Second) }

// Register has the registrar vouch for a party and registers it.
func (n *Network) Register(t testing.TB, body carnet.Party, signer evidence.Signer) {
	t.Helper()
	env, err := evidence.Seal(carnet.TypeParty, body, signer, n.identities[Registrar])
	require.NoError(t, err)
	_, err = n.Client(t, Operator).RegisterParty(Context(t), env)
	require.NoError(t, err)
}

// Eventually waits until done says so, checking often.
func Eventually(t testing.TB, what string, within time.Duration, done func() bool) {
	t.Helper()
	for end := time.Now().Add(within); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			require.FailNow(t, "waited too long", "%s for %s", within, what)
		}
	}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) tail(most int) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.b.Bytes()
	return string(b[max(0, len(b)-most):])
}
