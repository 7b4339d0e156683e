package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"golang.org/x/term"

	"github.com/carnet-network/carnet/internal/command"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/ident"
)

// app is what every subcommand gets: where it runs and where it prints.
type app struct {
	ctx  context.Context
	home string
	in   *os.File
	out  io.Writer // for people: without control characters
	raw  io.Writer // the same place, for formats with rules of their own
	err  io.Writer

	opened  *inVault // once it was needed
	adopted bool     // the identity was replaced by the one prepared for it
}

func (a *app) path(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(a.home, name)
}

func (a *app) printf(format string, args ...any) { fmt.Fprintf(a.out, format, args...) }

// notef prints what is not part of the result, so that a pipe stays clean.
func (a *app) notef(format string, args ...any) {
	fmt.Fprintf(command.PlainWriter{W: a.err}, format, args...)
}

// line draws text over the terminal's present line; empty text clears it.
func (a *app) line(text string) { fmt.Fprintf(a.err, "\r\x1b[K%s\r", command.Plain(text)) }

// json prints v indented, for programs.
func (a *app) json(v any) error { return command.JSON(a.out, v) }

// table prints rows under a header in aligned columns.
func (a *app) table(header []string, rows [][]string) error {
	return a.plainTable(append([][]string{header}, rows...))
}

// plainTable prints rows in aligned columns, without a header.
func (a *app) plainTable(rows [][]string) error {
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	for _, r := range rows {
		fmt.Fprintln(w, strings.Join(r, "\t"))
	}
	return w.Flush()
}

// errTerminal reports whether progress may be drawn on standard error.
func (a *app) errTerminal() bool { return command.Terminal(a.err) }

// passphraseEnv names a file whose first line is the passphrase, for scripts.
const passphraseEnv = ident.PassphraseEnv

// askPassphrase gets the passphrase of an encrypted file.
func (a *app) askPassphrase(file string) (string, error) {
	if pass, ok, err := passphraseFromFile(); ok || err != nil {
		return pass, err
	}
	return a.prompt("Passphrase for " + file + ": ")
}

// newPassphrase gets a passphrase for a new file, twice. An empty one is refused:
// plain files are asked for by name.
func (a *app) newPassphrase(file string) (string, error) {
	pass, ok, err := passphraseFromFile()
	if err != nil {
		return "", err
	}
	if !ok {
		if pass, err = a.prompt("New passphrase for " + file + ": "); err != nil {
			return "", err
		}
		again, err := a.prompt("Once more: ")
		if err != nil {
			return "", err
		}
		if pass != again {
			return "", carnet.E(carnet.Invalid, "PASSPHRASES_DIFFER", "the two passphrases differ").Fix("try again")
		}
	}
	if pass == "" {
		return "", usage("the passphrase is empty").Fix("choose one, or pass --plain for keys that are only for trying out")
	}
	return pass, nil
}

func passphraseFromFile() (pass string, ok bool, err error) {
	file := os.Getenv(passphraseEnv)
	if file == "" {
		return "", false, nil
	}
	pass, err = ident.ReadPassphrase(file)
	return pass, err == nil, err
}

func (a *app) prompt(text string) (string, error) {
	if a.in == nil || !term.IsTerminal(int(a.in.Fd())) {
		return "", carnet.E(carnet.Precondition, "PASSPHRASE_NEEDED", "a passphrase is needed and there is no terminal to ask on").
			Fix("set %s to a file that holds it, or use --plain where keys are only for trying out", passphraseEnv)
	}
	fmt.Fprint(a.err, text)
	b, err := term.ReadPassword(int(a.in.Fd()))
	fmt.Fprintln(a.err)
	if err != nil {
		return "", fmt.Errorf("read the passphrase: %w", err)
	}
	return string(b), nil
}

// identity loads the identity of this home.
func (a *app) identity(c *config) (*ident.Identity, error) {
	id, err := a.loadIdentity(a.path(c.Identity))
	if carnet.ReasonOf(err) == "NO_KEY_FILE" {
		return nil, noIdentity(a.home)
	}
	if err == nil && id.Party() != c.Party.ID {
		return nil, carnet.E(carnet.Precondition, "WRONG_IDENTITY", "%s is the key of %s, and %s is of %s", a.path(c.Identity), id.Party(), configFile, c.Party.ID).
			Fix("put the identity of %s there, or point --home to the directory of %s", c.Party.ID, id.Party())
	}
	return id, err
}

func noIdentity(home string) error {
	return carnet.E(carnet.Precondition, "NO_IDENTITY", "there is no identity in %s", home).
		Fix("run carnet init, or point --home or CARNET_HOME to where your identity is")
}

// readInput reads a small file that the user named.
func readInput(what, file string) ([]byte, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, carnet.E(carnet.NotFound, "NO_FILE", "the %s can't be read", what).Because(err).
			Fix("check the name and the directory you are in")
	}
	return data, nil
}

// usage is a mistake in how a command was called.
func usage(format string, args ...any) *carnet.Error {
	return carnet.E(carnet.Invalid, "USAGE", format, args...)
}
