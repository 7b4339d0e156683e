// Command bench compares Carnet's encryption and scans with named references in one
// run on one machine, and prints the ratios.
//
// The references are Lattigo's secret-key encryptor, Lattigo's evaluator with one
// relinearisation at the end, and a loop over plain integers. All work on the same
// rows, and all answers are checked against each other before anything is printed.
// Absolute numbers belong to the machine; the ratios carry over.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"runtime"
	"strings"
	"text/tabwriter"
)

// Machine says what the numbers were measured on.
type Machine struct {
	CPU   string `json:"cpu"`
	Cores int    `json:"cores"`
	OS    string `json:"os"`
	Arch  string `json:"arch"`
	Go    string `json:"go"`
}

// Row is one measured way of doing a task.
type Row struct {
	Task    string  `json:"task"`
	How     string  `json:"how"`
	Cores   int     `json:"cores"`
	Seconds float64 `json:"seconds"` // best of all rounds
	PerSec  float64 `json:"rows_per_second"`
	Ratio   float64 `json:"ratio"` // to the task's reference
	Against string  `json:"against"`
}

// Report is everything one run says.
type Report struct {
	Machine Machine `json:"machine"`
	Profile string  `json:"profile"`
	Rows    int     `json:"rows"`
	Rounds  int     `json:"rounds"`
	Results []Row   `json:"results"`
}

func main() {
	log.SetFlags(0)
	blocks := flag.Int("blocks", 64, "blocks of 16,384 rows")
	rounds := flag.Int("rounds", 5, "rounds; the best of each measurement counts")
	asJSON := flag.Bool("json", false, "print JSON")
	flag.Parse()
	if *blocks < 1 || *rounds < 1 || flag.NArg() != 0 {
		flag.Usage()
		os.Exit(2)
	}
	report, err := measure(*blocks, *rounds)
	if err != nil {
		log.Fatal(err)
	}
	if *asJSON {
		out := json.NewEncoder(os.Stdout)
		out.SetIndent("", "  ")
		err = out.Encode(report)
	} else {
		err = print(report)
	}
	if err != nil {
		log.Fatal(err)
	}
}

func print(r *Report) error {
	m := r.Machine
	fmt.Printf("%s, %d cores, %s/%s, %s; profile %s, %d rows, best of %d rounds\n\n", m.CPU, m.Cores, m.OS, m.Arch, m.Go, r.Profile, r.Rows, r.Rounds)
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "task\thow\tcores\tM rows/s\tratio\tagainst")
	for _, x := range r.Results {
		fmt.Fprintf(w, "%s\t%s\t%d\t%.2f\t%.3g\t%s\n", x.Task, x.How, x.Cores, x.PerSec/1e6, x.Ratio, x.Against)
	}
	return w.Flush()
}

func machine() Machine {
	m := Machine{CPU: "unknown CPU", Cores: runtime.GOMAXPROCS(0), OS: runtime.GOOS, Arch: runtime.GOARCH, Go: runtime.Version()}
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return m // not Linux
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if name, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(name) == "model name" {
			m.CPU = strings.TrimSpace(value)
			break
		}
	}
	return m
}
