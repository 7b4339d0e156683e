package wire_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/he/wire"
)

func profile(t testing.TB, bits int) *he.Profile {
	p, err := he.NewProfile(he.Literal{Name: "test", LogN: 4, Limbs: 3, LimbBits: bits, TBits: 20, MaxDegree: 2, Encoding: he.Slots})
	require.NoError(t, err)
	return p
}

func randomPoly(p *he.Profile, rnd *rand.Rand) he.Poly {
	a := he.NewRing(p).NewPoly()
	for l, q := range p.Primes() {
		for i := range a[l] {
			a[l][i] = rnd.Uint64N(q)
		}
		a[l][0], a[l][1] = 0, q-1
	}
	return a
}

func TestPoly(t *testing.T) {
	for _, bits := range []int{30, 55, 60} {
		p := profile(t, bits)
		a := randomPoly(p, rand.New(rand.NewPCG(1, 2)))
		b := wire.AppendPoly([]byte("head"), p, a)
		require.Equal(t, "head", string(b[:4]))
		b = b[4:]
		require.Len(t, b, p.BlockBytes())
		require.Equal(t, a[2][5], binary.LittleEndian.Uint64(b[8*(2*16+5):]), "limb by limb, little-endian")

		back := he.NewRing(p).NewPoly()
		require.NoError(t, wire.ReadPoly(p, b, back))
		require.Equal(t, a, back)

		for _, wrong := range [][]byte{nil, b[:len(b)-1], b[:8], append(bytes.Clone(b), 0), append(bytes.Clone(b), b...)} {
			require.Equal(t, "BAD_LENGTH", carnet.ReasonOf(wire.ReadPoly(p, wrong, back)))
		}
		for l, q := range p.Primes() {
			for _, v := range []uint64{q, q + 1, 1 << 63, ^uint64(0), 1<<63 + q - 1} {
				for _, i := range []int{0, 7, 15} {
					wrong := bytes.Clone(b)
					binary.LittleEndian.PutUint64(wrong[8*(16*l+i):], v)
					require.Equal(t, "NOT_CANONICAL", carnet.ReasonOf(wire.ReadPoly(p, wrong, back)), "%d", v)
				}
			}
		}
	}
}

func TestScalars(t *testing.T) {
	p := profile(t, 55)
	rnd := rand.New(rand.NewPCG(3, 4))
	in := make([]he.Scalar, 5)
	for i := range in {
		for l, q := range p.Primes() {
			in[i][l] = rnd.Uint64N(q)
		}
	}
	b := wire.AppendScalars(nil, p, in)
	require.Len(t, b, 5*p.ScalarBytes())
	out, err := wire.ReadScalars(p, b, 5)
	require.NoError(t, err)
	require.Equal(t, in, out)
	empty, err := wire.ReadScalars(p, nil, 0)
	require.NoError(t, err)
	require.Empty(t, empty)
	for _, count := range []int{-1, 0, 4, 6, 1 << 62} {
		_, err = wire.ReadScalars(p, b, count)
		require.Equal(t, "BAD_LENGTH", carnet.ReasonOf(err))
	}
	_, err = wire.ReadScalars(p, b[:len(b)-1], 5)
	require.Equal(t, "BAD_LENGTH", carnet.ReasonOf(err))
	_, err = wire.ReadScalars(p, append(bytes.Clone(b), 0), 5)
	require.Equal(t, "BAD_LENGTH", carnet.ReasonOf(err))
	binary.LittleEndian.PutUint64(b[8:], p.Primes()[1])
	_, err = wire.ReadScalars(p, b, 5)
	require.Equal(t, "NOT_CANONICAL", carnet.ReasonOf(err))
}

func TestHashes(t *testing.T) {
	require.NotEqual(t, wire.CorrectionHash(1, []byte("d")), wire.CorrectionHash(2, []byte("d")))
	require.Equal(t, carnet.Digest("carnet/delta/1", []byte{0, 0, 0, 2}, []byte("d")), wire.CorrectionHash(2, []byte("d")))
}

// TestVectors checks the name of the documented correction.
func TestVectors(t *testing.T) {
	raw, err := os.ReadFile("../../../docs/formats/vectors/encryption.json")
	require.NoError(t, err)
	var v struct {
		Blocks []struct {
			C0 string `json:"c0"`
		} `json:"blocks"`
		Delta string `json:"delta"`
	}
	require.NoError(t, json.Unmarshal(raw, &v))
	c0, err := hex.DecodeString(v.Blocks[0].C0)
	require.NoError(t, err)
	require.Equal(t, v.Delta, wire.CorrectionHash(2, c0).String())
}

// FuzzReadPoly: whatever is read writes back to the same bytes, and everything else
// is refused as invalid.
func FuzzReadPoly(f *testing.F) {
	p := profile(f, 55)
	good := wire.AppendPoly(nil, p, randomPoly(p, rand.New(rand.NewPCG(1, 2))))
	f.Add(good)
	f.Add(good[:len(good)-8])
	f.Add(append(bytes.Clone(good), 1))
	f.Add(bytes.Repeat([]byte{0xff}, len(good)))
	f.Add([]byte{})
	out := he.NewRing(p).NewPoly()
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := wire.ReadPoly(p, b, out); err != nil {
			require.Equal(t, carnet.Invalid, carnet.KindOf(err))
			return
		}
		for l, q := range p.Primes() {
			for _, v := range out[l] {
				require.Less(t, v, q)
			}
		}
		require.Equal(t, b, wire.AppendPoly(nil, p, out))
	})
}

// FuzzReadScalars is FuzzReadPoly for scalars.
func FuzzReadScalars(f *testing.F) {
	p := profile(f, 55)
	f.Add(make([]byte, p.ScalarBytes()), 1)
	f.Add(make([]byte, 3*p.ScalarBytes()), 3)
	f.Add(make([]byte, 3*p.ScalarBytes()-1), 3)
	f.Add(bytes.Repeat([]byte{0xff}, p.ScalarBytes()), 1)
	f.Add([]byte{}, -1)
	f.Fuzz(func(t *testing.T, b []byte, count int) {
		out, err := wire.ReadScalars(p, b, count)
		if err != nil {
			require.Equal(t, carnet.Invalid, carnet.KindOf(err))
			return
		}
		require.Len(t, out, count)
		require.True(t, bytes.Equal(b, wire.AppendScalars(nil, p, out)))
	})
}
