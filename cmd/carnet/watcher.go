package main

import (
	"errors"
	"fmt"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/client"
)

// watcher says how far a query has come, nil if it is not to. Queries that open nothing ask
// nobody and are not watched.
func (c *queryCmd) watcher(a *app, asked *client.Asked) func(*client.Status) {
	switch {
	case c.Quiet || asked.Hash.IsZero():
		return nil
	case a.errTerminal():
		return func(s *client.Status) { a.line(progressOf(s)) }
	}
	a.notef("query %s: submitted\n", asked.Hash)
	return a.changes()
}

// changes prints a line for each change of a query's state, and of whom it waits for: where
// nobody sees a line drawn again, and approval may take days.
func (a *app) changes() func(*client.Status) {
	said := ""
	return func(s *client.Status) {
		text := string(s.State)
		if s.State == client.Releasing {
			text = fmt.Sprintf("computed, %d of %d keyholders have to answer", s.Threshold, s.Keyholders)
		}
		if text = awaiting(text, s); text != said {
			said = text
			a.notef("query %s: %s\n", s.ID.String()[:12], text)
		}
	}
}

// progressOf is how far a query has come, for a line that is drawn again.
func progressOf(s *client.Status) string {
	text := string(s.State)
	switch s.State {
	case client.Computing:
		text = fmt.Sprintf("computing, %d of %d blocks", s.BlocksDone, s.Blocks)
	case client.Releasing, client.Ready:
		text = fmt.Sprintf("%d answers (%d needed), %d refusals", s.Answers, s.Threshold, len(s.Refusals))
	}
	text = awaiting(text, s)
	if s.Needed > 0 && s.Answers == 0 {
		text += fmt.Sprintf("; %d checks of the private parameter (%d needed)", s.Checks, s.Needed)
	}
	return text
}

// awaiting adds whose approval has not come, which is all there is to say while a query waits
// for nothing else.
func awaiting(text string, s *client.Status) string {
	w := s.WaitsFor()
	switch {
	case w == "":
		return text
	case s.State == client.Waiting:
		return "waiting for approval of " + w
	}
	return text + "; waiting for approval of " + w
}

// later replaces the advice to repeat a command by what gets the answer of a query that was
// submitted before its gateway could not be reached any more: asked again it would be another
// query, with a price and releases of its own.
func later(err error, query carnet.Hash) error {
	var e *carnet.Error
	if query.IsZero() || !errors.As(err, &e) || e.Reason != "UNAVAILABLE" && e.Reason != "WATCH_ENDED" {
		return err
	}
	return e.Fix("the query was submitted and goes on without you: carnet open %s prints the answer when the gateway can be reached", query)
}
