package policy

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// Holder keeps the engine that decides, and replaces it when a newer bundle is there.
// What can't be used is refused and the present one stays. It is safe for concurrent use.
type Holder struct {
	source string
	state  string
	keys   []ed25519.PublicKey

	mu     sync.RWMutex
	engine *Engine
	used   map[string]Seen // by name; nil before the first bundle
	latest time.Time       // that was judged at
}

// clockSlack is what a clock may be set back, as time services do.
const clockSlack = 5 * time.Minute

// steady refuses to judge with a clock that was set back: what expired would be in force
// again.
func (h *Holder) steady(now time.Time) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if now.Before(h.latest.Add(-clockSlack)) {
		return carnet.E(carnet.Unavailable, "CLOCK_SET_BACK", "the clock says %s, and decisions were made at %s before", now.UTC().Format(time.RFC3339), h.latest.UTC().Format(time.RFC3339)).
			Fix("set the clock; if it was wrong before and is right now, start again")
	}
	if now.After(h.latest) {
		h.latest = now
	}
	return nil
}

// Seen is what a holder remembers over restarts: of every name the newest bundle it used,
// so that an older one does not come back, be it by way of another.
type Seen struct {
	Name    string      `json:"name"`
	Version int64       `json:"version"`
	Digest  carnet.Hash `json:"digest"`
}

// state is the file.
type state struct {
	Used []Seen `json:"used"` // ascending by name
}

// NewHolder opens the bundle at source ("builtin", a folder or an archive signed by one
// of the keys) and remembers what it saw in the file state; empty: nothing is remembered.
func NewHolder(ctx context.Context, source, state string, keys ...ed25519.PublicKey) (*Holder, error) {
	h := &Holder{source: source, state: state, keys: keys}
	return h, h.Reload(ctx)
}

// Hold makes a holder of one bundle, which stays.
func Hold(ctx context.Context, b *Bundle) (*Holder, error) {
	e, err := NewEngine(ctx, b)
	return &Holder{engine: e}, err
}

// Reload reads the source again. On an error the present bundle stays in use.
func (h *Holder) Reload(ctx context.Context) error {
	if h.source == "" {
		return nil
	}
	b, err := Open(h.source, h.keys...)
	if err != nil {
		return err
	}
	used, err := h.seen()
	if err != nil {
		return err
	}
	if err := newer(b, used[b.Name]); err != nil {
		return err
	}
	h.mu.RLock()
	present := h.engine
	h.mu.RUnlock()
	if present != nil && present.bundle.Digest == b.Digest {
		return nil
	}
	e, err := NewEngine(ctx, b)
	if err != nil {
		return err
	}
	used[b.Name] = Seen{b.Name, b.Version, b.Digest}
	if err := h.remember(used); err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.engine, h.used = e, used
	return nil
}

// newer refuses an older version, and another bundle of the same version. A bundle of
// another name is the choice of whoever configures it.
func newer(b *Bundle, seen Seen) error {
	switch {
	case seen.Name != b.Name || b.Version > seen.Version || b.Version == seen.Version && b.Digest == seen.Digest:
		return nil
	case b.Version < seen.Version:
		return carnet.E(carnet.Precondition, "POLICY_OLDER", "the policy bundle %s has version %d, and version %d was in use before", b.Name, b.Version, seen.Version).
			Fix("sign the rules that you want with a version above %d", seen.Version)
	}
	return carnet.E(carnet.Precondition, "POLICY_VERSION_USED", "the policy bundle %s has version %d like another one that was in use before", b.Name, b.Version).
		Fix("give it a version above %d and sign it again", seen.Version)
}

// seen is a copy of what was used.
func (h *Holder) seen() (map[string]Seen, error) {
	h.mu.RLock()
	used := maps.Clone(h.used)
	h.mu.RUnlock()
	if used != nil {
		return used, nil
	}
	used = map[string]Seen{}
	if h.state == "" {
		return used, nil
	}
	content, err := os.ReadFile(h.state)
	if errors.Is(err, fs.ErrNotExist) {
		return used, nil
	}
	var s state
	if err == nil {
		err = decode(content, &s)
	}
	if err != nil {
		return nil, carnet.E(carnet.Precondition, "POLICY_STATE", "%s, which says what bundles were in use, can't be read", h.state).Because(err).
			Fix("restore it from a backup; without it an older bundle could come back unnoticed")
	}
	for _, x := range s.Used {
		used[x.Name] = x
	}
	return used, nil
}

func (h *Holder) remember(used map[string]Seen) error {
	if h.state == "" || h.source == Builtin { // a newer program may be replaced by an older one, which is no fault of its bundle
		return nil
	}
	s := state{Used: []Seen{}}
	for _, name := range slices.Sorted(maps.Keys(used)) {
		s.Used = append(s.Used, used[name])
	}
	content, err := json.Marshal(s)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(h.state), ".policy-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // after the rename it does nothing
	_, err = f.Write(content)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), h.state)
}

// Engine is the one in use.
func (h *Holder) Engine() *Engine {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.engine
}
