package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// programs in the order of the page, with one sentence each.
var programs = []struct{ name, about string }{
	{"carnet", "For owners, buyers and the registrar."},
	{"carnet-gateway", "The gateway server."},
	{"carnet-keyholder", "A keyholder's process and its tools."},
}

// helpWidth is the terminal width the help texts are printed for.
const helpWidth = "90"

// commandLine builds the programs, as make build does, and prints the help text of every command.
func commandLine(root string) (string, error) {
	bin, err := os.MkdirTemp("", "gendocs-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(bin) }()
	build := exec.Command("go", "build", "-trimpath", "-o", bin+string(filepath.Separator), "./cmd/...")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build ./cmd/...: %w\n%s", err, out)
	}
	var b strings.Builder
	b.WriteString("# Command line\n\n" + generated)
	b.WriteString("Three programs. Every command has `--help`; the texts below are these.\n\n" +
		"With `--json` commands print nothing but JSON on standard output. Identifiers, hashes and keys are given in full;\n" +
		"`statement` is the hash of the signed statement and `entry` its place in the log. Errors are text on standard error,\n" +
		"with an [exit code](errors.md).\n\n")
	for _, p := range programs {
		fmt.Fprintf(&b, "- [%s](#%s): %s\n", p.name, p.name, p.about)
	}
	for _, p := range programs {
		if err := program(&b, filepath.Join(bin, p.name), p.name); err != nil {
			return "", err
		}
	}
	return b.String(), nil
}

func program(b *strings.Builder, path, name string) error {
	top, err := help(path)
	if err != nil {
		return err
	}
	fmt.Fprintf(b, "\n## %s\n\n```text\n%s```\n", name, top)
	list := commands(top)
	if len(list) == 0 {
		return fmt.Errorf("%s --help lists no commands", name)
	}
	for _, c := range list {
		text, err := help(path, strings.Fields(c)...)
		if err != nil {
			return err
		}
		fmt.Fprintf(b, "\n### %s %s\n\n```text\n%s```\n", name, c, text)
	}
	return nil
}

// help is what a command prints when asked for help.
func help(path string, command ...string) (string, error) {
	cmd := exec.Command(path, append(command, "--help")...)
	cmd.Env = []string{"COLUMNS=" + helpWidth, "HOME=/nonexistent"}
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w", strings.Join(cmd.Args, " "), err)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, " ")
	}
	return strings.Join(lines, "\n") + "\n", nil
}

// A command in the list has two spaces before it; its words are lower case, and end
// before two spaces, a flag or an argument.
var commandLineForm = regexp.MustCompile(`^  ([a-z][a-z0-9-]*(?: [a-z][a-z0-9-]*)*)(?:  | [-<\[]|$)`)

func commands(help string) (list []string) {
	_, after, ok := strings.Cut(help, "\nCommands:\n")
	if !ok {
		return nil
	}
	for l := range strings.Lines(after) {
		if m := commandLineForm.FindStringSubmatch(strings.TrimRight(l, "\n")); m != nil {
			list = append(list, m[1])
		}
	}
	return list
}
