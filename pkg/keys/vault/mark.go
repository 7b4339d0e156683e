package vault

import (
	"context"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/vaultsecret"
)

// markEntry is kept at <name>/mark.
type markEntry struct {
	Format string      `json:"format"`
	Size   int64       `json:"size"`
	Head   carnet.Hash `json:"head"`
}

var _ keys.Marker = (*Store)(nil)

func (s *Store) mark(ctx context.Context) (markEntry, int, error) {
	var e markEntry
	version, err := s.kv.Get(ctx, s.cfg.Path("mark"), &e)
	if err == nil && version > 0 && e.Format != format {
		err = vaultsecret.Damaged(s.cfg.Path("mark"))
	}
	return e, version, err
}

// Mark implements keys.Marker by check-and-set: of two processes one fails.
func (s *Store) Mark(ctx context.Context, at carnet.Checkpoint) error {
	ctx, end, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer end()
	for range attempts {
		e, version, err := s.mark(ctx)
		if err != nil {
			return err
		}
		if version > 0 && e.Size == at.Size && e.Head == at.Head {
			return nil
		}
		if version > 0 && e.Size >= at.Size {
			return keys.MarkBehind(at, carnet.Checkpoint{Size: e.Size, Head: e.Head})
		}
		err = s.kv.Put(ctx, s.cfg.Path("mark"), version, map[string]any{"format": format, "size": at.Size, "head": at.Head})
		if carnet.ReasonOf(err) != "VAULT_CHANGED" {
			return err
		}
	}
	return busy(s.cfg.Path("mark"))
}

// Marked implements keys.Marker.
func (s *Store) Marked(ctx context.Context) (carnet.Checkpoint, error) {
	ctx, end, err := s.open(ctx)
	if err != nil {
		return carnet.Checkpoint{}, err
	}
	defer end()
	e, _, err := s.mark(ctx)
	return carnet.Checkpoint{Size: e.Size, Head: e.Head}, err
}
