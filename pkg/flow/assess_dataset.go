package flow

import (
	"context"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// AssessDataset judges a dataset before it is sent: its manifest with owner, jurisdiction,
// key, terms and declaration; files may be missing. Nothing is stored.
func (g *Gateway) AssessDataset(ctx context.Context, as *carnet.Party, d *carnet.Dataset) (Verdict, error) {
	if err := sameCaller(as, d.Owner); err != nil {
		return Verdict{}, err
	}
	if d.Jurisdiction != as.Jurisdiction {
		return Verdict{}, bad("BAD_MANIFEST", "the manifest does not fit schema, key and terms").
			With("jurisdiction", "is %s, its owner is registered in %s", d.Jurisdiction, as.Jurisdiction)
	}
	if d.Declaration != nil {
		if err := d.Declaration.Check(); err != nil {
			return Verdict{}, err
		}
	}
	return g.judgeDataset(ctx, d, carnet.Hash{})
}

// judgeDataset asks the policy about keeping a dataset whose key was dealt.
func (g *Gateway) judgeDataset(ctx context.Context, d *carnet.Dataset, statement carnet.Hash) (Verdict, error) {
	r := PolicyDataset{Manifest: d, Statement: statement, Now: g.now()}
	err := g.Store.View(ctx, func(tx Tx) error {
		k, st, err := tx.GetDealing(d.Key)
		if absent(err) {
			return carnet.E(carnet.Precondition, "KEY_NOT_DEALT", "there is no dealing of key %s", d.Key).Fix("make one with carnet deal")
		}
		if err != nil {
			return err
		}
		var dealt carnet.Dealing
		if err := st.Envelope.Decode(carnet.TypeDealing, &dealt); err != nil {
			return err
		}
		c, _, err := committee(tx, k.Committee)
		r.Committee, r.Home = &c, dealt.Home != nil
		return err
	})
	if err != nil {
		return Verdict{}, err
	}
	return g.Policy.CheckDataset(ctx, r)
}
