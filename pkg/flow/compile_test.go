package flow

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// A query waits for its turn to be compiled, and no longer than its caller does.
func TestAttackManyCompilationsWait(t *testing.T) {
	g := &Gateway{compiling: make(chan struct{}, 1)}
	g.compiling <- struct{}{}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err := g.compile(ctx, "SELECT", nil)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	<-g.compiling
	_, err = g.compile(t.Context(), "SELECT COUNT(*) FROM x", nil)
	require.Equal(t, "BAD_PRODUCT", carnet.ReasonOf(err))
	require.Empty(t, g.compiling, "the place is given back")
}
