package main

import (
	"context"
	"fmt"
	"regexp"
	"runtime"
	"runtime/debug"
	"time"
)

// bench is one run.
type bench struct {
	sizes
	rounds int
	cpu    bool                             // work on one core is timed by the processor's time
	say    func(format string, args ...any) // progress, for whoever waits
}

// sizes say how much is measured.
type sizes struct {
	blocks      int   // of the filtered sum
	groupBlocks int   // of the GROUP BY
	cubeSide    int   // cells of the cube are its square
	ownerRows   int   // records of each owner in the network
	orders      int64 // of TPC-H; a line item is a quarter of one
	buffer      int   // bytes read for the memory's bandwidth
	decisions   int   // of a policy, in each round
	statements  int   // into the log, in each round
	records     bool  // TPC-H also as records
	server      bool  // compare with PostgreSQL
}

func full() sizes {
	return sizes{blocks: 256, groupBlocks: 64, cubeSide: 1000, ownerRows: 1 << 20, orders: 150_000, buffer: 1 << 30, decisions: 200, statements: 2000, records: true, server: true}
}

func tiny() sizes {
	return sizes{blocks: 2, groupBlocks: 1, cubeSide: 20, ownerRows: 100, orders: 100, buffer: 1 << 20, decisions: 3, statements: 20, server: true}
}

// figure is a group of measurements that belong together.
type figure struct {
	name string
	run  func(ctx context.Context, b *bench, r *Report) error
}

// figures in the order of the report.
var figures = []figure{
	{"filter", filterFigure},
	{"groups", groupsFigure},
	{"encrypt", encryptFigure},
	{"bytes", bytesFigure},
	{"keyholder", keyholderFigure},
	{"vault", vaultFigure},
	{"engine", engineFigure},
	{"cube", cubeFigure},
	{"estimates", estimatesFigure},
	{"policy", policyFigure},
	{"admission", admissionFigure},
	{"log", logFigure},
	{"network", networkFigure},
	{"tpch", tpchFigure},
}

func names() (list []string) {
	for _, f := range figures {
		list = append(list, f.name)
	}
	return list
}

// run measures the figures whose name the pattern matches.
func (b *bench) run(ctx context.Context, only *regexp.Regexp) (*Report, error) {
	r := &Report{Machine: machine(), Rounds: b.rounds, CPUTime: b.cpu}
	if r.Machine.Load > 0.5 {
		b.say("the machine is busy: load %.1f; ratios of one core are still comparable, others are not", r.Machine.Load)
	}
	for _, f := range figures {
		if !only.MatchString(f.name) {
			continue
		}
		b.say("%s ...", f.name)
		start := time.Now()
		if err := f.run(ctx, b, r); err != nil {
			return nil, fmt.Errorf("%s: %w", f.name, err)
		}
		debug.FreeOSMemory() // the next figure starts with an empty heap
		b.say("%s took %s", f.name, time.Since(start).Round(time.Second))
	}
	r.PeakBytes = peakMemory()
	return r, nil
}

// task is one way of doing some work.
type task struct {
	how    string
	cores  int
	amount float64 // of work, in the row's unit
	run    func() error
}

// race measures ways of doing the same work, round by round one after the other, so
// that a busy moment meets all alike, and adds a row for each: amount per second of
// its best round. The first is the reference of the others.
func (b *bench) race(ctx context.Context, r *Report, work, unit string, tasks ...task) ([]*Row, error) {
	rows := make([]*Row, len(tasks))
	for i, t := range tasks {
		rows[i] = &Row{Work: work, How: t.how, Cores: t.cores, Unit: unit, Against: tasks[0].how}
	}
	for round := range b.rounds {
		for i, t := range tasks {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			runtime.GC()
			took, err := b.clock(t.cores, t.run)
			if err != nil {
				return nil, fmt.Errorf("%s, %s: %w", work, t.how, err)
			}
			if s := took.Seconds(); round == 0 || s < rows[i].Seconds {
				rows[i].Seconds = s
			}
		}
		b.say("  %s: round %d of %d", work, round+1, b.rounds)
	}
	for i, row := range rows {
		row.Value = tasks[i].amount / row.Seconds
		row.Ratio = row.Value / rows[0].Value
		r.Rows = append(r.Rows, row)
	}
	rows[0].Against = ""
	return rows, nil
}

// clock times a piece of work: by the clock or, of work on one core if that was asked
// for, by what the process computed.
func (b *bench) clock(cores int, run func() error) (time.Duration, error) {
	now := b.elapsed
	if cores != 1 {
		now = func() time.Duration { return time.Since(started) }
	}
	start := now()
	err := run()
	return now() - start, err
}

// elapsed is a clock for work on one core: the time of day or, if that was asked for, what
// the process computed.
func (b *bench) elapsed() time.Duration {
	if used, ok := cpuTime(); b.cpu && ok {
		return used
	}
	return time.Since(started)
}

var started = time.Now()

// best returns the row with the largest value.
func best(rows ...*Row) *Row {
	top := rows[0]
	for _, r := range rows {
		if r.Value > top.Value {
			top = r
		}
	}
	return top
}

func (b *bench) cores() int { return runtime.GOMAXPROCS(0) }
