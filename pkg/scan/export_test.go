package scan

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
