package history

import (
	"bytes"
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/schema"
)

// Case is one query with everything it refers to, as the log was before its entry, and
// what became of it.
type Case struct {
	Seq       int64
	Hash      carnet.Hash // statement hash of the query
	Query     carnet.Query
	Buyer     *carnet.Party
	Products  []*Queried
	Inputs    []Input // datasets in use, in the order of the products, each once
	Committee *Committee

	Payments []Payment // from privacy budgets, in the order of the plan's datasets

	// What later entries say about it.
	Answers   map[carnet.PartyID]*Answered
	Checks    map[carnet.PartyID]*carnet.Check
	Decisions map[carnet.PartyID]*Decided
	Approvals map[carnet.PartyID]*Approved

	plan    *plan.Plan
	planErr error
}

// Input is one dataset of a query with the statements its manifest relies on.
type Input struct {
	Manifest *Manifest
	Dealing  *Dealing // that its key is opened with
	Schema   *schema.Schema
}

// Queried is a product of a query with its datasets that are in use.
type Queried struct {
	Body   carnet.Product
	Inputs []Input
}

// Answered is an answer with its place in the log.
type Answered struct {
	Seq  int64
	Body carnet.Answer
}

// Decided is a decision with its place in the log.
type Decided struct {
	Seq  int64
	Body carnet.Decision
}

// applyQuery: signed by a registered buyer, under an id it has not used, about products
// and exactly their datasets that are in use, of one committee. The case is returned with
// the error as far as it could be made.
func (s *State) applyQuery(seq int64, env *evidence.Envelope) (*Case, error) {
	c, unresolved, err := s.weigh(seq, env)
	if err != nil {
		return nil, err
	}
	if s.cases[c.Hash] != nil {
		return c, invalid("QUERY_REPEATED", "the query is in the log already, as entry %d", s.cases[c.Hash].Seq)
	}
	id := queryID{c.Query.Buyer, c.Query.ID}
	if _, used := s.ids[id]; used {
		return c, invalid("QUERY_ID_USED", "%q used the query id for another query", c.Query.Buyer)
	}
	if unresolved != nil {
		return c, unresolved
	}
	s.cases[c.Hash], s.ids[id] = c, c.Hash
	return c, nil
}

// Weigh takes in what a query takes from budgets and tells with others, and nothing else of
// it: for who knows that it has no effect, or is no longer interested in it. The case is nil
// if its buyer did not sign it.
func (s *State) Weigh(seq int64, env *evidence.Envelope) *Case {
	c, _, err := s.weigh(seq, env)
	if err != nil {
		return nil
	}
	return c
}

// weigh reads a query that its buyer signed, and counts it. It need have no effect: unresolved
// says what it names that the log has not.
func (s *State) weigh(seq int64, env *evidence.Envelope) (c *Case, unresolved, err error) {
	c = &Case{Seq: seq, Hash: env.Hash(), Answers: map[carnet.PartyID]*Answered{}, Checks: map[carnet.PartyID]*carnet.Check{},
		Decisions: map[carnet.PartyID]*Decided{}, Approvals: map[carnet.PartyID]*Approved{}}
	if err := env.Decode(carnet.TypeQuery, &c.Query); err != nil {
		return nil, nil, err
	}
	if c.Buyer, err = s.signer(env, c.Query.Buyer, carnet.RoleBuyer); err != nil {
		return nil, nil, err
	}
	unresolved = s.resolve(c)
	s.note(c)
	c.Payments = s.charge(c)
	return c, unresolved, nil
}

// resolve looks up products and datasets, all that there are. The error is about the first
// that is missing or does not fit.
func (s *State) resolve(c *Case) error {
	ids := c.Query.Products()
	if len(ids) > plan.MaxProducts {
		return invalid("BAD_STATEMENT", "the query is about more than %d products", plan.MaxProducts)
	}
	var first error
	for _, id := range ids {
		err := s.addProduct(c, id)
		if first == nil {
			first = err
		}
	}
	if len(c.Inputs) > 0 {
		c.Committee = c.Inputs[0].Dealing.Committee
	}
	if first != nil {
		return first
	}
	if !slices.Equal(c.Query.Inputs, c.hashes()) {
		return invalid("INPUTS_DIFFER", "the query's inputs are not the datasets that were in use when it was asked")
	}
	return oneCommittee(c)
}

func (s *State) addProduct(c *Case, id carnet.ProductID) (missing error) {
	p := s.products[id]
	if p == nil {
		return invalid("UNKNOWN_PRODUCT", "there is no product %q", id)
	}
	q := &Queried{Body: *p}
	for _, id := range p.Datasets {
		m := s.datasets[id]
		if s.revoked[id] != nil || m != nil && s.retired[m.Body.Key] != nil {
			continue
		}
		if m == nil {
			if missing == nil {
				missing = invalid("UNKNOWN_DATASET", "dataset %q has no manifest that verifies", id)
			}
			continue
		}
		in := Input{m, s.Opened(m.Body.Key), s.schemas[m.Body.Schema]}
		q.Inputs = append(q.Inputs, in)
		if !slices.ContainsFunc(c.Inputs, func(o Input) bool { return o.Manifest == m }) {
			c.Inputs = append(c.Inputs, in)
		}
	}
	c.Products = append(c.Products, q)
	if missing == nil && len(q.Inputs) == 0 {
		missing = invalid("UNKNOWN_PRODUCT", "the product %q has no datasets", p.ID)
	}
	return missing
}

// oneCommittee: all owners in one functional share committee and parameters.
func oneCommittee(c *Case) error {
	for _, q := range c.Products {
		for _, in := range q.Inputs {
			a, b := &in.Manifest.Body, &q.Inputs[0].Manifest.Body
			if a.Schema != b.Schema || a.Layout != b.Layout {
				return invalid("MIXED_PRODUCT", "the datasets of product %q differ in schema or layout", q.Body.ID)
			}
		}
	}
	for _, in := range c.Inputs {
		if in.Dealing.Committee != c.Committee || in.Dealing.Body.Params != c.Inputs[0].Dealing.Body.Params {
			return invalid("MIXED_COMMITTEES", "the query's datasets differ in committee or parameters")
		}
	}
	return nil
}

// hashes lists the inputs' statement hashes, ascending, as a query names them.
func (c *Case) hashes() (out []carnet.Hash) {
	for _, in := range c.Inputs {
		out = append(out, in.Manifest.Hash)
	}
	slices.SortFunc(out, func(a, b carnet.Hash) int { return bytes.Compare(a[:], b[:]) })
	return out
}

// Dealing finds the dealing of one of the inputs' keys, nil if there is none.
func (c *Case) Dealing(key carnet.KeyID) *Dealing {
	for _, in := range c.Inputs {
		if in.Dealing.Key == key {
			return in.Dealing
		}
	}
	return nil
}

// Released reports whether so many keyholders answered that the buyer can open.
func (c *Case) Released() bool {
	p, err := c.Plan()
	return err == nil && len(c.Answers) >= p.Needed()
}
