package columnstore

import (
	"context"
	"encoding/binary"
	"math/bits"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/columnfile"
)

// tagConstants is of the digest that begins a file of constants.
const tagConstants = "carnet/constants/1"

// constants is the folder of those of a file version. It stays here when the columns go to
// a bucket: whatever it holds can be made again.
func (s *Store) constants(n carnet.Nonce) string {
	return filepath.Join(s.dir, "constants", n.String())
}

// Constants returns for every limb of a sealed column the sum of all its words, modulo the
// limb's prime: in slot encoding that is all of the stored half that a sum of the whole column
// needs. They are stored beside the column when they were made, from words that have the
// hashes which the root commits to.
//
// Errors are as for Chunk.
func (s *Store) Constants(ctx context.Context, f *columnfile.File, root carnet.Hash, column uint32) ([]uint64, error) {
	limbs := f.Profile().Limbs()
	path := filepath.Join(s.constants(f.Nonce()), strconv.FormatUint(uint64(column), 10))
	b, err := os.ReadFile(path)
	if sums, ok := readConstants(b, root, column, limbs); err == nil && ok {
		return sums, nil
	}
	sums := make([]uint64, limbs)
	for l := range sums {
		var hi, lo uint64
		for chunk := range f.Chunks() {
			h, w, err := s.sum(ctx, f, root, column, chunk, l)
			if err != nil {
				return nil, err
			}
			var c uint64
			lo, c = bits.Add64(lo, w, 0)
			hi += h + c
		}
		sums[l] = bits.Rem64(hi, lo, f.Prime(uint32(l)))
	}
	// What can't be stored is made again the next time.
	if os.MkdirAll(filepath.Dir(path), 0o700) == nil {
		_ = replaceFile(path, appendConstants(nil, root, column, sums))
	}
	return sums, nil
}

// sum adds up the words of one limb of a chunk.
func (s *Store) sum(ctx context.Context, f *columnfile.File, root carnet.Hash, column uint32, chunk, limb int) (hi, lo uint64, err error) {
	words, release, err := s.Chunk(ctx, f, root, column, chunk, limb)
	if err != nil {
		return 0, 0, err
	}
	defer release()
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			if _, fault := r.(interface{ Addr() uintptr }); !fault {
				panic(r)
			}
			s.Doubt(f.Nonce())
			err = damaged(f.Nonce(), column, "chunk %d, limb %d can't be read from the disk", chunk, limb)
		}
	}()
	var c uint64
	for _, w := range words {
		lo, c = bits.Add64(lo, w, 0)
		hi += c
	}
	return hi, lo, nil
}

func appendConstants(b []byte, root carnet.Hash, column uint32, sums []uint64) []byte {
	var body []byte
	for _, v := range sums {
		body = binary.LittleEndian.AppendUint64(body, v)
	}
	h := constantsDigest(root, column, body)
	return append(append(b, h[:]...), body...)
}

// readConstants returns the sums of a file that has the digest it says.
func readConstants(b []byte, root carnet.Hash, column uint32, limbs int) (sums []uint64, ok bool) {
	if len(b) != len(carnet.Hash{})+8*limbs {
		return nil, false
	}
	body := b[len(carnet.Hash{}):]
	if constantsDigest(root, column, body) != carnet.Hash(b[:len(carnet.Hash{})]) {
		return nil, false
	}
	for ; len(body) > 0; body = body[8:] {
		sums = append(sums, binary.LittleEndian.Uint64(body))
	}
	return sums, true
}

func constantsDigest(root carnet.Hash, column uint32, body []byte) carnet.Hash {
	return carnet.Digest(tagConstants, root[:], binary.BigEndian.AppendUint32(nil, column), body)
}

// replaceFile writes a file whole or not at all.
func replaceFile(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	if _, err := f.Write(data); err != nil {
		f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
