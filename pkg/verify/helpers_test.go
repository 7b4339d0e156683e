package verify_test

import (
	"context"
	"crypto/sha256"

	"github.com/carnet-network/carnet/pkg/bundle"
	"github.com/carnet-network/carnet/pkg/carnet"
)

func sum(b []byte) [32]byte { return sha256.Sum256(b) }

// replayer says the same about every decision.
type replayer struct{ err error }

func (r replayer) Replay(context.Context, *bundle.Policy, *carnet.Judged) error { return r.err }
