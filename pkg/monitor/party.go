package monitor

import (
	"fmt"

	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/history"
)

// replaced tells of keys that changed on the registrar's word alone: the party may have
// lost its key, or somebody else may have taken its name.
func replaced(seq int64, r *history.Replaced) []Finding {
	if !r.Lost {
		return nil
	}
	return []Finding{{Invariant: Continuous, Weight: Suspect, Reason: "OLD_KEY_LOST", Entry: seq, By: r.Party,
		Message: fmt.Sprintf("key %s of %s is %s from here on by the registrar's word alone: the old key is said to be lost; ask the party whether it is",
			evidence.KeyHint(r.Old), r.Party, evidence.KeyHint(r.New))}}
}
