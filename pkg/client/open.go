package client

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/he/wire"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/share"
)

// Member is a keyholder of the committee.
type Member struct {
	Number int            `json:"number"`
	Party  carnet.PartyID `json:"party"`
	Reason string         `json:"reason,omitempty"`
}

// Answer is an opened query: the result, and how far it can be relied on.
type Answer struct {
	Query  carnet.Hash  `json:"query"` // statement hash
	SQL    string       `json:"sql"`
	Result *plan.Result `json:"-"`

	Used     []Member `json:"used"`               // answers that make up the result
	Liars    []Member `json:"liars,omitempty"`    // answers that were off the codeword, left out
	Rejected []Member `json:"rejected,omitempty"` // answers that were not well-formed, with the reason
	// Detectable lies among this many answers would have been noticed, and Corrected
	// many of them named and left out.
	Detectable  int `json:"detectable"`
	Correctable int `json:"correctable"`
	Threshold   int `json:"threshold"`

	// Attested counts keyholders that computed the public values themselves and got
	// what the gateway sent; Disagreed those that got something else. Below Needed, the
	// committee's least number and for products at least t, the answer is Unattested:
	// its secrecy does not depend on the gateway, its correctness does.
	Attested   int      `json:"attested"`
	Needed     int      `json:"attestations_needed"`
	Disagreed  []Member `json:"disagreed,omitempty"`
	Unattested bool     `json:"unattested"`

	// Homes took part as holders of a home veto. Such a keyholder could shift a total
	// unnoticed, though never learn more than others.
	Homes    []Member  `json:"homes,omitempty"`
	Refusals []Refusal `json:"refusals,omitempty"`
	Bytes    int64     `json:"bytes"` // downloaded
	Openings int       `json:"openings"`

	// DecidedBy says by which policy bundles the query was let pass: by the gateway, if it
	// decided by one, and by every keyholder whose answer was combined, each as it signed it.
	DecidedBy []DecidedBy `json:"decided_by"`
}

// Reopen opens the answer to a query that the buyer asked earlier. snapshot is the
// products as they were then (Asked.Snapshot); nil loads the present ones.
func (c *Client) Reopen(ctx context.Context, buyer Buyer, query carnet.Hash, snapshot []byte) (*Answer, error) {
	env, err := c.QueryStatement(ctx, query)
	if err != nil {
		return nil, err
	}
	a := &Asked{Ref: Ref{Hash: query}}
	if err := env.Verify(carnet.TypeQuery, buyer.Public(), &a.Query); err != nil {
		return nil, err
	}
	var products []*Product
	if snapshot != nil {
		products, err = c.loadSnapshot(ctx, a.Query.Products(), snapshot)
	} else {
		products, err = c.loadProducts(ctx, a.Query.Products())
	}
	if err != nil {
		return nil, err
	}
	a.Product, a.With = products[0], products[1:]
	if a.Plan, err = compile(a.Query.SQL, products); err != nil {
		return nil, err
	}
	if a.Plan.Hash() != a.Query.Plan {
		return nil, carnet.E(carnet.Precondition, "PRODUCT_CHANGED", "product %s changed since the query was asked", a.Query.Product).
			Fix("open it where it was asked: the product as it was is kept there")
	}
	return c.Open(ctx, buyer, a)
}

// Open fetches what keyholders answered and turns it into the result. It checks every
// signature and hash, names lying keyholders, and compares the gateway's public values
// with what keyholders attest.
//
// Errors: TOO_FEW_ANSWERS, INCONSISTENT_ANSWERS, HOME_MISSING, and
// PUBLIC_VALUES_WRONG if keyholders computed something else than the gateway sent.
func (c *Client) Open(ctx context.Context, buyer Buyer, a *Asked) (*Answer, error) {
	if len(a.Plan.Openings) == 0 {
		result, err := a.Plan.Evaluate(nil)
		return &Answer{SQL: a.Query.SQL, Result: result}, err
	}
	f, err := c.fetch(ctx, a.Hash)
	if err != nil {
		return nil, err
	}
	key, err := recipient(buyer, a.Query.ID)
	if err != nil {
		return nil, err
	}
	o := &opening{asked: a, key: key, ring: he.NewRing(a.Product.Profile), out: &Answer{
		Query: a.Hash, SQL: a.Query.SQL, Bytes: f.bytes, Openings: len(a.Plan.Openings), Threshold: a.Product.Committee.Threshold,
	}}
	var codes []int
	if a.Plan.Private != nil {
		if codes, err = selectedCodes(buyer, &a.Query, a.Plan); err != nil {
			return nil, err
		}
	}
	if err := o.accept(ctx, f.answers); err != nil {
		return nil, err
	}
	if err := o.agree(); err != nil {
		return nil, err
	}
	if err := c.decided(ctx, f.decision, o); err != nil {
		return nil, err
	}
	sums, err := o.combine()
	if err != nil {
		return nil, err
	}
	z, err := o.publicValues(f.public)
	if err != nil {
		return nil, err
	}
	z = o.selected(codes, z)
	values := make([]int64, len(sums))
	t := a.Product.Profile.T()
	for i, s := range sums {
		v, _ := o.ring.Decode(o.ring.ScalarAdd(s, z[i]), a.Plan.Openings[i].Degree)
		values[i] = he.Centre(v, t)
	}
	o.out.Result, err = a.Plan.Evaluate(values)
	return o.out, err
}

