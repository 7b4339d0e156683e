package monitor

import (
	"bytes"
	"encoding/json"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// savedFormat names the form of Saved.
const savedFormat = "carnet/monitor/1"

// Saved is what a monitor keeps between runs: how far it had come, and what it has
// reported. Entries are read again from the first one: the saved state is what they have to
// lead to.
type Saved struct {
	Format   string            `json:"format"`
	Origin   string            `json:"origin"`
	State    carnet.Checkpoint `json:"state"`
	Sources  map[string]int64  `json:"sources"`  // largest size seen there
	Reported []carnet.Hash     `json:"reported"` // keys of findings
}

// Save returns what to keep. The caller adds what it reported.
func (m *Monitor) Save() *Saved {
	s := &Saved{Format: savedFormat, Origin: evidence.Origin(m.Registrar), State: m.Checkpoint(), Sources: map[string]int64{}, Reported: []carnet.Hash{}}
	for source, size := range m.largest {
		s.Sources[source] = size
	}
	return s
}

// Resume has the monitor compare what it reads with what was saved. It is called before
// the first entry.
func (m *Monitor) Resume(s *Saved) error {
	if s.Format != savedFormat || s.Origin != evidence.Origin(m.Registrar) {
		return carnet.E(carnet.Precondition, "OTHER_LOG", "the saved state is of another log, or of another version of this program").
			Fix("use another file for this log")
	}
	for source, size := range s.Sources {
		m.largest[source] = size
	}
	if s.State.Size > 0 {
		m.seen[s.State.Size] = &view{&evidence.SignedCheckpoint{Origin: s.Origin, Checkpoint: s.State}, savedSource}
	}
	return nil
}

// savedSource is what findings call the state of an earlier run.
const savedSource = "what was seen before"

// Encode writes the saved state as JSON.
func (s *Saved) Encode() ([]byte, error) {
	b, err := json.MarshalIndent(s, "", "  ")
	return append(b, '\n'), err
}

// ReadSaved reads what Encode wrote.
func ReadSaved(data []byte) (*Saved, error) {
	s := &Saved{}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(s); err != nil || s.State.Size < 0 {
		return nil, carnet.E(carnet.Invalid, "BAD_MONITOR_STATE", "the saved state is not well-formed").Because(err).
			Fix("restore the file, or begin anew with another one; then nothing is compared with what was seen before")
	}
	return s, nil
}
