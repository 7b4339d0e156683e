package keyholder

import (
	"bytes"
	"slices"
	"sync"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/schema"
)

// Case is one query with everything it refers to, looked up in the journal as it
// was before the query's entry. Only public facts are in it.
type Case struct {
	Seq   int64
	Hash  carnet.Hash // statement hash of the query
	Query carnet.Query

	env       *evidence.Envelope
	invalid   error         // the statement can't be read
	buyer     *carnet.Party // nil if unknown, or revoked
	signature error         // why the buyer did not sign it
	products  []*queried
	unknown   []carnet.ProductID // products of the query that there are none of
	inputs    []input            // in use, in the order of the products, each once
	missing   []carnet.DatasetID // listed by a product, without a valid manifest
	reused    []carnet.DatasetID // of these: refused because a file was used twice

	parties   map[carnet.PartyID]*carnet.Party     // owners and members of the committee
	published map[carnet.PartyID][]*carnet.Dataset // what each owner had published

	mu   sync.Mutex
	plan *plan.Plan // compiled on demand, dropped when the case rests

	verdict Verdict // of the policy, as last judged; for whoever decides it

	open int // 1 + checks of its private parameter when those were too few; for whoever decides it

	// Guarded by Keyholder.mu.
	running bool // somebody tries to decide it
	missed  bool // something changed while it ran
	retryAt time.Time
	wait    backoff
	waits   *waits // for people; nil: not, or not known yet
}

// input is one dataset of a query with the statements its manifest relies on.
type input struct {
	manifest *manifest
	dealing  *dealing
	schema   *schema.Schema
}

// queried is a product of a query with its datasets that are in use.
type queried struct {
	*carnet.Product
	inputs []input
}

