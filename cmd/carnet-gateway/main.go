// Command carnet-gateway is the gateway: catalogue, ciphertext, journal and the
// computation on ciphertext. It holds no dataset key and no seed, and links no code
// that could make or use one (see deps_test.go).
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/carnet-network/carnet/internal/command"
)

type cli struct {
	Serve       serveCmd     `cmd:"" help:"Serve gRPC and REST, compute queries."`
	CheckConfig checkCmd     `cmd:"" help:"Check flags and files as serve would, and change nothing."`
	Migrate     migrateCmd   `cmd:"" help:"Create or upgrade the database, then stop."`
	MoveStore   moveStoreCmd `cmd:"" help:"Copy the metadata of a stopped gateway from SQLite to PostgreSQL, or back."`
	Rotate      rotateCmd    `cmd:"" help:"Replace the key that the gateway signs with, while it runs."`
	Version     versionCmd   `cmd:"" help:"Print the version."`
}

// streams are where commands write.
type streams struct{ out, err io.Writer }

func main() { os.Exit(run(os.Args[1:], streams{os.Stdout, os.Stderr})) }

func run(args []string, s streams) int {
	var c cli
	code := -1
	parser, err := kong.New(&c,
		kong.Name("carnet-gateway"),
		kong.Description("A customs gateway for encrypted data. Every flag can be set in the environment.\n\n"+command.ExitCodes),
		kong.Writers(s.out, s.err),
		kong.Exit(func(n int) { code = n }),
		kong.ValueFormatter(command.WithDefault),
		kong.Bind(s),
	)
	if err != nil {
		fmt.Fprintln(s.err, "carnet-gateway:", err)
		return command.Internal
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	k, err := parser.Parse(args)
	if code >= 0 {
		return code // help was printed
	}
	if err != nil {
		return command.Misused(s.err, "carnet-gateway", err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	k.BindTo(ctx, (*context.Context)(nil))
	if err := k.Run(); err != nil {
		return command.Fail(s.err, "carnet-gateway", err)
	}
	return command.OK
}
