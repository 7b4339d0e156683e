package carnettest

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/internal/vaultserver"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/client"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/ident"
)

// realNetwork is a network whose gateway and keyholders are the real programs in
// processes of their own. Owners and buyers are in this process.
type realNetwork struct {
	*Network
	bin        string
	gateway    *process
	keyholders []*process
	vault      *vaultserver.Server // keys of keyholders and certificates of servers; nil: files
}

// startReal starts a gateway and three keyholders, two of whom release.
func startReal(t *testing.T) *realNetwork { return startRealWith(t, nil) }

// startRealWith is startReal with keys and certificates from Vault, unless it is nil.
func startRealWith(t *testing.T, vault *vaultserver.Server) *realNetwork {
	t.Helper()
	return startRealAt(t, Options{}, vault)
}

// startRealAt is startRealWith with the gateway's database where the options say.
func startRealAt(t *testing.T, o Options, vault *vaultserver.Server) *realNetwork {
	t.Helper()
	r := &realNetwork{bin: programs(t), vault: vault}
	n := &Network{Options: o.withDefaults(), Dir: t.TempDir(), identities: map[carnet.PartyID]*ident.Identity{},
		log: &lockedBuffer{}, clients: map[carnet.PartyID]*client.Client{}, certs: newCertificates(t)}
	r.Network = n
	for _, id := range []carnet.PartyID{Registrar, Operator, Auditor, "kz", "uz", "kg", "buyer", "second"} {
		n.identity(t, id)
	}
	require.NoError(t, n.Identity(Operator).Save(n.file("operator.json"), ""))
	require.NoError(t, ident.WriteAnchor(n.file("registrar.pub"), n.Identity(Registrar).Public()))
	require.NoError(t, os.WriteFile(n.file("ca.pem"), n.certs.ca.PEM(), 0o600))
	cert, key, err := n.certs.ca.IssueServer([]string{"127.0.0.1"}, time.Hour)
	require.NoError(t, err)
	require.NoError(t, ident.WriteCert(n.Dir, "gateway", cert, key))

	n.Gateway = &Gateway{Dir: n.file("gateway"), n: n, grpc: freePort(t)}
	certificate := []string{"--tls-cert", n.file("gateway.pem"), "--tls-key", n.file("gateway-key.pem"), "--tls-ca", n.file("ca.pem")}
	if vault != nil {
		certificate = r.gatewayInVault(t)
	}
	r.gateway = newProcess(t, n.Dir, "carnet-gateway", append([]string{filepath.Join(r.bin, "carnet-gateway"), "serve", "--data", n.Gateway.Dir,
		"--listen", n.Gateway.grpc, "--rest-listen", "", "--metrics-listen", "", "--identity", n.file("operator.json"),
		"--registrar-key", n.file("registrar.pub"), "--log-level", "warn", "--store", n.Store}, certificate...)...)
	r.startGateway(t)
	t.Cleanup(n.closeClients)
	// The keyholders of the harness are there for their numbers and files only.
	for i := range n.Options.Keyholders {
		r.addKeyholder(t, i+1)
	}
	r.registerReal(t)
	for _, k := range r.keyholders {
		k.start(t)
	}
	return r
}

func (n *Network) file(name string) string { return filepath.Join(n.Dir, name) }

func (r *realNetwork) startGateway(t *testing.T) {
	t.Helper()
	r.gateway.start(t)
	reachable(t, r.Gateway.grpc)
}

