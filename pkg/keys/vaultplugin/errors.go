package vaultplugin

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/carnet-network/carnet/pkg/carnet"
)

const remedyMark = "; to do: "

var errorForm = regexp.MustCompile(`(?s)^([A-Z][A-Z0-9_]*) \(([a-z ]+)\): (.*)$`)

// ErrorText is how the engine words an error: REASON (kind): message; to do: remedy. It
// is what an operator reads who calls the engine by hand.
func ErrorText(e *carnet.Error) string {
	text := fmt.Sprintf("%s (%s): %s", e.Reason, e.Kind, e.Msg)
	if e.Remedy != "" {
		text += remedyMark + e.Remedy
	}
	return text
}

// ParseError turns that text back into the error; nil if it is another text.
func ParseError(text string) *carnet.Error {
	m := errorForm.FindStringSubmatch(strings.TrimSpace(text))
	if m == nil {
		return nil
	}
	for kind := carnet.Internal; kind <= carnet.Canceled; kind++ {
		if kind.String() == m[2] {
			msg, remedy, _ := strings.Cut(m[3], remedyMark)
			return &carnet.Error{Kind: kind, Reason: m[1], Msg: msg, Remedy: remedy}
		}
	}
	return nil
}
