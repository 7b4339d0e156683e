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
	draft := *d
	if draft.Created.IsZero() {
		draft.Created = g.now() // else this year's volumes would leave it out
	}
	return g.judgeDataset(ctx, &draft, carnet.Hash{})
}

// Kind is an example of data that an owner may have, and what is said of it.
type Kind struct {
	Declaration *carnet.Declaration // nil: nothing is declared
	Verdict     Verdict
}

// kinds are what AssessRegistration asks about: enough persons that no rule about
// small volumes applies, and few of them.
func kinds() (out []Kind) {
	add := func(persons, sensitive int64, classes ...carnet.DataClass) {
		out = append(out, Kind{Declaration: &carnet.Declaration{Classes: classes, Persons: persons, Sensitive: sensitive}})
	}
	out = append(out, Kind{})
	add(0, 0, carnet.ClassNone)
	add(1_000, 0, carnet.ClassPersonal)
	add(250_000, 0, carnet.ClassPersonal)
	add(2_000_000, 0, carnet.ClassPersonal)
	add(1_000, 1_000, carnet.ClassPersonal, carnet.ClassSensitive)
	add(1_000, 1_000, carnet.ClassBiometric)
	add(1_000, 1_000, carnet.ClassGenetic)
	add(1_000, 0, carnet.ClassTelecom)
	add(0, 0, carnet.ClassPayment)
	add(0, 0, carnet.ClassImportant)
	return out
}

// AssessRegistration judges examples of datasets of an owner that may not be registered
// yet: what it would need here, with a key dealt to this committee.
func (g *Gateway) AssessRegistration(ctx context.Context, j carnet.Jurisdiction, committeeID string) ([]Kind, error) {
	if len(j) != 2 {
		return nil, bad("BAD_JURISDICTION", "%q is not a jurisdiction", j).Fix("give a two-letter code, such as KZ")
	}
	st, err := g.Statement(ctx, NamedCommittee, committeeID)
	if err != nil {
		return nil, err
	}
	c := &carnet.Committee{}
	if err := st.Envelope.Decode(carnet.TypeCommittee, c); err != nil {
		return nil, err
	}
	owner := &carnet.Party{ID: "newcomer", Name: "an owner that is not registered yet", Jurisdiction: j, Roles: []carnet.Role{carnet.RoleOwner}}
	all := kinds()
	for i := range all {
		d := &carnet.Dataset{ID: "newcomer/data", Owner: owner.ID, Jurisdiction: j, Layout: carnet.LayoutRecords, Declaration: all[i].Declaration,
			Terms: carnet.Terms{Buyers: []carnet.PartyID{"*"}, Purposes: []string{"*"}, Expires: g.now().AddDate(1, 0, 0)}, Created: g.now()}
		if all[i].Verdict, err = g.Policy.CheckDataset(ctx, PolicyDataset{Manifest: d, Owner: owner, Committee: c, Now: g.now()}); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// judgeDataset asks the policy about keeping a dataset whose key was dealt.
func (g *Gateway) judgeDataset(ctx context.Context, d *carnet.Dataset, statement carnet.Hash) (Verdict, error) {
	r := PolicyDataset{Manifest: d, Statement: statement, Now: g.now()}
	err := g.Store.View(ctx, func(tx Tx) error {
		dealt, err := OpenedWith(tx, d.Key)
		if absent(err) {
			return carnet.E(carnet.Precondition, "KEY_NOT_DEALT", "there is no dealing of key %s", d.Key).Fix("make one with carnet deal")
		}
		if err != nil {
			return err
		}
		c, _, err := committee(tx, dealt.Committee)
		r.Committee, r.Home = &c, dealt.Home != nil
		return err
	})
	if err != nil {
		return Verdict{}, err
	}
	return g.Policy.CheckDataset(ctx, r)
}
