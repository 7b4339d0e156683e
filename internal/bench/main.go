// Command bench measures every figure that docs/performance.md states, in one run on
// one machine, each as a ratio to a named reference that does the same work in the
// same run: Lattigo's evaluator and encryptor, PostgreSQL on plaintext if it is
// installed, and the memory of the machine. All answers are checked against each
// other before anything is printed. Absolute numbers belong to the machine; the
// ratios carry over.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"regexp"
	"strings"
)

func main() {
	log.SetFlags(0)
	s := full()
	rounds := flag.Int("rounds", 5, "rounds; the best of each measurement counts")
	only := flag.String("only", "", "measure the figures whose name matches this `pattern`: "+strings.Join(names(), ", "))
	small := flag.Bool("small", false, "tables of a block or two: shows that everything runs, not how fast")
	cpu := flag.Bool("cpu", false, "time work on one core by the processor's time, for a busy machine; not PostgreSQL's and not networks")
	asJSON := flag.Bool("json", false, "print JSON")
	markdown := flag.Bool("markdown", false, "print tables for docs/performance.md")
	flag.IntVar(&s.blocks, "blocks", s.blocks, "blocks of 16,384 rows of the filtered sum")
	flag.Int64Var(&s.orders, "orders", s.orders, "orders of TPC-H; 1,500,000 are scale 1")
	flag.BoolVar(&s.records, "records", s.records, "TPC-H as records too")
	flag.Parse()
	pattern, err := regexp.Compile(*only)
	if err != nil || *rounds < 1 || s.blocks < 1 || flag.NArg() != 0 {
		flag.Usage()
		os.Exit(2)
	}
	if *small {
		s = tiny()
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	b := &bench{sizes: s, rounds: *rounds, cpu: *cpu, say: func(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }}
	report, err := b.run(ctx, pattern)
	if err != nil {
		stop()
		log.Fatal(err)
	}
	if err := write(os.Stdout, report, *asJSON, *markdown); err != nil {
		log.Fatal(err)
	}
}

func write(w io.Writer, r *Report, asJSON, markdown bool) error {
	switch {
	case asJSON:
		out := json.NewEncoder(w)
		out.SetIndent("", "  ")
		return out.Encode(r)
	case markdown:
		return r.markdown(w)
	}
	return r.text(w)
}
