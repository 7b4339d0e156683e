package vaultclient_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/internal/vaultserver"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/ident"
	"github.com/carnet-network/carnet/pkg/vaultclient"
	policies "github.com/carnet-network/carnet/policies/vault"
)

// certified opens a client with the policy and PKI role of a party or of the gateway.
func certified(t *testing.T, s *vaultserver.Server, policy, name, ttl string) *vaultclient.Client {
	t.Helper()
	ctx := background(t)
	require.NoError(t, s.Authority(ctx))
	role := s.GatewayRole
	if policy == "keyholder" {
		role = func(ctx context.Context, name, ttl string) error { return s.PartyRole(ctx, carnet.PartyID(name), ttl) }
	}
	require.NoError(t, role(ctx, name, ttl))
	require.NoError(t, s.Client().Sys().PutPolicyWithContext(ctx, "carnet-"+name, policies.For(policy, carnet.PartyID(name))))
	cfg, err := s.AppRole(ctx, vaultserver.Role{Name: name}, "carnet-"+name, t.TempDir())
	require.NoError(t, err)
	return open(t, cfg, nil)
}

// TestCertificates: Vault issues a certificate that names the party, renews it while
// connections go on, and what it revoked is refused at the next handshake.
func TestCertificates(t *testing.T) {
	s := vaultserver.Shared(t)
	ctx := background(t)
	gateway := certified(t, s, "gateway", "gateway1", "1h")
	server, err := gateway.Certificate(ctx, vaultclient.Certificates{Role: "gateway1", Hosts: []string{"localhost", "127.0.0.1"}, Revoked: true})
	require.NoError(t, err)
	holder := certified(t, s, "keyholder", "ch-customs", "9s") // time enough for a handshake on a busy machine
	client, err := holder.Certificate(ctx, vaultclient.Certificates{Role: "ch-customs", Party: "ch-customs"})
	require.NoError(t, err)
	party, err := ident.PartyFromCert(client.Certificate().Leaf)
	require.NoError(t, err)
	require.Equal(t, carnet.PartyID("ch-customs"), party)
	first := client.Certificate().Leaf.SerialNumber
	require.NoError(t, connect(t, server.Server(), client.Client()))

	log, text := logger()
	go client.Keep(ctx, log)
	require.Eventually(t, func() bool { return client.Certificate().Leaf.SerialNumber.Cmp(first) != 0 }, time.Minute, 10*time.Millisecond)
	require.Contains(t, text.String(), "certificate renewed")
	require.NoError(t, connect(t, server.Server(), client.Client()))

	// Revoked by the administrator; the gateway takes the list in.
	long, err := certified(t, s, "keyholder", "at-customs", "1h").Certificate(ctx, vaultclient.Certificates{Role: "at-customs", Party: "at-customs"})
	require.NoError(t, err)
	require.NoError(t, connect(t, server.Server(), long.Client()))
	_, err = s.Client().Logical().WriteWithContext(ctx, "carnet-pki/revoke", map[string]any{"serial_number": serial(long.Certificate())})
	require.NoError(t, err)
	require.NoError(t, server.Update(ctx))
	require.Equal(t, "CERTIFICATE_REVOKED", carnet.ReasonOf(connect(t, server.Server(), long.Client())))
}

// TestRenewedWithoutList: a list of revoked certificates that can't be renewed does not let
// the own certificate run out.
func TestRenewedWithoutList(t *testing.T) {
	s := vaultserver.New(t, vaultserver.Options{})
	ctx := background(t)
	holder := certified(t, s, "keyholder", "tj-customs", "3s")
	cert, err := holder.Certificate(ctx, vaultclient.Certificates{Role: "tj-customs", Party: "tj-customs", Revoked: true})
	require.NoError(t, err)
	_, err = s.Client().Logical().WriteWithContext(ctx, "carnet-pki/config/crl", map[string]any{"expiry": "2s"})
	require.NoError(t, err)
	_, err = s.Client().Logical().ReadWithContext(ctx, "carnet-pki/crl/rotate")
	require.NoError(t, err)
	first := cert.Certificate().Leaf.SerialNumber
	log, text := logger()
	go cert.Keep(ctx, log) // a keyholder may not have a new list made
	require.Eventually(t, func() bool { return cert.Certificate().Leaf.SerialNumber.Cmp(first) != 0 }, time.Minute, 10*time.Millisecond)
	require.Eventually(t, func() bool { return strings.Contains(text.String(), "VAULT_DENIED") }, time.Minute, 10*time.Millisecond, "the fault is told")
}

