package client

import (
	"encoding/binary"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/seal"
	"github.com/carnet-network/carnet/pkg/share"
)

// privateCodes returns which codes the values of private parameters stand for.
func privateCodes(pl *plan.Plan, values []string) ([]int, error) {
	if pl.Private != nil {
		return pl.Private.Select(values)
	}
	if len(values) > 0 {
		return nil, carnet.E(carnet.Invalid, "PRIVATE_VALUES", "the query has no private parameters, and values for them are given").
			Fix("write column = PRIVATE($1) where the value belongs")
	}
	return nil, nil
}

// shareSelection shares the selection of codes among the committee of the product.
// q has its id, buyer and recipient.
func (p *Product) shareSelection(buyer Buyer, q *carnet.Query, pl *plan.Plan, codes []int) (*carnet.PrivateParameter, error) {
	source, err := newSelectionSource(buyer, q.ID)
	if err != nil {
		return nil, err
	}
	var s *share.Selection
	var seeds share.SelectionSeeds
	if pl.Private.Spare > 0 {
		s, seeds, err = share.NewBoundedSelection(pl.Committee, q.ID, len(pl.Private.Codes), pl.Private.Weight, codes, source)
	} else {
		s, seeds, err = share.NewSelection(pl.Committee, q.ID, len(pl.Private.Codes), codes, source)
	}
	if err != nil {
		return nil, err
	}
	out := &carnet.PrivateParameter{Weight: s.Weight, Spare: s.Spare, Deltas: s.Deltas, Commitments: s.Commitments}
	for i, m := range p.Committee.Members {
		bundle := seeds.Bundle(pl.Committee, i+1).Append(nil)
		sealed, err := seal.Seal(p.parties[m].SealingKey, share.SelectionInfo(q, i+1), bundle)
		clear(bundle)
		if err != nil {
			return nil, err
		}
		out.Seeds = append(out.Seeds, sealed)
	}
	return out, nil
}

// selectedCodes finds out again which codes a query of this buyer selects.
func selectedCodes(buyer Buyer, q *carnet.Query, pl *plan.Plan) ([]int, error) {
	if err := share.CheckPrivate(pl.Committee, q, len(pl.Private.Codes), pl.Private.Spare, pl.Private.Weight); err != nil {
		return nil, err
	}
	source, err := newSelectionSource(buyer, q.ID)
	if err != nil {
		return nil, err
	}
	seeds := share.SelectionSeeds{}
	for _, a := range pl.Committee.Subsets() {
		var seed [32]byte
		if _, err := source.Read(seed[:]); err != nil {
			return nil, err
		}
		seeds[a] = seed
	}
	return share.SelectionOf(q).Codes(pl.Committee, seeds)
}

// selectionSource yields the seeds of a selection, 32 bytes at a time: the n-th is
// HMAC(the buyer's secret for the query id, "carnet/select/seed/1" ‖ u32(n)). The id is
// drawn at random for every query, so no two share seeds, and the buyer, who can make
// them again, need not keep what it asked for.
type selectionSource struct {
	secret []byte
	next   uint32
}

func newSelectionSource(buyer Buyer, id carnet.Hash) (*selectionSource, error) {
	secret, err := buyer.RecipientSeed(id)
	return &selectionSource{secret: secret}, err
}

// Read fills p, of 32 bytes, with the next seed.
func (s *selectionSource) Read(p []byte) (int, error) {
	seed := carnet.Keyed(s.secret, "carnet/select/seed/1", binary.BigEndian.AppendUint32(nil, s.next))
	s.next++
	return copy(p, seed[:]), nil
}