// combine checks the codeword over all answers and reconstructs every opening.
func (o *opening) combine() ([]he.Scalar, error) {
	p := o.asked.Product
	var numbers []int
	var values [][]he.Scalar
	home := map[int][]he.Scalar{}
	for _, s := range o.shares {
		numbers = append(numbers, s.number)
		values = append(values, s.values)
		if s.home != nil {
			home[s.number] = s.home
		}
	}
	combine := share.CombineAll
	switch {
	case o.asked.Plan.Private != nil:
		combine = share.CombineSelected
	case o.asked.Plan.Across:
		combine = share.CombineCross
	}
	sums, liars, detected, corrected, err := combine(o.ring, p.Product.Committee, numbers, values)
	if err != nil {
		return nil, err
	}
	o.out.Detectable, o.out.Correctable = detected, corrected
	for _, n := range numbers {
		if slices.Contains(liars, n) {
			o.out.Liars = append(o.out.Liars, o.member(n, "its shares do not fit those of the others"))
		} else {
			o.out.Used = append(o.out.Used, o.member(n, ""))
		}
	}
	homes := o.homes()
	for _, n := range homes {
		o.out.Homes = append(o.out.Homes, o.member(n, ""))
		if home[n] == nil {
			return nil, carnet.E(carnet.Refused, "HOME_MISSING", "keyholder %s, without which nothing of its jurisdiction opens, has not answered", o.member(n, "").Party).
				Fix("wait for it and open the query again, or ask its operator why it refused")
		}
	}
	return sums, share.AddHome(o.ring, sums, homes, home)
}

// homes lists the distinct home keyholders of the keys that the plan opens.
func (o *opening) homes() []int {
	members := map[int]bool{}
	for i := range o.asked.Plan.Openings {
		for _, k := range o.asked.Plan.Openings[i].Functionals()[0].Keys {
			if m, ok := o.asked.home(k.Key); ok {
				members[m] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(members))
}

// publicValues reads the gateway's z and compares it with what keyholders attest;
// the word of those that were caught lying does not count.
func (o *opening) publicValues(raw []byte) ([]he.Scalar, error) {
	p := o.asked.Product
	count := o.asked.Plan.Cost.Functionals
	if len(raw) != count*p.Profile.ScalarBytes() {
		return nil, wrong("the gateway sent %d bytes of public values, %d of them have %d", len(raw), count, count*p.Profile.ScalarBytes())
	}
	z, err := wire.ReadScalars(p.Profile, raw, count)
	if err != nil {
		return nil, fmt.Errorf("public values: %w", err)
	}
	digest := carnet.Digest("carnet/answers/z/1", raw)
	for _, s := range o.shares {
		switch {
		case s.attested == nil || slices.ContainsFunc(o.out.Liars, func(m Member) bool { return m.Number == s.number }):
		case *s.attested == digest:
			o.out.Attested++
		default:
			o.out.Disagreed = append(o.out.Disagreed, o.member(s.number, "computed other public values than the gateway"))
		}
	}
	// t-1 keyholders may lie together with the gateway. Once somebody disagrees, fewer
	// than t who agree with it prove nothing.
	if d := len(o.out.Disagreed); d > 0 && (d >= o.out.Attested || o.out.Attested < o.out.Threshold) {
		e := carnet.E(carnet.Internal, "PUBLIC_VALUES_WRONG", "the gateway's public values are not those that %d keyholders computed; %d agree", d, o.out.Attested).
			Fix("the gateway computed wrongly or was changed; don't use this answer, and tell its operator and the keyholders")
		for _, m := range o.out.Disagreed {
			e = e.With(string(m.Party), "%s", m.Reason)
		}
		return nil, e
	}
	o.out.Needed = attestationsNeeded(&p.Committee.Committee, o.asked.Plan.Certificate.Degree)
	o.out.Unattested = o.out.Attested < o.out.Needed
	return z, nil
}

// selected adds up, for each opening, the public values of the selected codes; without a
// private parameter there is one for each already.
func (o *opening) selected(codes []int, z []he.Scalar) []he.Scalar {
	if o.asked.Plan.Private == nil {
		return z
	}
	out := make([]he.Scalar, len(o.asked.Plan.Openings))
	for i := range out {
		n := len(o.asked.Plan.Openings[i].Choices)
		out[i] = share.SelectedPublic(o.ring, codes, z[:n])
		z = z[n:]
	}
	return out
}

// attestationsNeeded: what the committee asks for; for products, which keyholders
// re-execute anyway, at least t, so that one of them is honest (scheme §5).
func attestationsNeeded(c *carnet.Committee, degree int) int {
	if degree > 1 {
		return max(c.Attestations, c.Threshold)
	}
	return c.Attestations
}
