package columnstore

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/columnfile"
	"github.com/carnet-network/carnet/pkg/flow"
	"github.com/carnet-network/carnet/pkg/he"
)

var ctx = context.Background()

var _ flow.Columns = (*Store)(nil)

// ways are all the ways in which columns are kept and read.
var ways = map[string]Options{
	"mapped": {},
	"read":   {NoMap: true},
	"packed": {Form: columnfile.Packed},
}

// table is a file of two columns of 70 blocks, of 1024 values each.
type table struct {
	*columnfile.File
	pieces map[columnfile.Piece][]uint64
	order  []columnfile.Piece
	hashes []carnet.Hash
	root   carnet.Hash
}

func newTable(t testing.TB, nonce byte) *table {
	p, err := he.NewProfile(he.Literal{Name: "test", LogN: 10, Limbs: 2, LimbBits: 51, TBits: 20, MaxDegree: 2, Encoding: he.Slots})
	require.NoError(t, err)
	f, err := columnfile.NewFile(p, carnet.Nonce{nonce}, 2, 70)
	require.NoError(t, err)
	x := &table{File: f, pieces: map[columnfile.Piece][]uint64{}}
	rnd := rand.New(rand.NewPCG(uint64(nonce), 0))
	for c := range uint32(2) {
		for leaf := range f.Leaves() {
			at := f.At(c, leaf)
			words := make([]uint64, f.PieceWords(int(at.Chunk)))
			for i := range words {
				words[i] = rnd.Uint64N(f.Prime(at.Limb))
			}
			x.pieces[at], x.order = words, append(x.order, at)
			x.hashes = append(x.hashes, columnfile.HashPiece(words))
		}
	}
	x.root = f.RootOf(x.hashes)
	return x
}

func open(t testing.TB, dir string, o Options) *Store {
	s, err := Open(dir, o)
	require.NoError(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

func write(t testing.TB, s *Store, x *table) {
	for _, i := range rand.Perm(len(x.order)) {
		require.NoError(t, s.Write(ctx, x.File, x.order[i], x.pieces[x.order[i]]))
	}
	require.NoError(t, s.Seal(ctx, x.File, x.hashes))
}

// readAll reads every limb of every chunk.
func readAll(s *Store, x *table) error {
	for c := range uint32(2) {
		for chunk := range x.Chunks() {
			for limb := range x.Profile().Limbs() {
				words, release, err := s.Chunk(ctx, x.File, x.root, c, chunk, limb)
				if err != nil {
					return err
				}
				p := columnfile.Piece{Column: c, Limb: uint32(limb), Chunk: uint32(chunk)}
				for n := x.PieceWords(chunk); len(words) > 0; words, p.Piece = words[n:], p.Piece+1 {
					for i, w := range x.pieces[p] {
						if words[i] != w {
							return fmt.Errorf("word %d of %+v differs", i, p)
						}
					}
				}
				release()
			}
		}
	}
	return nil
}

func TestWriteSealRead(t *testing.T) {
	for name, o := range ways {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "columns")
			s, x := open(t, dir, o), newTable(t, 1)
			write(t, s, x)
			require.NoError(t, s.Seal(ctx, x.File, x.hashes), "again, after a crash before the manifest was accepted")
			require.NoError(t, readAll(s, x))
			require.NoError(t, readAll(s, x))
			for _, p := range x.order {
				packed, proof, err := s.Piece(ctx, x.File, x.root, p)
				require.NoError(t, err)
				words := make([]uint64, len(x.pieces[p]))
				require.NoError(t, x.Open(p, packed, proof, x.root, words))
				require.Equal(t, x.pieces[p], words)
			}
			var size int64
			for c := range 2 {
				info, err := os.Stat(filepath.Join(dir, x.Nonce().String(), strconv.Itoa(c)))
				require.NoError(t, err)
				size += info.Size()
			}
			require.Equal(t, size, s.Bytes(x.File))
			// Whoever opens the folder with other settings finds what is there.
			for _, other := range ways {
				require.NoError(t, readAll(open(t, dir, other), x))
			}
			_, _, err := s.Chunk(ctx, x.File, x.root, 5, 0, 0)
			require.Error(t, err)
			require.NoError(t, s.Remove(ctx, x.Nonce()))
			require.Equal(t, "STORAGE_DAMAGED", carnet.ReasonOf(readAll(s, x)))
			_, err = os.Stat(filepath.Join(dir, x.Nonce().String()))
			require.ErrorIs(t, err, os.ErrNotExist)
		})
	}
}

// An upload is stopped in the middle, also in the middle of a piece, and goes on with
// another process and another setting.
func TestWritingGoesOnAfterACrash(t *testing.T) {
	for name, o := range ways {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			x := newTable(t, 2)
			first := open(t, dir, o)
			half := x.order[:len(x.order)/2]
			for _, p := range half {
				require.NoError(t, first.Write(ctx, x.File, p, x.pieces[p]))
			}
			torn := x.order[len(half)]
			require.NoError(t, first.Write(ctx, x.File, torn, append(x.pieces[torn][:8:8], make([]uint64, len(x.pieces[torn])-8)...)))
			for _, other := range ways {
				s := open(t, dir, other)
				for i, p := range x.order {
					held, err := s.Holds(ctx, x.File, p, x.hashes[i])
					require.NoError(t, err)
					require.Equal(t, i < len(half), held)
				}
			}
			write(t, open(t, dir, Options{Form: columnfile.Packed}), x)
			require.NoError(t, readAll(open(t, dir, Options{}), x))

			none := newTable(t, 3)
			held, err := first.Holds(ctx, none.File, none.order[0], none.hashes[0])
			require.NoError(t, err)
			require.False(t, held)
		})
	}
}

