// Command carnet-gateway is the gateway: catalogue, ciphertext, journal and the
// computation on ciphertext. It holds no dataset key and no seed, and links no code
// that could make or use one (see deps_test.go).
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/carnet-network/carnet/internal/command"
	"github.com/carnet-network/carnet/pkg/carnet"
)

type cli struct {
	Serve       serveCmd   `cmd:"" help:"Serve gRPC and REST, compute queries."`
	CheckConfig checkCmd   `cmd:"" help:"Check flags and files as serve would, and change nothing."`
	Migrate     migrateCmd `cmd:"" help:"Create or upgrade the database, then stop."`
	Version     versionCmd `cmd:"" help:"Print the version."`
}

// streams are where commands write.
type streams struct{ out, err io.Writer }

func main() { os.Exit(run(os.Args[1:], streams{os.Stdout, os.Stderr})) }

func run(args []string, s streams) int {
	var c cli
	code := -1
	parser, err := kong.New(&c,
		kong.Name("carnet-gateway"),
		kong.Description("A customs gateway for encrypted data. Every flag can be set in the environment."),
		kong.Writers(s.out, s.err),
		kong.Exit(func(n int) { code = n }),
		kong.ValueFormatter(command.WithDefault),
		kong.Bind(s),
	)
	if err != nil {
		fmt.Fprintln(s.err, "carnet-gateway:", err)
		return 1
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	k, err := parser.Parse(args)
	if code >= 0 {
		return code // help was printed
	}
	if err != nil {
		fmt.Fprintf(s.err, "carnet-gateway: %v\nSee carnet-gateway --help\n", err)
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	k.BindTo(ctx, (*context.Context)(nil))
	if err := k.Run(); err != nil {
		report(s.err, err)
		return 1
	}
	return 0
}

// report prints an error with its reason and what to do about it.
func report(w io.Writer, err error) {
	text := err.Error()
	if r := carnet.ReasonOf(err); r != "" {
		text += " [" + r + "]"
	}
	fmt.Fprintln(w, "carnet-gateway:", text)
	var e *carnet.Error
	if errors.As(err, &e) && e.Remedy != "" {
		fmt.Fprintln(w, "  what to do:", strings.TrimSpace(e.Remedy))
	}
}