func (r *realNetwork) addKeyholder(t *testing.T, number int) {
	t.Helper()
	id := carnet.PartyID(fmt.Sprintf("kh%d", number))
	k := &Keyholder{Number: number, Party: id, Dir: r.file(string(id)), n: r.Network}
	r.Keyholders = append(r.Keyholders, k)
	require.NoError(t, os.MkdirAll(k.Dir, 0o700))
	var unlock, certificate []string
	if r.vault != nil {
		r.keyholderInVault(t, k)
	} else {
		secret, err := age.GenerateX25519Identity()
		require.NoError(t, err)
		file := filepath.Join(k.Dir, "age.key")
		require.NoError(t, os.WriteFile(file, []byte(secret.String()+"\n"), 0o600))
		cert, key, err := r.certs.ca.IssueParty(id, time.Hour)
		require.NoError(t, err)
		require.NoError(t, ident.WriteCert(k.Dir, string(id), cert, key))
		unlock = []string{"--identity", file}
		certificate = []string{"--tls-cert", filepath.Join(k.Dir, string(id)+".pem"), "--tls-key", filepath.Join(k.Dir, string(id)+"-key.pem"), "--tls-ca", r.file("ca.pem")}
	}
	out, err := exec.Command(filepath.Join(r.bin, "carnet-keyholder"), append([]string{"init", "--dir", k.Dir,
		"--party", string(id), "--name", "Keyholder", "--jurisdiction", "CH"}, unlock...)...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	r.keyholders = append(r.keyholders, newProcess(t, r.Dir, string(id), slices.Concat([]string{filepath.Join(r.bin, "carnet-keyholder"), "run",
		"--dir", k.Dir, "--gateway", r.Gateway.grpc, "--registrar", r.file("registrar.pub"), "--attest", "always", "--workers", "1"}, unlock, certificate)...))
}

// registerReal registers parties and the committee, keyholders by the statements that
// their program wrote.
func (r *realNetwork) registerReal(t *testing.T) {
	t.Helper()
	keyholders := r.Keyholders
	r.Keyholders = nil
	c := r.Client(t, Operator)
	ctx := Context(t)
	var members []carnet.PartyID
	for _, k := range keyholders {
		data, err := os.ReadFile(filepath.Join(k.Dir, "party.json"))
		require.NoError(t, err)
		env := &evidence.Envelope{}
		require.NoError(t, json.Unmarshal(data, env))
		require.NoError(t, env.Countersign(r.Identity(Registrar)))
		_, err = c.RegisterParty(ctx, env)
		require.NoError(t, err)
		members = append(members, k.Party)
	}
	r.registerParties(t)
	_, err := c.RegisterCommittee(ctx, r.Identity(Registrar), carnet.Committee{ID: CommitteeID, Members: members, Threshold: 2, Quorum: 3, Attestations: 1})
	require.NoError(t, err)
	r.Committee, err = c.Committee(ctx, string(CommitteeID))
	require.NoError(t, err)
	r.Keyholders = keyholders
}

// home makes a home directory of the carnet tool for an owner.
func (r *realNetwork) home(t *testing.T, o Owner, key *ident.DatasetKey) string {
	t.Helper()
	home := r.file("home-" + string(o.ID))
	require.NoError(t, os.MkdirAll(filepath.Join(home, "keys"), 0o700))
	require.NoError(t, r.Identity(o.ID).Save(filepath.Join(home, "identity.json"), ""))
	require.NoError(t, key.Save(filepath.Join(home, "keys", "trade.key"), ""))
	cert, k, err := r.certs.ca.IssueParty(o.ID, time.Hour)
	require.NoError(t, err)
	require.NoError(t, ident.WriteCert(home, "party", cert, k))
	require.NoError(t, os.WriteFile(filepath.Join(home, "config.yaml"), fmt.Appendf(nil, `party: {id: %s, name: Owner, jurisdiction: %s, roles: [owner], created: 2026-01-01T00:00:00Z}
identity: identity.json
gateway: %s
ca: %s
cert: party.pem
key: party-key.pem
registrar: %s
`, o.ID, o.Jurisdiction, r.Gateway.grpc, r.file("ca.pem"), r.file("registrar.pub")), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(home, "terms.yaml"), []byte("buyers: ['*']\npurposes: ['*']\nexpires: 2099-12-31\n"), 0o600))
	return home
}
