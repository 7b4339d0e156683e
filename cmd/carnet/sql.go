package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/query"
)

// sqlFlags is how a query is given to a command.
type sqlFlags struct {
	SQL     string `arg:"" optional:"" name:"sql" help:"The query; - reads it from standard input."`
	File    string `help:"Read the query from a file." placeholder:"FILE"`
	Product string `help:"Product to ask, the first one of a join [default: the one after FROM]." placeholder:"ID"`
	Purpose string `help:"What the answer is for, as owners' terms name it." default:"statistics"`
}

// read returns the text of the query and the product it is about.
func (f *sqlFlags) read(a *app) (sql string, product carnet.ProductID, err error) {
	switch {
	case f.File != "" && f.SQL != "":
		return "", "", usage("the query is given twice").Fix("pass it as an argument or with --file")
	case f.File != "":
		var data []byte
		if data, err = readInput("query", f.File); err != nil {
			return "", "", err
		}
		sql = string(data)
	case f.SQL == "-":
		var data []byte
		if data, err = io.ReadAll(io.LimitReader(a.in, 1<<20)); err != nil {
			return "", "", err
		}
		sql = string(data)
	case f.SQL == "":
		return "", "", usage("there is no query").Fix("pass it in quotes, or with --file")
	default:
		sql = f.SQL
	}
	sql = strings.TrimSpace(sql)
	sel, err := query.Parse(sql)
	if err != nil {
		return "", "", inSQL(sql, err)
	}
	if f.Product != "" {
		return sql, carnet.ProductID(f.Product), nil
	}
	return sql, carnet.ProductID(sel.From.Name), nil
}

// sqlError adds the text of the query to a refusal that names a place in it.
type sqlError struct {
	sql string
	err error
}

func (e *sqlError) Error() string { return e.err.Error() }
func (e *sqlError) Unwrap() error { return e.err }

func inSQL(sql string, err error) error {
	if err == nil {
		return nil
	}
	return &sqlError{sql, query.Locate(sql, err)}
}

// Mark prints the line of the query at fault with a mark under the place, if the
// error names one. It makes sqlError a command.Marker.
func (e *sqlError) Mark(w io.Writer) bool {
	var r *query.Refusal
	if !errors.As(e.err, &r) || r.Pos.Line == 0 {
		return false
	}
	lines := strings.Split(e.sql, "\n")
	if r.Pos.Line > len(lines) {
		return false
	}
	line := strings.TrimSuffix(lines[r.Pos.Line-1], "\r")
	// Tabs stay tabs, so that the mark stands below its character.
	var pad strings.Builder
	for i, c := range []rune(line) {
		if i >= r.Pos.Column-1 {
			break
		}
		if c == '\t' {
			pad.WriteRune('\t')
		} else {
			pad.WriteByte(' ')
		}
	}
	head := fmt.Sprintf("  %d | ", r.Pos.Line)
	fmt.Fprintf(w, "%s%s\n%s%s^\n", head, line, strings.Repeat(" ", len(head)), pad.String())
	return true
}
