package policy_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/policy"
)

var (
	ctx = context.Background()
	now = time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC)
)

func engine(t testing.TB) *policy.Engine {
	b, err := policy.Default()
	require.NoError(t, err)
	e, err := policy.NewEngine(ctx, b)
	require.NoError(t, err)
	return e
}

// storage is a flow of one dataset from one jurisdiction to a gateway in another.
func storage(from, to carnet.Jurisdiction, d *carnet.Declaration) *policy.Input {
	in := &policy.Input{
		Flow: policy.FlowStorage, Now: now, Judge: policy.Party{ID: "gate", Jurisdiction: to}, Operator: policy.Party{ID: "gate", Jurisdiction: to},
		Datasets: []policy.Dataset{{ID: "own/data", Owner: policy.Party{ID: "own", Jurisdiction: from}, Jurisdiction: from}},
	}
	if d != nil {
		x := policy.Declaration{Declared: true, Classes: d.Classes, Persons: d.Persons, Sensitive: d.Sensitive, Collected: d.Collected}
		for _, i := range d.Instruments {
			x.Instruments = append(x.Instruments, policy.Instrument(i))
		}
		in.Datasets[0].Declaration = x
	}
	return in
}

var statistics = &carnet.Declaration{Classes: []carnet.DataClass{carnet.ClassNone}}

// own are the files of the bundle that comes with the programs, to be changed.
func own(t testing.TB) map[string][]byte {
	b, err := policy.Default()
	require.NoError(t, err)
	files := b.Files()
	files[policy.ManifestName] = []byte("name: own\nversion: 3\nexpires: 2027-06-30T00:00:00Z\nroots: [config, packs, rules]\n")
	return files
}
