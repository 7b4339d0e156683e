package carnet

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
)

// The construction is written out here a second time, so that a change of Digest
// that would change every identifier of the project can't pass unnoticed.
func TestDigestIsLengthPrefixedSHA256(t *testing.T) {
	want := sha256.Sum256([]byte("\x00\x00\x00\x03tag\x00\x00\x00\x02ab\x00\x00\x00\x00"))
	require.Equal(t, Hash(want), Digest("tag", []byte("ab"), nil))
}

func TestDigestIsInjectiveOverFieldBoundaries(t *testing.T) {
	seen := map[Hash]string{}
	for name, h := range map[string]Hash{
		"ab|c":  Digest("t", []byte("ab"), []byte("c")),
		"a|bc":  Digest("t", []byte("a"), []byte("bc")),
		"abc":   Digest("t", []byte("abc")),
		"abc|":  Digest("t", []byte("abc"), nil),
		"tag":   Digest("ta", []byte("bc")),
		"empty": Digest("t"),
	} {
		require.Empty(t, seen[h], "%s collides", name)
		seen[h] = name
	}
}

func TestHashText(t *testing.T) {
	h := Digest("x")
	b, err := json.Marshal(struct{ H Hash }{h})
	require.NoError(t, err)
	var back struct{ H Hash }
	require.NoError(t, json.Unmarshal(b, &back))
	require.Equal(t, h, back.H)

	for _, bad := range []string{"", "00", h.String()[:63], h.String() + "0", "G" + h.String()[1:], "A" + h.String()[1:]} {
		_, err := ParseHash(bad)
		require.Error(t, err, "%q must be refused: one hash has one text form", bad)
	}
}

func TestValidName(t *testing.T) {
	for s, ok := range map[string]bool{
		"kz-customs": true, "a": true, "0.1_x": true,
		"": false, "-a": false, ".a": false, "A": false, "a/b": false, "a b": false, "é": false,
		"a23456789012345678901234567890123456789012345678901234567890123":  true,
		"a234567890123456789012345678901234567890123456789012345678901234": false,
	} {
		require.Equal(t, ok, ValidName(s), "%q", s)
	}
}

func TestErrorKeepsKindReasonAndCause(t *testing.T) {
	base := E(Invalid, "BAD_ROW", "the row is wrong")
	err := fmt.Errorf("reading: %w", base.With("trade.csv:3:7", "not a number").Fix("remove the letter").Because(io.ErrUnexpectedEOF))
	require.Equal(t, Invalid, KindOf(err))
	require.Equal(t, "BAD_ROW", ReasonOf(err))
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.Equal(t, "reading: the row is wrong; trade.csv:3:7: not a number: unexpected EOF", err.Error())
	require.Empty(t, base.Violations, "With returns a copy")
	require.Empty(t, base.Remedy, "Fix returns a copy")
	require.Equal(t, Internal, KindOf(errors.New("other")))
	require.Equal(t, "kind(99)", Kind(99).String())
}

func TestErrorListsAtMostFiveViolations(t *testing.T) {
	e := E(Invalid, "X", "bad")
	for i := range 7 {
		e = e.With(fmt.Sprint(i), "v")
	}
	require.Equal(t, "bad; 0: v; 1: v; 2: v; 3: v; 4: v; and 2 more", e.Error())
}
