package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"filippo.io/age"
	"golang.org/x/sync/errgroup"
)

// owner is a customs service that publishes.
type owner struct {
	id, name, jurisdiction string
	csv                    string
}

// keyholder is a jurisdiction's guard of keys.
type keyholder struct{ id, name, jurisdiction string }

var keyholders = []keyholder{
	{"kh-kz", "Data Office of Kazakhstan (made up)", "KZ"},
	{"kh-uz", "Data Office of Uzbekistan (made up)", "UZ"},
	{"kh-cn", "Data Office of China (made up)", "CN"},
	{"kh-sg", "Data Trustee in Singapore (made up)", "SG"},
	{"kh-ch", "Data Trustee in Switzerland (made up)", "CH"},
}

const (
	threshold = 3
	buyer     = "analyst"
	registrar = "registrar"
	operator  = "gateway" // in whose name the gateway decides
)

// network starts the servers and registers everybody.
func (d *demo) network() error {
	d.owners = []owner{
		{id: "kz-customs", name: "Customs of Kazakhstan (made up)", jurisdiction: "KZ"},
		{id: "uz-customs", name: "Customs of Uzbekistan (made up)", jurisdiction: "UZ"},
		{id: "cn-customs", name: "Customs of China (made up)", jurisdiction: "CN"},
	}
	if err := d.certificates(); err != nil {
		return err
	}
	if err := d.startGateway(); err != nil {
		return err
	}
	if d.inVault {
		if err := d.startVaults(); err != nil {
			return err
		}
	}
	if err := d.identities(); err != nil {
		return err
	}
	if err := d.register(); err != nil {
		return err
	}
	if err := d.startKeyholders(); err != nil {
		return err
	}
	out, err := d.carnet(buyer, "party", "list")
	if err != nil {
		return err
	}
	fmt.Print(indent(out))
	fmt.Printf("Gateway at %s; every connection is mutual TLS 1.3.\n", d.gateway)
	return nil
}

// certificates makes a development CA and everybody's certificate.
func (d *demo) certificates() error {
	ca := d.home("ca")
	if _, err := d.carnet(registrar, "dev-ca", "init", "--dir", ca); err != nil {
		return err
	}
	if _, err := d.carnet(registrar, "dev-ca", "issue", "--dir", ca, "--server", "gateway-server", "--host", "localhost", "--host", "127.0.0.1"); err != nil {
		return err
	}
	for _, p := range d.everybody() {
		if _, err := d.carnet(registrar, "dev-ca", "issue", "--dir", ca, "--party", p); err != nil {
			return err
		}
	}
	if _, err := d.carnet(operator, d.initArgs(operator, "The gateway's operator (made up)", "SG", "--role", "operator")...); err != nil {
		return err
	}
	_, err := d.carnet(registrar, d.initArgs(registrar, "The network's registrar (made up)", "CH", "--registrar")...)
	return err
}

func (d *demo) everybody() []string {
	ids := []string{registrar, operator, buyer}
	for _, o := range d.owners {
		ids = append(ids, o.id)
	}
	for _, k := range keyholders {
		ids = append(ids, k.id)
	}
	return ids
}

// initArgs is how an identity is made. Addresses and files are the demo's.
func (d *demo) initArgs(id, name, jurisdiction string, more ...string) []string {
	return append([]string{
		"init", "--plain", "--party", id, "--name", name, "--jurisdiction", jurisdiction,
		"--ca", d.ca("ca.pem"), "--cert", d.ca(id + ".pem"), "--key", d.ca(id + "-key.pem"), "--anchor", d.anchor(),
	}, more...)
}

func (d *demo) ca(file string) string { return filepath.Join(d.home("ca"), file) }
func (d *demo) anchor() string        { return filepath.Join(d.home(registrar), "registrar.pub") }
func (d *demo) storageDir() string    { return d.home("gateway-data") }

