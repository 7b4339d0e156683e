package client

import (
	"cmp"
	"context"
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/he/wire"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/seal"
	"github.com/carnet-network/carnet/pkg/share"
)

// opening is one query being opened.
type opening struct {
	asked  *Asked
	key    *seal.PrivateKey
	ring   *he.Ring
	shares []keyholderShares // by number
	out    *Answer
}

// keyholderShares is one checked and unsealed answer.
type keyholderShares struct {
	number      int
	functionals carnet.Hash
	attested    *carnet.Hash
	values      []he.Scalar // one for each opening
	home        []he.Scalar // the same, from a home keyholder
	decided     DecidedBy
}

func (o *opening) member(number int, reason string) Member {
	return Member{Number: number, Party: o.asked.Product.Committee.Members[number-1], Reason: reason}
}

// accept checks and unseals every answer; what is not well-formed is set aside with
// the reason, since one bad answer must not spoil the others.
func (o *opening) accept(ctx context.Context, answers []sealedAnswer) error {
	seen := map[int]bool{}
	for i := range answers {
		body, err := o.asked.Product.verifyAnswer(ctx, o.asked.Hash, o.out.Openings, &answers[i])
		if gone := ctx.Err(); gone != nil {
			return gone // no fault of the keyholder
		}
		if err != nil {
			o.out.Rejected = append(o.out.Rejected, Member{Reason: err.Error()})
			continue
		}
		s, err := o.unseal(body, answers[i].sealed)
		switch {
		case seen[body.Number]:
			o.out.Rejected = append(o.out.Rejected, o.member(body.Number, "it answered twice"))
		case err != nil:
			o.out.Rejected = append(o.out.Rejected, o.member(body.Number, err.Error()))
		default:
			seen[body.Number] = true
			s.decided = DecidedBy{body.By, body.Number, body.Policy, answers[i].statement.Hash()}
			o.shares = append(o.shares, *s)
		}
	}
	slices.SortFunc(o.shares, func(a, b keyholderShares) int { return cmp.Compare(a.number, b.number) })
	return nil
}

// unseal opens one message: a scalar for each opening, and from a home keyholder as
// many again.
func (o *opening) unseal(body *carnet.Answer, sealed []byte) (*keyholderShares, error) {
	info := append(append([]byte("carnet/answer/1"), o.asked.Hash[:]...), byte(body.Number))
	plain, err := o.key.Open(info, sealed)
	if err != nil {
		return nil, err
	}
	s := &keyholderShares{number: body.Number, functionals: body.Functionals, attested: body.Attested}
	size := o.out.Openings * o.asked.Product.Profile.ScalarBytes()
	isHome := len(plain) == 2*size && o.asked.isHome(body.Number)
	if len(plain) != size && !isHome {
		return nil, carnet.E(carnet.Invalid, "BAD_ANSWER", "its message has %d bytes, want %d", len(plain), size)
	}
	if s.values, err = wire.ReadScalars(o.asked.Product.Profile, plain[:size], o.out.Openings); err != nil {
		return nil, err
	}
	if isHome {
		s.home, err = wire.ReadScalars(o.asked.Product.Profile, plain[size:], o.out.Openings)
	}
	return s, err
}

// agree keeps the answers about one list of functionals. Answers to other functionals
// have other floods and can't be combined. Linear ones follow from the plan; those of
// degree 2 depend on the ciphertext, so the keyholders' majority decides, and whoever
// derived something else is set aside and named.
func (o *opening) agree() error {
	if len(o.shares) == 0 && len(o.out.Rejected) > 0 {
		return o.unusable()
	}
	if len(o.shares) == 0 {
		return carnet.E(carnet.Unavailable, "TOO_FEW_ANSWERS", "no keyholder has answered yet").
			Fix("open the query again later")
	}
	want, known := o.linearFunctionals()
	if !known {
		count := map[carnet.Hash]int{}
		for _, s := range o.shares {
			count[s.functionals]++
			if n, m := count[s.functionals], count[want]; n > m {
				want = s.functionals
			}
		}
	}
	o.shares = slices.DeleteFunc(o.shares, func(s keyholderShares) bool {
		if s.functionals == want {
			return false
		}
		o.out.Rejected = append(o.out.Rejected, o.member(s.number, "it derived other functionals than the others"))
		return true
	})
	return nil
}

// unusable says why none of the answers that came can be used.
func (o *opening) unusable() error {
	e := carnet.E(carnet.Unavailable, "TOO_FEW_ANSWERS", "the answers of keyholders that came can't be used").
		Fix("open the query again when others have answered; if it stays so, compare the versions of this program and of the keyholders'")
	for _, m := range o.out.Rejected {
		by := string(m.Party)
		if by == "" {
			by = "an answer"
		}
		e = e.With(by, "%s", m.Reason)
	}
	return e
}

// linearFunctionals derives the functional ids here if no opening needs ciphertext.
func (o *opening) linearFunctionals() (carnet.Hash, bool) {
	var all []byte
	for i := range o.asked.Plan.Openings {
		op := &o.asked.Plan.Openings[i]
		if op.Degree != 1 {
			return carnet.Hash{}, false
		}
		f := o.linearFunctional(op)
		all = append(all, f[:]...)
	}
	return carnet.Digest("carnet/answers/F/1", all), true
}

// linearFunctional derives the id of one linear opening.
func (o *opening) linearFunctional(op *plan.Opening) carnet.Hash {
	p := o.asked.Product.Profile
	if o.asked.Plan.Private == nil {
		return share.FunctionalID(p, op.F, op.FloodBits, op.Variance, nil)
	}
	hd := make([][]carnet.Hash, len(op.Choices))
	for g, f := range op.Choices {
		for i := range f.Keys {
			hd[g] = append(hd[g], f.Keys[i].LinearHash(p.N()))
		}
	}
	return share.SelectionID(p, op.Choices, op.FloodBits, op.Variance, hd, share.SelectionOf(&o.asked.Query).Hash())
}
