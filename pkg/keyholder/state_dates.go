package keyholder

import (
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// noteOwn takes the date of a statement that this keyholder signed and finds in the
// journal: what comes after it in the journal was made later, whatever it says.
func (s *state) noteOwn(env *evidence.Envelope) {
	var by carnet.PartyID
	var made time.Time
	switch env.PayloadType {
	case carnet.TypeAnswer:
		var a carnet.Answer
		if env.Decode(carnet.TypeAnswer, &a) == nil {
			by, made = a.By, a.Created
		}
	case carnet.TypeDecision:
		var d carnet.Decision
		if env.Decode(carnet.TypeDecision, &d) == nil {
			by, made = d.By, d.Created
		}
	case carnet.TypeDeferral:
		var d carnet.Deferral
		if env.Decode(carnet.TypeDeferral, &d) == nil {
			by, made = d.By, d.Created
		}
	}
	if by != s.me || !made.After(s.own) {
		return
	}
	if me := s.current(s.me); me != nil && env.SignedBy(me.SigningKey) {
		s.own = made.UTC()
	}
}

// dated is a manifest as its volume counts: not before the latest own statement in front
// of it in the journal. An owner can't put what it declares into an earlier year.
func (s *state) dated(d *carnet.Dataset) *carnet.Dataset {
	if !d.Created.Before(s.own) {
		return d
	}
	later := *d
	later.Created = s.own
	return &later
}
