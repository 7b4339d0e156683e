package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// Exit codes, documented in the description of the program.
const (
	exitOK           = 0
	exitInternal     = 1
	exitUsage        = 2
	exitNotFound     = 3
	exitForbidden    = 4
	exitPrecondition = 5
	exitRefused      = 6
	exitUnavailable  = 7
	exitInterrupted  = 130
)

func exitCode(err error) int {
	if errors.Is(err, context.Canceled) {
		return exitInterrupted
	}
	switch carnet.KindOf(err) {
	case carnet.Invalid:
		return exitUsage
	case carnet.NotFound:
		return exitNotFound
	case carnet.Forbidden:
		return exitForbidden
	case carnet.Precondition, carnet.Exists:
		return exitPrecondition
	case carnet.Refused:
		return exitRefused
	case carnet.Unavailable, carnet.Exhausted, carnet.Canceled:
		return exitUnavailable
	}
	return exitInternal
}

// maxViolations is how many faults of one input are printed; the rest is counted.
const maxViolations = 20

// fail prints what went wrong, where, and what to do about it.
func fail(w io.Writer, err error) int {
	var e *carnet.Error
	if !errors.As(err, &e) {
		fmt.Fprintf(w, "carnet: %v\n", err)
		return exitCode(err)
	}
	msg := e.Msg
	if e.Err != nil {
		msg += ": " + e.Err.Error()
	}
	if e.Reason != "" {
		msg += " [" + e.Reason + "]"
	}
	fmt.Fprintf(w, "carnet: %s\n", msg)
	violations := e.Violations
	if caret(w, err) {
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
		fmt.Fprintf(w, "  fix: %s\n", strings.ReplaceAll(e.Remedy, "\n", "\n       "))
	}
	return exitCode(err)
}

// usage is a mistake in how a command was called.
func usage(format string, args ...any) *carnet.Error {
	return carnet.E(carnet.Invalid, "USAGE", format, args...)
}
