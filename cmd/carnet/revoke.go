package main

import (
	"github.com/carnet-network/carnet/internal/command"
	"github.com/carnet-network/carnet/pkg/carnet"
)

type revokeCmd struct {
	command.Output
	Dataset string `arg:"" help:"Dataset to withdraw, owner/name."`
	Reason  string `help:"Public reason." placeholder:"TEXT"`
	Yes     bool   `help:"Really do it."`
}

func (revokeCmd) Help() string {
	return `Ends every further release of the dataset, for good: the name can't be used again.
Answers that were given stay given, and the committee could still open the ciphertext;
only destroyed seeds end that (carnet retire).

Example:
  carnet revoke kz-customs/trade-2025 --reason "replaced by a corrected table" --yes`
}

func (c *revokeCmd) Run(a *app) error {
	if !c.Yes {
		return usage("a revocation can't be undone").Fix("add --yes if you mean it")
	}
	cl, _, id, err := a.connectAs()
	if err != nil {
		return err
	}
	defer cl.Close()
	ref, err := cl.Revoke(a.ctx, id, carnet.DatasetID(c.Dataset), c.Reason)
	if err != nil {
		return err
	}
	return c.Report(a.out, map[string]any{"dataset": c.Dataset, "reason": c.Reason, "statement": ref.Hash, "entry": ref.Seq}, "revoked %s; entry %d\n", c.Dataset, ref.Seq)
}
