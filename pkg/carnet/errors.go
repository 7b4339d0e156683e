package carnet

import (
	"errors"
	"fmt"
	"strings"
)

// Kind sorts errors by what the caller can do about them. The list is append-only:
// kinds travel over the wire.
type Kind int

const (
	Internal     Kind = iota // a fault of ours; nothing the caller can change
	Invalid                  // the request is malformed; see Violations
	NotFound                 // absent, or not visible to the caller: the two look alike
	Forbidden                // identity known, action not allowed
	Exists                   // already there with other contents
	Precondition             // the state does not allow it now; see Remedy
	Exhausted                // a limit, quota or release budget is used up
	Unavailable              // try again later
	Refused                  // a policy or disclosure rule said no; see Reason and Remedy
	Canceled                 // the caller gave up or the deadline passed
)

var kindNames = [...]string{"internal", "invalid", "not found", "forbidden", "exists", "precondition", "exhausted", "unavailable", "refused", "canceled"}

func (k Kind) String() string {
	if k < 0 || int(k) >= len(kindNames) {
		return fmt.Sprintf("kind(%d)", int(k))
	}
	return kindNames[k]
}

// Violation names one field of a request and what is wrong with it. For files the
// field is "name:line:column".
type Violation struct {
	Field string `json:"field"`
	Msg   string `json:"message"`
}

// Error is what every exported function of the project returns for expected
// failures. It carries nothing secret and nothing that depends on encrypted data,
// because it is shown to whoever asked.
type Error struct {
	Kind       Kind
	Reason     string      // stable identifier, UPPER_SNAKE_CASE
	Msg        string      // one sentence for a person
	Remedy     string      // what to do about it; may be empty
	Violations []Violation // fields at fault, if any
	Err        error       // cause, for errors.Is; not sent over the wire
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Msg)
	for i, v := range e.Violations {
		if i == 5 {
			fmt.Fprintf(&b, "; and %d more", len(e.Violations)-i)
			break
		}
		fmt.Fprintf(&b, "; %s: %s", v.Field, v.Msg)
	}
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }

// E makes an Error. The message is a sentence without a full stop.
func E(kind Kind, reason, format string, args ...any) *Error {
	return &Error{Kind: kind, Reason: reason, Msg: fmt.Sprintf(format, args...)}
}

// Fix returns a copy of e with the remedy set.
func (e *Error) Fix(format string, args ...any) *Error {
	c := *e
	c.Remedy = fmt.Sprintf(format, args...)
	return &c
}

// With returns a copy of e with a field violation appended.
func (e *Error) With(field, format string, args ...any) *Error {
	c := *e
	c.Violations = append(append([]Violation(nil), e.Violations...), Violation{field, fmt.Sprintf(format, args...)})
	return &c
}

// Because returns a copy of e with the cause set.
func (e *Error) Because(err error) *Error {
	c := *e
	c.Err = err
	return &c
}

// KindOf returns the kind of the first *Error in err's chain, Internal otherwise.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}

// ReasonOf returns the reason of the first *Error in err's chain, "" otherwise.
func ReasonOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Reason
	}
	return ""
}
