package historytest

import (
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// First is the first statement of a party.
func (w *World) First(id carnet.PartyID) *evidence.Envelope {
	w.T.Helper()
	for _, e := range w.Entries {
		var p carnet.Party
		if e.Envelope.Decode(carnet.TypeParty, &p) == nil && p.ID == id {
			return e.Envelope
		}
	}
	w.T.Fatalf("the log has no statement of %s", id)
	return nil
}
