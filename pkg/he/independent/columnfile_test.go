package independent_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"
)

// columnFile is a file of docs/formats/vectors/column-file.json.
type columnFile struct {
	LogN     int `json:"log_n"`
	Limbs    int
	LimbBits int `json:"limb_bits"`
	Primes   []uint64
	Params   string
	Nonce    string
	Columns  int
	Blocks   int
	Root     string
	Each     []struct {
		Column       int
		Root         string
		Raw          string `json:"raw_sha256"`
		PackedSHA256 string `json:"packed_sha256"`
		Packed       string
	}
	Pieces []struct {
		Column, Limb, Chunk, Piece, Leaf int
		First                            []uint64
		Hash, Proof                      string
	}
}

// slotsOf is the number of slots of a piece in a chunk of g blocks.
func (f *columnFile) slotsOf(g int) int {
	s := 1 << f.LogN
	for s*g > 32768 {
		s /= 2
	}
	return s
}

// pieces lists the words of every piece of a column, in the order of the leaves.
func (f *columnFile) pieces(column int) (all [][]uint64) {
	n := 1 << f.LogN
	for l, q := range f.Primes {
		for first := 0; first < f.Blocks; first += 64 {
			g := min(64, f.Blocks-first)
			s := f.slotsOf(g)
			for from := 0; from < n; from += s {
				var words []uint64
				for slot := from; slot < from+s; slot += 8 {
					for b := range g {
						for k := range 8 {
							x := uint64(slot + k)
							words = append(words, (uint64(column+1)*1000000007*uint64(first+b+1)+uint64(l+3)*x*x*998244353)%q)
						}
					}
				}
				all = append(all, words)
			}
		}
	}
	return all
}

// merkle is the root over leaves, as the recursive definition has it.
func merkle(leaves [][]byte) []byte {
	if len(leaves) == 1 {
		return leaves[0]
	}
	k := 1
	for 2*k < len(leaves) {
		k *= 2
	}
	return digest("carnet/node/1", merkle(leaves[:k]), merkle(leaves[k:]))
}

// path lists the neighbours on the way from a leaf to the root.
func path(leaves [][]byte, at int) (out []byte) {
	if len(leaves) == 1 {
		return nil
	}
	k := 1
	for 2*k < len(leaves) {
		k *= 2
	}
	if at < k {
		return append(path(leaves[:k], at), merkle(leaves[k:])...)
	}
	return append(path(leaves[k:], at-k), merkle(leaves[:k])...)
}

// pack writes words bit after bit.
func pack(words []uint64, width int) []byte {
	out := make([]byte, (len(words)*width+7)/8)
	for i, w := range words {
		for b := range width {
			at := i*width + b
			out[at/8] |= byte(w>>b&1) << (at % 8)
		}
	}
	return out
}

func TestColumnFiles(t *testing.T) {
	raw, err := os.ReadFile("../../../docs/formats/vectors/column-file.json")
	if err != nil {
		t.Fatal(err)
	}
	var v struct{ Files []columnFile }
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	if len(v.Files) == 0 {
		t.Fatal("no vectors")
	}
	for i := range v.Files {
		f := &v.Files[i]
		var pieces [][][]uint64
		var leaves [][][]byte
		var roots [][]byte
		for c := range f.Columns {
			pieces, leaves = append(pieces, f.pieces(c)), append(leaves, nil)
			for _, p := range pieces[c] {
				leaves[c] = append(leaves[c], digest("carnet/piece/1", canonical([][]uint64{p})))
			}
			roots = append(roots, digest("carnet/column/1", unhex(f.Params), unhex(f.Nonce), u32(uint32(c)), merkle(leaves[c])))
		}
		same(t, "root", hex.EncodeToString(digest("carnet/root/2", unhex(f.Params), unhex(f.Nonce), u32(uint32(f.Columns)), u32(uint32(f.Blocks)), merkle(roots))), f.Root)
		for _, e := range f.Each {
			same(t, "root of a column", hex.EncodeToString(roots[e.Column]), e.Root)
			for form, sum := range map[byte]string{1: e.Raw, 2: e.PackedSHA256} {
				b := append([]byte("carnet/column/1\n"), unhex(f.Params)...)
				b = append(b, unhex(f.Nonce)...)
				for _, x := range []int{e.Column, f.Columns, f.Blocks} {
					b = binary.BigEndian.AppendUint32(b, uint32(x))
				}
				b = append(b, form, byte(f.LogN), byte(f.Limbs), byte(f.LimbBits))
				b = append(b, make([]byte, 4096-len(b))...)
				for _, p := range pieces[e.Column] {
					if form == 1 {
						b = append(b, canonical([][]uint64{p})...)
					} else {
						b = append(b, pack(p, f.LimbBits)...)
					}
				}
				b = append(b, bytes.Join(leaves[e.Column], nil)...)
				b = append(b, path(roots, e.Column)...)
				same(t, "column file", sha(b), sum)
				if form == 2 && e.Packed != "" {
					same(t, "packed column file", hex.EncodeToString(b), e.Packed)
				}
			}
		}
		for _, p := range f.Pieces {
			same(t, "first words", pieces[p.Column][p.Leaf][:8], p.First)
			same(t, "hash", hex.EncodeToString(leaves[p.Column][p.Leaf]), p.Hash)
			same(t, "proof", hex.EncodeToString(append(path(leaves[p.Column], p.Leaf), path(roots, p.Column)...)), p.Proof)
		}
	}
}
