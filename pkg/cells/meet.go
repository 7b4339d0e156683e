package cells

import (
	"encoding/binary"
	"slices"
)

// Meeting puts functions that are not zero in some common cell, and those that others link
// in that way, into one group, and returns for each function the first one of its group. ok is false if
// that takes more than so many steps.
func (w *Weights) Meeting(fs []Weight, steps int) (groups []int, ok bool) {
	m := &meeting{w: w, parent: make([]int, len(fs)), seen: map[string]bool{}, steps: steps}
	var list []met
	for i, f := range fs {
		m.parent[i] = i
		if f != 0 {
			list = append(list, met{i, f})
		}
	}
	m.visit(list)
	for i := range m.parent {
		groups = append(groups, m.root(i))
	}
	return groups, m.steps > 0
}

type met struct {
	index int
	f     Weight
}

type meeting struct {
	w      *Weights
	parent []int
	seen   map[string]bool
	steps  int
}

func (m *meeting) root(i int) int {
	for m.parent[i] != i {
		m.parent[i] = m.parent[m.parent[i]]
		i = m.parent[i]
	}
	return i
}

// visit looks at some cells, in which none of the functions is zero everywhere.
func (m *meeting) visit(list []met) {
	apart := slices.ContainsFunc(list, func(x met) bool { return m.root(x.index) != m.root(list[0].index) })
	if m.steps -= 1 + len(list); m.steps <= 0 || !apart {
		return
	}
	level := len(m.w.sizes)
	var key []byte
	fs := make([]Weight, len(list))
	for i, x := range list {
		fs[i] = x.f
		level = min(level, m.w.nodes[x.f].level)
		key = binary.AppendUvarint(binary.AppendUvarint(key, uint64(x.index)), uint64(x.f))
	}
	if m.seen[string(key)] {
		return
	}
	m.seen[string(key)] = true
	if level == len(m.w.sizes) {
		for _, x := range list {
			a, b := m.root(list[0].index), m.root(x.index)
			m.parent[max(a, b)] = min(a, b)
		}
		return
	}
	for _, kids := range m.w.below(level, fs) {
		var next []met
		for i, kid := range kids {
			if kid != 0 {
				next = append(next, met{list[i].index, kid})
			}
		}
		m.steps -= len(list)
		if len(next) > 1 {
			m.visit(next)
		}
	}
}
