package flow

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

func TestStateMachine(t *testing.T) {
	base := facts{threshold: 2, keyholders: 3}
	with := func(change func(*facts)) facts { f := base; change(&f); return f }
	for _, c := range []struct {
		from QueryState
		f    facts
		to   QueryState
	}{
		{QueryComputing, base, QueryComputing},
		{QueryComputing, with(func(f *facts) { f.answers = 3 }), QueryComputing},
		{QueryComputing, with(func(f *facts) { f.values = true }), QueryReleasing},
		{QueryComputing, with(func(f *facts) { f.values, f.answers = true, 2 }), QueryReady},
		{QueryComputing, with(func(f *facts) { f.failed = true }), QueryFailed},
		{QueryComputing, with(func(f *facts) { f.refusals = 1 }), QueryComputing},
		{QueryComputing, with(func(f *facts) { f.refusals = 2 }), QueryRefused},
		{QueryComputing, with(func(f *facts) { f.checks, f.refusals, f.unchecked = 3, 1, 0 }), QueryComputing},
		{QueryComputing, with(func(f *facts) { f.checks, f.refusals, f.unchecked = 3, 1, 1 }), QueryRefused},
		{QueryReleasing, with(func(f *facts) { f.values, f.answers = true, 1 }), QueryReleasing},
		{QueryReleasing, with(func(f *facts) { f.values, f.answers = true, 2 }), QueryReady},
		{QueryReleasing, with(func(f *facts) { f.values, f.refusals = true, 2 }), QueryRefused},
		{QueryReleasing, with(func(f *facts) { f.values, f.expired = true, true }), QueryExpired},
		{QueryReady, with(func(f *facts) { f.values, f.answers, f.expired = true, 2, true }), QueryReady},
	} {
		require.Equal(t, c.to, next(c.from, c.f), "%s %+v", c.from, c.f)
	}
}

func TestStatesOnlyMoveForward(t *testing.T) {
	rank := map[QueryState]int{QueryComputing: 0, QueryReleasing: 1, QueryReady: 2, QueryRefused: 2, QueryFailed: 2, QueryExpired: 2}
	rapid.Check(t, func(t *rapid.T) {
		f := facts{threshold: rapid.IntRange(1, 4).Draw(t, "t"), keyholders: 5}
		s := QueryComputing
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			switch rapid.IntRange(0, 4).Draw(t, "event") {
			case 0:
				f.values = true
			case 1:
				f.answers = min(f.answers+1, f.keyholders-f.refusals)
			case 2:
				f.refusals = min(f.refusals+1, f.keyholders-f.answers)
			case 3:
				f.expired = true
			case 4:
				f.failed = !f.values && rapid.Bool().Draw(t, "failed")
			}
			to := next(s, f)
			if rank[to] < rank[s] || rank[s] == 2 && to != s {
				t.Fatalf("%s became %s", s, to)
			}
			if to == QueryReady && (!f.values || f.answers < f.threshold) {
				t.Fatalf("ready without %+v", f)
			}
			s = to
		}
	})
}

func TestNotDominated(t *testing.T) {
	c := func(size int64, signers ...string) (c Published) {
		c.SignedCheckpoint = &evidence.SignedCheckpoint{}
		c.Size = size
		for _, s := range signers {
			c.Signers = append(c.Signers, carnet.PartyID(s))
		}
		return c
	}
	got := notDominated([]Published{c(9, "a"), c(8, "a", "b"), c(7, "b"), c(6, "c", "a"), c(5, "a", "b", "c")})
	var sizes []int64
	for _, x := range got {
		sizes = append(sizes, x.Size)
	}
	require.Equal(t, []int64{9, 8, 6, 5}, sizes)
}
