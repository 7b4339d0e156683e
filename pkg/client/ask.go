package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"slices"
	"time"

	pb "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/apiconv"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/seal"
)

// Buyer signs queries and derives the key that their answers are sealed to;
// *ident.Identity is one.
type Buyer interface {
	Signer
	// RecipientSeed returns the same secret bytes for the same query id.
	RecipientSeed(query carnet.Hash) ([]byte, error)
}

// DefaultLifetime is how long keyholders may take over a query.
const DefaultLifetime = 15 * time.Minute

// Asked is a query that was submitted. Its hash is zero if its plan opens nothing:
// then nobody was asked, and Open evaluates it.
type Asked struct {
	Ref     // statement hash of the query
	Query   carnet.Query
	Plan    *plan.Plan
	Product *Product
	With    []*Product // those that it is joined with
}

// Explain compiles a query here, as everybody will, without asking for anything. product
// is the first one that the text names; others that it is joined with have their whole
// names there.
func (c *Client) Explain(ctx context.Context, product carnet.ProductID, sql string) (*Product, *plan.Plan, error) {
	products, pl, err := c.prepare(ctx, product, sql)
	if products == nil {
		return nil, nil, err
	}
	return products[0], pl, err
}

// Refusal is one party's reason not to answer.
type Refusal struct {
	By      carnet.PartyID `json:"by"`
	Reason  string         `json:"reason"`
	Message string         `json:"message"`
	Remedy  string         `json:"remedy,omitempty"`
}

func refusals(in []*pb.Refusal) []Refusal {
	var out []Refusal
	for _, r := range in {
		out = append(out, Refusal{By: carnet.PartyID(r.GetBy()), Reason: r.GetReason(), Message: r.GetMessage(), Remedy: r.GetRemedy()})
	}
	return out
}

// Assessment is what the gateway says about a query before it is asked.
type Assessment struct {
	Approvals []carnet.PartyID // who would have to approve it first
	Refusals  []Refusal        // why it would not be accepted
	Estimate  *plan.Estimate   // of its machine; nil if the query can't be compiled
	// Charged is how many releases of each key the queries in its journal have used; to
	// others than the key's owner a bound.
	Charged map[string]int64
	Privacy []PrivacyCost
}

// PrivacyCost is what a query takes from the privacy budget of a dataset, in rho.
type PrivacyCost struct {
	Dataset carnet.DatasetID `json:"dataset"`
	Cost    string           `json:"cost"`          // as if nothing of it was released before
	Spent   string           `json:"spent_at_most"` // by all queries in the journal; to others than the owner a bound
	Budget  string           `json:"budget"`
}

// Assess asks the gateway whether it would accept the query, how long it would take, and
// how much of the keys' releases is used.
func (c *Client) Assess(ctx context.Context, product carnet.ProductID, sql, purpose string) (*Assessment, error) {
	req := &pb.ExplainQueryRequest{Product: string(product), Sql: sql, Purpose: purpose}
	for _, id := range productsOf(product, sql)[1:] {
		req.With = append(req.With, string(id))
	}
	resp, err := c.queries.ExplainQuery(ctx, req)
	if err != nil {
		return nil, fault(err)
	}
	a := &Assessment{Refusals: refusals(resp.GetRefusals()), Estimate: apiconv.FromEstimate(resp.GetPlan().GetEstimate()), Charged: map[string]int64{}}
	for _, by := range resp.GetApprovals() {
		a.Approvals = append(a.Approvals, carnet.PartyID(by))
	}
	for _, x := range resp.GetPrivacy() {
		a.Privacy = append(a.Privacy, PrivacyCost{carnet.DatasetID(x.GetDataset()), x.GetCost(), x.GetSpent(), x.GetBudget()})
	}
	for _, r := range resp.GetPlan().GetReleases() {
		a.Charged[r.GetKey()] = r.GetCharged()
	}
	return a, nil
}

