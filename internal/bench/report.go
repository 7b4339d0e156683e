package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"text/tabwriter"
	"time"
)

// Row is one measured way of doing some work.
type Row struct {
	Work    string  `json:"work"`
	How     string  `json:"how"`
	Cores   int     `json:"cores,omitempty"`
	Seconds float64 `json:"seconds,omitempty"` // best of all rounds
	Value   float64 `json:"value"`
	Unit    string  `json:"unit"`
	Ratio   float64 `json:"ratio,omitempty"`   // to the reference
	Against string  `json:"against,omitempty"` // the reference; empty for itself
}

// Goal is a figure to reach, and whether it was.
type Goal struct {
	Work     string `json:"work"`
	ToReach  string `json:"to_reach"`
	Measured string `json:"measured"`
	Reached  string `json:"reached"` // yes, no, or why it can't be told here
}

// Report is everything that one run says.
type Report struct {
	Machine   Machine  `json:"machine"`
	Rounds    int      `json:"rounds"`
	CPUTime   bool     `json:"cpu_time,omitempty"` // work on one core is timed so
	Rows      []*Row   `json:"rows"`
	Goals     []Goal   `json:"goals"`
	Notes     []string `json:"notes,omitempty"`
	PeakBytes int64    `json:"peak_bytes"` // of this process
}

func (r *Report) row(row Row) { r.Rows = append(r.Rows, &row) }

// percentiles adds a row with the median of times and one with the 99th percentile, which it
// returns. The times are sorted.
func (r *Report) percentiles(row Row, times []time.Duration) (p99 time.Duration) {
	slices.Sort(times)
	how := row.How
	for _, p := range []int{50, 99} {
		p99 = times[(len(times)-1)*p/100]
		row.How, row.Value, row.Unit = fmt.Sprintf("%sp%d of %d", how, p, len(times)), float64(p99)/float64(time.Millisecond), "ms"
		r.row(row)
	}
	return p99
}

func (r *Report) note(format string, args ...any) {
	r.Notes = append(r.Notes, fmt.Sprintf(format, args...))
}

// atLeast adds a goal on a ratio.
func (r *Report) atLeast(work, toReach string, least, have float64) {
	r.Goals = append(r.Goals, Goal{work, toReach, fmt.Sprintf("%.2f times", have), yesNo(have >= least)})
}

// atLeastLattigo adds a goal on the ratio to Lattigo's evaluator with relinearisation of sums
// only, in the ring of the profile: the faster of the first two ways. A line without a
// goal is held against the fastest of all four, which may use half the ring: it holds the
// sum but leaves no room for flooding.
func (r *Report) atLeastLattigo(work string, least float64, where string, ours *Row, lattigo []*Row) {
	have := ours.Value / best(lattigo[:2]...).Value
	r.atLeast(work, fmt.Sprintf("%s times Lattigo's evaluator with lazy relinearisation, same ring%s", strconv.FormatFloat(least, 'g', -1, 64), where), least, have)
	r.Goals = append(r.Goals, Goal{work, "nothing: a harder reference of our own, Lattigo's fastest of four ways, also in half the ring",
		fmt.Sprintf("%.2f times", ours.Value/best(lattigo...).Value), ""})
}

// atMost adds a goal on a number with a unit.
func (r *Report) atMost(work, toReach string, most, have float64, unit string) {
	r.Goals = append(r.Goals, Goal{work, toReach, short(have) + " " + unit, yesNo(have <= most)})
}

// untold adds a goal that this machine or this run can't decide.
func (r *Report) untold(work, toReach, why string) {
	r.Goals = append(r.Goals, Goal{work, toReach, "", why})
}

func yesNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}

// short writes a number with three significant digits and no exponent.
func short(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	case v >= 1:
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%.3f", v)
}

func (row *Row) ratio() (ratio, against string) {
	if row.Ratio == 0 {
		return "", ""
	}
	if row.Against == "" {
		return "1", "itself"
	}
	return short(row.Ratio), row.Against
}

func (row *Row) cores() string {
	if row.Cores == 0 {
		return ""
	}
	return fmt.Sprint(row.Cores)
}

// text writes the report for a terminal.
func (r *Report) text(w io.Writer) error {
	fmt.Fprintf(w, "%s\n\n", r.headline())
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "work\thow\tcores\tmeasured\tratio\tagainst")
	for _, row := range r.Rows {
		ratio, against := row.ratio()
		fmt.Fprintf(t, "%s\t%s\t%s\t%s %s\t%s\t%s\n", row.Work, row.How, row.cores(), short(row.Value), row.Unit, ratio, against)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(w)
	fmt.Fprintln(t, "figure\tto reach\tmeasured\treached")
	for _, g := range r.Goals {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", g.Work, g.ToReach, g.Measured, g.Reached)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, n := range r.Notes {
		fmt.Fprintf(w, "\n%s\n", n)
	}
	return nil
}

// markdown writes the report as docs/performance.md has it.
func (r *Report) markdown(w io.Writer) error {
	fmt.Fprintf(w, "%s\n\n| figure | to reach | measured | reached |\n|---|---|---|---|\n", r.headline())
	for _, g := range r.Goals {
		fmt.Fprintf(w, "| %s | %s | %s | %s |\n", g.Work, g.ToReach, g.Measured, g.Reached)
	}
	fmt.Fprint(w, "\n| work | how | cores | measured | ratio | against |\n|---|---|---|---|---|---|\n")
	for _, row := range r.Rows {
		ratio, against := row.ratio()
		fmt.Fprintf(w, "| %s | %s | %s | %s %s | %s | %s |\n", row.Work, row.How, row.cores(), short(row.Value), row.Unit, ratio, against)
	}
	for _, n := range r.Notes {
		fmt.Fprintf(w, "\n%s\n", n)
	}
	return nil
}

func (r *Report) headline() string {
	m := r.Machine
	clock := ""
	if r.CPUTime {
		clock = " of processor time for work on one core"
	}
	return fmt.Sprintf("%s, %d cores, %s/%s, %s, commit %s; best of %d rounds%s, load %.1f at the start, %.1f GiB of memory at most.",
		m.CPU, m.Cores, m.OS, m.Arch, m.Go, m.Commit, r.Rounds, clock, m.Load, float64(r.PeakBytes)/(1<<30))
}
