package plan

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/he/plain"
	"github.com/carnet-network/carnet/pkg/schema"
	"github.com/carnet-network/carnet/pkg/share"
)

// private lets a committee of 5 with threshold 2 hold the product.
func (b *bench) private() *bench {
	b.product.Committee = share.Committee{N: 5, T: 2}
	return b
}

// selected evaluates the functionals of the selected codes on the plaintext.
func (b *bench) selected(t require.TestingT, p *Plan, codes []int) []int64 {
	values := make([]int64, len(p.Openings))
	for i := range p.Openings {
		require.Nil(t, p.Openings[i].F)
		require.Len(t, p.Openings[i].Choices, len(p.Private.Codes))
		var sum uint64
		for _, c := range codes {
			v, err := plain.Eval(b.product.Profile, p.Openings[i].Choices[c], b)
			require.NoError(t, err)
			sum = (sum + v) % b.product.Profile.T()
		}
		values[i] = he.Centre(sum, b.product.Profile.T())
	}
	return values
}

// Every random query with a private parameter has the answer of the same query with the
// value written into it, whatever the value is, and its plan does not depend on it.
func TestPrivateParameters(t *testing.T) {
	stats := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		s := drawSchema(t)
		require.NoError(t, s.Validate())
		owners := drawOwners(t, s)
		d := &s.Dimensions[rapid.IntRange(0, len(s.Dimensions)-1).Draw(t, "dimension")]
		for _, l := range layouts {
			b := newBench(t, s, l, rapid.Bool().Draw(t, "tiny"), owners)
			if l == carnet.LayoutRecords && rapid.Bool().Draw(t, "wide") {
				b = newProfileBench(t, s, rapid.SampledFrom([]string{"records", "records-3", "records-4"}).Draw(t, "profile"), owners)
			}
			b.private()
			a := &asker{t: t, s: s, hidden: d.Name}
			weight := rapid.IntRange(1, max(1, min(3, len(d.Codes)-1))).Draw(t, "weight")
			codes := rapid.Permutation(indices(len(d.Codes))).Draw(t, "codes")[:weight]
			var values, literals, params []string
			for i, c := range codes {
				values = append(values, d.Codes[c].Value)
				literals = append(literals, "'"+d.Codes[c].Value+"'")
				params = append(params, fmt.Sprintf("PRIVATE($%d)", i+1))
			}
			form := d.Name + " IN (%s)"
			if weight == 1 {
				form = rapid.SampledFrom([]string{form, d.Name + " = %s", "%s = " + d.Name}).Draw(t, "form")
			}
			a.extra = both(fmt.Sprintf(form, strings.Join(params, ", ")))
			q, _ := a.query()
			written := strings.ReplaceAll(q.ours, a.extra.ours, fmt.Sprintf(form, strings.Join(literals, ", ")))
			p, err := Compile(q.ours, b.product)
			if err != nil {
				r := RefusalOf(err)
				require.NotNil(t, r, "%s: %v", q.ours, err)
				want := append(allowed[l], "PRIVATE_COLUMN")
				require.Contains(t, want, r.Reason, "%s: %v", q.ours, err)
				if axes := b.product.Encoding.Axes; len(d.Codes) > 1 && axes != nil {
					// Several numbers of two digits are written in more ways than one.
					a := &axes[b.product.Encoding.AxisOf(s.Dimension(d.Name))]
					require.True(t, r.Reason != "PRIVATE_COLUMN" || a.Coding == schema.TwoDigit && len(a.Dimensions) > 1, q.ours)
				} else {
					require.Equal(t, r.Reason == "PRIVATE_COLUMN", len(d.Codes) == 1, q.ours)
				}
				stats[r.Reason+" "+string(l)]++
				continue
			}
			stats[string(l)]++
			chosen, err := p.Private.Select(values)
			require.NoError(t, err)
			require.Equal(t, codes, chosen)
			if p.Private.Spare > 0 && rapid.Bool().Draw(t, "fewer") { // as many different values as there happen to be
				at := rapid.IntRange(0, weight-1).Draw(t, "unused")
				values[at], literals[at] = "", "NULL"
				if weight > 1 && rapid.Bool().Draw(t, "twice") {
					values[at], literals[at] = values[(at+1)%weight], literals[(at+1)%weight]
				}
				written = strings.ReplaceAll(q.ours, a.extra.ours, fmt.Sprintf(form, strings.Join(literals, ", ")))
				chosen, err = p.Private.Select(values)
				require.NoError(t, err)
				require.Len(t, chosen, weight-1)
			}
			got, err := p.Evaluate(b.selected(t, p, chosen))
			require.NoError(t, err, q.ours)
			plainPlan, err := Compile(written, b.product)
			require.NoError(t, err, written)
			want, err := plainPlan.Evaluate(b.open(t, plainPlan))
			require.NoError(t, err, written)
			require.Equal(t, want.Columns, got.Columns, q.ours)
			require.Equal(t, fmt.Sprint(want.Rows), fmt.Sprint(got.Rows), q.ours)
			for i := range p.Openings {
				o := &p.Openings[i]
				for _, f := range o.Choices {
					require.NoError(t, f.Validate(p.Profile.N()))
					require.Equal(t, o.Degree, f.Degree)
					require.LessOrEqual(t, share.NoiseBound(p.Profile, f.Degree, share.Terms(f)).Cmp(o.Bound), 0)
				}
			}
			require.Equal(t, len(p.Openings)*len(d.Codes), p.Cost.Functionals)
			require.Len(t, p.Functionals(), p.Cost.Functionals)
		}
	})
	t.Log(stats)
}

