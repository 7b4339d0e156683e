package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"

	"github.com/carnet-network/carnet/pkg/bundle"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/client"
	"github.com/carnet-network/carnet/pkg/columnstore"
	"github.com/carnet-network/carnet/pkg/ident"
	"github.com/carnet-network/carnet/pkg/policy"
	"github.com/carnet-network/carnet/pkg/scan"
	"github.com/carnet-network/carnet/pkg/verify"
)

// errFound ends a command with the exit code of a failed check; what failed was printed.
var errFound = errors.New("a check failed")

type verifyCmd struct {
	File      string   `arg:"" help:"Evidence bundle, as carnet evidence export writes it, or document, as carnet certificate, usage, settle and value do."`
	Registrar string   `help:"The registrar's public key [default: registrar.pub of --home]." placeholder:"FILE" type:"path"`
	Pin       []string `help:"Checkpoint that was seen before; the log has to begin with it. May be repeated." placeholder:"FILE" type:"path"`
	Policy    []string `help:"Policy bundle that decisions name, if the evidence bundle does not have it: folder, archive or builtin." placeholder:"BUNDLE"`
	Recompute bool     `help:"Execute the query anew from the encrypted data of --data or of the gateway, and compare bit for bit."`
	Log       bool     `help:"Read the whole log from the gateway and count what all queries before opened and spent; for auditors, keyholders and operators."`
	Data      string   `help:"Folder with columns/ and blobs/ of a gateway, or a copy of it; else the data is read from the gateway." placeholder:"DIR" type:"path"`
	Workers   int      `help:"Processors to use with --recompute; 0: all." default:"0"`
	Strict    bool     `help:"What could not be checked counts as failed."`
	JSON      bool     `name:"json" help:"Print the report as JSON."`
	HTML      string   `name:"html" help:"Also write the report as a page for printing to this file." placeholder:"FILE" type:"path"`
}

func (verifyCmd) Help() string {
	return `Checks signatures, inclusion in the log, co-signatures, plan, certificate, terms, policies,
answers and hashes, and prints for each what was found, what it means, and what was not
checked and why. Needs no network except for --log, and --recompute without --data, and nothing secret.
Documents (certificates, usage statements, settlements, valuations) have their proof inside, too, and
so have the proofs of two histories that carnet monitor writes, which pass if there were two.

Exit codes: 0 nothing failed; 8 something failed, or with --strict was not checked; others as
for every command, if the report could not be made.

Example:
  carnet verify query.carnet --registrar registrar.pub --pin monday.checkpoint --html report.html
  carnet verify query.carnet --recompute
  carnet verify trade.json --registrar registrar.pub`
}

func (c *verifyCmd) Run(a *app) error {
	data, err := readLimited(c.File, bundle.MaxBytes)
	if err != nil {
		return err
	}
	o, err := c.options(a)
	if err != nil {
		return err
	}
	if c.Log {
		cl, _, err := a.connect()
		if err != nil {
			return err
		}
		defer cl.Close()
		o.Log = cl
	}
	check := verify.Verify
	if verify.IsSplit(data) {
		check = verify.Split
	}
	if bundle.IsDocument(data) {
		if check = verify.Document; c.Recompute {
			return usage("--recompute is for evidence bundles").Fix("carnet recompute works the figures of a document out again")
		}
	}
	if c.Recompute {
		closeData, err := c.ciphertext(a, data, o)
		if err != nil {
			return err
		}
		defer closeData()
	}
	r, err := check(a.ctx, data, *o)
	if err != nil {
		return err
	}
	if c.HTML != "" {
		if err := writeReport(c.HTML, c.File, r); err != nil {
			return err
		}
	}
	if c.JSON {
		err = a.json(r)
	} else {
		a.report(c.File, r)
	}
	if err == nil && (r.Verdict == verify.Broken || c.Strict && r.Verdict == verify.Incomplete) {
		err = errFound
	}
	return err
}

// readLimited reads a file, but not much more than a limit of it.
func readLimited(file string, limit int64) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, carnet.E(carnet.NotFound, "NO_FILE", "the evidence bundle can't be read").Because(err).
			Fix("check the name and the directory you are in")
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, limit+1))
}

