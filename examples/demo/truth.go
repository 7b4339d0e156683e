package main

import (
	"context"
	"database/sql"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"strings"

	_ "modernc.org/sqlite" // the reference
)

// truth is an SQLite database with the same rows in the clear. Money is in integer
// cents there, so that its sums are exact.
type truth struct{ db *sql.DB }

const table = `CREATE TABLE trade (
	owner TEXT, jurisdiction TEXT, year TEXT, chapter TEXT, section TEXT, partner TEXT, month TEXT,
	value INTEGER, weight INTEGER)`

func openTruth(ctx context.Context, file string) (*truth, error) {
	db, err := sql.Open("sqlite", "file:"+file+"?_pragma=journal_mode(off)&_pragma=synchronous(off)")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	_, err = db.ExecContext(ctx, table)
	return &truth{db}, err
}

// load reads an owner's CSV by its own, simple means.
func (t *truth) load(ctx context.Context, o owner) error {
	f, err := os.Open(o.csv)
	if err != nil {
		return err
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.ReuseRecord = true
	header, err := r.Read()
	if err != nil {
		return err
	}
	at := map[string]int{}
	for i, h := range header {
		at[h] = i
	}
	tx, err := t.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	ins, err := tx.PrepareContext(ctx, "INSERT INTO trade VALUES (?,?,?,?,?,?,?,?,?)")
	if err != nil {
		return err
	}
	for {
		rec, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		get := func(name string) any {
			i, ok := at[name]
			if !ok || rec[i] == "" {
				return nil
			}
			return strings.Clone(rec[i])
		}
		value, err := cents(rec[at["value"]])
		if err != nil {
			return err
		}
		if _, err := ins.ExecContext(ctx, o.id, o.jurisdiction, get("year"), get("chapter"), get("section"), get("partner"), get("month"), value, get("weight")); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// cents turns "12.34" into 1234.
func cents(s string) (int64, error) {
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		return 0, fmt.Errorf("%q is not an amount", s)
	}
	r.Mul(r, big.NewRat(100, 1))
	if !r.IsInt() || !r.Num().IsInt64() {
		return 0, fmt.Errorf("%q is not an amount in cents", s)
	}
	return r.Num().Int64(), nil
}

// query runs a query and returns its rows as text, "" for NULL.
func (t *truth) query(ctx context.Context, q string) ([][]string, error) {
	rows, err := t.db.QueryContext(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	defer rows.Close()
	cols, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	var out [][]string
	for rows.Next() {
		values := make([]any, len(cols))
		for i := range values {
			values[i] = new(any)
		}
		if err := rows.Scan(values...); err != nil {
			return nil, err
		}
		line := make([]string, len(cols))
		for i := range values {
			if v := *values[i].(*any); v != nil {
				line[i] = fmt.Sprint(v)
			}
		}
		out = append(out, line)
	}
	return out, rows.Err()
}
