package share

import (
	"crypto/aes"
	"crypto/cipher"
	"fmt"
	"io"
	"math/big"
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
)

const (
	// DeltaBytes is the length of one public difference of a selection.
	DeltaBytes = 11
	// omegaBytes is the length of one additive share: integers in [0, 2^80).
	omegaBytes = 10
	// MaxChoices bounds the codes that one selection chooses from.
	MaxChoices = 1 << 16
)

// Selection is the public half of a private parameter: a vector w with one entry for
// every code of a dimension, 1 for the codes that are selected and 0 for the rest,
// shared over the integers. Part B has a seed kappa_B, which expands to 80-bit integers
// omega_{B,g}, and
//
//	w_g = Delta_g + sum over B of omega_{B,g}
//
// with the public differences Delta_g. Sharing over the integers and not modulo Q is
// what lets a check decide that w_g is 0 or 1: Z_Q has other solutions of w^2 = w, all
// of them far larger than any w_g that can be written here.
//
// The check is of the exact weight. At most as many codes are selected where the vector
// has as many spare entries: they are checked like the others and multiply nothing, and
// whoever selects fewer codes selects some of them.
type Selection struct {
	Request     carnet.Hash   // random id of the request; never used twice
	Weight      int           // number of entries selected, declared openly
	Spare       int           // entries after those of the codes that stand for no code
	Deltas      []byte        // 1 - Delta_g as DeltaBytes big-endian bytes, for every entry
	Commitments []carnet.Hash // to kappa_B, in the order of Committee.Subsets
}

// SelectionSeeds are the secret halves of a selection: kappa_B of every part.
type SelectionSeeds map[Subset][32]byte

// SelectionCommit is the commitment to the seed of a part of a selection.
func SelectionCommit(request carnet.Hash, b Subset, kappa [32]byte) carnet.Hash {
	return carnet.Digest(tagSelectCommit, request[:], u16(uint16(b)), kappa[:])
}

// NewSelection shares the selection of the given codes, distinct numbers below
// choices. rand must be a cryptographic source; exactly 32 bytes a part are read from
// it, in the order of Committee.Subsets. The request id must be fresh: two selections
// under one id and one set of seeds would show their difference.
func NewSelection(c Committee, request carnet.Hash, choices int, codes []int, rand io.Reader) (*Selection, SelectionSeeds, error) {
	return newSelection(c, request, choices, 0, codes, rand)
}

// NewBoundedSelection is NewSelection of at most most codes, perhaps none: how many is
// hidden like which.
func NewBoundedSelection(c Committee, request carnet.Hash, choices, most int, codes []int, rand io.Reader) (*Selection, SelectionSeeds, error) {
	entries := slices.Clone(codes)
	if slices.ContainsFunc(codes, func(g int) bool { return g >= choices }) {
		return nil, nil, badSelection("a code is none of the %d", choices)
	}
	for i := range most - len(codes) {
		entries = append(entries, choices+i)
	}
	if len(entries) != most {
		return nil, nil, badSelection("more than %d codes are selected", most)
	}
	return newSelection(c, request, choices, most, entries, rand)
}

// newSelection shares the selection of entries, those from choices on spare ones.
func newSelection(c Committee, request carnet.Hash, choices, spare int, codes []int, rand io.Reader) (*Selection, SelectionSeeds, error) {
	choices += spare
	if request.IsZero() || choices < 1 || choices > MaxChoices {
		return nil, nil, badSelection("there is no request id, or not 1 to %d codes to choose from", MaxChoices)
	}
	chosen := make([]bool, choices)
	for _, g := range codes {
		if g < 0 || g >= choices || chosen[g] {
			return nil, nil, badSelection("a code is none of the %d, or is selected twice", choices)
		}
		chosen[g] = true
	}
	s := &Selection{Request: request, Weight: len(codes), Spare: spare, Deltas: make([]byte, choices*DeltaBytes)}
	seeds := SelectionSeeds{}
	sums := make([]*big.Int, choices)
	for g := range sums {
		sums[g] = big.NewInt(1) // 1 - Delta = 1 - w + sum of omega
		if chosen[g] {
			sums[g].SetInt64(0)
		}
	}
	for _, b := range c.Subsets() {
		var kappa [32]byte
		if _, err := io.ReadFull(rand, kappa[:]); err != nil {
			return nil, nil, fmt.Errorf("draw a part seed of a selection: %w", err)
		}
		seeds[b] = kappa
		s.Commitments = append(s.Commitments, SelectionCommit(request, b, kappa))
		for g, omega := range omegas(kappa, request, choices) {
			sums[g].Add(sums[g], omega)
		}
	}
	for g, sum := range sums {
		sum.FillBytes(s.Deltas[g*DeltaBytes : (g+1)*DeltaBytes]) // at most 1 + 255*2^80
	}
	return s, seeds, s.Validate(c)
}

