// Command demo runs a whole Carnet network on one machine and compares every answer
// with what SQLite says about the same rows in the clear.
//
// It starts real processes that talk over real sockets with mutual TLS: one gateway,
// five keyholders of whom any three release an answer, three owners in three
// jurisdictions, one buyer. Everything is done by the command line tools a user would
// type; the demo only types them. It cleans up when it ends, fails or is interrupted,
// and exits with 1 if any answer differs.
//
//	go run ./examples/demo            # builds the programs first
//	go run ./examples/demo --bin bin  # uses programs that are built
//	go run ./examples/demo --vault    # keyholders' keys are in a HashiCorp Vault each
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/carnet-network/carnet/internal/vaultserver"
)

// demo is one run.
type demo struct {
	ctx   context.Context
	dir   string // everything the run writes
	bin   string // the programs
	rows  int    // records of each owner
	seed  uint64
	start time.Time

	gateway    string // host:port
	processes  []*process
	keyholders []*process
	inVault    bool // keyholders' keys are in a Vault each
	vaults     []*vaultserver.Server
	owners     []owner
	truth      *truth
	cells      int // compared
	different  int
}

func main() {
	bin := flag.String("bin", "", "directory of carnet, carnet-gateway and carnet-keyholder; built if empty")
	rows := flag.Int("rows", 100_000, "records of each of the three owners")
	seed := flag.Uint64("seed", 2026, "seed of the made-up records")
	keep := flag.Bool("keep", false, "leave the files, and say where they are")
	inVault := flag.Bool("vault", false, "keep every keyholder's keys in a HashiCorp Vault of its own; make vault builds the server")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, *bin, *rows, *seed, *inVault, *keep)
	stop()
	os.Exit(code)
}

// run is the whole program, so that clean-up always happens.
func run(ctx context.Context, bin string, rows int, seed uint64, inVault, keep bool) int {
	dir, err := os.MkdirTemp("", "carnet-demo-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		return 1
	}
	d := &demo{ctx: ctx, dir: dir, bin: bin, rows: rows, seed: seed, inVault: inVault}
	defer func() {
		d.stopAll()
		d.stopVaults()
		if keep {
			fmt.Println("\nEverything is in", dir)
			return
		}
		if err := os.RemoveAll(dir); err != nil {
			fmt.Fprintln(os.Stderr, "demo: clean up:", err)
		}
	}()
	err = d.play()
	switch {
	case ctx.Err() != nil:
		fmt.Fprintln(os.Stderr, "\ndemo: interrupted, cleaning up")
		return 130
	case err != nil:
		fmt.Fprintf(os.Stderr, "\ndemo: %v\n", err)
		d.tails()
		return 1
	}
	return 0
}

type act struct {
	title string
	do    func() error
}

// play is the demonstration, act by act.
func (d *demo) play() error {
	if err := d.build(); err != nil {
		return err
	}
	d.start = time.Now()
	acts := []act{
		{"The network: one gateway, five keyholders, any three release an answer", d.network},
		{"The records: three customs services, made up from a seed", d.records},
		{"Publishing: encrypted on the owners' machines", d.publish},
		{"What the gateway holds", d.storage},
		{"Questions about a cube", d.cubeQuestions},
		{"Questions about records", d.recordQuestions},
		{"A question with a parameter that only its buyer knows", d.privateQuestion},
		{"Questions that owners refuse", d.refused},
		{"Data that a law keeps at home", d.borders},
		{"Evidence: what happened, checked by somebody who trusts nobody", d.evidence},
		{"Keyholders are missing", d.missing},
	}
	if d.inVault {
		acts = slices.Insert(acts, len(acts)-1, act{"Vaults are sealed", d.sealed})
		acts = append(acts, act{"What the Vaults wrote down", d.audits})
	}
	for _, act := range acts {
		section(act.title)
		if err := act.do(); err != nil {
			return err
		}
	}
	section("Result")
	fmt.Printf("%d values compared with SQLite over the same rows in the clear, %d differ.\n", d.cells, d.different)
	fmt.Printf("%.0f seconds since the programs were built.\n", time.Since(d.start).Seconds())
	if d.different > 0 {
		return errors.New("answers differ from the truth")
	}
	return nil
}

// build compiles the programs, unless they were given.
func (d *demo) build() error {
	if d.bin != "" {
		var err error
		d.bin, err = filepath.Abs(d.bin)
		return err
	}
	d.bin = filepath.Join(d.dir, "bin")
	fmt.Println("Building the programs …")
	out, err := exec.CommandContext(d.ctx, "go", "build", "-o", d.bin+string(filepath.Separator),
		"./cmd/carnet", "./cmd/carnet-gateway", "./cmd/carnet-keyholder").CombinedOutput()
	if err != nil {
		return fmt.Errorf("go build: %w\n%s(run the demo from the root of the repository)", err, out)
	}
	return nil
}