// options reads what the verifier brings along.
func (c *verifyCmd) options(a *app) (*verify.Options, error) {
	o := &verify.Options{Replay: &replayer{engines: map[carnet.Hash]*policy.Engine{}}}
	_, _ = rand.Read(o.Seed[:]) // never fails
	var err error
	if o.Registrar, err = c.registrar(a); err != nil {
		return nil, err
	}
	for _, file := range c.Pin {
		cp, err := readCheckpoint(file)
		if err != nil {
			return nil, err
		}
		o.Pinned = append(o.Pinned, cp.Checkpoint)
	}
	for _, name := range append([]string{policy.Builtin}, c.Policy...) {
		b, _, err := openBundle(name)
		if err != nil {
			return nil, err
		}
		p, err := packPolicy(b)
		if err != nil {
			return nil, err
		}
		o.Policies = append(o.Policies, *p)
	}
	return o, nil
}

func (c *verifyCmd) registrar(a *app) (ed25519.PublicKey, error) {
	if c.Registrar != "" {
		return ident.ReadAnchor(c.Registrar)
	}
	cfg, err := a.config()
	if err != nil {
		return nil, carnet.E(carnet.Precondition, "NO_REGISTRAR_KEY", "nothing says which registrar's key to trust").
			Fix("pass --registrar with the file registrar.pub that you got from somebody you trust")
	}
	return ident.ReadAnchor(a.path(cfg.Registrar))
}

// ciphertext sets where the query is executed from.
func (c *verifyCmd) ciphertext(a *app, data []byte, o *verify.Options) (func(), error) {
	o.Scan = scan.Options{Workers: c.Workers}
	if o.Scan.Workers < 1 {
		o.Scan.Workers = runtime.GOMAXPROCS(0)
	}
	if c.Data != "" {
		columns := filepath.Join(c.Data, "columns")
		if _, err := os.Stat(columns); err != nil {
			return nil, carnet.E(carnet.NotFound, "NO_FILE", "the encrypted data can't be read").Because(err).
				Fix("give the data folder of a gateway, or a copy of its columns and blobs")
		}
		store, err := columnstore.Open(columns, columnstore.Options{})
		if err != nil {
			return nil, err
		}
		o.Data = &localData{store, filepath.Join(c.Data, "blobs")}
		return func() { store.Close() }, nil
	}
	cl, _, err := a.connect()
	if err != nil {
		return nil, err
	}
	o.Data = cl
	if b, err := bundle.Decode(data); err == nil {
		if o.Values, err = cl.PublicValues(a.ctx, b.Query); err != nil {
			a.notef("the gateway's public values are not compared: %v\n", err)
		}
	}
	return func() { cl.Close() }, nil
}

var _ verify.Data = (*client.Client)(nil)

// localData reads the folder of a gateway.
type localData struct {
	*columnstore.Store
	blobs string
}

// Correction implements verify.Data.
func (d *localData) Correction(_ context.Context, dealing carnet.KeyID, power int) ([]byte, error) {
	return readInput("correction of a dealing", filepath.Join(d.blobs, "dealings", dealing.String(), strconv.Itoa(power)))
}

// replayer repeats decisions with the engine of the policy bundle.
type replayer struct {
	engines map[carnet.Hash]*policy.Engine
}

// Replay implements verify.Replayer.
func (r *replayer) Replay(ctx context.Context, p *bundle.Policy, j *carnet.Judged) error {
	digest := p.Digest()
	e := r.engines[digest]
	if e == nil {
		b, err := policy.FromStatement(p.Statement, p.Files)
		if err != nil {
			return err
		}
		if b.Digest != digest {
			return carnet.E(carnet.Invalid, "POLICY_CHANGED", "the files are not those of policy bundle %s", digest)
		}
		if e, err = policy.NewEngine(ctx, b); err != nil {
			return err
		}
		r.engines[digest] = e
	}
	return e.Replay(ctx, j)
}
