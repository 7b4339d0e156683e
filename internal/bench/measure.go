package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/scan"
)

// table is one file of two columns: a measure and an encrypted 0/1 indicator.
type table struct {
	r      *he.Ring
	seed   he.Seed
	key    carnet.KeyID
	file   carnet.Nonce
	blocks int
	values [2][][]uint64 // plaintext, by column and block
	c0     [2][]he.Poly  // encrypted
	stored *scan.Memory  // the same in column-file order
	x, ind []int64       // the same rows as plain integers
	sum    int64         // SUM(x) where ind
	total  int64         // SUM(x)
}

func (t *table) id(column, block int) he.BlockID {
	return he.BlockID{File: t.file, Column: uint32(column), Block: uint32(block)}
}

func newTable(r *he.Ring, blocks int) *table {
	t := &table{r: r, seed: he.Seed{1}, key: carnet.KeyID{2}, file: carnet.Nonce{3}, blocks: blocks, stored: scan.NewMemory(r.Profile())}
	rnd := rand.New(rand.NewPCG(1, 2))
	for range blocks {
		x, ind := make([]uint64, r.Profile().N()), make([]uint64, r.Profile().N())
		for i := range x {
			x[i] = rnd.Uint64N(1 << 20)
			ind[i] = rnd.Uint64N(2)
			t.x, t.ind = append(t.x, int64(x[i])), append(t.ind, int64(ind[i]))
			t.sum += int64(x[i] * ind[i])
			t.total += int64(x[i])
		}
		t.values[0], t.values[1] = append(t.values[0], x), append(t.values[1], ind)
		t.c0[0], t.c0[1] = append(t.c0[0], r.NewPoly()), append(t.c0[1], r.NewPoly())
	}
	return t
}

// task is a measured way of doing something to some rows.
type task struct {
	row  Row
	rows int
	run  func() error
}

func measure(blocks, rounds int) (*Report, error) {
	p, err := he.Lookup("records")
	if err != nil {
		return nil, err
	}
	r := he.NewRing(p)
	t := newTable(r, blocks)
	e := he.NewEncryptor(r, t.seed, t.key)
	for c := range t.c0 {
		for b := range t.c0[c] {
			if err := e.EncryptBlock(t.id(c, b), t.values[c][b], t.c0[c][b]); err != nil {
				return nil, err
			}
			t.stored.Put(t.id(c, b), blocks, t.c0[c][b])
		}
	}
	lat, err := newReference(t)
	if err != nil {
		return nil, err
	}
	rows, cores := blocks*p.N(), runtime.GOMAXPROCS(0)
	const publish, filter, linear = "publish (encode, encrypt)", "SUM(x) filtered by encrypted indicator", "SUM(x)"
	tasks := []task{
		{Row{Task: publish, How: "Lattigo secret-key encryptor", Cores: 1, Against: "itself"}, rows, lat.encrypt},
		{Row{Task: publish, How: "Carnet", Cores: 1, Against: "Lattigo"}, rows, func() error { return t.encrypt(e) }},
		{Row{Task: filter, How: "Lattigo evaluator, relinearise once", Cores: 1, Against: "itself"}, rows, lat.filteredSum},
		{Row{Task: filter, How: "Carnet, public half on the fly", Cores: 1, Against: "Lattigo"}, rows, func() error { return t.filteredSum(1) }},
		{Row{Task: filter, How: "Carnet, public half on the fly", Cores: cores, Against: "Lattigo"}, rows, func() error { return t.filteredSum(cores) }},
		{Row{Task: filter, How: "plain int64 loop", Cores: 1, Against: "Lattigo"}, rows, t.plainSum},
		{Row{Task: linear, How: "Lattigo evaluator", Cores: 1, Against: "itself"}, rows, lat.linearSum},
		{Row{Task: linear, How: "Carnet, public half on the fly", Cores: 1, Against: "Lattigo"}, rows, func() error { return t.linearSum() }},
	}
	for range rounds { // interleaved, so that a busy moment hits all alike
		for i := range tasks {
			start := time.Now()
			if err := tasks[i].run(); err != nil {
				return nil, fmt.Errorf("%s, %s: %w", tasks[i].row.Task, tasks[i].row.How, err)
			}
			s := time.Since(start).Seconds()
			if x := &tasks[i].row; x.Seconds == 0 || s < x.Seconds {
				x.Seconds = s
			}
		}
	}
	report := &Report{Machine: machine(), Profile: p.Name(), Rows: rows, Rounds: rounds}
	reference := map[string]float64{}
	for _, x := range tasks {
		x.row.PerSec = float64(x.rows) / x.row.Seconds
		if x.row.Against == "itself" {
			reference[x.row.Task] = x.row.PerSec
		}
		x.row.Ratio = x.row.PerSec / reference[x.row.Task]
		report.Results = append(report.Results, x.row)
	}
	return report, nil
}

func (t *table) encrypt(e *he.Encryptor) error {
	for b, values := range t.values[0] {
		if err := e.EncryptBlock(t.id(0, b), values, t.c0[0][b]); err != nil {
			return err
		}
	}
	return nil
}

// filteredSum scans, opens with the secret and checks.
func (t *table) filteredSum(workers int) error {
	f := &functional.Functional{Degree: 2, Keys: []functional.KeyTerms{{Key: t.key, Products: []functional.Product{
		{File: t.file, Blocks: uint32(t.blocks), Factors: []functional.Factor{functional.Sum(0), functional.Sum(1)}},
	}}}}
	return scan.Products(context.Background(), t.r, []*functional.Functional{f}, t.stored, scan.Options{Workers: workers, MaxBytes: 1 << 28}, func(_ int, parts []scan.Parts) error {
		s, d := t.r.DeriveSecret(t.seed), parts[0].D
		open := t.r.ScalarAdd(t.r.Const(d[0]), t.r.InnerConst(d[1:], []he.Poly{s.Power(1), s.Power(2)}))
		return t.check(open, 2, t.sum)
	})
}

func (t *table) linearSum() error {
	f := &functional.Functional{Degree: 1, Keys: []functional.KeyTerms{{Key: t.key, Linear: []functional.Linear{
		{File: t.file, Blocks: uint32(t.blocks), Column: 0},
	}}}}
	w := map[carnet.KeyID]he.Poly{t.key: t.r.DeriveSecret(t.seed).Power(1)}
	sums, err := scan.Linear(context.Background(), t.r, []*functional.Functional{f}, w, t.stored, scan.Options{})
	if err != nil {
		return err
	}
	return t.check(sums[0], 1, t.total)
}

func (t *table) check(open he.Scalar, degree int, want int64) error {
	value, _ := t.r.Decode(open, degree)
	if have := he.Centre(value, t.r.Profile().T()); have != want {
		return fmt.Errorf("the sum is %d, want %d", have, want)
	}
	return nil
}

func (t *table) plainSum() error {
	var sum int64
	for i, x := range t.x {
		sum += x * t.ind[i]
	}
	if sum != t.sum {
		return fmt.Errorf("the sum is %d, want %d", sum, t.sum)
	}
	return nil
}