// Ask compiles the query, signs what it pins (SQL, inputs, plan, answer key) and
// submits it. Its errors are those of plan.Compile with the place in the SQL text,
// and the gateway's refusals.
func (c *Client) Ask(ctx context.Context, buyer Buyer, product carnet.ProductID, sql, purpose string, lifetime time.Duration) (*Asked, error) {
	return c.AskPrivate(ctx, buyer, product, sql, nil, purpose, lifetime)
}

// AskPrivate is Ask for a query with private parameters: values[i] is that of $i+1. They
// leave this process only as shares that less than t keyholders can't put together, and
// are kept nowhere: Open finds them again with the buyer's identity.
func (c *Client) AskPrivate(ctx context.Context, buyer Buyer, product carnet.ProductID, sql string, values []string, purpose string, lifetime time.Duration) (*Asked, error) {
	return c.Submit(ctx, buyer, Question{Product: product, SQL: sql, Values: values, Purpose: purpose, Lifetime: lifetime})
}

// Question is a query to be asked.
type Question struct {
	Product  carnet.ProductID // the first one that the text names
	SQL      string
	Values   []string // of private parameters: Values[i] is that of $i+1
	Purpose  string
	Lifetime time.Duration // how long keyholders may take; 0 stands for DefaultLifetime
	// Pay is the most that the answer may cost by currency. A currency that is not there
	// is not paid: the query is not asked, reason PRICE_NOT_ACCEPTED.
	Pay map[string]carnet.Amount
}

// Submit asks what AskPrivate asks, and agrees to pay for it. Without Pay only what is
// free is asked.
func (c *Client) Submit(ctx context.Context, buyer Buyer, question Question) (*Asked, error) {
	product, sql, purpose, lifetime := question.Product, question.SQL, question.Purpose, question.Lifetime
	products, pl, err := c.prepare(ctx, product, sql)
	if err != nil {
		return nil, err
	}
	p, with := products[0], products[1:]
	codes, err := privateCodes(pl, question.Values)
	if err != nil {
		return nil, err
	}
	if len(pl.Openings) == 0 { // it selects no file: the answer is known without asking anybody
		return &Asked{Plan: pl, Product: p, With: with, Query: carnet.Query{Buyer: buyer.Party(), Product: product, SQL: sql, Purpose: purpose}}, nil
	}
	if lifetime <= 0 {
		lifetime = DefaultLifetime
	}
	now := c.timestamp()
	if err := affordable(pl, buyer.Party(), now, question.Pay); err != nil {
		return nil, err
	}
	a := &Asked{Plan: pl, Product: p, With: with, Query: carnet.Query{
		Buyer: buyer.Party(), Product: product, SQL: sql, Purpose: purpose,
		Plan: pl.Hash(), Created: now, Expires: now.Add(lifetime),
	}}
	if _, err := rand.Read(a.Query.ID[:]); err != nil {
		return nil, err
	}
	for _, o := range with {
		a.Query.With = append(a.Query.With, o.ID)
	}
	for _, o := range products {
		for _, d := range o.Datasets {
			a.Query.Inputs = append(a.Query.Inputs, d.Hash)
		}
	}
	slices.SortFunc(a.Query.Inputs, func(x, y carnet.Hash) int { return bytes.Compare(x[:], y[:]) })
	a.Query.Inputs = slices.Compact(a.Query.Inputs) // a dataset can be in several products
	key, err := recipient(buyer, a.Query.ID)
	if err != nil {
		return nil, err
	}
	a.Query.Recipient = key.Public()
	if pl.Private != nil {
		if a.Query.Private, err = p.shareSelection(buyer, &a.Query, pl, codes); err != nil {
			return nil, err
		}
	}
	env, err := evidence.Seal(carnet.TypeQuery, a.Query, buyer)
	if err != nil {
		return nil, err
	}
	resp, err := c.queries.SubmitQuery(ctx, &pb.SubmitQueryRequest{Statement: toProto(env)})
	if err != nil {
		return nil, fault(err)
	}
	a.Ref, err = refTo(env, resp.GetRef())
	return a, err
}

func recipient(b Buyer, id carnet.Hash) (*seal.PrivateKey, error) {
	seed, err := b.RecipientSeed(id)
	if err != nil {
		return nil, err
	}
	return seal.DeriveKey(seed)
}
