// Package wire turns polynomials and scalars into canonical bytes and back. Ciphertext
// of tables has a form of its own, package columnfile.
//
// The form has a fixed length for a profile: residues as 8 bytes little-endian,
// limb by limb. Reading checks the exact length and that every residue is below
// its prime, so there is exactly one byte string for every value, and bytes from
// outside are read by nothing else.
package wire

import (
	"encoding/binary"
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/he"
)

// AppendPoly appends the Profile.BlockBytes bytes of a.
func AppendPoly(dst []byte, p *he.Profile, a he.Poly) []byte {
	at := len(dst)
	dst = slices.Grow(dst, p.BlockBytes())[:at+p.BlockBytes()]
	for _, limb := range a {
		b := dst[at : at+8*len(limb)]
		for i, v := range limb {
			binary.LittleEndian.PutUint64(b[8*i:8*i+8], v)
		}
		at += len(b)
	}
	return dst
}

// ReadPoly sets out, which comes from Ring.NewPoly, to the polynomial of exactly
// these bytes. On an error out holds nothing of use.
func ReadPoly(p *he.Profile, b []byte, out he.Poly) error {
	if len(b) != p.BlockBytes() {
		return length("block", p, p.BlockBytes(), len(b))
	}
	for l, q := range p.Primes() {
		limb := out[l]
		part := b[8*p.N()*l : 8*p.N()*(l+1)]
		rejected := uint64(0)
		for i := range limb {
			v := binary.LittleEndian.Uint64(part[8*i : 8*i+8])
			rejected |= v | (q - 1 - v) // q is below 2^63: the top bit is set if v >= q
			limb[i] = v
		}
		if rejected>>63 != 0 {
			return residue(p, l)
		}
	}
	return nil
}

// AppendScalars appends the scalars, Profile.ScalarBytes bytes each.
func AppendScalars(dst []byte, p *he.Profile, scalars []he.Scalar) []byte {
	for i := range scalars {
		for l := range p.Limbs() {
			dst = binary.LittleEndian.AppendUint64(dst, scalars[i][l])
		}
	}
	return dst
}

// ReadScalars reads exactly count scalars.
func ReadScalars(p *he.Profile, b []byte, count int) ([]he.Scalar, error) {
	if count < 0 || len(b)/p.ScalarBytes() != count || len(b)%p.ScalarBytes() != 0 {
		return nil, length("list of scalars", p, count*p.ScalarBytes(), len(b))
	}
	primes := p.Primes()
	out := make([]he.Scalar, count)
	for i := range out {
		for l, q := range primes {
			v := binary.LittleEndian.Uint64(b)
			if v >= q {
				return nil, residue(p, l)
			}
			out[i][l], b = v, b[8:]
		}
	}
	return out, nil
}

// CorrectionHash names the correction for the j-th power of a secret by its
// canonical bytes.
func CorrectionHash(j int, b []byte) carnet.Hash {
	return carnet.Digest("carnet/delta/1", binary.BigEndian.AppendUint32(nil, uint32(j)), b)
}

func length(what string, p *he.Profile, want, have int) error {
	return carnet.E(carnet.Invalid, "BAD_LENGTH", "a %s of profile %s has %d bytes, not %d", what, p.Name(), want, have)
}

func residue(p *he.Profile, limb int) error {
	return carnet.E(carnet.Invalid, "NOT_CANONICAL", "a residue in limb %d is not below its prime of profile %s", limb, p.Name())
}
