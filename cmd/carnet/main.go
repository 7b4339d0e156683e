// Command carnet is what owners, buyers and the registrar of a Carnet network use:
// it makes identities, describes and publishes encrypted tables, finds data
// products, asks SQL questions over them and opens the answers.
//
// Every subcommand is one file of this package, and thin: it reads its inputs, calls
// the library (pkg/client, pkg/schema, pkg/ident …) and prints. Secrets, configuration
// and the state of unfinished uploads live in one directory, --home.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/carnet-network/carnet/internal/command"
)

// cli is the command tree. Kong builds parser and help texts from it.
type cli struct {
	Home string `help:"Directory of keys, configuration and unfinished uploads." env:"CARNET_HOME" default:"~/.carnet" placeholder:"DIR" type:"path"`

	Init  initCmd  `cmd:"" help:"Make an identity and the configuration that goes with it."`
	DevCA devCACmd `cmd:"" name:"dev-ca" help:"Make certificates for development and closed pilots."`

	Party     partyCmd     `cmd:"" help:"Register and list the parties of a network, replace keys."`
	Committee committeeCmd `cmd:"" help:"Register and list committees of keyholders."`
	Schema    schemaCmd    `cmd:"" help:"Check, register and show schemas."`

	Sample     sampleCmd     `cmd:"" help:"Generate made-up customs or TPC-H records to try things out."`
	Deal       dealCmd       `cmd:"" help:"Make a dataset key and deal it to a committee."`
	Publish    publishCmd    `cmd:"" help:"Encrypt a table and publish it, or check it without publishing."`
	Datasets   datasetsCmd   `cmd:"" help:"List published datasets."`
	Revoke     revokeCmd     `cmd:"" help:"End the use of a dataset."`
	Redeal     redealCmd     `cmd:"" help:"Deal a key again, to another committee; tables stay as they are."`
	Succession successionCmd `cmd:"" help:"Say which committees may get a key from its keyholders without you."`
	Retire     retireCmd     `cmd:"" help:"End the use of a dataset key and have its seeds destroyed."`

	Products productsCmd `cmd:"" help:"Register, find and show data products."`
	Explain  explainCmd  `cmd:"" help:"Tell what a query would need and cost, or why it would be refused."`
	Query    queryCmd    `cmd:"" help:"Ask a question and print the answer."`
	Open     openCmd     `cmd:"" help:"Open the answer to an earlier query again."`
	Queries  queriesCmd  `cmd:"" help:"List your queries."`

	Certificate certificateCmd `cmd:"" help:"Have the registration of a dataset or product certified."`
	Usage       usageCmd       `cmd:"" help:"Have certified how a dataset was used in a period."`
	Settle      settleCmd      `cmd:"" help:"Show what you owe and are owed for a month."`
	Value       valueCmd       `cmd:"" help:"Work out figures of what a dataset is worth."`
	Recompute   recomputeCmd   `cmd:"" help:"Work out from the log again what usage, settle or value printed, and compare."`
	Inbox       inboxCmd       `cmd:"" help:"List the queries that wait for your approval, or show one in words."`
	Approve     approveCmd     `cmd:"" help:"Approve a query."`
	Refuse      refuseCmd      `cmd:"" help:"Refuse a query."`

	Evidence evidenceCmd `cmd:"" help:"Export what proves a query, and checkpoints of the log."`
	Verify   verifyCmd   `cmd:"" help:"Check an evidence bundle, offline."`
	Monitor  monitorCmd  `cmd:"" help:"Follow the log and say what is wrong with it."`

	Assess assessCmd `cmd:"" help:"Tell what a registration, a publication or a query would need, before doing it."`
	Policy policyCmd `cmd:"" help:"Write, check and sign policy bundles, repeat decisions."`

	Status  statusCmd  `cmd:"" help:"Show who you are and whether the gateway can be reached."`
	Version versionCmd `cmd:"" help:"Print version and parameter profiles."`
}

const description = `Carnet answers SQL aggregate questions over encrypted tables of several owners.

Who you are and where the gateway is, config.yaml in the home directory says; carnet
init writes it. CARNET_HOME names the home directory, CARNET_GATEWAY another gateway,
CARNET_PASSPHRASE_FILE a file with the passphrase of encrypted keys.

` + command.ExitCodes

func main() {
	// A second Ctrl-C ends the process at once.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	go func() { <-ctx.Done(); stop() }()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is the whole program. It returns the exit code and never exits itself, so that
// deferred clean-up always happens.
func run(ctx context.Context, args []string, stdin *os.File, stdout, stderr io.Writer) int {
	if err := command.ForbidCoreDumps(); err != nil {
		fmt.Fprintln(stderr, "carnet: core dumps could not be turned off:", err)
	}
	var c cli
	a := &app{ctx: ctx, in: stdin, out: command.PlainWriter{W: stdout}, raw: stdout, err: stderr}
	exited := -1
	parser, err := kong.New(&c,
		kong.Name("carnet"),
		kong.Description(description),
		kong.Writers(stdout, stderr),
		kong.ValueFormatter(command.WithDefault),
		kong.Exit(func(code int) { exited = code }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 96}),
		kong.Bind(a),
	)
	if err != nil {
		fmt.Fprintln(stderr, "carnet:", err)
		return command.Internal
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	k, err := parser.Parse(args)
	if exited >= 0 { // --help has printed
		return exited
	}
	if err != nil {
		return command.Misused(stderr, "carnet", err)
	}
	a.home = c.Home
	defer a.close()
	if err := k.Run(a); err != nil {
		if errors.Is(err, errFound) { // it was printed
			return command.Found
		}
		if ctx.Err() != nil {
			fmt.Fprintln(stderr, "carnet: interrupted")
			return command.Interrupted
		}
		return command.Fail(stderr, "carnet", a.meanwhile(err))
	}
	return command.OK
}