// TestAuthorityChanges: another issuer takes over in Vault, without a restart of anybody:
// both are trusted while both are there, what either revoked is refused, and who has a
// certificate of an issuer that was deleted gets another and is refused with the old one.
func TestAuthorityChanges(t *testing.T) {
	s := vaultserver.New(t, vaultserver.Options{})
	ctx := background(t)
	write := func(path string, data map[string]any) map[string]any {
		t.Helper()
		got, err := s.Client().Logical().WriteWithContext(ctx, path, data)
		require.NoError(t, err)
		if got == nil {
			return nil
		}
		return got.Data
	}
	gateway := certified(t, s, "gateway", "gateway1", "1h")
	server, err := gateway.Certificate(ctx, vaultclient.Certificates{Role: "gateway1", Hosts: []string{"localhost", "127.0.0.1"}, Revoked: true})
	require.NoError(t, err)
	config := server.Server() // what a listener was given at the start
	issued := func(party carnet.PartyID) *vaultclient.Issued {
		t.Helper()
		got, err := certified(t, s, "keyholder", string(party), "1h").Certificate(ctx, vaultclient.Certificates{Role: string(party), Party: party})
		require.NoError(t, err)
		return got
	}
	old, revoked := issued("ch-customs"), issued("at-customs")
	require.NoError(t, connect(t, config, old.Client()))
	before, err := s.Client().Logical().ReadWithContext(ctx, "carnet-pki/config/issuers")
	require.NoError(t, err)

	made := write("carnet-pki/root/generate/internal", map[string]any{"common_name": "the next authority", "key_type": "ec", "key_bits": 256})
	write("carnet-pki/config/issuers", map[string]any{"default": made["issuer_id"]})
	young := issued("kz-customs")
	require.NotEqual(t, old.Certificate().Leaf.Issuer.String(), young.Certificate().Leaf.Issuer.String())
	require.Error(t, connect(t, config, young.Client()), "the server does not know it yet")
	for _, l := range []*vaultclient.Issued{server, old} {
		require.NoError(t, l.Update(ctx)) // every minute, by Keep
	}
	require.NoError(t, connect(t, config, young.Client()))
	require.NoError(t, connect(t, config, old.Client()))

	for _, l := range []*vaultclient.Issued{revoked, young} { // one of either issuer
		write("carnet-pki/revoke", map[string]any{"serial_number": serial(l.Certificate())})
		require.NoError(t, server.Update(ctx))
		require.Equal(t, "CERTIFICATE_REVOKED", carnet.ReasonOf(connect(t, config, l.Client())))
	}

	_, err = s.Client().Logical().DeleteWithContext(ctx, "carnet-pki/issuer/"+before.Data["default"].(string))
	require.NoError(t, err)
	require.NoError(t, server.Update(ctx))
	require.Error(t, connect(t, config, old.Client()))
	log, text := logger()
	first := server.Certificate().Leaf.SerialNumber
	for _, l := range []*vaultclient.Issued{server, old} {
		l.LookEvery(10 * time.Millisecond)
		go l.Keep(ctx, log)
	}
	require.Eventually(t, func() bool {
		return server.Certificate().Leaf.SerialNumber.Cmp(first) != 0 && connect(t, config, old.Client()) == nil
	}, time.Minute, 50*time.Millisecond, text.String())
}

