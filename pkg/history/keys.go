package history

import (
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// applyRetirement: signed by the owner that dealt the key; final for the key and every
// dataset under it.
func (s *State) applyRetirement(seq int64, env *evidence.Envelope) error {
	var r carnet.Retirement
	if err := env.Decode(carnet.TypeRetirement, &r); err != nil {
		return err
	}
	if _, err := s.signer(env, r.Owner, carnet.RoleOwner); err != nil {
		return err
	}
	_, again := s.again[r.Key]
	if d := s.dealings[r.Key]; d == nil || d.Body.Owner != r.Owner || again {
		return invalid("BAD_RETIREMENT", "key %s was not dealt by %q", r.Key, r.Owner)
	}
	if s.retired[r.Key] == nil {
		s.retired[r.Key] = &Ended{seq, r.Created}
	}
	return nil
}

// applyDestruction: signed by a member of the key's committee under its own number.
func (s *State) applyDestruction(env *evidence.Envelope) error {
	var d carnet.Destruction
	if err := env.Decode(carnet.TypeDestruction, &d); err != nil {
		return err
	}
	if _, err := s.signer(env, d.By, carnet.RoleKeyholder); err != nil {
		return err
	}
	if k := s.dealings[d.Key]; k == nil || d.Number == 0 || k.Committee.Number(d.By) != d.Number {
		return invalid("BAD_DESTRUCTION", "%q is not keyholder %d of key %s", d.By, d.Number, d.Key)
	}
	return nil
}

// applyRedealing: signed by the owner of both dealings, of one profile, the second not
// used for anything else. From this entry on the key is opened with the other dealing.
func (s *State) applyRedealing(env *evidence.Envelope) (*Dealing, error) {
	var r carnet.Redealing
	if err := env.Decode(carnet.TypeRedealing, &r); err != nil {
		return nil, err
	}
	if _, err := s.signer(env, r.Owner, carnet.RoleOwner); err != nil {
		return nil, err
	}
	key, next := s.dealings[r.Key], s.dealings[r.Dealing]
	_, keyAgain := s.again[r.Key]
	_, nextAgain := s.again[r.Dealing]
	switch {
	case key == nil || next == nil || key.Body.Owner != r.Owner || next.Body.Owner != r.Owner:
		return nil, invalid("BAD_REDEALING", "%q did not deal both keys", r.Owner)
	case r.Key == r.Dealing || key.Body.Params != next.Body.Params:
		return nil, invalid("BAD_REDEALING", "the dealings are one, or of different parameters")
	case r.Released < 0:
		return nil, invalid("BAD_REDEALING", "a negative number of releases")
	case s.retired[r.Key] != nil || s.retired[r.Dealing] != nil:
		return nil, invalid("KEY_RETIRED", "a key was retired")
	case keyAgain || nextAgain || s.redealt[r.Dealing] != nil || s.named(r.Dealing):
		return nil, invalid("BAD_REDEALING", "a dealing deals one key again, and names no dataset")
	}
	if old := s.redealt[r.Key]; old != nil {
		if err := older("the dealing of key "+r.Key.String(), r.Created, old.Replaced); err != nil {
			return nil, err
		}
	}
	d := *next
	d.Key, d.Released, d.Replaced = r.Key, r.Released, r.Created
	s.again[r.Dealing], s.redealt[r.Key] = r.Key, &d
	return &d, nil
}

// named reports whether a valid manifest names the key.
func (s *State) named(key carnet.KeyID) bool {
	for _, m := range s.manifests {
		if m.Body.Key == key {
			return true
		}
	}
	return false
}
