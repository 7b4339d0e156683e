package history

import (
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// Approved is what people said about a query, with its place in the log.
type Approved struct {
	Seq  int64
	Body carnet.Approval
}

// applyApproval: signed by an owner of one of the query's datasets, or by an operator of a
// gateway, once.
func (s *State) applyApproval(seq int64, env *evidence.Envelope) (*Case, error) {
	var a carnet.Approval
	if err := env.Decode(carnet.TypeApproval, &a); err != nil {
		return nil, err
	}
	p, err := s.signer(env, a.By, carnet.RoleOwner, carnet.RoleOperator)
	if err != nil {
		return nil, err
	}
	c := s.cases[a.Query]
	switch {
	case c == nil:
		return nil, invalid("UNKNOWN_QUERY", "%q approves or refuses query %s, which is not in the log before", a.By, a.Query)
	case !p.HasRole(carnet.RoleOperator) && !slices.Contains(c.Owners(), a.By):
		return c, invalid("NOT_AN_OWNER", "%q owns no dataset of the query", a.By)
	case c.Approvals[a.By] != nil:
		return c, invalid("APPROVAL_DIFFERS", "%q has approved or refused the query before", a.By)
	}
	c.Approvals[a.By] = &Approved{seq, a}
	return c, nil
}

// applyDeferral: signed by a keyholder of the query's committee. It promises nothing.
func (s *State) applyDeferral(env *evidence.Envelope) (*Case, error) {
	var d carnet.Deferral
	if err := env.Decode(carnet.TypeDeferral, &d); err != nil {
		return nil, err
	}
	if _, err := s.signer(env, d.By, carnet.RoleKeyholder); err != nil {
		return nil, err
	}
	c := s.cases[d.Query]
	if c == nil {
		return nil, invalid("UNKNOWN_QUERY", "%q defers query %s, which is not in the log before", d.By, d.Query)
	}
	if c.Committee.Number(d.By) == 0 {
		return c, invalid("NOT_A_MEMBER", "%q is not a member of the query's committee", d.By)
	}
	return c, nil
}

// Owners lists the owners of the query's datasets, ascending, each once.
func (c *Case) Owners() (out []carnet.PartyID) {
	for _, in := range c.Inputs {
		out = append(out, in.Manifest.Body.Owner)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Unapproved lists the owners whose terms have every query wait for them and that had not
// approved it before an entry, and those that had refused it.
func (c *Case) Unapproved(before int64) (missing, refused []carnet.PartyID) {
	for _, owner := range c.Owners() {
		demands := slices.ContainsFunc(c.Inputs, func(in Input) bool {
			return in.Manifest.Body.Owner == owner && in.Manifest.Body.Terms.Approval != ""
		})
		switch a := c.Approvals[owner]; {
		case a != nil && a.Seq < before && !a.Body.Allow:
			refused = append(refused, owner)
		case demands && (a == nil || a.Seq >= before):
			missing = append(missing, owner)
		}
	}
	return missing, refused
}
