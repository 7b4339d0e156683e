package history

import (
	"strings"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/cells"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/schema"
)

// applyDataset: signed by the owner named in the key, and one nonce → one content root →
// one dataset → one terms document: the first manifest that names a file keeps it, and
// only a manifest that adds files to the dataset's present one may repeat its files.
func (s *State) applyDataset(seq int64, env *evidence.Envelope) error {
	m := &Manifest{Seq: seq, Hash: env.Hash()}
	d := &m.Body
	if err := env.Decode(carnet.TypeDataset, d); err != nil {
		return err
	}
	if s.manifests[m.Hash] != nil {
		return nil
	}
	if _, err := s.signer(env, d.Owner, carnet.RoleOwner); err != nil {
		return err
	}
	if !strings.HasPrefix(string(d.ID), string(d.Owner)+"/") {
		return invalid("BAD_DATASET", "dataset %q is not in the name space of its owner", d.ID)
	}
	old := s.datasets[d.ID]
	if old != nil {
		if err := older("dataset "+string(d.ID), d.Created, old.Body.Created); err != nil {
			return err
		}
	}
	k := s.dealings[d.Key]
	if k == nil || k.Body.Owner != d.Owner || k.Body.Profile != d.Profile {
		return invalid("BAD_DATASET", "the dataset's key was not dealt by its owner for profile %s", d.Profile)
	}
	if _, again := s.again[d.Key]; again {
		return invalid("BAD_DATASET", "the dataset's key deals another one again; data is encrypted under that")
	}
	if s.retired[d.Key] != nil {
		return invalid("KEY_RETIRED", "the dataset's key was retired")
	}
	sc := s.schemas[d.Schema]
	if sc == nil {
		return invalid("UNKNOWN_SCHEMA", "the dataset names an unknown schema")
	}
	kept := 0 // files of the present manifest that this one repeats
	if old != nil && d.Extends(&old.Body) {
		kept = len(old.Body.Files)
	}
	seen := map[carnet.Nonce]bool{}
	for i, f := range d.Files {
		if _, used := s.nonces[f.Nonce]; seen[f.Nonce] || used && i >= kept {
			return invalid("NONCE_REUSED", "file %s is named by more than one manifest, or twice", f.Nonce)
		}
		seen[f.Nonce] = true
	}
	if err := checkFiles(d, sc, k.Profile); err != nil {
		return err
	}
	if err := cells.Check(d, sc); err != nil {
		return err
	}
	for _, f := range d.Files {
		s.nonces[f.Nonce] = d.ID
	}
	s.manifests[m.Hash], s.datasets[d.ID] = m, m
	return nil
}

// checkFiles compares the shape of every file with what schema and layout demand.
func checkFiles(d *carnet.Dataset, sc *schema.Schema, p *he.Profile) error {
	enc, err := sc.Encode(d.Layout)
	if err != nil {
		return err
	}
	if enc.Profile != p.Name() {
		return invalid("BAD_DATASET", "schema and layout demand profile %s, not %s", enc.Profile, p.Name())
	}
	if len(d.Files) == 0 {
		return invalid("BAD_DATASET", "the dataset has no files")
	}
	var rows int64
	for _, f := range d.Files {
		if f.Rows < 0 || f.Rows > sc.Limits.Rows || f.Columns != len(enc.Columns) || f.Blocks != enc.Blocks(f.Rows) || f.Root.IsZero() || f.Nonce.IsZero() {
			return invalid("BAD_DATASET", "file %s has %d rows, %d columns and %d blocks, which its schema does not allow", f.Nonce, f.Rows, f.Columns, f.Blocks)
		}
		rows += f.Rows
	}
	if rows > sc.Limits.Rows {
		return invalid("BAD_DATASET", "the dataset has %d rows, its schema allows %d", rows, sc.Limits.Rows)
	}
	return nil
}
