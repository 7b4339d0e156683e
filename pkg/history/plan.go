package history

import (
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/share"
)

// Plan compiles the query from its text and the signed manifests alone. The plan is kept
// until Rest.
//
// A fault of the planner is an error like others: a log must not be able to end whoever
// reads it.
func (c *Case) Plan() (p *plan.Plan, err error) {
	if c.plan != nil || c.planErr != nil {
		return c.plan, c.planErr
	}
	defer func() {
		if recover() != nil {
			err = carnet.E(carnet.Internal, "PANIC", "a fault of this program met the query")
		}
		c.plan, c.planErr = p, err
	}()
	var products []*plan.Product
	for _, q := range c.Products {
		p, err := q.planned()
		if err != nil {
			return nil, err
		}
		products = append(products, p)
	}
	return plan.Compile(c.Query.SQL, products...)
}

// Rest drops the plan, which can be made again.
func (c *Case) Rest() { c.plan, c.planErr = nil, nil }

// planned is the product as the planner takes it.
func (q *Queried) planned() (*plan.Product, error) {
	first := q.Inputs[0]
	com := first.Dealing.Committee
	p := &plan.Product{ID: q.Body.ID, Schema: first.Schema, Profile: first.Dealing.Profile, Committee: com.Scheme,
		Keyholders: com.Hash, Homes: map[carnet.KeyID]int{}, PrivateChecks: com.Body.PrivateChecks}
	var err error
	if p.Encoding, err = first.Schema.Encode(first.Manifest.Body.Layout); err != nil {
		return nil, err
	}
	for _, in := range q.Inputs {
		p.Datasets = append(p.Datasets, plan.Dataset{Hash: in.Manifest.Hash, Manifest: in.Manifest.Body})
		if h := in.Dealing.Body.Home; h != nil {
			p.Homes[in.Dealing.Key] = h.Member
		}
	}
	return p, nil
}

// Charge is one number that a query asks to open under a key. Equal ones count once.
type Charge struct {
	Key    carnet.KeyID
	Opened carnet.Hash
	Across bool // the number multiplies columns of different keys
}

// Charges lists what the query asks to open, as every keyholder counts it.
func (c *Case) Charges() ([]Charge, error) {
	p, err := c.Plan()
	if err != nil {
		return nil, err
	}
	var sharing carnet.Hash
	if p.Private != nil {
		if c.Query.Private == nil {
			return nil, invalid("NO_PRIVATE_PARAMETER", "the query shares no selection for its private parameter")
		}
		sharing = share.SelectionOf(&c.Query).Hash()
	}
	var out []Charge
	for i := range p.Openings {
		f := c.countsAs(p, i, sharing)
		keys := p.Openings[i].Functionals()[0].Keys
		for j := range keys {
			out = append(out, Charge{keys[j].Key, f, p.Across})
		}
	}
	return out, nil
}

// countsAs is what opening i of the query's plan counts as.
func (c *Case) countsAs(p *plan.Plan, i int, sharing carnet.Hash) carnet.Hash {
	f := p.Charge(i, sharing)
	if !c.redealt() {
		return f
	}
	var dealings []carnet.KeyID
	keys := p.Openings[i].Functionals()[0].Keys
	for j := range keys {
		if d := c.Dealing(keys[j].Key); d != nil {
			dealings = append(dealings, d.ID)
		}
	}
	return plan.Redealt(f, dealings)
}

// redealt reports whether a key of the query is not opened with the dealing it is named
// after.
func (c *Case) redealt() bool {
	for _, in := range c.Inputs {
		if in.Dealing.ID != in.Dealing.Key {
			return true
		}
	}
	return false
}
