package plan

import (
	"fmt"
	"math/big"
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/privacy"
	"github.com/carnet-network/carnet/pkg/query"
	"github.com/carnet-network/carnet/pkg/schema"
	"github.com/carnet-network/carnet/pkg/share"
)

// protect notes the datasets of a product whose terms ask for noise, by their files.
func (o *opener) protect(u *universe) {
	for i := range u.files {
		f := &u.files[i]
		if m := &u.datasets[f.dataset].Manifest; m.Terms.Privacy != nil {
			if o.private == nil {
				o.private = map[carnet.Nonce]*carnet.Dataset{}
			}
			o.private[f.nonce] = m
		}
	}
}

// noise decides the variance of the noise of an opening: the largest that one of the
// datasets needs whose rows are in it. row is the most that one row moves the number by.
// It returns how far the noise takes the result.
func (o *opener) noise(x *Opening, row *big.Int, c share.Committee, homes int) *big.Int {
	if o.private == nil {
		return new(big.Int)
	}
	x.row, x.noises = row, share.NoiseParts(c, homes)
	seen := map[*carnet.Privacy]bool{}
	x.Files(func(f carnet.Nonce) {
		m := o.private[f]
		if m == nil || seen[m.Terms.Privacy] {
			return
		}
		seen[m.Terms.Privacy] = true
		v := privacy.Variance(sensitivity(row, m.Terms.Privacy), m.Terms.Privacy.PerNumber)
		if x.Variance == nil || v.Cmp(x.Variance) > 0 {
			x.Variance = v
		}
	})
	return share.NoiseTail(c, homes, x.Variance)
}

// sensitivity is by how much one unit moves a number that one row moves by row. All its
// rows may be in one number, or in different groups: the sum of squares is largest for one.
func sensitivity(row *big.Int, p *carnet.Privacy) *big.Int {
	return new(big.Int).Mul(row, big.NewInt(p.RowsPerUnit))
}

// Files calls do with the file of every term; some files several times.
func (o *Opening) Files(do func(f carnet.Nonce)) {
	for _, f := range o.Functionals() {
		for i := range f.Keys {
			for j := range f.Keys[i].Linear {
				do(f.Keys[i].Linear[j].File)
			}
			for j := range f.Keys[i].Products {
				do(f.Keys[i].Products[j].File)
			}
		}
		for i := range f.Cross {
			do(f.Cross[i].Left.File)
			do(f.Cross[i].Right.File)
		}
	}
}

// rowOf is the most that one row adds to a sum of products of columns, over none of them 1.
func rowOf(enc *schema.Encoding, columns ...schema.Column) *big.Int {
	most := big.NewInt(1)
	for i := range columns {
		most.Mul(most, enc.Sensitivity(columns[i]))
	}
	return most
}

// drowned refuses a number that its noise could make wrap.
func drowned(what string, at query.Pos, o *Opening, half *big.Int) error {
	return query.Refuse(at, "NOISE_WRAPS", "%s, with noise of standard deviation %s in each of %d parts, could go beyond %s, which is what the profile holds",
		what, privacy.RootUp(o.Variance), o.noises, half).
		OfKind(carnet.Precondition).
		Fix("select fewer files by partition, jurisdiction or owner; or the owners would have to let a number cost more (per_number), or a new version of the schema to declare narrower bounds")
}

// Noisy reports whether anything that the plan opens has noise.
func (p *Plan) Noisy() bool {
	return slices.ContainsFunc(p.Openings, func(o Opening) bool { return o.Variance != nil })
}

// TotalVariance is the variance of the noise of an opened number, all parts together; nil
// without noise.
func (o *Opening) TotalVariance() *big.Int {
	if o.Variance == nil {
		return nil
	}
	return new(big.Int).Mul(o.Variance, big.NewInt(o.noises))
}

// describeNoise tells how large the noise is and what it costs.
func (p *Plan) describeNoise() []string {
	if !p.Noisy() {
		return nil
	}
	var least, most *big.Int
	some := 0
	for i := range p.Openings {
		v := p.Openings[i].TotalVariance()
		if v == nil {
			continue
		}
		some++
		if least == nil || v.Cmp(least) < 0 {
			least = v
		}
		if most == nil || v.Cmp(most) > 0 {
			most = v
		}
	}
	size := privacy.RootUp(most).String()
	if least.Cmp(most) != 0 {
		size = privacy.RootUp(least).String() + " to " + size
	}
	out := []string{fmt.Sprintf("adds noise to %s, of standard deviation %s; groups are listed whether they have rows or not", plural(some, "number"), size)}
	for i := range p.Spendings {
		s := &p.Spendings[i]
		cost := s.Cost(func(int) bool { return false })
		out = append(out, fmt.Sprintf("  costs %s of the privacy budget of %s of dataset %s, unless numbers were released before; by itself (%s, 10^-9)-differential privacy",
			privacy.Format(cost), privacy.Format(s.Terms.Budget), s.Dataset, epsilon(cost)))
	}
	return out
}

// epsilon writes the epsilon of an amount at delta 10^-9, with two digits after the point.
func epsilon(rho int64) string {
	e := privacy.Epsilon(rho, 9)
	e.Add(e, big.NewInt(privacy.Unit/100-1)).Quo(e, big.NewInt(privacy.Unit/100))
	return fmt.Sprintf("%d.%02d", new(big.Int).Quo(e, big.NewInt(100)), new(big.Int).Rem(e, big.NewInt(100)))
}
