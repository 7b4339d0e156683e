package agefile

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/keys"
)

const markFormat = "carnet-mark/1"

// MarkFile is where the keystore at path keeps the newest state of the journal that its
// keyholder signed. It is a file of its own because it changes with every signature, and
// the keystore's passphrase takes a second. It is not secret.
func MarkFile(path string) string { return strings.TrimSuffix(path, ".age") + ".mark" }

type markContents struct {
	Format string      `json:"format"`
	Size   int64       `json:"size"`
	Head   carnet.Hash `json:"head"`
}

var _ keys.Marker = (*Store)(nil)

// ReadMark reads a mark file; the zero value if there is none.
func ReadMark(file string) (carnet.Checkpoint, error) {
	b, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return carnet.Checkpoint{}, nil
	}
	if err != nil {
		return carnet.Checkpoint{}, carnet.E(carnet.Precondition, "KEYSTORE_UNREADABLE", "%s can't be read", file).Because(err).Fix("check its permissions")
	}
	var m markContents
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if d.Decode(&m) != nil || d.More() || m.Format != markFormat || m.Size < 1 {
		return carnet.Checkpoint{}, carnet.E(carnet.Precondition, "MARK_DAMAGED", "%s is damaged", file).
			Fix("put back the newest copy; without one, give restore or run the checkpoints of other keyholders before the file is removed")
	}
	return carnet.Checkpoint{Size: m.Size, Head: m.Head}, nil
}

// RaiseMark records a state of the journal in a mark file unless a longer one is there.
// Error: Precondition (MARK_BEHIND) if another journal of that size is recorded.
func RaiseMark(file string, at carnet.Checkpoint) error {
	old, err := ReadMark(file)
	switch {
	case err != nil:
		return err
	case old.Size > at.Size || old == at:
		return nil
	case old.Size == at.Size:
		return keys.MarkBehind(at, old)
	}
	b, err := json.Marshal(markContents{markFormat, at.Size, at.Head})
	if err != nil {
		return err
	}
	if err := replace(file, append(b, '\n')); err != nil {
		return carnet.E(carnet.Internal, "KEYSTORE_NOT_WRITTEN", "%s could not be written; the old one is unchanged", file).Because(err).
			Fix("check free space and permissions of its directory")
	}
	return nil
}

// Mark implements keys.Marker.
func (s *Store) Mark(_ context.Context, at carnet.Checkpoint) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.c == nil:
		return errClosed()
	case s.readOnly:
		return errReadOnly()
	}
	file := MarkFile(s.path)
	old, err := ReadMark(file)
	if err != nil {
		return err
	}
	if old.Size > at.Size {
		return keys.MarkBehind(at, old)
	}
	return RaiseMark(file, at)
}

// Marked implements keys.Marker.
func (s *Store) Marked(context.Context) (carnet.Checkpoint, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.c == nil {
		return carnet.Checkpoint{}, errClosed()
	}
	return ReadMark(MarkFile(s.path))
}
