package meter

import (
	"bytes"
	"encoding/json"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/plan"
)

// usedVersion is raised when Uses counts otherwise, so that what was noted before is worked
// out again.
const usedVersion = 1

// Used is what a book needs to know of a query's plan.
type Used struct {
	Version int   `json:"version"`
	Needed  int   `json:"needed"` // answers that open it
	Uses    []Use `json:"uses"`
}

// UsedBy takes it from the plan.
func UsedBy(p *plan.Plan) Used { return Used{usedVersion, p.Needed(), Uses(p)} }

// Bytes is the form that a memo may keep.
func (u *Used) Bytes() ([]byte, error) { return json.Marshal(u) }

// ParseUsed reads it; ok is false if it was made by another version, or is damaged.
func ParseUsed(b []byte) (u Used, ok bool) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	return u, d.Decode(&u) == nil && u.Version == usedVersion && u.Needed > 0
}

// Memo remembers what queries use. It follows from the log, so that whoever has none gets
// the same book, after compiling every query.
type Memo interface {
	// Recall returns what Keep was called with; ok is false if nothing is known.
	Recall(query carnet.Hash) (u Used, ok bool)
	// Keep notes what was worked out.
	Keep(query carnet.Hash, u Used)
}

// Remember gives a memo to a book that has read nothing.
func (b *Book) Remember(m Memo) { b.memo = m }

// used is what a query uses, from the memo or its plan.
func (b *Book) used(query carnet.Hash, compile func() (*plan.Plan, error)) (Used, error) {
	if b.memo != nil {
		if u, ok := b.memo.Recall(query); ok {
			return u, nil
		}
	}
	p, err := compile()
	if err != nil {
		return Used{}, err
	}
	u := UsedBy(p)
	if b.memo != nil {
		b.memo.Keep(query, u)
	}
	return u, nil
}
