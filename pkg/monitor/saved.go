package monitor

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// savedFormat names the form of Saved.
const savedFormat = "carnet/monitor/2"

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

// sum is the digest of everything but the digest.
func (s *Saved) sum() (carnet.Hash, error) {
	rest := *s
	rest.Digest = carnet.Hash{}
	data, err := json.Marshal(&rest)
	return carnet.Digest("carnet/monitor/saved/2", data), err
}

// Encode writes the saved state as JSON.
func (s *Saved) Encode() ([]byte, error) {
	var err error
	if s.Digest, err = s.sum(); err != nil {
		return nil, err
	}
	b, err := json.Marshal(s)
	return append(b, '\n'), err
}

// ReadSaved reads what Encode wrote, and refuses what was changed since.
func ReadSaved(data []byte) (*Saved, error) {
	s := &Saved{}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(s); err != nil {
		return nil, badState(err)
	}
	stated := s.Digest
	again, err := s.Encode()
	if err != nil || s.Digest != stated || !bytes.Equal(again, data) {
		return nil, badState(err)
	}
	return s, nil
}
