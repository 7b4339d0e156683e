package verify

import (
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/history"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/share"
)

func joinSizes(sizes []int64) string {
	var out []string
	for _, s := range sizes {
		out = append(out, strconv.FormatInt(s, 10))
	}
	return strings.Join(out, ", ")
}

// queryPart names the query's entry.
func (v *verifier) queryPart() string { return v.parts[v.c.Seq] }

// plan compiles the query anew.
func (v *verifier) plan() {
	check := v.checks[CheckPlan]
	p, err := v.c.Plan()
	if err != nil {
		check.failed(v.queryPart(), err)
		return
	}
	if p.Hash() != v.c.Query.Plan {
		check.fault(v.queryPart(), "PLAN_DIFFERS", "the plan compiled here is not the one that the buyer signed; the bundle may come from another version of the programs")
		return
	}
	v.report.Query.Released = v.c.Released()
	for _, line := range p.Describe() {
		check.found("%s", line)
	}
	check.done()
}

// certificate computes the bounds of every opening from its functional alone.
func (v *verifier) certificate() {
	check := v.checks[CheckCertificate]
	p, err := v.c.Plan()
	if err != nil {
		return
	}
	memo, bits, release := functional.NewMemo(p.Profile.N()), 0, 0
	for i := range p.Openings {
		o := &p.Openings[i]
		k, r, err := v.opening(memo, p, o)
		if err != nil {
			check.failed(v.queryPart(), err)
			return
		}
		if k != o.FloodBits {
			check.fault(v.queryPart(), "PLAN_DIFFERS", "number %d is hidden by %d bits, want %d", i+1, o.FloodBits, k)
			return
		}
		if i == 0 {
			bits, release = k, r
		}
		bits, release = min(bits, k), min(release, r)
	}
	c := &p.Certificate
	if twice := new(big.Int).Lsh(c.MaxResult, 1); twice.Cmp(new(big.Int).SetUint64(c.T)) >= 0 {
		check.fault(v.queryPart(), "OVERFLOW", "results up to %s do not fit the plaintext modulus %d", c.MaxResult, c.T)
	}
	check.found("%d numbers of degree %d at most; the largest has magnitude %s, below half of %d", len(p.Openings), c.Degree, c.MaxResult, c.T)
	check.found("noise below 2^%d is hidden by random numbers of %d bits: 2^%d numbers of a key stay hidden", c.NoiseBits, bits, release)
	check.done()
}

// opening checks that the functionals of an opening are well-formed, alike and under keys
// of the inputs, and returns the flooding width and releases that follow from them.
func (v *verifier) opening(memo *functional.Memo, p *plan.Plan, o *plan.Opening) (bits, release int, err error) {
	fs := o.Functionals()
	var bounds []*big.Int
	homes := map[int]bool{}
	for _, f := range fs {
		if err := memo.Validate(f); err != nil {
			return 0, 0, err
		}
		for i := range f.Keys {
			d := v.c.Dealing(f.Keys[i].Key)
			if d == nil {
				return 0, 0, carnet.E(carnet.Invalid, "PLAN_DIFFERS", "a key of the plan is not among those of the inputs")
			}
			if d.Body.Home != nil {
				homes[d.Body.Home.Member] = true
			}
		}
		if f.Degree != o.Degree || f.KeySet() != fs[0].KeySet() || f.Degree > p.Profile.MaxDegree() {
			return 0, 0, carnet.E(carnet.Invalid, "PLAN_DIFFERS", "the functionals of one number differ in degree or keys")
		}
		bounds = append(bounds, share.NoiseBound(p.Profile, f.Degree, share.Terms(f)))
	}
	bound := bounds[0]
	if p.Private != nil {
		bound = share.SelectionBound(p.Private.Weight, bounds)
	}
	return share.FloodBits(p.Profile, v.c.Committee.Scheme, len(homes), bound)
}

// releases compares what the query opens with what its keys may open in all.
func (v *verifier) releases() {
	check := v.checks[CheckReleases]
	p, err := v.c.Plan()
	if err != nil {
		return
	}
	charges, err := v.c.Charges()
	if err != nil {
		check.failed(v.queryPart(), err)
		return
	}
	limit := p.Cost.MaxReleases
	if p.Across {
		limit = min(limit, share.MaxCrossReleases)
	}
	for _, key := range p.Cost.Keys() {
		n := distinct(charges, key)
		before := int64(0)
		if d := v.c.Dealing(key); d != nil {
			before = d.Released
		}
		if before > limit || n > limit-before {
			check.fault(v.queryPart(), "RELEASES_EXHAUSTED", "the query opens %d numbers under key %s, of which %d were opened before, and %d may be in all", n, key, before, limit)
		}
		check.found("%d of %d numbers of key %s", n, limit, key)
	}
	check.found("what other queries opened is not in a bundle: it takes the whole log (--log)")
	check.done()
}

func distinct(charges []history.Charge, key carnet.KeyID) int64 {
	seen := map[carnet.Hash]bool{}
	for _, c := range charges {
		if c.Key == key {
			seen[c.Opened] = true
		}
	}
	return int64(len(seen))
}

// ended checks that nothing that was used had been withdrawn. Whoever answers just before
// it reads of a revocation has not broken a rule, and nobody can tell from outside.
func (v *verifier) ended() {
	check := v.checks[CheckEnded]
	answers := v.answersInOrder()
	for _, in := range v.c.Inputs {
		m := &in.Manifest.Body
		for _, end := range []*history.Ended{v.state.Revoked(m.ID), v.state.Retired(m.Key)} {
			if end == nil {
				continue
			}
			check.found("dataset %s was withdrawn by entry %d on %s", m.ID, end.Seq, end.At.UTC().Format("2006-01-02 15:04:05 MST"))
			for _, a := range answers {
				if a.Seq < end.Seq {
					continue
				}
				check.found("%s answered after that in the log, dated %s", a.Body.By, a.Body.Created.UTC().Format("2006-01-02 15:04:05 MST"))
				if history.AfterEnd(a, end) {
					check.fault(v.parts[a.Seq], "DATASET_REVOKED", "%s answered on %s, after dataset %s had been withdrawn", a.Body.By, a.Body.Created.UTC().Format("2006-01-02 15:04:05 MST"), m.ID)
				}
			}
		}
	}
	if len(check.Found) == 0 {
		check.found("none of %d datasets; withdrawals that came after the checkpoint are not in the bundle", len(v.c.Inputs))
	}
	check.done()
}

// answersInOrder lists the answers in the order of the log.
func (v *verifier) answersInOrder() (out []*history.Answered) {
	for _, a := range v.c.Answers {
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b *history.Answered) int { return int(a.Seq - b.Seq) })
	return out
}