// newCase looks up what a query refers to; nil for other statements.
func (s *state) newCase(seq int64, env *evidence.Envelope) *Case {
	if env.PayloadType != carnet.TypeQuery {
		return nil
	}
	c := &Case{Seq: seq, Hash: env.Hash(), env: env}
	if c.invalid = env.Decode(carnet.TypeQuery, &c.Query); c.invalid != nil {
		return c
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if c.buyer = s.current(c.Query.Buyer); c.buyer != nil {
		c.signature = s.parties[c.Query.Buyer].Signed(seq, env)
	}
	products := c.Query.Products()
	if len(products) > plan.MaxProducts { // it concerns those that guard the first ones, who refuse it
		c.invalid, products = errTooManyProducts, products[:plan.MaxProducts]
	}
	for _, id := range products {
		p := s.products[id]
		if p == nil {
			c.unknown = append(c.unknown, id)
			continue
		}
		s.addProduct(c, p)
	}
	s.witness(c)
	return c
}

var errTooManyProducts = carnet.E(carnet.Invalid, "BAD_STATEMENT", "the query is about more than %d products", plan.MaxProducts)

// addProduct adds one product to what a query refers to.
func (s *state) addProduct(c *Case, p *carnet.Product) {
	q := &queried{Product: p}
	c.products = append(c.products, q)
	for _, id := range p.Datasets {
		m := s.datasets[id]
		if s.revoked[id] || m != nil && s.retired[m.body.Key] {
			continue
		}
		if m == nil {
			c.missing = append(c.missing, id)
			if s.reused[id] {
				c.reused = append(c.reused, id)
			}
			continue
		}
		in := input{m, s.opened(m.body.Key), s.schemas[m.body.Schema]}
		q.inputs = append(q.inputs, in)
		if !slices.ContainsFunc(c.inputs, func(o input) bool { return o.manifest == m }) {
			c.inputs = append(c.inputs, in)
		}
	}
}

// witness keeps what policies want to know, as it is now.
func (s *state) witness(c *Case) {
	c.parties, c.published = map[carnet.PartyID]*carnet.Party{}, map[carnet.PartyID][]*carnet.Dataset{}
	for _, in := range c.inputs {
		owner := in.manifest.body.Owner
		c.parties[owner], c.published[owner] = s.parties[owner].Present(), s.published[owner]
		for _, m := range in.dealing.committee.body.Members {
			c.parties[m] = s.parties[m].Present()
		}
	}
}

// committee is that of the first input; checkDealing insists on one for all.
func (c *Case) committee() *committee {
	if len(c.inputs) == 0 {
		return nil
	}
	return c.inputs[0].dealing.committee
}

// concernsMe reports whether this keyholder guards a key of the query.
func (c *Case) concernsMe() bool {
	return slices.ContainsFunc(c.inputs, func(in input) bool { return in.dealing.committee.number > 0 })
}

func (c *Case) expired(now time.Time) bool { return !now.Before(c.Query.Expires) }

// keys lists the distinct keys of the inputs, ascending.
func (c *Case) keys() (out []carnet.KeyID) {
	for _, in := range c.inputs {
		out = append(out, in.dealing.key)
	}
	slices.SortFunc(out, func(a, b carnet.KeyID) int { return bytes.Compare(a[:], b[:]) })
	return slices.Compact(out)
}

// dealing finds the dealing of one of the inputs' keys.
func (c *Case) dealing(key carnet.KeyID) *dealing {
	for _, in := range c.inputs {
		if in.dealing.key == key {
			return in.dealing
		}
	}
	return nil
}

// hashes lists the inputs' statement hashes, ascending, as a query names them.
func (c *Case) hashes() (out []carnet.Hash) {
	for _, in := range c.inputs {
		out = append(out, in.manifest.hash)
	}
	slices.SortFunc(out, func(a, b carnet.Hash) int { return bytes.Compare(a[:], b[:]) })
	return out
}

// files lists every file of the inputs.
func (c *Case) files() (out []*carnet.File) {
	for _, in := range c.inputs {
		for i := range in.manifest.body.Files {
			out = append(out, &in.manifest.body.Files[i])
		}
	}
	return out
}

// datasets lists inputs as the planner and policies see them.
func datasets(inputs []input) (out []plan.Dataset) {
	for _, in := range inputs {
		out = append(out, plan.Dataset{Hash: in.manifest.hash, Manifest: in.manifest.body})
	}
	return out
}

// compile makes the plan from the SQL text and the signed manifests alone. A fault of
// the planner is an error like others: every keyholder meets it alike, in the journal,
// and must not stop there for good.
func (c *Case) compile() (out *plan.Plan, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer func() {
		if recover() != nil {
			out, c.plan, err = nil, nil, carnet.E(carnet.Internal, "PANIC", "a fault of this program met the query")
		}
	}()
	if c.plan != nil {
		return c.plan, nil
	}
	if len(c.unknown) > 0 {
		return nil, carnet.E(carnet.NotFound, "UNKNOWN_PRODUCT", "the product %q has no datasets", c.unknown[0])
	}
	var products []*plan.Product
	for _, q := range c.products {
		p, err := q.planned()
		if err != nil {
			return nil, err
		}
		products = append(products, p)
	}
	c.plan, err = plan.Compile(c.Query.SQL, products...)
	return c.plan, err
}

// planned is the product as the planner takes it.
func (q *queried) planned() (*plan.Product, error) {
	if len(q.inputs) == 0 {
		return nil, carnet.E(carnet.NotFound, "UNKNOWN_PRODUCT", "the product %q has no datasets", q.ID)
	}
	first := q.inputs[0]
	com := first.dealing.committee
	p := &plan.Product{ID: q.ID, Schema: first.schema, Profile: first.dealing.profile, Datasets: datasets(q.inputs),
		Committee: com.scheme, Keyholders: com.hash, Homes: map[carnet.KeyID]int{}, PrivateChecks: com.body.PrivateChecks}
	var err error
	if p.Encoding, err = first.schema.Encode(first.manifest.body.Layout); err != nil {
		return nil, err
	}
	for _, in := range q.inputs {
		if h := in.dealing.body.Home; h != nil {
			p.Homes[in.dealing.key] = h.Member
		}
	}
	return p, nil
}

// rest drops what can be made again.
func (c *Case) rest() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.plan = nil
}