func indices(n int) (out []int) {
	for i := range n {
		out = append(out, i)
	}
	return out
}

func privateBench(t *testing.T, l carnet.Layout) *bench {
	return newBench(t, customs(), l, false, declarants(30)).private()
}

func TestPrivatePlan(t *testing.T) {
	b := privateBench(t, carnet.LayoutCube)
	p, err := Compile("SELECT COUNT(*), SUM(value) FROM trade WHERE partner = PRIVATE($1) AND month < 7", b.product)
	require.NoError(t, err)
	x := p.Private
	require.Equal(t, "partner", x.Column)
	require.Equal(t, 4, x.Checks)
	require.Equal(t, 1, x.Weight)
	require.Equal(t, 3, p.Needed())
	require.Contains(t, p.Filters, "partner")
	for _, o := range p.Openings {
		require.Len(t, o.Functionals(), len(x.Codes))
		for key := range p.Cost.Releases {
			require.Equal(t, len(p.Openings), p.Cost.Releases[key], "one release an opening, not one a code")
		}
	}
	steps := strings.Join(p.Describe(), "\n")
	require.Contains(t, steps, "which code of partner is selected is hidden from the gateway, the owners and any 1 keyholder")
	require.Contains(t, steps, "4 keyholders must agree")

	other, err := Compile("SELECT COUNT(*), SUM(value) FROM trade WHERE partner IN (PRIVATE($2), PRIVATE($1)) AND month < 7", b.product)
	require.NoError(t, err)
	require.Equal(t, []int{2, 2}, []int{other.Private.Weight, other.Private.Spare})
	require.Zero(t, x.Spare, "one code is one code")
	require.Contains(t, strings.Join(other.Describe(), "\n"), "which codes of partner are selected, and how many, is hidden from the gateway, the owners and any 1 keyholder; they learn that there are at most 2 among 4 codes")
	one, err := Compile("SELECT COUNT(*), SUM(value) FROM trade WHERE partner IN (PRIVATE($1)) AND month < 7", b.product)
	require.NoError(t, err)
	require.NotEqual(t, p.Hash(), one.Hash(), "at most one is another question than one")
	require.NotEqual(t, p.Hash(), other.Hash(), "the weight is in the plan")
	require.Zero(t, share.SelectionBound(2, nil).Cmp(other.Openings[0].Bound.Sub(other.Openings[0].Bound, p.Openings[0].Bound).Sub(other.Openings[0].Bound, p.Openings[0].Bound)))
	grouped, err := Compile("SELECT COUNT(*), SUM(value) FROM trade WHERE month < 7 GROUP BY partner", b.product)
	require.NoError(t, err)
	require.NotEqual(t, p.Hash(), grouped.Hash())
	require.Nil(t, grouped.Private)
	b.product.PrivateChecks = 3
	fewer, err := Compile("SELECT COUNT(*), SUM(value) FROM trade WHERE partner = PRIVATE($1) AND month < 7", b.product)
	require.NoError(t, err)
	require.NotEqual(t, p.Hash(), fewer.Hash(), "and so is how many must agree")

	for _, values := range [][]string{nil, {"x"}, {x.Codes[0], x.Codes[1]}} {
		_, err = x.Select(values)
		require.Equal(t, "PRIVATE_VALUES", carnet.ReasonOf(err))
	}
	for _, values := range [][]string{{x.Codes[1], x.Codes[1]}, {x.Codes[1], ""}, {"", x.Codes[1]}} {
		codes, err := other.Private.Select(values)
		require.NoError(t, err)
		require.Equal(t, []int{1}, codes)
	}
	codes, err := other.Private.Select([]string{"", ""})
	require.NoError(t, err)
	require.Empty(t, codes)
	_, err = x.Select([]string{""})
	require.Equal(t, "PRIVATE_VALUES", carnet.ReasonOf(err))
	_, err = x.Select([]string{"secret"})
	require.NotContains(t, err.Error(), "secret", "values are not repeated in errors")
}

