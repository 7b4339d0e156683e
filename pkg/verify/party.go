package verify

import (
	"bytes"
	"fmt"

	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/history"
)

// replaced tells of a party's new keys. Statements before the entry were judged with the
// old ones, those after it with the new ones.
func replaced(part string, r *history.Replaced) string {
	switch {
	case r.Lost:
		return fmt.Sprintf("%s: WARNING: key %s of %s was replaced by %s on the registrar's word alone, since the old key is said to be lost; ask the party", part, evidence.KeyHint(r.Old), r.Party, evidence.KeyHint(r.New))
	case bytes.Equal(r.Old, r.New):
		return fmt.Sprintf("%s: %s replaced its sealing key", part, r.Party)
	}
	return fmt.Sprintf("%s: %s replaced its key %s by %s; the old key signed that", part, r.Party, evidence.KeyHint(r.Old), evidence.KeyHint(r.New))
}
