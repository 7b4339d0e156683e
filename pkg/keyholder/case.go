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

	env     *evidence.Envelope
	invalid error         // the statement can't be read
	buyer   *carnet.Party // nil if unknown
	product *carnet.Product
	inputs  []input            // in use, in the order of the product
	missing []carnet.DatasetID // listed by the product, without a valid manifest
	reused  []carnet.DatasetID // of these: refused because a file was used twice

	mu   sync.Mutex
	plan *plan.Plan // compiled on demand, dropped when the case rests

	open int // 1 + checks of its private parameter when those were too few; for whoever decides it

	// Guarded by Keyholder.mu.
	running bool // somebody tries to decide it
	missed  bool // something changed while it ran
	retryAt time.Time
	wait    backoff
}

// input is one dataset of a query with the statements its manifest relies on.
type input struct {
	manifest *manifest
	dealing  *dealing
	schema   *schema.Schema
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
	c.buyer = s.parties[c.Query.Buyer]
	if c.product = s.products[c.Query.Product]; c.product == nil {
		return c
	}
	for _, id := range c.product.Datasets {
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
		c.inputs = append(c.inputs, input{m, s.dealings[m.body.Key], s.schemas[m.body.Schema]})
	}
	return c
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

// datasets lists the inputs as the planner and policies see them.
func (c *Case) datasets() (out []plan.Dataset) {
	for _, in := range c.inputs {
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
	if c.product == nil || len(c.inputs) == 0 {
		return nil, carnet.E(carnet.NotFound, "UNKNOWN_PRODUCT", "the product %q has no datasets", c.Query.Product)
	}
	first := c.inputs[0]
	p := &plan.Product{ID: c.product.ID, Schema: first.schema, Profile: first.dealing.profile,
		Committee: first.dealing.committee.scheme, Homes: map[carnet.KeyID]int{}, PrivateChecks: first.dealing.committee.body.PrivateChecks}
	if p.Encoding, err = first.schema.Encode(first.manifest.body.Layout); err != nil {
		return nil, err
	}
	p.Datasets = c.datasets()
	for _, in := range c.inputs {
		if h := in.dealing.body.Home; h != nil {
			p.Homes[in.dealing.key] = h.Member
		}
	}
	c.plan, err = plan.Compile(c.Query.SQL, p)
	return c.plan, err
}

// rest drops what can be made again.
func (c *Case) rest() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.plan = nil
}