func TestPrivateRefusals(t *testing.T) {
	const ok = "SELECT COUNT(*) FROM trade WHERE partner = PRIVATE($1)"
	for _, l := range layouts {
		b := privateBench(t, l)
		for sql, reason := range map[string]string{
			"SELECT COUNT(*) FROM trade WHERE NOT partner = PRIVATE($1)":                           "UNSUPPORTED",
			"SELECT COUNT(*) FROM trade WHERE partner <> PRIVATE($1)":                              "UNSUPPORTED",
			"SELECT COUNT(*) FROM trade WHERE partner NOT IN (PRIVATE($1))":                        "UNSUPPORTED",
			"SELECT COUNT(*) FROM trade WHERE partner = PRIVATE($1) OR month = 1":                  "UNSUPPORTED",
			"SELECT COUNT(*) FROM trade WHERE partner = PRIVATE($1) AND month = PRIVATE($1)":       "UNSUPPORTED",
			"SELECT COUNT(*) FROM trade WHERE partner IN (PRIVATE($1), 'DE')":                      "UNSUPPORTED",
			"SELECT COUNT(*) FROM trade WHERE partner IN (PRIVATE($1), PRIVATE($1))":               "UNSUPPORTED",
			"SELECT COUNT(*) FROM trade WHERE partner IN (PRIVATE($1), PRIVATE($3))":               "UNSUPPORTED",
			"SELECT COUNT(*) FROM trade WHERE partner = PRIVATE($2)":                               "UNSUPPORTED",
			"SELECT COUNT(*) FROM trade WHERE partner BETWEEN PRIVATE($1) AND PRIVATE($2)":         "UNSUPPORTED",
			"SELECT COUNT(*) FROM trade WHERE 1 = PRIVATE($1)":                                     "UNSUPPORTED",
			"SELECT COUNT(*) FROM trade WHERE PRIVATE($1) = PRIVATE($2)":                           "UNSUPPORTED",
			"SELECT COUNT(*) FROM trade WHERE PRIVATE($1)":                                         "UNSUPPORTED",
			"SELECT PRIVATE($1) FROM trade WHERE partner = PRIVATE($1)":                            "UNSUPPORTED",
			"SELECT COUNT(*) FROM trade WHERE partner = PRIVATE($1) HAVING COUNT(*) > PRIVATE($2)": "UNSUPPORTED",
			"SELECT COUNT(*) FROM trade WHERE year = PRIVATE($1)":                                  "PRIVATE_COLUMN",
			"SELECT COUNT(*) FROM trade WHERE owner = PRIVATE($1)":                                 "PRIVATE_COLUMN",
			"SELECT COUNT(*) FROM trade WHERE value = PRIVATE($1)":                                 "PRIVATE_COLUMN",
			"SELECT partner, COUNT(*) FROM trade WHERE partner = PRIVATE($1) GROUP BY partner":     "PRIVATE_COLUMN",
			"SELECT COUNT(partner) FROM trade WHERE partner = PRIVATE($1)":                         "PRIVATE_COLUMN",
			"SELECT COUNT(*) FROM trade WHERE partner = PRIVATE($1) AND partner <> 'DE'":           "PRIVATE_COLUMN",
			"SELECT COUNT(*) FROM trade WHERE nowhere = PRIVATE($1)":                               "UNKNOWN_COLUMN",
		} {
			require.Equal(t, reason, b.refused(t, sql), sql)
		}
		require.NoError(t, second(Compile(ok, b.product)))
		for _, f := range incapable(b) {
			undo := f.change()
			require.Equal(t, f.reason, b.refused(t, ok))
			undo()
			require.NoError(t, second(Compile(ok, b.product)))
		}
	}
	// Every code of a dimension selected hides nothing.
	b := privateBench(t, carnet.LayoutCube)
	all := make([]string, len(b.product.Schema.Dimensions[b.product.Schema.Dimension("partner")].Codes))
	for i := range all {
		all[i] = fmt.Sprintf("PRIVATE($%d)", i+1)
	}
	require.Equal(t, "PRIVATE_COLUMN", b.refused(t, "SELECT COUNT(*) FROM trade WHERE partner IN ("+strings.Join(all, ",")+")"))
}

