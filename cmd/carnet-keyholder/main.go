// Command carnet-keyholder is a jurisdiction's own small process: it guards the
// part seeds dealt to it, follows a gateway's journal, and gives or refuses its
// share of every answer. It dials out to the gateway and listens on nothing, except
// a health port on the loopback interface if asked to.
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
	Init         initCmd    `cmd:"" help:"Make a keystore and the party statement to be registered."`
	Run          runCmd     `cmd:"" help:"Guard keys: follow the journal, check queries, answer or refuse."`
	Status       statusCmd  `cmd:"" help:"Show journal position, keys, charges and answers."`
	ExportPublic exportCmd  `cmd:"" help:"Print the party statement again, signed with the keystore's key."`
	Destroy      destroyCmd `cmd:"" help:"Destroy the seeds of one key for good."`
	Version      versionCmd `cmd:"" help:"Print the version."`
}

// streams are where commands read and write.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

func main() { os.Exit(run(os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr})) }

func run(args []string, s streams) int {
	// A core file would hold seeds.
	if err := command.ForbidCoreDumps(); err != nil {
		fmt.Fprintln(s.err, "carnet-keyholder: core dumps could not be turned off:", err)
		return 1
	}
	var c cli
	code := -1
	parser, err := kong.New(&c,
		kong.Name("carnet-keyholder"),
		kong.Description("Guards the keys of encrypted datasets for one jurisdiction."),
		kong.UsageOnError(),
		kong.ValueFormatter(command.WithDefault),
		kong.Writers(s.out, s.err),
		kong.Exit(func(n int) { code = n }),
		kong.Bind(s),
	)
	if err != nil {
		fmt.Fprintln(s.err, "carnet-keyholder:", err)
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
		fmt.Fprintf(s.err, "carnet-keyholder: %v\nSee carnet-keyholder %s\n", err, strings.TrimSpace(commandOf(k)+" --help"))
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

func commandOf(k *kong.Context) string {
	if k == nil {
		return ""
	}
	return k.Command()
}

// report prints an error with its reason and what to do about it.
func report(w io.Writer, err error) {
	text := err.Error()
	if r := carnet.ReasonOf(err); r != "" {
		text += " [" + r + "]"
	}
	fmt.Fprintln(w, "carnet-keyholder:", text)
	var e *carnet.Error
	if errors.As(err, &e) && e.Remedy != "" {
		fmt.Fprintln(w, "  what to do:", e.Remedy)
	}
}
