package postgres

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestServer(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a server")
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	s, err := Start(ctx, "max_parallel_workers_per_gather = 0")
	Need(t, err)
	defer s.Stop()
	version, err := s.Version(ctx)
	require.NoError(t, err)
	require.Contains(t, version, "PostgreSQL 1")
	_, err = s.Query(ctx, "CREATE TABLE t (a int, b numeric(9,2), c text)")
	require.NoError(t, err)
	require.NoError(t, s.Copy(ctx, "COPY t FROM STDIN WITH (DELIMITER '|')", strings.NewReader("1|2.50|x\n2|-1.00|\\N\n")))
	rows, err := s.Query(ctx, "SELECT a, b, c FROM t ORDER BY a")
	require.NoError(t, err)
	require.Equal(t, [][]string{{"1", "2.50", "x"}, {"2", "-1.00", ""}}, rows)
	rows, err = s.Query(ctx, "SHOW max_parallel_workers_per_gather")
	require.NoError(t, err)
	require.Equal(t, [][]string{{"0"}}, rows)
	took, first, err := s.Time(ctx, "SELECT sum(b) FROM t", 3)
	require.NoError(t, err)
	require.Positive(t, took)
	require.Equal(t, "1.50", first)
	_, err = s.Query(ctx, "SELECT nothing")
	require.ErrorContains(t, err, "does not exist")
	s.Stop()
	require.NoDirExists(t, s.dir)
}
