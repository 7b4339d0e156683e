package command

import (
	"encoding/hex"
	"strings"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// MinAbbreviation is how many digits of an identifier name it at least: with 8 of them, two of
// ten thousand identifiers begin alike once in a hundred times, and then both are listed.
const MinAbbreviation = 8

// Candidate is what an abbreviation may stand for, and what tells it from others.
type Candidate[T ~[32]byte] struct {
	ID    T
	About string
}

// Find reads an identifier of 64 hexadecimal digits, or its first MinAbbreviation or more, if
// one candidate alone begins with them. Whole ones are taken as they are, and no candidates
// asked for.
//
// What lists the candidates decides what an abbreviation stands for: if that is somebody who
// is not trusted, nothing may be signed about the identifier that is found.
//
// Errors: Invalid (BAD_ID, AMBIGUOUS_ID), NotFound (NOT_FOUND); lists says in them which
// command lists the identifiers.
func Find[T ~[32]byte](what, text, lists string, candidates func() ([]Candidate[T], error)) (found T, err error) {
	text = strings.ToLower(strings.TrimSpace(text))
	if id, err := carnet.ParseHash(text); err == nil {
		return T(id), nil
	}
	if err := CheckID(what, text, lists); err != nil {
		return found, err
	}
	all, err := candidates()
	if err != nil {
		return found, err
	}
	seen := map[T]bool{}
	ambiguous := carnet.E(carnet.Invalid, "AMBIGUOUS_ID", "more than one %s begins with %s", what, text).Fix("give more digits")
	for _, c := range all {
		digits := hex.EncodeToString(c.ID[:])
		if seen[c.ID] || !strings.HasPrefix(digits, text) {
			continue
		}
		seen[c.ID] = true
		found, ambiguous = c.ID, ambiguous.With(digits, "%s", c.About)
	}
	switch len(seen) {
	case 0:
		return found, carnet.E(carnet.NotFound, "NOT_FOUND", "no %s that can be seen here begins with %s", what, text).Fix("%s lists them", lists)
	case 1:
		return found, nil
	}
	return T{}, ambiguous
}

// WholeID reads an identifier for what can't be taken back, such as a decision that is signed or
// seeds that are destroyed. No abbreviation will do: whoever makes identifiers makes two that begin
// alike in seconds, and says the one where the other is meant. Error: Invalid (BAD_ID).
func WholeID[T ~[32]byte](what, text, lists string) (T, error) {
	text = strings.ToLower(strings.TrimSpace(text))
	if id, err := carnet.ParseHash(text); err == nil {
		return T(id), nil
	}
	if err := CheckID(what, text, lists); err != nil {
		return T{}, err
	}
	return T{}, carnet.E(carnet.Invalid, "BAD_ID", "%q is the beginning of the id of a %s, and others can begin alike: what can't be taken back needs the whole one", text, what).
		Fix("%s shows whole ids", lists)
}

// CheckID reports what is neither an identifier nor the beginning of one, for commands that have
// much to do before they can look for it. Error: Invalid (BAD_ID).
func CheckID(what, text, lists string) error {
	text = strings.ToLower(strings.TrimSpace(text))
	if _, err := carnet.ParseHash(text); err == nil || Abbreviates(text) {
		return nil
	}
	return carnet.E(carnet.Invalid, "BAD_ID", "%q is not the id of a %s: that is 64 hexadecimal digits, or the first %d or more of them", text, what, MinAbbreviation).
		Fix("%s lists them", lists)
}

// Abbreviates reports whether a text can be the beginning of an identifier, and is not a whole one.
func Abbreviates(s string) bool {
	if len(s) < MinAbbreviation || len(s) >= 2*len(carnet.Hash{}) {
		return false
	}
	return strings.Trim(s, "0123456789abcdef") == ""
}
