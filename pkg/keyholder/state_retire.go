package keyholder

import (
	"maps"
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// applyRetirement: signed by the owner that dealt the key; final for the key and for
// every dataset under it.
func (s *state) applyRetirement(env *evidence.Envelope) error {
	var r carnet.Retirement
	if err := env.Decode(carnet.TypeRetirement, &r); err != nil {
		return err
	}
	if _, err := s.signer(env, r.Owner, carnet.RoleOwner); err != nil {
		return err
	}
	_, again := s.again[r.Key]
	if d := s.dealings[r.Key]; d == nil || d.body.Owner != r.Owner || again {
		return noEffect("BAD_RETIREMENT", "key %s was not dealt by %q", r.Key, r.Owner)
	}
	s.retired[r.Key] = true
	return nil
}

// applyDestruction: signed by a member of the key's committee under its own number.
func (s *state) applyDestruction(env *evidence.Envelope) error {
	var d carnet.Destruction
	if err := env.Decode(carnet.TypeDestruction, &d); err != nil {
		return err
	}
	if _, err := s.signer(env, d.By, carnet.RoleKeyholder); err != nil {
		return err
	}
	k := s.dealings[d.Key]
	if k == nil || slices.Index(k.committee.body.Members, d.By)+1 != d.Number || d.Number == 0 {
		return noEffect("BAD_DESTRUCTION", "%q is not keyholder %d of key %s", d.By, d.Number, d.Key)
	}
	if s.destroyed[d.Key] == nil {
		s.destroyed[d.Key] = map[int]bool{}
	}
	s.destroyed[d.Key][d.Number] = true
	return nil
}

func (s *state) isRetired(key carnet.KeyID) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.retired[key]
}

// saidDestroyed reports whether this keyholder published that it destroyed its seeds.
func (s *state) saidDestroyed(key carnet.KeyID) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	d := s.dealings[key]
	return d != nil && d.committee.number > 0 && s.destroyed[key][d.committee.number]
}

// fateOf is what statements like env made of a key that this keyholder guards, nil if env
// is none of them.
func (s *state) fateOf(env *evidence.Envelope) *keyFate {
	var key carnet.KeyID
	switch env.PayloadType {
	case carnet.TypeRetirement:
		var r carnet.Retirement
		if env.Decode(carnet.TypeRetirement, &r) != nil {
			return nil
		}
		key = r.Key
	case carnet.TypeDestruction:
		var d carnet.Destruction
		if env.Decode(carnet.TypeDestruction, &d) != nil {
			return nil
		}
		key = d.Key
	default:
		return nil
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	d := s.dealings[key]
	if d == nil || d.committee.number == 0 {
		return nil
	}
	f := &keyFate{key: key, scheme: d.committee.scheme, retired: s.over(key),
		destroyed: slices.Sorted(maps.Keys(s.destroyed[key]))}
	if d.body.Home != nil {
		f.home = d.body.Home.Member
	}
	return f
}
