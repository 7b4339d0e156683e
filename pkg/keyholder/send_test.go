package keyholder

import (
	"errors"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/apiconv"
	"github.com/carnet-network/carnet/pkg/carnet"
)

// What came too late is no fault; what the gateway does not take for another reason is.
func TestLateOutcomesAreNoErrors(t *testing.T) {
	for level, refusal := range map[string]error{
		"INFO":  carnet.E(carnet.Precondition, "QUERY_CLOSED", "the query is ready and takes no more decisions"),
		"ERROR": carnet.E(carnet.Precondition, "ANSWER_DIFFERS", "it answered otherwise before"),
	} {
		wire, _ := apiconv.Status(refusal)
		var logs lockedBuffer
		k := &Keyholder{log: slog.New(slog.NewTextHandler(&logs, nil))}
		k.refused("an outcome", carnet.Digest("q"), wire.Err(), "kind", kindRefusal)
		require.Contains(t, logs.String(), "level="+level)
		require.Contains(t, logs.String(), "query="+carnet.Digest("q").String())
		require.Contains(t, logs.String(), "kind="+kindRefusal)
	}
	require.False(t, takenForGood(errors.New("broken stream")), "it is sent again")
}
