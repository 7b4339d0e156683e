package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// Exit codes of the three programs, documented in docs/reference/errors.md.
const (
	OK           = 0
	Internal     = 1
	Usage        = 2
	NotFound     = 3
	Forbidden    = 4
	Precondition = 5
	Refused      = 6
	Unavailable  = 7
	Found        = 8
	Interrupted  = 130
)

// ExitCodes is the paragraph of every program's help.
const ExitCodes = `Exit codes: 0 done; 1 internal fault; 2 the command or its input is wrong; 3 not
found; 4 not allowed; 5 the state does not allow it; 6 refused by terms, policy or
a keyholder; 7 unavailable or exhausted, try later; 8 a check failed (verify, monitor);
130 interrupted.`

// ExitCode is the code that a program ends with for err.
func ExitCode(err error) int {
	if errors.Is(err, context.Canceled) {
		return Interrupted
	}
	switch carnet.KindOf(err) {
	case carnet.Invalid:
		return Usage
	case carnet.NotFound:
		return NotFound
	case carnet.Forbidden:
		return Forbidden
	case carnet.Precondition, carnet.Exists:
		return Precondition
	case carnet.Refused:
		return Refused
	case carnet.Unavailable, carnet.Exhausted, carnet.Canceled:
		return Unavailable
	}
	return Internal
}

// aboutFile gives what the system says about a file a reason and a remedy, if no code on the way
// did: the folder of an output that does not exist, a disk that is full.
func aboutFile(err error) error {
	var named *carnet.Error
	var path *fs.PathError
	var link *os.LinkError
	if errors.As(err, &named) || errors.Is(err, context.Canceled) || !errors.As(err, &path) && !errors.As(err, &link) {
		return err
	}
	return carnet.E(carnet.Precondition, "FILE_UNUSABLE", "a file can't be used").Because(err).
		Fix("check that its folder exists, that this user may read and write there, and that the disk has room")
}

// Marker is an error that can show the place at fault better than its violations do.
type Marker interface {
	error
	// Mark draws the place and reports whether there is one.
	Mark(w io.Writer) bool
}

// maxViolations is how many faults of one input are printed; the rest is counted.
const maxViolations = 20

// Fail prints what went wrong, where, and what to do about it, in the one form that
// the programs share, and returns the exit code.
func Fail(w io.Writer, program string, err error) int {
	w, err = PlainWriter{w}, aboutFile(err)
	var e *carnet.Error
	if !errors.As(err, &e) {
		fmt.Fprintf(w, "%s: %v\n", program, err)
		return ExitCode(err)
	}
	// What the error was wrapped in says where: "kz/party.json: ".
	where, _ := strings.CutSuffix(err.Error(), e.Error())
	if where == err.Error() {
		where = ""
	}
	msg := where + e.Msg
	if e.Err != nil {
		msg += ": " + e.Err.Error()
	}
	if e.Reason != "" {
		msg += " [" + e.Reason + "]"
	}
	fmt.Fprintf(w, "%s: %s\n", program, msg)
	violations := e.Violations
	var m Marker
	if errors.As(err, &m) && m.Mark(w) {
		violations = nil // the mark says it
	}
	for i, v := range violations {
		if i == maxViolations {
			fmt.Fprintf(w, "  and %d more\n", len(violations)-i)
			break
		}
		fmt.Fprintf(w, "  %s: %s\n", v.Field, v.Msg)
	}
	if e.Remedy != "" {
		fmt.Fprintf(w, "  fix: %s\n", strings.ReplaceAll(strings.TrimSpace(e.Remedy), "\n", "\n       "))
	}
	return ExitCode(err)
}

// Misused prints that a command line was not understood, and whose help says more.
func Misused(w io.Writer, program string, err error) int {
	path := program
	var pe *kong.ParseError
	if errors.As(err, &pe) {
		for _, p := range pe.Context.Path {
			if p.Command != nil {
				path += " " + p.Command.Name
			}
		}
	}
	fmt.Fprintf(w, "%s: %v\n  fix: see %s --help\n", program, err, path)
	return Usage
}
