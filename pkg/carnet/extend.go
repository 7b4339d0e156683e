package carnet

import (
	"bytes"
	"encoding/json"
	"maps"
)

// Extends reports whether d only adds files to old: the same dataset of the same
// owner under the same key, schema, layout, profile and terms, whose first files (and
// their groups of codes) are old's, unchanged and in the same order, followed by at least one more. It is the one
// case in which a file may be named by two manifests: nonce, root, dataset and terms
// stay tied to each other, and no file is dropped or replaced.
func (d *Dataset) Extends(old *Dataset) bool {
	if d.ID != old.ID || d.Owner != old.Owner || d.Jurisdiction != old.Jurisdiction || d.Schema != old.Schema ||
		d.Layout != old.Layout || d.Profile != old.Profile || d.Key != old.Key || len(d.Files) <= len(old.Files) {
		return false
	}
	for i := range old.Files {
		if !d.Files[i].Equal(&old.Files[i]) {
			return false
		}
	}
	if len(d.Groups) < len(old.Groups) {
		return false
	}
	for i := range old.Groups { // other groups of the same file would cut it into smaller ones
		if !d.Groups[i].Equal(&old.Groups[i]) {
			return false
		}
	}
	return d.Terms.Equal(&old.Terms)
}

// Equal reports whether two descriptions of a file are the same.
func (f *File) Equal(g *File) bool {
	return f.Nonce == g.Nonce && f.Root == g.Root && f.Rows == g.Rows && f.Columns == g.Columns && f.Blocks == g.Blocks &&
		maps.Equal(f.Partition, g.Partition)
}

// Equal reports whether two terms documents are the same as signed.
func (t *Terms) Equal(u *Terms) bool {
	a, errA := json.Marshal(t)
	b, errB := json.Marshal(u)
	return errA == nil && errB == nil && bytes.Equal(a, b)
}
