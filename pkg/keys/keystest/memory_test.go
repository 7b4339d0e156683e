package keystest_test

import (
	"crypto/rand"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/keys/keystest"
)

func TestMemory(t *testing.T) {
	keystest.Run(t, func(t *testing.T) keystest.Fixture {
		m, err := keystest.NewMemory(rand.Reader)
		require.NoError(t, err)
		return keystest.Fixture{Store: m, Reopen: func(*testing.T) keys.Store { return m }}
	})
}

func TestMarking(t *testing.T) {
	keystest.Run(t, func(t *testing.T) keystest.Fixture {
		m, err := keystest.NewMemory(rand.Reader)
		require.NoError(t, err)
		s := &keystest.Marking{Store: m}
		return keystest.Fixture{Store: s, Reopen: func(*testing.T) keys.Store { return s }}
	})
}