// Bundle is what keyholder i gets: the seeds of the parts it holds.
func (k SelectionSeeds) Bundle(c Committee, i int) Bundle {
	b := Bundle{Number: i, Seeds: map[Subset][32]byte{}}
	for _, a := range c.held(i) {
		b.Seeds[a] = k[a]
	}
	return b
}

// Choices returns how many codes the selection chooses from.
func (s *Selection) Choices() int { return s.entries() - s.Spare }

// entries counts the codes and the spare entries.
func (s *Selection) entries() int { return len(s.Deltas) / DeltaBytes }

// Validate checks what is public about a selection: one difference a code, one
// commitment a part, a weight that is possible. Every DeltaBytes bytes are a difference
// of magnitude below 2^88, so that every w_g is below 2^89 whatever the seeds are.
func (s *Selection) Validate(c Committee) error {
	n := s.entries()
	switch {
	case s.Request.IsZero():
		return badSelection("it has no request id")
	case n < 1 || n > MaxChoices || len(s.Deltas) != n*DeltaBytes:
		return badSelection("%d bytes are not the differences of 1 to %d codes", len(s.Deltas), MaxChoices)
	case s.Spare < 0 || s.Spare >= n:
		return badSelection("%d of %d entries stand for no code", s.Spare, n)
	case s.Weight < 1 || s.Weight > n:
		return badSelection("%d of %d codes can't be selected", s.Weight, n)
	case len(s.Commitments) != c.Parts():
		return badSelection("it has %d commitments, the committee has %d parts", len(s.Commitments), c.Parts())
	}
	return nil
}

func badSelection(format string, args ...any) *carnet.Error {
	return carnet.E(carnet.Invalid, "BAD_SELECTION", "the selection is malformed: "+format, args...)
}

// Hash is H_w: the identity of the sharing, which the ids of all openings with the
// selection contain. Openings of one functional under two sharings have independent
// masks; with the same ones, their difference would be an exact equation.
func (s *Selection) Hash() carnet.Hash {
	fields := [][]byte{s.Request[:], u32(uint32(s.Weight)), s.Deltas}
	for i := range s.Commitments {
		fields = append(fields, s.Commitments[i][:])
	}
	if s.Spare > 0 {
		return carnet.Digest(tagSelectSpare, append([][]byte{u32(uint32(s.Spare))}, fields...)...)
	}
	return carnet.Digest(tagSelectHash, fields...)
}

// delta returns Delta_g.
func (s *Selection) delta(g int) *big.Int {
	v := new(big.Int).SetBytes(s.Deltas[g*DeltaBytes : (g+1)*DeltaBytes])
	return v.Sub(big.NewInt(1), v)
}

// omegas returns omega_{B,g} for every code g: the first 10 bytes, big-endian, of block
// g of AES-256 in counter mode from zero under HMAC(kappa_B, tag ‖ request id).
func omegas(kappa [32]byte, request carnet.Hash, choices int) func(yield func(int, *big.Int) bool) {
	key := carnet.Keyed(kappa[:], tagSelectShare, request[:])
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // impossible: the key has 32 bytes
	}
	stream := cipher.NewCTR(block, make([]byte, aes.BlockSize))
	return func(yield func(int, *big.Int) bool) {
		omega := new(big.Int)
		for g := range choices {
			var b [aes.BlockSize]byte
			stream.XORKeyStream(b[:], b[:])
			if !yield(g, omega.SetBytes(b[:omegaBytes])) {
				return
			}
		}
	}
}
