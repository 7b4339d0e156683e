package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"iter"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/carnet-network/carnet/examples/tpch"
	"github.com/carnet-network/carnet/internal/postgres"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/carnettest"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/sample"
)

// tpchFigure is Q1 and Q6 of TPC-H, asked of encrypted tables in a network of five
// keyholders and of PostgreSQL in the clear. Every number is compared with exact sums
// over the same rows.
func tpchFigure(ctx context.Context, b *bench, r *Report) error {
	cubes := tpchRun{scale: b.orders, tables: map[string]string{"pricing": "q1", "revenue": "q6"}, order: []string{"pricing", "revenue"}, what: "cubes"}
	if err := b.tpch(ctx, r, cubes); err != nil || !b.records {
		return err
	}
	// Products of four columns, evaluated by the gateway and by each keyholder: a block.
	return b.tpch(ctx, r, tpchRun{scale: min(b.orders, 4000), tables: map[string]string{"lines": ""}, order: []string{"lines"}, what: "records"})
}

// tpchRun is one way of publishing the table.
type tpchRun struct {
	scale  int64             // orders
	tables map[string]string // product to its question; none: both
	order  []string
	what   string
}

func (run tpchRun) lines() iter.Seq[sample.Lineitem] { return sample.Lineitems(1, run.scale) }

func (b *bench) tpch(ctx context.Context, r *Report, run tpchRun) error {
	want := tpchTruth(run.lines())
	base, err := b.tpchPostgres(ctx, r, run, want)
	if err != nil {
		return err
	}
	return b.withNetwork(ctx, threeOwners[:1], func(t testing.TB, n *carnettest.Network) error {
		file := filepath.Join(t.TempDir(), "lineitem.tbl")
		if err := writeLines(file, run.lines()); err != nil {
			return err
		}
		for _, product := range run.order {
			name, queries := product, []string{run.tables[product]}
			if name == "lines" {
				name, queries = "records", []string{"q1-records", "q6-records"}
			}
			s, err := tpch.Schema(name)
			if err != nil {
				return err
			}
			before, start := storedBytes(n), time.Now()
			set := n.Publish(t, carnettest.Publication{Owner: "kz", Name: product, Schema: s, File: file})
			took, rows := time.Since(start), set.Tables.Rows()
			b.say("  %s published, %d rows", product, rows)
			work := fmt.Sprintf("TPC-H at scale %s, %s", scaleOf(run.scale), run.what)
			r.row(Row{Work: work, How: "publish " + product + ": read, encrypt, send", Cores: b.cores(), Seconds: took.Seconds(), Value: took.Seconds(), Unit: "s"})
			r.row(Row{Work: work, How: product + " at the gateway", Value: float64(storedBytes(n)-before) / float64(rows), Unit: "bytes per row"})
			set.Tables = nil
			n.Product(t, carnet.ProductID(product), set)
			for _, q := range queries {
				if err := b.tpchQuestion(ctx, t, r, n, product, q, work, want[q[:2]], base[q[:2]]); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// tpchQuestion asks, checks and reports.
func (b *bench) tpchQuestion(ctx context.Context, t testing.TB, r *Report, n *carnettest.Network, product, name, work string, want tpchAnswer, base time.Duration) error {
	sql, err := tpch.Query(name)
	if err != nil {
		return err
	}
	rounds := b.rounds
	if product == "lines" {
		rounds = 1 // every keyholder reads and multiplies everything
	}
	took, err := b.ask(ctx, t, n, carnet.ProductID(product), sql, rounds, func(got *plan.Result) error { return want.compare(got) })
	if err != nil {
		return err
	}
	row := Row{Work: work, How: name + ", submit to opened answer", Cores: b.cores(), Seconds: took.Seconds(), Value: took.Seconds() * 1000, Unit: "ms"}
	if base > 0 {
		row.Ratio, row.Against = took.Seconds()/base.Seconds(), "the time of PostgreSQL on plaintext"
	}
	r.row(row)
	r.Goals = append(r.Goals, Goal{work + ", " + name, "exact to the cent", fmt.Sprintf("exact, %s ms", short(row.Value)), "yes"})
	return nil
}

// tpchPostgres asks PostgreSQL the same questions, if it is installed.
func (b *bench) tpchPostgres(ctx context.Context, r *Report, run tpchRun, want map[string]tpchAnswer) (map[string]time.Duration, error) {
	s, err := b.postgres(ctx)
	if errors.Is(err, postgres.ErrNotInstalled) {
		r.note("TPC-H is not compared with PostgreSQL, which is not installed.")
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	defer s.Stop()
	if _, err := s.Query(ctx, tpch.Table); err != nil {
		return nil, err
	}
	if err := copyIn(ctx, s, "COPY lineitem FROM STDIN WITH (DELIMITER '|')", func(w *bufio.Writer) { writeCopy(w, run.lines()) }); err != nil {
		return nil, err
	}
	took := map[string]time.Duration{}
	for _, name := range []string{"q1", "q6"} {
		sql, err := tpch.Query(name)
		if err != nil {
			return nil, err
		}
		rows, err := s.Query(ctx, sql)
		if err != nil {
			return nil, err
		}
		if err := want[name].comparePostgres(rows); err != nil {
			return nil, fmt.Errorf("PostgreSQL, %s: %w", name, err)
		}
		if took[name], _, err = s.Time(ctx, trimmed(sql), b.rounds); err != nil {
			return nil, err
		}
		r.row(Row{Work: "TPC-H at scale " + scaleOf(run.scale) + ", " + run.what, How: name + ", PostgreSQL on plaintext", Cores: 1,
			Seconds: took[name].Seconds(), Value: took[name].Seconds() * 1000, Unit: "ms"})
	}
	return took, nil
}

func writeLines(path string, lines iter.Seq[sample.Lineitem]) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := sample.WriteTbl(f, lines); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// scaleOf writes a number of orders as TPC-H's scale factor.
func scaleOf(orders int64) string { return big.NewRat(orders, sample.Orders).FloatString(4) }
