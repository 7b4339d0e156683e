package scan

import "github.com/carnet-network/carnet/pkg/he"

// Kept returns how many bytes are counted as kept, and how many secret set-ups.
func (c *Cubes) Kept() (used int64, secrets int) {
	c.cache.mu.Lock()
	defer c.cache.mu.Unlock()
	for k := range c.cache.items {
		if k.role.secret() {
			secrets++
		}
	}
	return c.cache.used, secrets
}

// Words returns the kept cells of a role.
func (c *Cubes) Words(r Role) (out [][]uint64) {
	c.cache.mu.Lock()
	defer c.cache.mu.Unlock()
	for k, e := range c.cache.items {
		if k.role == r {
			out = append(out, e.words)
		}
	}
	return out
}

// ColumnBytes is what a kept sum of a column counts.
const ColumnBytes = columnBytes

// ColumnSums returns the kept sums of whole columns, where they are.
func (c *Cubes) ColumnSums() (out []*he.Scalar) {
	c.columns.mu.Lock()
	defer c.columns.mu.Unlock()
	for _, e := range c.columns.items {
		out = append(out, &e.Value.(*columnSum).sum)
	}
	return out
}
