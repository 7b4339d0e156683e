package policy

import (
	"encoding/json"
	"maps"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// FromStatement reads a bundle from its files and the statement that lists them, as an
// evidence bundle carries it. The digest of what is returned has to be compared with the
// one that is wanted.
func FromStatement(payload []byte, files map[string][]byte) (*Bundle, error) {
	var s statement
	if err := json.Unmarshal(payload, &s); err != nil {
		return nil, carnet.E(carnet.Invalid, "BAD_POLICY", "the statement of the policy bundle is not well-formed").Because(err)
	}
	m, err := json.Marshal(s.Manifest) // JSON is YAML
	if err != nil {
		return nil, err
	}
	all := maps.Clone(files)
	if all == nil {
		all = map[string][]byte{}
	}
	all[ManifestName] = m
	return NewBundle(all)
}
