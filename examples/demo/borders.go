package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// What China's customs would have to declare about a table of persons.
const personal = `buyers: [` + buyer + `]
purposes: [statistics]
expires: 2099-12-31
declaration:
  classes: [personal]
  persons: 250000
`

const contract = `  instruments:
    - kind: standard_contract
      number: SCC-2026-0117
      jurisdiction: CN
      destinations: ["*"]
      flows: ["*"]
      expires: 2098-12-31
`

// borders asks whether a table about persons may leave, before anybody encrypts it. The
// gateway judges by the bundle of rules that comes with the programs, as it and every
// keyholder did for everything above.
func (d *demo) borders() error {
	owner := d.owners[2]
	assess := func(what, terms string) (string, error) {
		fmt.Printf("%s:\n%s\n", what, indent(strings.TrimSpace(terms[strings.Index(terms, "declaration:"):])))
		file := filepath.Join(d.home(owner.id), "personal.yaml")
		if err := os.WriteFile(file, []byte(terms), 0o600); err != nil {
			return "", err
		}
		return d.carnet(owner.id, "assess", "publish", "--terms", file, "--key", products[0].id, "--id", "declarants")
	}
	out, err := assess(owner.id+" declares a table of who declared goods", personal)
	var e *commandError
	if !errors.As(err, &e) || e.code != 6 || !strings.Contains(e.stderr, "POLICY_DENIED") {
		return errors.Join(errors.New("this should have been refused with POLICY_DENIED"), err)
	}
	fmt.Println(indent(out))
	out, err = assess("With a contract that was filed", personal+contract)
	if err != nil {
		return err
	}
	fmt.Print(indent(out))
	fmt.Println("\nThese rules are not legal advice. Each names its law, source, date and confidence: policies/packs.")
	return nil
}
