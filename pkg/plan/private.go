package plan

import (
	"errors"
	"fmt"
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/query"
)

// Private is the private parameter of a plan: a dimension of which the buyer selects
// some codes without saying which. The plan is the same for every choice: every opening
// has one functional for each code, and the committee opens the sum over the codes that
// the buyer's shared selection is 1 for. Of several dimensions one code each is selected: then
// the codes are all combinations, of which one is selected.
type Private struct {
	Column string   // or columns
	Codes  []string // all that can be selected, in the order of Opening.Choices
	Weight int      // how many are selected, at most or exactly; public
	Spare  int      // with a list: entries that stand for no code, as many as may be selected
	Checks int      // keyholders that must agree on the check of the selection

	dims  []privateDim // in the order of the parameters; one with a list
	order [][]int      // per code of the plan's parameter: its position in the domain of each
	param int          // while a condition is read: the number of its parameter
	at    query.Pos
}

// privateDim is a dimension that is selected privately.
type privateDim struct {
	variable int
	domain   *domain
}

// params is how many values are given.
func (p *Private) params() int { return max(p.Weight, len(p.dims)) }

// Select returns which codes the values stand for, value i being that of parameter $i+1.
// Of a list, an empty value selects nothing, and one that is there twice counts once. Its
// errors do not repeat values.
func (p *Private) Select(values []string) ([]int, error) {
	if len(values) != p.params() {
		return nil, carnet.E(carnet.Invalid, "PRIVATE_VALUES", "the query has %s, and %s given", plural(p.params(), "private parameter"), given(len(values))).
			Fix("give a value for each of $1 to $%d", p.params())
	}
	var codes []int
	combined := 0
	for i, v := range values {
		if v == "" && p.Spare > 0 {
			continue
		}
		d := p.dims[min(i, len(p.dims)-1)].domain
		at, err := d.find(scalar{text: v, isText: true})
		if err != nil || at < 0 {
			return nil, carnet.E(carnet.Invalid, "PRIVATE_VALUES", "the value of $%d is not a code of %s", i+1, d.name).
				Fix("the schema lists its %d codes", len(d.values))
		}
		combined = combined*len(d.values) + at
		if !slices.Contains(codes, at) {
			codes = append(codes, at)
		}
	}
	if len(p.dims) > 1 {
		return []int{combined}, nil
	}
	return codes, nil
}

func given(n int) string {
	if n == 1 {
		return "one value is"
	}
	return plural(n, "value") + " are"
}

// Functionals are what an opening reads: one, or with a private parameter one for each
// code.
func (o *Opening) Functionals() []*functional.Functional {
	if o.F != nil {
		return []*functional.Functional{o.F}
	}
	return o.Choices
}

// Functionals are those of all openings, in their order. Public values are computed for
// each of them.
func (p *Plan) Functionals() (fs []*functional.Functional) {
	for i := range p.Openings {
		fs = append(fs, p.Openings[i].Functionals()...)
	}
	return fs
}

// Keys are those of all openings, ascending.
func (p *Plan) Keys() []carnet.KeyID { return p.Cost.Keys() }

// Needed is how many keyholders must answer: t, or 2t-1 with a private parameter and for
// products across keys.
func (p *Plan) Needed() int {
	if p.Private != nil || p.Across {
		return 2*p.Committee.T - 1
	}
	return p.Committee.T
}

// refuse makes a refusal at the place of the private parameter.
func (p *Private) refuse(err error) error {
	var e *carnet.Error
	if errors.As(err, &e) {
		return query.Refuse(p.at, e.Reason, "%s", e.Msg).OfKind(e.Kind).Fix("%s", e.Remedy)
	}
	return err
}

// uneven refuses a dimension of which some codes take other products than others: what is
// opened would tell them apart.
func (p *Private) uneven() error {
	return query.Refuse(p.at, "PRIVATE_COLUMN", "codes of %s are encoded in different ways in this product", p.Column).
		Fix("write the value into the query, or ask a product in the cube layout")
}

// describePrivate tells who learns what of the private parameter.
func (p *Plan) describePrivate() []string {
	if p.Private == nil {
		return nil
	}
	x := p.Private
	if len(x.dims) > 1 {
		return []string{
			"which codes of " + x.Column + " are selected is hidden from the gateway, the owners and any " + plural(p.Committee.T-1, "keyholder") + "; they learn that there is one of each, among " + plural(len(x.Codes), "combination"),
			"  all combinations are read for every number; " + plural(x.Checks, "keyholder") + " must agree that a selection was shared, and " + plural(p.Needed(), "keyholder") + " must answer",
		}
	}
	which, count := "which code of "+x.Column+" is selected", "there is one"
	if x.Spare > 0 {
		which, count = "which codes of "+x.Column+" are selected, and how many,", "there are at most "+fmt.Sprint(x.Weight)
	}
	return []string{
		which + " is hidden from the gateway, the owners and any " + plural(p.Committee.T-1, "keyholder") + "; they learn that " + count + " among " + plural(len(x.Codes), "code"),
		"  all codes are read for every number; " + plural(x.Checks, "keyholder") + " must agree that a selection was shared, and " + plural(p.Needed(), "keyholder") + " must answer",
	}
}
