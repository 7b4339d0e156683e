package apiconv

import (
	carnetv1 "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// ToCheckpoint is the message form of a signed checkpoint; nil stays nil.
func ToCheckpoint(c *evidence.SignedCheckpoint) (*carnetv1.CosignedCheckpoint, error) {
	if c == nil {
		return nil, nil
	}
	text, err := c.MarshalText()
	return &carnetv1.CosignedCheckpoint{Note: string(text)}, err
}

// ToPath is the message form of a proof.
func ToPath(path []carnet.Hash) (out [][]byte) {
	for i := range path {
		out = append(out, path[i][:])
	}
	return out
}

// FromPath reads a proof.
func FromPath(field string, m [][]byte) (out []carnet.Hash, err error) {
	if len(m) > 64 {
		return nil, invalid(field, "want at most 64 hashes, have %d", len(m))
	}
	for _, b := range m {
		h, err := FromHashBytes(field, b)
		if err != nil {
			return nil, err
		}
		out = append(out, h)
	}
	return out, nil
}
