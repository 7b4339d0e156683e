// Command carnet-keyholder is a jurisdiction's own small process: it guards the
// part seeds dealt to it, follows a gateway's journal, and gives or refuses its
// share of every answer. It dials out to the gateway and listens on nothing, except
// a health port on the loopback interface if asked to.
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
	Init         initCmd        `cmd:"" help:"Make a keystore and the party statement to be registered."`
	Run          runCmd         `cmd:"" help:"Guard keys: follow the journal, check queries, answer or refuse."`
	Inbox        inboxCmd       `cmd:"" help:"Queries that wait for somebody here: list, show, approve, refuse."`
	Status       statusCmd      `cmd:"" help:"Show journal position, keys, charges and answers."`
	ExportPublic exportCmd      `cmd:"" help:"Print the party statement again, signed with the keystore's key."`
	Rotate       rotateCmd      `cmd:"" help:"Prepare new signing and sealing keys."`
	Destroy      destroyCmd     `cmd:"" help:"Destroy the seeds of one key for good."`
	Reshare      reshareCmd     `cmd:"" help:"Show which keys may move to another committee, and how far they are."`
	Backup       backupCmd      `cmd:"" help:"Write everything this keyholder must not lose into one encrypted file."`
	Restore      restoreCmd     `cmd:"" help:"Put the files of a backup back."`
	VaultPolicy  vaultPolicyCmd `cmd:"" name:"vault-policy" help:"Print the policy for HashiCorp Vault."`
	Version      versionCmd     `cmd:"" help:"Print the version."`
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
		return command.Internal
	}
	s.out = command.PlainWriter{W: s.out} // some of what it prints was written by others
	var c cli
	code := -1
	parser, err := kong.New(&c,
		kong.Name("carnet-keyholder"),
		kong.Description("Guards the keys of encrypted datasets for one jurisdiction.\n\n"+command.ExitCodes),
		kong.ValueFormatter(command.WithDefault),
		kong.Writers(s.out, s.err),
		kong.Exit(func(n int) { code = n }),
		kong.Bind(s),
	)
	if err != nil {
		fmt.Fprintln(s.err, "carnet-keyholder:", err)
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
		return command.Misused(s.err, "carnet-keyholder", err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	k.BindTo(ctx, (*context.Context)(nil))
	if err := k.Run(); err != nil {
		return command.Fail(s.err, "carnet-keyholder", err)
	}
	return command.OK
}
