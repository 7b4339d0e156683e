package overlap

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/plan"
)

// A panic is a refusal that is recorded once; what is linked with it, before or after, is
// refused, and nothing else is.
func TestAPanicIsARefusal(t *testing.T) {
	p := union(t, carnet.LayoutCube, everyone(2))
	of := func(datasets ...int) *plan.Product {
		product := *p
		product.Datasets = nil
		for _, i := range datasets {
			product.Datasets = append(product.Datasets, p.Datasets[i])
		}
		return &product
	}
	sql := func(month int) string { return fmt.Sprintf("SELECT SUM(value) FROM trade WHERE month = %d", month) }
	for what, load := range map[string]func(*Docket) (*plan.Plan, error){
		"judging": func(d *Docket) (*plan.Plan, error) { // halfway through, when numbers are kept
			d.audit.known = nil
			return plan.Compile(sql(4), of(0, 1))
		},
		"compiling": func(*Docket) (*plan.Plan, error) { panic("no plan") },
	} {
		d := NewDocket([32]byte{1})
		heard, loaded := []int64{}, 0
		d.Fault = func(entry int64, _ any) { heard = append(heard, entry) }
		note := func(entry int64, month int, datasets ...int) {
			d.Note(entry, Datasets(of(datasets...)), func() (*plan.Plan, error) { return plan.Compile(sql(month), of(datasets...)) })
		}
		note(1, 1, 0, 1)
		require.NoError(t, d.Verdict(1))
		d.Note(2, Datasets(of(0, 1)), func() (*plan.Plan, error) { loaded++; return load(d) })
		for range 3 {
			require.Equal(t, "OVERLAP_FAULT", carnet.ReasonOf(d.Verdict(2)), what)
		}
		d.audit.known = map[[16]byte]bool{}
		require.Equal(t, []int64{2}, heard, "once")
		require.Equal(t, 1, loaded)
		require.NoError(t, d.Verdict(1), "it was judged before")
		note(3, 2, 0, 1)
		require.Equal(t, "OVERLAP_FAULT", carnet.ReasonOf(d.Verdict(3)), "the same owners")
		note(4, 1, 2, 3)
		require.NoError(t, d.Verdict(4), "other owners")
		note(5, 2, 1, 2)
		require.Equal(t, "OVERLAP_FAULT", carnet.ReasonOf(d.Verdict(5)), "linked from now on")
		note(6, 2, 2, 3)
		require.Equal(t, "OVERLAP_FAULT", carnet.ReasonOf(d.Verdict(6)))
		compiled, err := plan.Compile(sql(3), of(2, 3))
		require.NoError(t, err)
		require.Equal(t, "OVERLAP_FAULT", carnet.ReasonOf(d.Check(Datasets(of(2, 3)), compiled)))
		require.Equal(t, []int64{2}, heard)
	}

	// One that is tried and not noted, as a gateway does before it takes it.
	d := NewDocket([32]byte{1})
	heard := []int64{}
	d.Fault = func(entry int64, _ any) { heard = append(heard, entry) }
	d.Note(1, Datasets(of(0, 1)), func() (*plan.Plan, error) { return plan.Compile(sql(1), of(0, 1)) })
	require.NoError(t, d.Verdict(1))
	d.audit.files = nil
	compiled, err := plan.Compile(sql(2), of(0, 2))
	require.NoError(t, err)
	require.Equal(t, "OVERLAP_FAULT", carnet.ReasonOf(d.Check(Datasets(of(0, 2)), compiled)))
	require.Equal(t, []int64{-1}, heard)
	d.audit.files = map[carnet.Nonce]file{}
	require.Equal(t, "OVERLAP_FAULT", carnet.ReasonOf(d.Check(Datasets(of(0, 1)), compiled)), "what is linked is closed")
	require.NoError(t, d.Verdict(1), "it was judged before")
}

// What waits because nobody asks for company can meet a fault as well: what is tried then is told
// what the one who judges the noted query says.
func TestAFaultWithoutCompany(t *testing.T) {
	p := union(t, carnet.LayoutCube, everyone(0))
	compiled, err := plan.Compile("SELECT SUM(value) FROM trade", p)
	require.NoError(t, err)
	load := func() (*plan.Plan, error) { return compiled, nil }
	d := NewDocket([32]byte{1})
	d.waits = 0
	d.Note(1, Datasets(p), func() (*plan.Plan, error) { panic("no plan") })
	require.NoError(t, d.Verdict(1))
	tried := carnet.ReasonOf(d.Check(Datasets(p), compiled))
	d.Note(2, Datasets(p), load)
	require.Equal(t, "OVERLAP_FAULT", carnet.ReasonOf(d.Verdict(2)))
	require.Equal(t, "OVERLAP_FAULT", tried)
}

// Whatever is asked in whatever order, and tried before or not, nothing panics, verdicts stay
// what they were, and trying says what admitting then says.
func FuzzDocket(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5})
	f.Add([]byte{0x13, 0x87, 0xff, 0x20, 0x41, 0x9c, 0x07, 0x70, 0x33})
	conditions := []string{"TRUE", "owner <> 'uz'", "owner IN ('kz', 'kg')", "month = 1", "month < 3 AND owner <> 'cn'", "year = 2023", "mode = 2 OR month > 2", "jurisdiction <> 'KZ'"}
	heads := []string{"SELECT SUM(value) FROM trade WHERE %s", "SELECT COUNT(*) FROM trade WHERE %s", "SELECT month, SUM(value) FROM trade WHERE %s GROUP BY month", "SELECT AVG(value), STDDEV_POP(value) FROM trade WHERE %s"}
	f.Fuzz(func(t *testing.T, asks []byte) {
		if len(asks) > 12 {
			return
		}
		products := []*plan.Product{union(t, carnet.LayoutCube, everyone(2)), union(t, carnet.LayoutRecords, map[carnet.PartyID]int{"uz": 3})}
		d := NewDocket([32]byte{1})
		d.waits = 4
		d.Fault = func(_ int64, panicked any) { t.Fatal(panicked) }
		verdicts := map[int64]string{}
		for i, b := range asks {
			p := products[b>>7]
			compiled, err := plan.Compile(fmt.Sprintf(heads[b>>3&3], conditions[b&7]), p)
			if err != nil {
				continue
			}
			tried := b>>5&1 == 1
			var before string
			if tried {
				before = carnet.ReasonOf(d.Check(Datasets(p), compiled))
			}
			entry := int64(i)
			d.Note(entry, Datasets(p), func() (*plan.Plan, error) { return compiled, nil })
			verdicts[entry] = carnet.ReasonOf(d.Verdict(entry))
			if tried {
				require.Equal(t, before, verdicts[entry])
			}
			for entry, v := range verdicts {
				require.Equal(t, v, carnet.ReasonOf(d.Verdict(entry)))
			}
		}
	})
}
