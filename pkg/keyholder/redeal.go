package keyholder

import (
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/scan"
)

// applyRedealing: signed by the owner of both dealings, of one profile, the second not used
// for anything else. The key keeps its name, under which its ciphertext was made; from this
// entry on it is opened with the other dealing, by its committee.
func (s *state) applyRedealing(env *evidence.Envelope) error {
	var r carnet.Redealing
	if err := env.Decode(carnet.TypeRedealing, &r); err != nil {
		return err
	}
	if _, err := s.signer(env, r.Owner, carnet.RoleOwner); err != nil {
		return err
	}
	bad := func(format string, args ...any) error { return noEffect("BAD_REDEALING", format, args...) }
	key, next := s.dealings[r.Key], s.dealings[r.Dealing]
	switch {
	case key == nil || next == nil || key.body.Owner != r.Owner || next.body.Owner != r.Owner:
		return bad("%q did not deal both keys", r.Owner)
	case r.Key == r.Dealing || key.body.Params != next.body.Params:
		return bad("the dealings are one, or of different parameters")
	case r.Released < 0:
		return bad("a negative number of releases")
	case s.retired[r.Key] || s.retired[r.Dealing]:
		return noEffect("KEY_RETIRED", "a key was retired")
	}
	_, keyAgain := s.again[r.Key]
	_, nextAgain := s.again[r.Dealing]
	if keyAgain || nextAgain || s.redealt[r.Dealing] != nil || s.named(r.Dealing) {
		return bad("a dealing deals one key again, and names no dataset")
	}
	if old := s.redealt[r.Key]; old != nil {
		if err := older("the dealing of key "+r.Key.String(), r.Created, old.replaced); err != nil {
			return err
		}
	}
	d := *next
	d.key, d.since, d.released, d.replaced, d.before = r.Key, s.applied-1, r.Released, r.Created, s.opened(r.Key)
	d.again = &keys.Again{First: key.env, Redealing: env}
	s.again[r.Dealing], s.redealt[r.Key] = r.Key, &d
	return nil
}

// named reports whether a valid manifest names the key.
func (s *state) named(key carnet.KeyID) bool {
	for _, m := range s.manifests {
		if m.body.Key == key {
			return true
		}
	}
	return false
}

// opened is the dealing that a key is opened with. The caller holds the lock.
func (s *state) opened(key carnet.KeyID) *dealing {
	if d := s.redealt[key]; d != nil {
		return d
	}
	return s.dealings[key]
}

// over reports whether nothing is opened with a dealing any more. The caller holds the lock.
func (s *state) over(id carnet.KeyID) bool {
	key, again := s.again[id]
	if !again {
		key = id
	}
	d := s.opened(key)
	return s.retired[key] || s.retired[id] || d != nil && d.id != id
}

// isEnded reports whether the key that is or was opened with the dealing was retired.
func (s *state) isEnded(id carnet.KeyID) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	key, again := s.again[id]
	return s.retired[id] || again && s.retired[key]
}

func (s *state) isOver(id carnet.KeyID) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.over(id)
}

// redealt reports whether a key of the query is not opened with the dealing it is named
// after.
func (c *Case) redealt() bool {
	return slices.ContainsFunc(c.inputs, func(in input) bool { return in.dealing.id != in.dealing.key })
}

// uses reports whether the query is answered with the dealing.
func (c *Case) uses(id carnet.KeyID) bool {
	return slices.ContainsFunc(c.inputs, func(in input) bool { return in.dealing.id == id })
}

// cubesOf keeps set-ups for the next query. They are kept by the key's name, so not for one
// that was dealt again: its corrections are others.
func (k *Keyholder) cubesOf(c *Case) *scan.Cubes {
	if c.redealt() {
		return scan.NewCubes(0)
	}
	return k.cubes
}
