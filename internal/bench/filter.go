package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"github.com/carnet-network/carnet/internal/postgres"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/scan"
)

// scanOne scans with one thread and makes the public halves on the way.
var scanOne = scan.Options{Workers: 1}

const filterWork = "SUM(x) filtered by an encrypted indicator"

// filterFigure is the filtered sum over rows in memory: one column of values and one
// of encrypted zeros and ones.
func filterFigure(ctx context.Context, b *bench, r *Report) error {
	t, err := newTable("records", b.blocks, 1)
	if err != nil {
		return err
	}
	same, err := sameRing(t)
	if err != nil {
		return err
	}
	half, err := halfRing(t)
	if err != nil {
		return err
	}
	whole, err := newReference(t, same)
	if err != nil {
		return err
	}
	small, err := newReference(t, half)
	if err != nil {
		return err
	}
	ifma, err := newTable("records-ifma", b.blocks, 1)
	if err != nil {
		return err
	}
	fast := scan.Kernels(t.r.Profile())[0]
	portable := t.r.Portable()
	cache := scan.NewPublicCache(1 << 33)
	work := fmt.Sprintf("%s, %s rows", filterWork, millions(t.rows()))
	scanned := func(r *he.Ring, opt scan.Options) func() error {
		return func() error { return t.sumWhere(ctx, r, opt) }
	}
	tasks := []task{
		{"Lattigo, relinearised once, same ring", 1, t.rows() / 1e6, whole.filteredAdd},
		{"Lattigo, multiply-add, same ring", 1, t.rows() / 1e6, whole.filteredFused},
		{"Lattigo, relinearised once, half the ring", 1, t.rows() / 1e6, small.filteredAdd},
		{"Lattigo, multiply-add, half the ring", 1, t.rows() / 1e6, small.filteredFused},
		{"Carnet, pure Go", 1, t.rows() / 1e6, scanned(portable, scanOne)},
		{"Carnet, " + fast, 1, t.rows() / 1e6, scanned(t.r, scanOne)},
		{"Carnet, " + fast + ", public halves kept", 1, t.rows() / 1e6, scanned(t.r, scan.Options{Workers: 1, Public: cache})},
		{"Carnet, " + fast, 2, t.rows() / 1e6, scanned(t.r, scan.Options{Workers: 2})},
		{"Carnet, profile records-ifma, " + scan.Kernels(ifma.r.Profile())[0], 1, t.rows() / 1e6, func() error { return ifma.sumWhere(ctx, ifma.r, scanOne) }},
		{"plain int64 loop over plaintext", 1, t.rows() / 1e6, t.plainSum},
	}
	if err := tasks[6].run(); err != nil { // fills the cache
		return err
	}
	rows, err := b.race(ctx, r, work, "M rows/s", tasks...)
	if err != nil {
		return err
	}
	r.atLeastLattigo(work+", one thread, pure Go", 1.3, "", rows[4], rows[:4])
	r.atLeastLattigo(work+", one thread", 3, "; on a machine with AVX-512", best(rows[5], rows[8]), rows[:4])
	if err := b.postgresSum(ctx, r, t, work, best(rows[5], rows[8])); err != nil {
		return err
	}
	if err := b.bandwidth(ctx, r, t, rows[6]); err != nil {
		return err
	}
	const two = "two threads against one"
	if runtime.GOMAXPROCS(0) < 2 {
		r.untold(two, "1.6 times", "this machine has one core")
	} else {
		r.atLeast(two, "1.6 times", 1.6, rows[7].Value/rows[5].Value)
	}
	return b.linearSums(ctx, r, t, whole)
}

// linearSums is the sum without a filter.
func (b *bench) linearSums(ctx context.Context, r *Report, t *table, lat *reference) error {
	work := fmt.Sprintf("SUM(x), %s rows", millions(t.rows()))
	_, err := b.race(ctx, r, work, "M rows/s",
		task{"Lattigo", 1, t.rows() / 1e6, lat.sumAll},
		task{"Carnet, public halves on the fly", 1, t.rows() / 1e6, func() error { return t.sumAll(ctx, scanOne) }})
	return err
}

// bandwidth compares the bytes that a scan with kept public halves reads with what
// one core can read at all: stored and public halves of both columns.
func (b *bench) bandwidth(ctx context.Context, r *Report, t *table, kept *Row) error {
	p := t.r.Profile()
	bytes := t.rows() * 2 * 2 * 8 * float64(p.Limbs())
	rate, err := b.readBandwidth(ctx, r)
	if err != nil {
		return err
	}
	have := bytes / kept.Seconds / 1e9
	r.row(Row{Work: "reading memory", How: "the scan with public halves kept", Cores: 1, Seconds: kept.Seconds, Value: have, Unit: "GB/s", Ratio: have / rate, Against: "reading only"})
	r.Goals = append(r.Goals, Goal{"the same, public halves kept", "45 % of the memory's read bandwidth", fmt.Sprintf("%.0f %%", 100*have/rate), yesNo(have >= 0.45*rate)})
	return nil
}

// postgresSum asks PostgreSQL for the same sum over the same rows in the clear.
func (b *bench) postgresSum(ctx context.Context, r *Report, t *table, work string, ours *Row) error {
	name, toReach := work+", one thread", "4 times PostgreSQL on plaintext"
	s, err := b.postgres(ctx)
	if errors.Is(err, postgres.ErrNotInstalled) {
		r.untold(name, toReach, "PostgreSQL is not installed")
		return nil
	} else if err != nil {
		return err
	}
	defer s.Stop()
	version, err := s.Version(ctx)
	if err != nil {
		return err
	}
	if err := load(ctx, s, t); err != nil {
		return err
	}
	top := 0.0
	for _, q := range []string{"SELECT sum(x*ind) FROM t", "SELECT sum(x) FROM t WHERE ind = 1"} {
		took, answer, err := s.Time(ctx, q, b.rounds)
		if err != nil {
			return err
		}
		if want := fmt.Sprint(t.sums[0]); answer != want {
			return fmt.Errorf("PostgreSQL says %s, want %s", answer, want)
		}
		row := Row{Work: work, How: version + " on plaintext, " + q[7:], Cores: 1, Seconds: took.Seconds(), Value: t.rows() / 1e6 / took.Seconds(), Unit: "M rows/s"}
		if top == 0 { // the reference multiplies
			top = row.Value
		}
		row.Ratio, row.Against = row.Value/ours.Value, ours.How
		r.row(row)
	}
	r.atLeast(name, toReach, 4, ours.Value/top)
	return nil
}

func millions(rows float64) string { return short(rows/1e6) + "M" }
