package main

import (
	"bufio"
	"context"
	"io"
	"strconv"

	"github.com/carnet-network/carnet/internal/postgres"
)

// postgres starts a server that uses one core for a query and keeps its tables in
// memory.
func (b *bench) postgres(ctx context.Context) (*postgres.Server, error) {
	if !b.server {
		return nil, postgres.ErrNotInstalled
	}
	b.say("  starting PostgreSQL")
	return postgres.Start(ctx, "max_parallel_workers_per_gather = 0", "shared_buffers = 1GB", "work_mem = 64MB", "max_wal_size = 4GB", "autovacuum = off")
}

// load copies measure and indicator of a table into PostgreSQL's table t.
func load(ctx context.Context, s *postgres.Server, t *table) error {
	if _, err := s.Query(ctx, "CREATE TABLE t (x bigint NOT NULL, ind int NOT NULL)"); err != nil {
		return err
	}
	return copyIn(ctx, s, "COPY t FROM STDIN", func(w *bufio.Writer) {
		var line []byte
		for i, x := range t.plain[0] {
			line = strconv.AppendInt(line[:0], x, 10)
			line = append(line, '\t')
			line = append(strconv.AppendInt(line, t.plain[1][i], 10), '\n')
			_, _ = w.Write(line) // an error stays in w
		}
	})
}

// copyIn streams rows into a table and brings its statistics and hint bits up to date.
func copyIn(ctx context.Context, s *postgres.Server, statement string, rows func(*bufio.Writer)) error {
	in, out := io.Pipe()
	go func() {
		w := bufio.NewWriterSize(out, 1<<16)
		rows(w)
		out.CloseWithError(w.Flush())
	}()
	err := s.Copy(ctx, statement, in)
	in.Close() // ends the goroutine if the copy failed
	if err == nil {
		_, err = s.Query(ctx, "VACUUM ANALYZE")
	}
	return err
}
