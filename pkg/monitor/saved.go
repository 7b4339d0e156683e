package monitor

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// savedFormat names the form of Saved.
const savedFormat = "carnet/monitor/3"

// Saved is what a monitor keeps between runs: the state that it came to, what it needs of
// the entries before to judge those after it, and what it found. Nothing before the state is
// read again; a log that does not begin with it leads to other roots.
type Saved struct {
	Format   string                     `json:"format"`
	Origin   string                     `json:"origin"`
	State    carnet.Checkpoint          `json:"state"`
	Sources  map[string]int64           `json:"sources"`  // largest size seen there
	Newest   *evidence.SignedCheckpoint `json:"newest"`   // of the log that is followed
	Findings []Finding                  `json:"findings"` // all so far
	Snapshot snapshot                   `json:"snapshot"`
	Digest   carnet.Hash                `json:"digest"` // of all the rest, so that damage is noticed
}

// Save returns what to keep. now is the time by which queries are over; the caller sets the
// findings.
func (m *Monitor) Save(now time.Time) *Saved {
	s := &Saved{Format: savedFormat, Origin: evidence.Origin(m.Registrar), State: m.Checkpoint(), Sources: map[string]int64{}, Newest: m.newest, Findings: []Finding{}}
	for source, size := range m.largest {
		s.Sources[source] = size
	}
	m.rest(now)
	s.Snapshot = m.snapshot()
	return s
}

// Resume puts a monitor without entries in the state that was saved. On error it must not be
// used.
func (m *Monitor) Resume(s *Saved) error {
	if s.Format != savedFormat || s.Origin != evidence.Origin(m.Registrar) {
		return carnet.E(carnet.Precondition, "OTHER_LOG", "the saved state is of another log, or of another version of this program").
			Fix("use another file for this log")
	}
	for source, size := range s.Sources {
		m.largest[source] = size
	}
	m.newest = s.Newest
	return m.restore(s)
}

func badState(err error) error {
	return carnet.E(carnet.Invalid, "BAD_MONITOR_STATE", "the saved state is damaged").Because(err).
		Fix("restore the file, or begin anew with another one; then nothing is compared with what was seen before")
}

// Encode writes the saved state as JSON.
func (s *Saved) Encode() ([]byte, error) { return encode(s, &s.Digest) }

// ReadSaved reads what Encode wrote, and refuses what was changed since.
func ReadSaved(data []byte) (*Saved, error) {
	s := &Saved{}
	return s, decode(data, s, &s.Digest)
}

// encode writes a state as JSON with the digest of everything but the digest, which is a
// field of the state.
func encode(state any, digest *carnet.Hash) ([]byte, error) {
	*digest = carnet.Hash{}
	data, err := json.Marshal(state)
	if err != nil {
		return nil, err
	}
	*digest = carnet.Digest("carnet/monitor/saved/2", data)
	data, err = json.Marshal(state)
	return append(data, '\n'), err
}

// decode reads what encode wrote into an empty state, and refuses any other bytes.
func decode(data []byte, state any, digest *carnet.Hash) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(state); err != nil {
		return badState(err)
	}
	if again, err := encode(state, digest); err != nil || !bytes.Equal(again, data) {
		return badState(err)
	}
	return nil
}
