package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/carnet-network/carnet/internal/command"
	"github.com/carnet-network/carnet/pkg/bundle"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/client"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/policy"
)

type evidenceCmd struct {
	Export     evidenceExportCmd     `cmd:"" help:"Write everything that proves one query into a file."`
	Checkpoint evidenceCheckpointCmd `cmd:"" help:"Save the log's newest checkpoint, to compare with later."`
}

type evidenceExportCmd struct {
	command.Output
	Query         string        `arg:"" help:"Id of the query, as carnet query or carnet queries prints it, or its first 8 or more digits."`
	Out           string        `short:"o" required:"" help:"File to write." placeholder:"FILE" type:"path"`
	Since         string        `help:"Checkpoint that was saved earlier; the bundle proves that the log begins with it." placeholder:"FILE" type:"path"`
	Policy        []string      `help:"Policy bundle that decisions name: folder, archive or builtin. The built-in one is added without being named." placeholder:"BUNDLE"`
	WithoutPieces bool          `help:"Leave out the hashes of the encrypted data."`
	Wait          time.Duration `help:"How long to wait until keyholders have co-signed what is new." default:"20s"`
}

func (evidenceExportCmd) Help() string {
	return `For the query's buyer, and for auditors, keyholders and operators. Nothing in the file is secret,
and it does not hold the answer. docs/formats/bundle.md describes it; any tool opens it as a ZIP.

Example:
  carnet evidence export 5f1c… -o query.carnet
  carnet verify query.carnet`
}

func (c *evidenceExportCmd) Run(a *app) error {
	if err := checkQuery(c.Query); err != nil {
		return err
	}
	var err error
	o := client.EvidenceOptions{WithoutPieces: c.WithoutPieces, Wait: c.Wait}
	if c.Since != "" {
		if o.Since, err = readCheckpoint(c.Since); err != nil {
			return err
		}
	}
	cl, _, err := a.connect()
	if err != nil {
		return err
	}
	defer cl.Close()
	hash, err := a.findQuery(cl, c.Query)
	if err != nil {
		return err
	}
	b, err := cl.Evidence(a.ctx, hash, o)
	if err != nil {
		return err
	}
	if b.Policies, err = policiesOf(b, c.Policy); err != nil {
		return err
	}
	b.Sort()
	data, err := b.Encode()
	if err != nil {
		return err
	}
	if err := os.WriteFile(c.Out, data, 0o644); err != nil {
		return err
	}
	return c.Report(a.out, map[string]any{"query": hash, "file": c.Out, "bytes": len(data), "entries": len(b.Entries), "size": b.Checkpoint.Size, "head": b.Checkpoint.Head},
		"%s: %s of the log of %d, %s\n", c.Out, entries(len(b.Entries)), b.Checkpoint.Size, size(int64(len(data))))
}

func entries(n int) string {
	if n == 1 {
		return "1 entry"
	}
	return fmt.Sprintf("%d entries", n)
}

// policiesOf finds the policy bundles that decisions and answers in the bundle name, among those that
// are given and the one that comes with this program.
func policiesOf(b *bundle.Bundle, given []string) (out []bundle.Policy, err error) {
	wanted := map[carnet.Hash]bool{}
	for i := range b.Entries {
		var d carnet.Decision
		var answer carnet.Answer
		switch e := b.Entries[i].Envelope; e.PayloadType {
		case carnet.TypeDecision:
			if e.Decode(carnet.TypeDecision, &d) == nil {
				for _, j := range d.Judged {
					wanted[j.Bundle] = true
				}
			}
		case carnet.TypeAnswer:
			if e.Decode(carnet.TypeAnswer, &answer) == nil && answer.Policy != nil {
				wanted[answer.Policy.Digest] = true
			}
		}
	}
	if len(wanted) == 0 {
		return nil, nil
	}
	for _, name := range append([]string{policy.Builtin}, given...) {
		p, _, err := openBundle(name)
		if err != nil {
			return nil, err
		}
		if wanted[p.Digest] {
			delete(wanted, p.Digest)
			packed, err := packPolicy(p)
			if err != nil {
				return nil, err
			}
			out = append(out, *packed)
		}
	}
	return out, nil
}

// packPolicy is a policy bundle as an evidence bundle carries it.
func packPolicy(p *policy.Bundle) (*bundle.Policy, error) {
	env, err := p.Sign() // by nobody: the statement is wanted, not a signature
	if err != nil {
		return nil, err
	}
	return &bundle.Policy{Statement: env.Payload, Files: p.Files()}, nil
}

type evidenceCheckpointCmd struct {
	command.Output
	Out string `short:"o" required:"" help:"File to write." placeholder:"FILE" type:"path"`
}

func (evidenceCheckpointCmd) Help() string {
	return `Whoever keeps checkpoints notices if the log is changed later, or shown to others in another
version: give them to carnet verify --pin and carnet monitor --compare.

Example:
  carnet evidence checkpoint -o monday.checkpoint`
}

func (c *evidenceCheckpointCmd) Run(a *app) error {
	cl, _, err := a.connect()
	if err != nil {
		return err
	}
	defer cl.Close()
	cp, err := cl.Checkpoint(a.ctx)
	if err != nil {
		return err
	}
	if cp == nil {
		return carnet.E(carnet.NotFound, "NOT_FOUND", "the log has published nothing yet").Fix("try again when it has entries")
	}
	text, err := cp.MarshalText()
	if err != nil {
		return err
	}
	if err := os.WriteFile(c.Out, text, 0o644); err != nil {
		return err
	}
	return c.Report(a.out, map[string]any{"file": c.Out, "size": cp.Size, "head": cp.Head}, "%s: %s, root %s\n", c.Out, entries(int(cp.Size)), cp.Head)
}

// readCheckpoint reads a saved checkpoint.
func readCheckpoint(file string) (*evidence.SignedCheckpoint, error) {
	data, err := readInput("checkpoint", file)
	if err != nil {
		return nil, err
	}
	cp, err := evidence.ParseCheckpoint(data)
	var e *carnet.Error
	if errors.As(err, &e) && e.Remedy == "" {
		err = e.Fix("give a file that carnet evidence checkpoint wrote")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return cp, nil
}
