package main

import (
	"path/filepath"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/ident"
)

type devCACmd struct {
	Init  devCAInitCmd  `cmd:"" help:"Make a certificate authority."`
	Issue devCAIssueCmd `cmd:"" help:"Issue a certificate to a party or a server."`
}

type devCAInitCmd struct {
	Dir  string `help:"Where to write ca.pem and ca-key.pem." default:"." placeholder:"DIR" type:"path"`
	Name string `help:"Name in the certificate." default:"Carnet development CA" placeholder:"TEXT"`
	Days int    `help:"Days until it expires." default:"825"`
}

func (devCAInitCmd) Help() string {
	return `For development and closed pilots. A production network uses its own PKI.

Example:
  carnet dev-ca init --dir ca`
}

func (c *devCAInitCmd) Run(a *app) error {
	valid, err := lifetime(c.Days)
	if err != nil {
		return err
	}
	ca, err := ident.NewCA(c.Name, valid)
	if err != nil {
		return err
	}
	if err := ca.Save(c.Dir); err != nil {
		return err
	}
	a.printf("certificate: %s (give a copy to everyone)\n", filepath.Join(c.Dir, "ca.pem"))
	a.printf("private key: %s (keep it)\n", filepath.Join(c.Dir, "ca-key.pem"))
	return nil
}

type devCAIssueCmd struct {
	Dir    string   `help:"Where the CA is." default:"." placeholder:"DIR" type:"path"`
	Out    string   `help:"Where to write the certificate and its key [default: --dir]." placeholder:"DIR" type:"path"`
	Party  string   `help:"Issue to this party." placeholder:"ID" xor:"what"`
	Server string   `help:"Issue to a server; the name of the files." placeholder:"NAME" xor:"what"`
	Host   []string `help:"DNS name or IP address of the server [default: --server]. Repeat it, or separate by commas." placeholder:"HOST"`
	Days   int      `help:"Days until it expires." default:"365"`
}

func (devCAIssueCmd) Help() string {
	return `Writes NAME.pem and NAME-key.pem. A party's certificate carries the URI
carnet:party/ID, by which the gateway knows who is connected.

Examples:
  carnet dev-ca issue --dir ca --out kz --party kz-customs
  carnet dev-ca issue --dir ca --out gw --server gateway --host localhost --host 127.0.0.1`
}

func (c *devCAIssueCmd) Run(a *app) error {
	valid, err := lifetime(c.Days)
	if err != nil {
		return err
	}
	ca, err := ident.LoadCA(c.Dir)
	if err != nil {
		return err
	}
	var cert, key []byte
	name := c.Party
	switch {
	case c.Party != "":
		cert, key, err = ca.IssueParty(carnet.PartyID(c.Party), valid)
	case c.Server != "":
		name = c.Server
		if filepath.Base(name) != name {
			return usage("%q is not a file name", name).Fix("name the server without a folder; --out is where its files go")
		}
		hosts := c.Host
		if len(hosts) == 0 {
			hosts = []string{c.Server}
		}
		cert, key, err = ca.IssueServer(hosts, valid)
	default:
		return usage("nobody to issue to").Fix("pass --party ID or --server NAME")
	}
	if err != nil {
		return err
	}
	out := c.Out
	if out == "" {
		out = c.Dir
	}
	if err := ident.WriteCert(out, name, cert, key); err != nil {
		return err
	}
	a.printf("certificate: %s\nprivate key: %s\n", filepath.Join(out, name+".pem"), filepath.Join(out, name+"-key.pem"))
	return nil
}

func lifetime(days int) (time.Duration, error) {
	if days < 1 || days > 36500 {
		return 0, usage("a certificate lives 1 to 36500 days, not %d", days).Fix("choose --days in between")
	}
	return time.Duration(days) * 24 * time.Hour, nil
}
