package main

import (
	"context"
	"fmt"

	"github.com/carnet-network/carnet/pkg/scan"
)

// groupsFigure is SUM(x) for each of ten groups given by encrypted indicators: eleven
// columns, ten sums.
func groupsFigure(ctx context.Context, b *bench, r *Report) error {
	const groups = 10
	t, err := newTable("records", b.groupBlocks, groups)
	if err != nil {
		return err
	}
	half, err := halfRing(t)
	if err != nil {
		return err
	}
	same, err := sameRing(t)
	if err != nil {
		return err
	}
	small, err := newReference(t, half)
	if err != nil {
		return err
	}
	whole, err := newReference(t, same)
	if err != nil {
		return err
	}
	amount := t.rows() / 1e6
	work := fmt.Sprintf("GROUP BY %d encrypted indicators, %s rows", groups, millions(t.rows()))
	rows, err := b.race(ctx, r, work, "M rows/s",
		task{"Lattigo, relinearised once, same ring", 1, amount, whole.filteredAdd},
		task{"Lattigo, multiply-add, same ring", 1, amount, whole.filteredFused},
		task{"Lattigo, relinearised once, half the ring", 1, amount, small.filteredAdd},
		task{"Lattigo, multiply-add, half the ring", 1, amount, small.filteredFused},
		task{"Carnet, pure Go", 1, amount, func() error { return t.sumWhere(ctx, t.r.Portable(), scanOne) }},
		task{"Carnet, " + scan.Kernels(t.r.Profile())[0], 1, amount, func() error { return t.sumWhere(ctx, t.r, scanOne) }},
		task{"Carnet, " + scan.Kernels(t.r.Profile())[0], 2, amount, func() error { return t.sumWhere(ctx, t.r, scan.Options{Workers: 2}) }})
	if err != nil {
		return err
	}
	r.atLeastLattigo(work, 5, "", rows[5], rows[:4])
	return nil
}
