package monitor

import (
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/privacy"
)

// terms are the privacy terms of the dataset that a manifest replaces, nil if there are none.
func (m *Monitor) terms(env *evidence.Envelope) *carnet.Privacy {
	var d carnet.Dataset
	if env.PayloadType != carnet.TypeDataset || env.Decode(carnet.TypeDataset, &d) != nil {
		return nil
	}
	if old := m.state.Dataset(d.ID); old != nil {
		return old.Body.Terms.Privacy
	}
	return nil
}

// dataset judges a manifest that took effect by the privacy terms that it replaces: what was
// spent stays spent, so a new version neither forgets it nor has less than that. An owner may
// do both; it is to be asked.
func (m *Monitor) dataset(e *evidence.Entry, before *carnet.Privacy) []Finding {
	var d carnet.Dataset
	if before == nil || e.Envelope.Decode(carnet.TypeDataset, &d) != nil {
		return nil
	}
	spent := m.state.Budgets().Spent(d.ID)
	var f Finding
	switch p := d.Terms.Privacy; {
	case p == nil:
		f = breach(NeverShrinks, "PRIVACY_DROPPED", e.Seq, d.Owner, "the terms of dataset %s ask for no noise any more; %s of a budget of %s were spent", d.ID, privacy.Format(spent), privacy.Format(before.Budget))
	case p.Budget < spent:
		f = breach(NeverShrinks, "BUDGET_SHRANK", e.Seq, d.Owner, "the privacy budget of dataset %s is %s now, and %s were spent", d.ID, privacy.Format(p.Budget), privacy.Format(spent))
	default:
		return nil
	}
	f.Weight = Suspect
	return []Finding{f}
}
