package main

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/term"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/ident"
	"github.com/carnet-network/carnet/pkg/keys/agefile"
)

// dirFlag is where a keyholder keeps its files.
type dirFlag struct {
	Dir string `help:"Directory of the keyholder's files." default:"." type:"path" env:"CARNET_KEYHOLDER_DIR"`
}

func (d dirFlag) keystore() string { return filepath.Join(d.Dir, "keystore.age") }
func (d dirFlag) ledger() string   { return filepath.Join(d.Dir, "ledger.db") }
func (d dirFlag) party() string    { return filepath.Join(d.Dir, "party.json") }

// nextParty is the statement with which the keys are to be replaced.
func (d dirFlag) nextParty() string { return filepath.Join(d.Dir, "party-next.json") }

// policyState remembers the policy bundle in use.
func (d dirFlag) policyState() string { return filepath.Join(d.Dir, "policy.json") }

// secretFlags say how the keystore is opened.
type secretFlags struct {
	PassphraseFile string `help:"File whose first line is the keystore's passphrase. Without it: a prompt." type:"path" placeholder:"FILE" env:"CARNET_PASSPHRASE_FILE"`
	Identity       string `help:"File with the age identity that opens the keystore, instead of a passphrase." type:"path" placeholder:"FILE"`
}

// protection finds the passphrase or identity; fresh asks for a new passphrase twice.
func (f secretFlags) protection(s streams, fresh bool) (agefile.Protection, error) {
	if f.Identity != "" {
		return agefile.IdentityFile(f.Identity)
	}
	if f.PassphraseFile != "" {
		p, err := ident.ReadPassphrase(f.PassphraseFile)
		if err != nil {
			return agefile.Protection{}, err
		}
		return agefile.Passphrase(p)
	}
	p, err := prompt(s, "Passphrase of the keystore: ")
	if err != nil {
		return agefile.Protection{}, err
	}
	if fresh {
		again, err := prompt(s, "The same again: ")
		if err != nil {
			return agefile.Protection{}, err
		}
		if p != again {
			return agefile.Protection{}, carnet.E(carnet.Invalid, "PASSPHRASES_DIFFER", "the two passphrases differ").Fix("try again")
		}
	}
	return agefile.Passphrase(p)
}

func prompt(s streams, text string) (string, error) {
	f, ok := s.in.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return "", carnet.E(carnet.Precondition, "PASSPHRASE_NEEDED", "a passphrase is needed and there is no terminal to ask on").
			Fix("use --passphrase-file, --identity or the variable %s", ident.PassphraseEnv)
	}
	fmt.Fprint(s.err, text)
	b, err := term.ReadPassword(int(f.Fd()))
	fmt.Fprintln(s.err)
	defer clear(b)
	return string(b), err
}
