package ticket

import (
	"encoding/binary"
	"math/big"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/plan"
)

// version is the first byte of a description.
const version = 3

// Kinds of opening in a description.
const (
	kindPlain   = 0 // one functional
	kindChoices = 1 // functionals that a private parameter chooses from
	kindAcross  = 2 // one functional across keys
)

// AppendOpenings appends the description of what a plan opens. Dataset keys, files and
// lists of cells are listed once and referred to by number, so that a GROUP BY over a
// cube takes about what its cells take.
func AppendOpenings(dst []byte, openings []plan.Opening) []byte {
	w := &writer{keys: map[carnet.KeyID]uint64{}, files: map[file]uint64{}, lists: map[list]uint64{}}
	for i := range openings {
		fs := openings[i].Functionals()
		switch {
		case openings[i].F == nil:
			w.num(kindChoices)
			w.num(uint64(len(fs)))
		case len(fs[0].Cross) > 0:
			w.num(kindAcross)
			w.across(fs[0])
		default:
			w.num(kindPlain)
		}
		for _, f := range fs {
			if len(f.Cross) == 0 {
				w.functional(f)
			}
		}
		w.variance(openings[i].Variance)
	}
	dst = append(dst, version)
	for _, table := range []struct {
		count int
		bytes []byte
	}{{len(w.keys), w.keyBytes}, {len(w.files), w.fileBytes}, {len(w.lists), w.listBytes}, {len(openings), w.out}} {
		dst = binary.AppendUvarint(dst, uint64(table.count))
		dst = append(dst, table.bytes...)
	}
	return dst
}

type file struct {
	nonce  carnet.Nonce
	blocks uint32
}

// list is a list of cells by where it is stored: functionals of one plan share them.
type list struct {
	first *uint32
	count int
}

type writer struct {
	keys                           map[carnet.KeyID]uint64
	files                          map[file]uint64
	lists                          map[list]uint64
	keyBytes, fileBytes, listBytes []byte
	out                            []byte
}

func (w *writer) num(v uint64) { w.out = binary.AppendUvarint(w.out, v) }

func (w *writer) flag(v bool) {
	b := byte(0)
	if v {
		b = 1
	}
	w.out = append(w.out, b)
}

func (w *writer) functional(f *functional.Functional) {
	w.num(uint64(f.Degree))
	w.num(uint64(len(f.Keys)))
	for i := range f.Keys {
		k := &f.Keys[i]
		w.key(k.Key)
		w.num(uint64(len(k.Linear)))
		for j := range k.Linear {
			t := &k.Linear[j]
			w.file(t.File, t.Blocks)
			w.num(uint64(t.Column))
			w.flag(t.Minus)
			w.cells(t.Cells)
		}
		w.num(uint64(len(k.Products)))
		for j := range k.Products {
			t := &k.Products[j]
			w.file(t.File, t.Blocks)
			w.num(uint64(len(t.Factors)))
			for x := range t.Factors {
				w.columns(t.Factors[x].Plus)
				w.columns(t.Factors[x].Minus)
			}
		}
	}
}

func (w *writer) key(key carnet.KeyID) {
	at, ok := w.keys[key]
	if !ok {
		at = uint64(len(w.keys))
		w.keys[key], w.keyBytes = at, append(w.keyBytes, key[:]...)
	}
	w.num(at)
}

func (w *writer) file(nonce carnet.Nonce, blocks uint32) {
	at, ok := w.files[file{nonce, blocks}]
	if !ok {
		at = uint64(len(w.files))
		w.files[file{nonce, blocks}] = at
		w.fileBytes = binary.BigEndian.AppendUint32(append(w.fileBytes, nonce[:]...), blocks)
	}
	w.num(at)
}

// variance writes that of privacy noise: how many bytes it has, none without noise, and
// those.
func (w *writer) variance(v *big.Int) {
	if v == nil {
		w.num(0)
		return
	}
	b := v.Bytes()
	w.num(uint64(len(b)))
	w.out = append(w.out, b...)
}

// columns writes ascending columns as differences.
func (w *writer) columns(vs []uint32) {
	w.num(uint64(len(vs)))
	last := uint32(0)
	for _, v := range vs {
		w.num(uint64(v - last))
		last = v
	}
}

// cells writes 0 for a whole column, else 1 + the number of the list.
func (w *writer) cells(cells []uint32) {
	if cells == nil {
		w.num(0)
		return
	}
	key := list{count: len(cells)}
	if len(cells) > 0 {
		key.first = &cells[0]
	}
	at, ok := w.lists[key]
	if !ok {
		at = uint64(len(w.lists))
		w.lists[key] = at
		w.listBytes = appendRuns(w.listBytes, cells)
	}
	w.num(at + 1)
}

// appendRuns writes the number of maximal runs of consecutive cells, and for each the
// cells left out since the run before and its length less one.
func appendRuns(dst []byte, cells []uint32) []byte {
	count, runs := uint64(0), []byte(nil)
	next := uint32(0)
	for i := 0; i < len(cells); {
		end := i + 1
		for end < len(cells) && cells[end] == cells[end-1]+1 {
			end++
		}
		runs = binary.AppendUvarint(runs, uint64(cells[i]-next))
		runs = binary.AppendUvarint(runs, uint64(end-i-1))
		next = cells[end-1] + 1
		count++
		i = end
	}
	return append(binary.AppendUvarint(dst, count), runs...)
}