func (d *demo) startGateway() error {
	addr := filepath.Join(d.dir, "gateway.addr")
	if _, err := d.spawn("gateway", "carnet-gateway", "serve", "--data", d.storageDir(),
		"--listen", "127.0.0.1:0", "--rest-listen", "127.0.0.1:0", "--metrics-listen", "", "--addr-file", addr, "--policy", "builtin",
		"--identity", filepath.Join(d.home(operator), "identity.key"), "--registrar-key", d.anchor(),
		"--tls-cert", d.ca("gateway-server.pem"), "--tls-key", d.ca("gateway-server-key.pem"), "--tls-ca", d.ca("ca.pem")); err != nil {
		return err
	}
	return d.wait("the gateway's address", 20*time.Second, func() bool {
		data, err := os.ReadFile(addr)
		for _, l := range strings.Split(string(data), "\n") {
			if a, ok := strings.CutPrefix(l, "grpc="); ok {
				d.gateway = a
			}
		}
		return err == nil && d.gateway != ""
	})
}

// identities makes everybody's keys, each on its own machine as it were.
func (d *demo) identities() error {
	var g errgroup.Group
	g.SetLimit(4)
	for _, o := range d.owners {
		g.Go(func() error {
			_, err := d.carnet(o.id, d.initArgs(o.id, o.name, o.jurisdiction, "--role", "owner")...)
			return err
		})
	}
	g.Go(func() error {
		_, err := d.carnet(buyer, d.initArgs(buyer, "Institute for Trade Statistics (made up)", "CH", "--role", "buyer")...)
		return err
	})
	for _, k := range keyholders {
		g.Go(func() error {
			unlock, err := d.unlock(k, true)
			if err != nil {
				return err
			}
			_, err = d.command(d.ctx, "carnet-keyholder", append([]string{"init", "--dir", d.home(k.id),
				"--party", k.id, "--name", k.name, "--jurisdiction", k.jurisdiction}, unlock...)...)
			return err
		})
	}
	return g.Wait()
}

// unlock are the flags that open a keyholder's keystore, none if it is in Vault. An age
// identity opens a file at once; a passphrase would take a second.
func (d *demo) unlock(k keyholder, fresh bool) ([]string, error) {
	if d.inVault {
		return nil, nil
	}
	file := filepath.Join(d.home(k.id), "age.key")
	if fresh {
		id, err := age.GenerateX25519Identity()
		if err != nil {
			return nil, err
		}
		if err := os.MkdirAll(d.home(k.id), 0o700); err != nil {
			return nil, err
		}
		if err := os.WriteFile(file, []byte(id.String()+"\n"), 0o600); err != nil {
			return nil, err
		}
	}
	return []string{"--identity", file}, nil
}

// register makes everybody known, and the committee.
func (d *demo) register() error {
	args := []string{"party", "register"}
	var members []string
	for _, p := range d.everybody() {
		args = append(args, filepath.Join(d.home(p), "party.json"))
	}
	if _, err := d.carnet(registrar, args...); err != nil {
		return err
	}
	for _, k := range keyholders {
		members = append(members, k.id)
	}
	// Five members can't check a private parameter against a buyer with a member's help,
	// for which 3t-2 = 7 are needed; all of them against one without.
	_, err := d.carnet(registrar, "committee", "register", "corridor", "--threshold", fmt.Sprint(threshold),
		"--private-checks", fmt.Sprint(len(members)), "--member", strings.Join(members, ","))
	return err
}

func (d *demo) startKeyholders() error {
	d.keyholders = make([]*process, len(keyholders))
	for i := range keyholders {
		if err := d.startKeyholder(i); err != nil {
			return err
		}
	}
	return nil
}

func (d *demo) startKeyholder(i int) (err error) {
	k := keyholders[i]
	unlock, err := d.unlock(k, false)
	if err != nil {
		return err
	}
	d.keyholders[i], err = d.spawn(k.id, "carnet-keyholder", append([]string{"run", "--dir", d.home(k.id),
		"--gateway", d.gateway, "--registrar", d.anchor(), "--attest", "always", "--policy", "builtin",
		"--tls-cert", d.ca(k.id + ".pem"), "--tls-key", d.ca(k.id + "-key.pem"), "--tls-ca", d.ca("ca.pem")}, unlock...)...)
	return err
}
