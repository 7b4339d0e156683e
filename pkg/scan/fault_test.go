package scan

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// A fault in one worker is an error of the call, not the end of the process.
func TestFaultOfAWorker(t *testing.T) {
	err := each(context.Background(), 3, 10, func(_ context.Context, _, i int) error {
		if i == 4 {
			panic("values")
		}
		return nil
	})
	require.Equal(t, "PANIC", carnet.ReasonOf(err))
	require.NotContains(t, err.Error(), "values")
}