// A bit that changes anywhere in a column file is found, by whoever opens the file
// after that, and named. The file is right again once the bit is.
func TestFlippedBits(t *testing.T) {
	for name, o := range ways {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			x := newTable(t, 4)
			s := open(t, dir, o)
			write(t, s, x)
			path := filepath.Join(dir, x.Nonce().String(), "1")
			size := x.Size(1, s.form)
			words := x.TrailerOffset(s.form)
			places := []int64{0, 16, 50, 92, 95, 3000, columnfile.HeaderBytes, words - 1, words, size - 1}
			for range 6 {
				places = append(places, rand.Int64N(size))
			}
			for _, at := range places {
				flip(t, path, at)
				fresh := open(t, dir, o)
				err := readAll(fresh, x)
				require.Equal(t, "STORAGE_DAMAGED", carnet.ReasonOf(err), "byte %d of %d: %v", at, size, err)
				require.ErrorContains(t, err, "column 1 of file "+x.Nonce().String())
				if at >= columnfile.HeaderBytes && at < words {
					require.ErrorContains(t, err, "chunk ")
				}
				var e *carnet.Error
				require.ErrorAs(t, err, &e)
				require.NotEmpty(t, e.Remedy)
				flip(t, path, at)
				require.NoError(t, readAll(fresh, x), "the operator repaired it, and nobody restarted")
			}
		})
	}
}

func flip(t *testing.T, path string, at int64) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	require.NoError(t, err)
	defer f.Close()
	var b [1]byte
	_, err = f.ReadAt(b[:], at)
	require.NoError(t, err)
	b[0] ^= 8
	_, err = f.WriteAt(b[:], at)
	require.NoError(t, err)
}

func TestOtherFilesInItsPlace(t *testing.T) {
	for name, o := range ways {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			x, y := newTable(t, 5), newTable(t, 6)
			s := open(t, dir, o)
			write(t, s, x)
			write(t, s, y)
			path := filepath.Join(dir, x.Nonce().String(), "1")
			good, err := os.ReadFile(path)
			require.NoError(t, err)
			column, err := os.ReadFile(filepath.Join(dir, x.Nonce().String(), "0"))
			require.NoError(t, err)
			file, err := os.ReadFile(filepath.Join(dir, y.Nonce().String(), "1"))
			require.NoError(t, err)
			for what, b := range map[string][]byte{
				"wrong header": column, "wrong header ": file, "no header": good[:100], "bytes, not": good[:len(good)-1],
				"bytes, not ": append(good[:len(good):len(good)], 0), "no header ": nil,
			} {
				require.NoError(t, os.WriteFile(path, b, 0o600))
				err := readAll(open(t, dir, o), x)
				require.Equal(t, "STORAGE_DAMAGED", carnet.ReasonOf(err), "%s: %v", what, err)
			}
			require.NoError(t, os.Remove(path))
			require.ErrorContains(t, readAll(open(t, dir, o), x), "missing")
			require.NoError(t, os.WriteFile(path, good, 0o600))
			require.NoError(t, readAll(open(t, dir, o), x))
			err = readAll(open(t, dir, o), &table{File: x.File, pieces: x.pieces, root: carnet.Hash{1}})
			require.ErrorContains(t, err, "wrong hashes")
		})
	}
}

// A column larger than the bound is read in parts; no more of it stays than the bound.
func TestMemoryIsBounded(t *testing.T) {
	dir := t.TempDir()
	x := newTable(t, 7)
	write(t, open(t, dir, Options{Form: columnfile.Packed}), x)
	limb := int64(8 * x.ChunkWords(0))
	bound := limb + limb/2
	require.Greater(t, 2*8*x.Words(), 2*bound, "the table is much larger")
	s := open(t, dir, Options{Memory: bound})
	for range 2 {
		require.NoError(t, readAll(s, x))
		require.LessOrEqual(t, s.words.Used(), bound)
	}
	// What is in use stays, whatever the bound is.
	var releases []func()
	for chunk := range x.Chunks() {
		for l := range x.Profile().Limbs() {
			_, release, err := s.Chunk(ctx, x.File, x.root, 0, chunk, l)
			require.NoError(t, err)
			releases = append(releases, release)
		}
	}
	require.Equal(t, 8*x.Words(), s.words.Used())
	for _, release := range releases {
		release()
	}
	require.LessOrEqual(t, s.words.Used(), bound)

	over, cancel := context.WithCancel(ctx)
	cancel()
	_, _, err := s.Chunk(over, x.File, x.root, 1, 1, 1)
	require.True(t, errors.Is(err, context.Canceled), "%v", err)
}

// Each piece is hashed once after the file was opened.
func TestVerifiedOnce(t *testing.T) {
	for name, o := range ways {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			x := newTable(t, 8)
			s := open(t, dir, o)
			write(t, s, x)
			require.NoError(t, readAll(s, x))
			c, release, err := s.column(ctx, x.File, x.root, 1)
			require.NoError(t, err)
			defer release()
			for leaf := range x.Leaves() {
				require.NotZero(t, c.good[leaf/32].Load()>>(leaf%32)&1)
			}
			require.NoError(t, c.verify(x.At(1, 0), nil), "not looked at again")
		})
	}
}

func BenchmarkRead(b *testing.B) {
	for name, o := range ways {
		b.Run(name, func(b *testing.B) {
			dir := b.TempDir()
			x := newTable(b, 9)
			o.Memory = 1
			s := open(b, dir, o)
			write(b, s, x)
			b.SetBytes(8 * int64(x.ChunkWords(0)))
			for b.Loop() {
				_, release, err := s.Chunk(ctx, x.File, x.root, 0, 0, 0)
				if err != nil {
					b.Fatal(err)
				}
				release()
			}
		})
	}
}
