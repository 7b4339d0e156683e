package share

import (
	"math/big"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// sealOverhead is seal.Overhead, how many bytes a sealed bundle is longer: whoever only
// checks a query need not link what opens messages.
const sealOverhead = 1120 + 16

// SelectionOf returns the selection of a query with a private parameter, unchecked.
func SelectionOf(q *carnet.Query) *Selection {
	return &Selection{Request: q.ID, Weight: q.Private.Weight, Spare: q.Private.Spare, Deltas: q.Private.Deltas, Commitments: q.Private.Commitments}
}

// SelectionInfo is the HPKE context in which keyholder number's seeds of a selection are
// sealed. It names who asks and who can open the answer: queries are public, and another
// buyer who repeated id, selection and sealed seeds in a query of its own would get the
// same total sealed to itself, and find out from it what was selected.
func SelectionInfo(q *carnet.Query, number int) []byte {
	h := carnet.Digest(tagSelectSeeds, q.ID[:], []byte(q.Buyer), q.Recipient, []byte{byte(number)})
	return h[:]
}

// CheckPrivate checks what is public about the private parameter of a query: that it has
// one if the plan asks for one, for as many codes and spare entries and of the weight that
// the plan says, with seeds for everyone. All three are 0 if the plan has none.
func CheckPrivate(c Committee, q *carnet.Query, choices, spare, weight int) error {
	p := q.Private
	switch {
	case (p == nil) != (choices == 0):
		return badSelection("the query has one exactly if its text has private parameters")
	case p == nil:
		return nil
	}
	s := SelectionOf(q)
	if err := s.Validate(c); err != nil {
		return err
	}
	if s.Choices() != choices || s.Weight != weight || s.Spare != spare {
		return badSelection("it selects %d of %d codes and %d spare entries, and the query %d of %d and %d", s.Weight, s.Choices(), s.Spare, weight, choices, spare)
	}
	if len(p.Seeds) != c.N {
		return badSelection("there are seeds for %d keyholders, of %d", len(p.Seeds), c.N)
	}
	held := int(new(big.Int).Binomial(int64(c.N-1), int64(c.T-1)).Int64())
	for i, sealed := range p.Seeds {
		if len(sealed) != 4+34*held+sealOverhead {
			return badSelection("the seeds of keyholder %d have %d bytes", i+1, len(sealed))
		}
	}
	return nil
}

// Codes returns the codes that are selected, to whoever knows all seeds: the buyer, when it opens
// an answer. BAD_SELECTION_SEEDS says that the seeds are not those of the selection.
func (s *Selection) Codes(c Committee, seeds SelectionSeeds) ([]int, error) {
	if err := s.Validate(c); err != nil {
		return nil, err
	}
	w := make([]*big.Int, s.entries())
	for g := range w {
		w[g] = s.delta(g)
	}
	bad := carnet.E(carnet.Invalid, "BAD_SELECTION_SEEDS", "the seeds of the selection do not match its commitments").
		Fix("open the query with the identity that asked it")
	for x, a := range c.Subsets() {
		if SelectionCommit(s.Request, a, seeds[a]) != s.Commitments[x] {
			return nil, bad
		}
		for g, omega := range omegas(seeds[a], s.Request, len(w)) {
			w[g].Add(w[g], omega)
		}
	}
	var codes []int
	for g := range w {
		switch {
		case !w[g].IsInt64() || w[g].Int64() != 0 && w[g].Int64() != 1:
			return nil, bad
		case w[g].Int64() == 1:
			codes = append(codes, g)
		}
	}
	if len(codes) != s.Weight {
		return nil, bad
	}
	for len(codes) > 0 && codes[len(codes)-1] >= s.Choices() {
		codes = codes[:len(codes)-1]
	}
	return codes, nil
}