// TestCertificatesOfOthers: Vault signs no certificate in another party's name, and no
// server's for a party.
func TestCertificatesOfOthers(t *testing.T) {
	s := vaultserver.Shared(t)
	ctx := background(t)
	c := certified(t, s, "keyholder", "kz-customs", "1h")
	for name, p := range map[string]vaultclient.Certificates{
		"another party": {Role: "kz-customs", Party: "uz-customs"},
		"a server":      {Role: "kz-customs", Party: "kz-customs", Hosts: []string{"gateway.example"}},
		"an address":    {Role: "kz-customs", Party: "kz-customs", Hosts: []string{"127.0.0.1"}},
	} {
		_, err := c.Certificate(ctx, p)
		require.Equal(t, "VAULT_REFUSED", carnet.ReasonOf(err), "%s: %v", name, err)
	}
	_, err := c.Certificate(ctx, vaultclient.Certificates{Role: "gateway1", Hosts: []string{"localhost"}})
	require.Equal(t, "VAULT_DENIED", carnet.ReasonOf(err), err)
	for _, p := range []vaultclient.Certificates{{}, {Role: "kz-customs"}, {Role: "kz-customs", Party: "Upper"}, {Role: "kz-customs", Party: "kz-customs", Peers: "/nowhere"}} {
		_, err := c.Certificate(ctx, p)
		require.Equal(t, "BAD_VAULT_CONFIG", carnet.ReasonOf(err), err)
	}
}

func serial(c *tls.Certificate) string {
	var parts []string
	for _, b := range c.Leaf.SerialNumber.Bytes() {
		parts = append(parts, fmt.Sprintf("%02x", b))
	}
	return strings.Join(parts, ":")
}

// connect does one handshake and returns what the server says about it.
func connect(t *testing.T, server, client *tls.Config) error {
	t.Helper()
	l, err := tls.Listen("tcp", "127.0.0.1:0", server)
	require.NoError(t, err)
	defer l.Close()
	said := make(chan error, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			said <- err
			return
		}
		defer c.Close()
		said <- c.(*tls.Conn).Handshake()
	}()
	c, err := tls.Dial("tcp", l.Addr().String(), client)
	if err == nil {
		defer c.Close()
	}
	return <-said
}

// TestGatewayPolicyIsExactlyEnough: with the gateway's policy it gets a certificate and
// keeps the list of revoked ones in date; without any part of it something fails.
func TestGatewayPolicyIsExactlyEnough(t *testing.T) {
	s := vaultserver.New(t, vaultserver.Options{})
	ctx := background(t)
	require.NoError(t, s.Authority(ctx))
	_, err := s.Client().Logical().WriteWithContext(ctx, "carnet-pki/config/crl", map[string]any{"expiry": "2s"})
	require.NoError(t, err)
	_, err = s.Client().Logical().ReadWithContext(ctx, "carnet-pki/crl/rotate")
	require.NoError(t, err)
	require.NoError(t, s.GatewayRole(ctx, "gateway", "1h"))
	text := policies.For("gateway", "gateway")
	var rules []string
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "path ") {
			rules = append(rules, line)
		}
	}
	require.Len(t, rules, 3)
	for leave := -1; leave < len(rules); leave++ {
		policy := text
		if leave >= 0 {
			policy = strings.Replace(text, rules[leave], "", 1)
		}
		require.NoError(t, s.Client().Sys().PutPolicyWithContext(ctx, "gateway", policy))
		cfg, err := s.AppRole(ctx, vaultserver.Role{Name: "gateway"}, "gateway", t.TempDir())
		require.NoError(t, err)
		err = func() error {
			c := open(t, cfg, nil)
			if err := c.Renew(ctx); err != nil {
				return err
			}
			time.Sleep(1100 * time.Millisecond) // half the life of the list
			l, err := c.Certificate(ctx, vaultclient.Certificates{Role: "gateway", Hosts: []string{"localhost"}, Revoked: true})
			if err != nil {
				return err
			}
			return l.Update(ctx)
		}()
		if leave < 0 {
			require.NoError(t, err)
			continue
		}
		require.Equal(t, "VAULT_DENIED", carnet.ReasonOf(err), "without %s: %v", rules[leave], err)
	}
}
