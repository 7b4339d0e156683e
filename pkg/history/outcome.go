package history

import (
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// member checks that a statement about a query is signed by a keyholder of its committee
// under its number, and returns the query.
func (s *State) member(env *evidence.Envelope, query carnet.Hash, by carnet.PartyID, number int) (*Case, error) {
	if _, err := s.signer(env, by, carnet.RoleKeyholder); err != nil {
		return nil, err
	}
	c := s.cases[query]
	if c == nil {
		return nil, invalid("UNKNOWN_QUERY", "%q speaks about query %s, which is not in the log before", by, query)
	}
	if n := c.Committee.Number(by); n == 0 || n != number {
		return nil, invalid("NOT_A_MEMBER", "%q is not keyholder %d of the query's committee", by, number)
	}
	return c, nil
}

// applyCheck: a keyholder's first check of a query's private parameter counts.
func (s *State) applyCheck(_ int64, env *evidence.Envelope) (*Case, error) {
	var k carnet.Check
	if err := env.Decode(carnet.TypeCheck, &k); err != nil {
		return nil, err
	}
	c, err := s.member(env, k.Query, k.By, k.Number)
	if err != nil {
		return nil, err
	}
	if c.Query.Private == nil {
		return c, invalid("BAD_CHECK", "the query has no private parameter")
	}
	if c.Checks[k.By] != nil {
		return c, invalid("CHECK_DIFFERS", "%q has published a check of the query before", k.By)
	}
	c.Checks[k.By] = &k
	return c, nil
}

// applyAnswer: a keyholder's answer to a query of its committee, once.
func (s *State) applyAnswer(seq int64, env *evidence.Envelope) (*Case, *carnet.Answer, error) {
	var a carnet.Answer
	if err := env.Decode(carnet.TypeAnswer, &a); err != nil {
		return nil, nil, err
	}
	c, err := s.member(env, a.Query, a.By, a.Number)
	if err != nil {
		return nil, &a, err
	}
	if c.Answers[a.By] != nil {
		return c, &a, invalid("ANSWER_DIFFERS", "%q has answered the query before", a.By)
	}
	c.Answers[a.By] = &Answered{seq, a}
	return c, &a, nil
}

// applyDecision: a keyholder's refusal of a query of its committee, or what the gateway's
// operator decided: about a query, or a manifest, or a query that it did not let into the
// log. The case is nil if the decision is about no query of the log.
func (s *State) applyDecision(seq int64, env *evidence.Envelope) (*Case, *carnet.Decision, error) {
	var d carnet.Decision
	if err := env.Decode(carnet.TypeDecision, &d); err != nil {
		return nil, nil, err
	}
	p, err := s.signer(env, d.By, carnet.RoleOperator, carnet.RoleKeyholder)
	if err != nil {
		return nil, &d, err
	}
	c := s.cases[d.Query]
	if p.HasRole(carnet.RoleOperator) {
		if c != nil {
			c.Decisions[d.By] = &Decided{seq, d}
		}
		return c, &d, nil
	}
	switch {
	case c == nil:
		return nil, &d, invalid("UNKNOWN_QUERY", "%q decides about query %s, which is not in the log before", d.By, d.Query)
	case c.Committee.Number(d.By) == 0:
		return c, &d, invalid("NOT_A_MEMBER", "%q is not a member of the query's committee", d.By)
	case d.Allow:
		return c, &d, invalid("BAD_DECISION", "a keyholder's answer says that a query is allowed, not a decision")
	case c.Decisions[d.By] != nil:
		return c, &d, invalid("DECISION_DIFFERS", "%q has decided about the query before", d.By)
	}
	c.Decisions[d.By] = &Decided{seq, d}
	return c, &d, nil
}

// latitude is how much later than the end of a dataset an answer may be dated: clocks
// differ, and a keyholder answers before it has read what is being published meanwhile.
const latitude = 10 * time.Minute

// AfterEnd reports whether an answer was given to what had been withdrawn: it is later in
// the log, and by more than the latitude later by its own date. What was asked after the
// end names the dataset against the log and has no effect at all.
func AfterEnd(a *Answered, end *Ended) bool {
	return a.Seq > end.Seq && a.Body.Created.After(end.At.Add(latitude))
}
