package command

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
)

func TestFind(t *testing.T) {
	id := func(s string) carnet.KeyID {
		k, err := carnet.ParseKeyID(s + "00000000000000000000000000000000000000000000000000000000"[:64-len(s)])
		require.NoError(t, err)
		return k
	}
	a, b, c := id("5f1c00aa1"), id("5f1c00aa2"), id("0123456789ab")
	list := func() ([]Candidate[carnet.KeyID], error) {
		return []Candidate[carnet.KeyID]{{a, "of a"}, {b, "of b"}, {c, "of c"}, {c, "of c again"}}, nil
	}
	find := func(s string) (carnet.KeyID, error) { return Find("key", s, "carnet keys", list) }
	for s, want := range map[string]carnet.KeyID{"5f1c00aa1": a, "5F1C00AA2": b, "01234567": c, " 0123456789ab0000 ": c, c.String()[:63]: c} {
		got, err := find(s)
		require.NoError(t, err, s)
		require.Equal(t, want, got, s)
	}
	for _, s := range []string{"", "5f1c", "0123456", "5f1c00ag", "5f1c…aa1", a.String() + "0"} {
		_, err := find(s)
		require.Equal(t, "BAD_ID", carnet.ReasonOf(err), s)
	}
	_, err := find("ffffffff")
	require.Equal(t, carnet.NotFound, carnet.KindOf(err))

	got, err := find("5f1c00aa")
	require.Zero(t, got)
	require.Equal(t, "AMBIGUOUS_ID", carnet.ReasonOf(err))
	var out bytes.Buffer
	require.Equal(t, Usage, Fail(&out, "prog", err))
	require.Contains(t, out.String(), "  "+a.String()+": of a\n  "+b.String()+": of b\n  fix: give more digits\n")
	require.NotContains(t, out.String(), "of c")
}

// A whole identifier needs no list; a list that can't be had is the error.
func TestFindAsksForCandidatesOnlyIfNeeded(t *testing.T) {
	fails := func() ([]Candidate[carnet.Hash], error) { return nil, errors.New("unreachable") }
	whole := carnet.Digest("x")
	got, err := Find("query", whole.String(), "carnet queries", fails)
	require.NoError(t, err)
	require.Equal(t, whole, got)
	_, err = Find("query", whole.String()[:20], "carnet queries", fails)
	require.EqualError(t, err, "unreachable")
}

// Rule: what can't be taken back is not done by an abbreviation, though one candidate alone may
// begin so here: an owner or a buyer can make another that begins like the one that is meant.
func TestWholeID(t *testing.T) {
	id := carnet.Digest("x")
	got, err := WholeID[carnet.Hash]("query", " "+strings.ToUpper(id.String()), "carnet inbox")
	require.NoError(t, err)
	require.Equal(t, id, got)
	for _, s := range []string{"", "zz", id.String()[:MinAbbreviation], id.String()[:63], id.String() + "0"} {
		got, err := WholeID[carnet.Hash]("query", s, "carnet inbox")
		require.Equal(t, "BAD_ID", carnet.ReasonOf(err), s)
		require.Zero(t, got)
	}
}
