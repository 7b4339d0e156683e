package scan

const (
	windowBlocks = ChunkBlocks // whose cells are labelled at a time: 4 MiB for each layer
	maxLayers    = 4
)

// cellWindow is a run of blocks in which lists of cells are told apart by labels. Lists
// that share no cell, such as the groups of one GROUP BY, make a layer: one label for
// each cell, and one pass over the cells adds each to its list. Reading lists one after
// the other touches the memory of all cells again and again when groups are interleaved.
type cellWindow struct {
	first, size uint32  // cells
	layers      []layer // lists without common cells
	rest        []strip // lists that fit into no layer: summed one by one
}

// layer labels cells: labels[c] is 1 + the place of the list in lists, 0 for none.
type layer struct {
	labels []uint32
	lists  []int // numbers of the group's lists that have a label here
}

// strip is the part of a list inside a window.
type strip struct {
	list  int
	cells []uint32
}

// newCellWindow labels the cells first..first+size-1. cursor[i] is how many cells of list i
// lie before first, and is moved on. scratch is reused.
func newCellWindow(lists [][]uint32, cursor []int, first, size uint32, scratch [][]uint32) *cellWindow {
	w := &cellWindow{first: first, size: size}
	var strips []strip
	for i, l := range lists {
		from := cursor[i]
		if from == len(l) || uint64(l[from]) >= uint64(first)+uint64(size) {
			continue
		}
		cursor[i] = from + within(l[from:], uint64(first)+uint64(size))
		strips = append(strips, strip{i, l[from:cursor[i]]})
	}
	if len(strips) == 1 { // nothing to tell apart
		w.rest = strips
		return w
	}
	for _, s := range strips {
		if !w.label(s, scratch) {
			w.rest = append(w.rest, s)
		}
	}
	return w
}

// label gives a list its labels in the first layer that has room for it.
func (w *cellWindow) label(s strip, scratch [][]uint32) bool {
	for i := 0; i < maxLayers; i++ {
		if i == len(w.layers) {
			if len(scratch[i]) < int(w.size) {
				scratch[i] = make([]uint32, w.size)
			} else {
				clear(scratch[i][:w.size])
			}
			w.layers = append(w.layers, layer{labels: scratch[i][:w.size]})
		}
		if w.layers[i].take(s, w.first) {
			return true
		}
	}
	return false
}

func (l *layer) take(s strip, first uint32) bool {
	mark := uint32(len(l.lists) + 1)
	for i, c := range s.cells {
		if l.labels[c-first] != 0 {
			for _, c := range s.cells[:i] {
				l.labels[c-first] = 0
			}
			return false
		}
		l.labels[c-first] = mark
	}
	l.lists = append(l.lists, s.list)
	return true
}