type productChange struct {
	reason string
	change func() func()
}

// incapable are changes to products that then can't have private parameters.
func incapable(b *bench) []productChange {
	return []productChange{
		{"PRIVATE_COMMITTEE", func() func() {
			was := b.product.Committee
			b.product.Committee = share.Committee{N: 5, T: 3}
			return func() { b.product.Committee = was }
		}},
		{"BAD_COMMITTEE", func() func() {
			b.product.PrivateChecks = 2
			return func() { b.product.PrivateChecks = 0 }
		}},
		{"PRIVATE_HOME", func() func() {
			b.product.Homes = map[carnet.KeyID]int{b.product.Datasets[0].Manifest.Key: 2}
			return func() { b.product.Homes = nil }
		}},
	}
}

func second[T any](_ T, err error) error { return err }

// TestPrivateOwners: the terms of owners see the dimension as a filter, and what is
// opened combines the same owners for every choice.
func TestPrivateOwners(t *testing.T) {
	b := privateBench(t, carnet.LayoutRecords)
	p, err := Compile("SELECT COUNT(*) FROM trade WHERE partner = PRIVATE($1)", b.product)
	require.NoError(t, err)
	var owners []carnet.PartyID
	for _, d := range b.product.Datasets {
		if !slices.Contains(owners, d.Manifest.Owner) {
			owners = append(owners, d.Manifest.Owner)
		}
	}
	slices.Sort(owners)
	require.Equal(t, owners, p.Openings[0].Owners)
	require.Equal(t, []string{"partner"}, p.Filters)
}

// TestPrivateOverEncodings: in every encoding of a dimension, all codes of it take
// products of one degree, and each selection has the answer of the written query.
func TestPrivateOverEncodings(t *testing.T) {
	s, owners := lines(), shipped(200)
	b := newProfileBench(t, s, "records-4", owners).private()
	for _, x := range []struct {
		dimension, rest string
		values          []string
	}{
		{"flag", "status = 'O'", []string{"N"}},
		{"flag", "TRUE", []string{"R", "A"}},
		{"status", "TRUE", []string{"O"}},
		{"month", "mode <> 'sea'", []string{"7"}},
		{"month", "TRUE", []string{"1", "12", "2"}},
		{"country", "TRUE", []string{"c40"}},
		{"country", "month > 3", []string{"c0", "c298"}},
		{"mode", "month <= 4 AND flag = 'A'", []string{"rail"}},
	} {
		var params, literals []string
		for i, v := range x.values {
			params, literals = append(params, fmt.Sprintf("PRIVATE($%d)", i+1)), append(literals, "'"+v+"'")
		}
		q := "SELECT COUNT(*), SUM(price), COUNT(tax) FROM trade WHERE " + x.rest + " AND " + x.dimension + " IN (%s)"
		p, err := Compile(fmt.Sprintf(q, strings.Join(params, ", ")), b.product)
		require.NoError(t, err, x.dimension)
		codes, err := p.Private.Select(x.values)
		require.NoError(t, err)
		got, err := p.Evaluate(b.selected(t, p, codes))
		require.NoError(t, err)
		want, err := b.ask(t, fmt.Sprintf(q, strings.Join(literals, ", ")))
		require.NoError(t, err)
		require.Equal(t, fmt.Sprint(want.Rows), fmt.Sprint(got.Rows), "%s %v", x.dimension, x.values)
	}
}
