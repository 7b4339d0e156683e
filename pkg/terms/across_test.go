package terms

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/plan"
)

// Products of numbers of two owners need both to list the other: one is not enough, `*`
// is nobody, and each owner that does not list is named once, with what would pass.
func TestUnlisted(t *testing.T) {
	owners := []carnet.PartyID{"acme", "bolt", "bolt", "corp"} // bolt has two datasets
	planned := func(lists [4][]carnet.PartyID, pairs ...[2]int) *plan.Plan {
		p := &plan.Plan{Across: true}
		var terms []functional.Cross
		for i, o := range owners {
			m := carnet.Dataset{ID: carnet.DatasetID(o) + "/x", Owner: o, Files: []carnet.File{{Nonce: carnet.Nonce{byte(i)}}}}
			m.Terms.ProductsWith = lists[i]
			p.Datasets = append(p.Datasets, plan.Dataset{Hash: carnet.Hash{byte(i)}, Manifest: m})
		}
		side := func(i int) functional.CrossFactor {
			return functional.CrossFactor{Key: carnet.KeyID{byte(i)}, File: carnet.Nonce{byte(i)}, Factor: functional.Sum(0)}
		}
		for _, x := range pairs {
			terms = append(terms, functional.Cross{Left: side(x[0]), Right: side(x[1]), Blocks: 1, Weight: 1})
		}
		p.Openings = []plan.Opening{{F: functional.Across(terms...)}, {F: functional.Across(terms...)}}
		return p
	}
	for what, x := range map[string]struct {
		lists [4][]carnet.PartyID
		pairs [][2]int
		by    []carnet.PartyID
	}{
		"both":               {[4][]carnet.PartyID{{"bolt"}, {"acme"}}, [][2]int{{0, 1}}, nil},
		"nobody":             {[4][]carnet.PartyID{}, [][2]int{{0, 1}}, []carnet.PartyID{"acme", "bolt"}},
		"only one":           {[4][]carnet.PartyID{{"bolt"}}, [][2]int{{0, 1}}, []carnet.PartyID{"bolt"}},
		"only the other":     {[4][]carnet.PartyID{nil, {"acme"}}, [][2]int{{0, 1}}, []carnet.PartyID{"acme"}},
		"anyone":             {[4][]carnet.PartyID{{"*"}, {"*"}}, [][2]int{{0, 1}}, []carnet.PartyID{"acme", "bolt"}},
		"somebody else":      {[4][]carnet.PartyID{{"corp"}, {"corp"}}, [][2]int{{0, 1}}, []carnet.PartyID{"acme", "bolt"}},
		"one owner":          {[4][]carnet.PartyID{}, [][2]int{{1, 2}}, nil},
		"each dataset":       {[4][]carnet.PartyID{{"bolt"}, {"acme"}, nil}, [][2]int{{0, 1}, {0, 2}}, []carnet.PartyID{"bolt"}},
		"each of its pairs":  {[4][]carnet.PartyID{{"bolt"}, {"acme", "corp"}, nil, {"bolt"}}, [][2]int{{0, 1}, {1, 3}, {0, 3}}, []carnet.PartyID{"acme", "corp"}},
		"not what is beside": {[4][]carnet.PartyID{{"bolt"}, {"acme"}}, [][2]int{{0, 1}}, nil},
	} {
		p := planned(x.lists, x.pairs...)
		var by []carnet.PartyID
		for _, r := range Unlisted(p) {
			require.Equal(t, ReasonProducts, r.Reason, what)
			require.NotEmpty(t, r.Remedy)
			by = append(by, r.By)
		}
		require.ElementsMatch(t, x.by, by, what)
	}
	p := planned([4][]carnet.PartyID{{"bolt"}, {"acme"}}, [2]int{0, 1})
	p.Datasets = p.Datasets[:1]
	require.Len(t, Unlisted(p), 2, "a file of no dataset, in both openings")
}

// A least number of owners is counted on each side by itself: the other side's owners hide
// nothing of it.
func TestFewestOwnersOfProducts(t *testing.T) {
	p := &plan.Plan{Across: true}
	for i := range 3 {
		m := carnet.Dataset{Owner: carnet.PartyID(rune('a' + i)), Files: []carnet.File{{Nonce: carnet.Nonce{byte(i)}}}}
		p.Datasets = append(p.Datasets, plan.Dataset{Hash: carnet.Hash{byte(i)}, Manifest: m})
	}
	side := func(i int) functional.CrossFactor {
		return functional.CrossFactor{Key: carnet.KeyID{byte(i)}, File: carnet.Nonce{byte(i)}, Factor: functional.Sum(0)}
	}
	f := functional.Across(functional.Cross{Left: side(0), Right: side(2), Blocks: 1, Weight: 1}, functional.Cross{Left: side(1), Right: side(2), Blocks: 1, Weight: 1})
	p.Openings = []plan.Opening{{F: f, Owners: []carnet.PartyID{"a", "b", "c"}, Less: map[carnet.Nonce]bool{{2}: true}, Sides: [2]int{2, 1}}}
	require.Equal(t, []int{2, 2, 1}, FewestOwners(p))
}
