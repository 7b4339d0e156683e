package scan

import (
	"encoding/binary"
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
)

// cellGroup are columns that are summed over the same lists of cells, as those of one
// GROUP BY are: what is found out about the lists serves all of them.
type cellGroup struct {
	lists   [][]uint32
	columns []cellColumn
	touched []uint32 // the blocks that the lists touch, once they are known
}

// cellColumn is one column of one file: list i belongs to uses[i].
type cellColumn struct {
	key    carnet.KeyID
	file   carnet.Nonce
	column uint32
	blocks uint32 // of the file
	uses   []listUse
}

// listUse says which functional a sum of cells belongs to.
type listUse struct {
	f     int
	minus bool
}

// groupCells lists what validated functionals sum, in an order that depends on them
// only.
func groupCells(fs []*functional.Functional) []*cellGroup {
	type name struct {
		key    carnet.KeyID
		file   carnet.Nonce
		column uint32
	}
	type entry struct {
		cellColumn
		lists [][]uint32
		id    []byte // tells lists apart by where they are stored
	}
	numbers := map[*uint32]uint64{}
	at := map[name]*entry{}
	var order []*entry
	for f := range fs {
		for i := range fs[f].Keys {
			k := &fs[f].Keys[i]
			for j := range k.Linear {
				t := &k.Linear[j]
				e := at[name{k.Key, t.File, t.Column}]
				if e == nil {
					e = &entry{cellColumn: cellColumn{key: k.Key, file: t.File, column: t.Column, blocks: t.Blocks}}
					at[name{k.Key, t.File, t.Column}] = e
					order = append(order, e)
				}
				e.uses = append(e.uses, listUse{f, t.Minus})
				e.lists = append(e.lists, t.Cells)
				number, known := numbers[&t.Cells[0]]
				if !known {
					number = uint64(len(numbers))
					numbers[&t.Cells[0]] = number
				}
				e.id = binary.LittleEndian.AppendUint64(e.id, number)
				e.id = binary.LittleEndian.AppendUint64(e.id, uint64(len(t.Cells)))
			}
		}
	}
	byLists := map[string]*cellGroup{}
	var groups []*cellGroup
	for _, e := range order {
		g := byLists[string(e.id)]
		if g == nil {
			g = &cellGroup{lists: e.lists}
			byLists[string(e.id)] = g
			groups = append(groups, g)
		}
		g.columns = append(g.columns, e.cellColumn)
	}
	return groups
}

// blocks lists the blocks of n cells that the lists touch, ascending.
func (g *cellGroup) blocks(n int) []uint32 {
	last := uint32(0)
	for _, l := range g.lists {
		last = max(last, l[len(l)-1]/uint32(n))
	}
	touched := make([]bool, last+1)
	left := len(touched)
	for _, l := range g.lists {
		for i := 0; i < len(l) && left > 0; {
			b := l[i] / uint32(n)
			if !touched[b] {
				touched[b] = true
				left--
			}
			i += within(l[i:], uint64(b+1)*uint64(n))
		}
	}
	out := make([]uint32, 0, len(touched)-left)
	for b, yes := range touched {
		if yes {
			out = append(out, uint32(b))
		}
	}
	return out
}

// within returns how many cells of an ascending list are below a limit.
func within(cells []uint32, limit uint64) int {
	n, _ := slices.BinarySearchFunc(cells, limit, func(c uint32, limit uint64) int {
		if uint64(c) < limit {
			return -1
		}
		return 1
	})
	return n
}
