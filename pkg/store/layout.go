package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/pressly/goose/v3"
)

// layout are the tables that the migrations make.
type layout struct {
	version int64
	tables  []relation // those that others refer to first
}

// relation is a table. Names are safe in SQL: they are those of the migrations.
type relation struct {
	name    string
	columns []column
	key     []string // of the primary key
	refers  []string // other tables that rows refer to
}

type column struct {
	name  string
	bytes bool
}

// newLayout asks an empty database in memory, in which all migrations were applied. It is the
// same in PostgreSQL: there is one text for both.
func newLayout(ctx context.Context) (*layout, error) {
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		return nil, err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if err := migrate(ctx, goose.DialectSQLite3, db); err != nil {
		return nil, err
	}
	l := &layout{}
	if err := db.QueryRowContext(ctx, `SELECT max(version_id) FROM goose_db_version`).Scan(&l.version); err != nil {
		return nil, err
	}
	var all []relation
	if err := eachRow(ctx, db, `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'goose_db_version' ORDER BY name`,
		func(r *sql.Rows) error {
			var t relation
			defer func() { all = append(all, t) }()
			return r.Scan(&t.name)
		}); err != nil {
		return nil, err
	}
	for i := range all {
		if err := all[i].describe(ctx, db); err != nil {
			return nil, err
		}
	}
	l.tables, err = ordered(all)
	return l, err
}

// describe asks for columns, primary key and references.
func (t *relation) describe(ctx context.Context, db *sql.DB) error {
	type part struct {
		place int
		name  string
	}
	var key []part
	err := eachRow(ctx, db, `SELECT name, type, pk FROM pragma_table_info('`+t.name+`') ORDER BY cid`, func(r *sql.Rows) error {
		var c column
		var kind string
		var place int
		if err := r.Scan(&c.name, &kind, &place); err != nil {
			return err
		}
		c.bytes = kind == "BYTEA"
		t.columns = append(t.columns, c)
		if place > 0 {
			key = append(key, part{place, c.name})
		}
		return nil
	})
	if err != nil {
		return err
	}
	slices.SortFunc(key, func(a, b part) int { return a.place - b.place })
	for _, k := range key {
		t.key = append(t.key, k.name)
	}
	if len(t.key) == 0 {
		return fmt.Errorf("table %s has no primary key", t.name)
	}
	return eachRow(ctx, db, `SELECT DISTINCT "table" FROM pragma_foreign_key_list('`+t.name+`')`, func(r *sql.Rows) error {
		var other string
		err := r.Scan(&other)
		t.refers = append(t.refers, other)
		return err
	})
}

// ordered puts tables behind those that they refer to.
func ordered(all []relation) (out []relation, err error) {
	there := func(name string) bool {
		return slices.ContainsFunc(out, func(t relation) bool { return t.name == name })
	}
	for len(out) < len(all) {
		before := len(out)
		for _, t := range all {
			if !there(t.name) && !slices.ContainsFunc(t.refers, func(o string) bool { return !there(o) }) {
				out = append(out, t)
			}
		}
		if len(out) == before {
			return nil, fmt.Errorf("tables refer to each other in a circle")
		}
	}
	return out, nil
}

func eachRow(ctx context.Context, db *sql.DB, query string, scan func(*sql.Rows) error) error {
	rows, err := db.QueryContext(ctx, query)
	return scanAll(rows, err, scan)
}
