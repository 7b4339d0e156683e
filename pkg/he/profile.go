package he

import (
	"encoding/binary"
	"math/big"
	"math/bits"
	"slices"

	"github.com/tuneinsight/lattigo/v5/ring"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// MaxLimbs is the largest number of primes a profile may have, maxDegree the largest
// degree of its openings.
const (
	MaxLimbs  = 6
	maxDegree = 4
)

// Encoding says how values become the coefficients of a plaintext polynomial.
type Encoding int

const (
	// Slots is the batch encoding: products of polynomials multiply slot by slot,
	// and the constant coefficient times N is the sum over all slots.
	Slots Encoding = iota + 1
	// Coefficients puts value i at X^i: any subset of cells can be summed.
	Coefficients
)

func (e Encoding) String() string {
	switch e {
	case Slots:
		return "slots"
	case Coefficients:
		return "coefficients"
	}
	return "unknown"
}

// Literal is the unchecked description of a profile.
type Literal struct {
	Name      string   // short identifier, see carnet.ValidName
	LogN      int      // ring degree N = 2^LogN
	Limbs     int      // number of primes q_i, 1..MaxLimbs
	LimbBits  int      // every q_i is below 2^LimbBits
	TBits     int      // T is below 2^TBits, TBits < LimbBits
	MaxDegree int      // largest degree of an opening, 1..4
	Encoding  Encoding // Coefficients only with MaxDegree 1
}

// The error distribution of every profile: a discrete Gaussian of standard
// deviation 3.2, cut at 19.
const (
	errorSigma = "3.2"
	errorCut   = 19
)

// Profile is a checked, immutable set of parameters with the tables its ring
// needs. The primes are the largest ones congruent to 1 modulo 2N below
// 2^LimbBits, in descending order, T the largest such prime below 2^TBits.
type Profile struct {
	lit  Literal
	n    int
	mods []modulus
	q    *big.Int
	t    uint64
	id   carnet.Hash

	soundness int // see SelectionSoundness

	crt   []*big.Int    // (Q/q_i) * ((Q/q_i)^-1 mod q_i)
	tRing *ring.SubRing // transform modulo T, slot encoding only
	perm  []int         // slot i is value perm[i] of that transform
}

// logQLimits gives, by log2 N, the largest log2 Q that keeps 128 bits of security
// for a ternary secret: against classical, and against quantum attackers. Smaller
// rings protect nothing and exist for tests only.
var logQLimits = map[int][2]int{
	12: {106, 79}, 13: {214, 160}, 14: {430, 322}, 15: {868, 651},
}

// largestTestRing bounds the rings that are accepted without any security.
const largestTestRing = 10

// NewProfile checks the description and builds the profile. Rings of at most
// 2^10 coefficients are accepted for tests, see Secure; no program gets one from
// Lookup.
func NewProfile(l Literal) (*Profile, error) {
	bad := func(format string, args ...any) (*Profile, error) {
		return nil, carnet.E(carnet.Invalid, "BAD_PROFILE", "profile "+l.Name+": "+format, args...)
	}
	switch {
	case !carnet.ValidName(l.Name):
		return nil, carnet.E(carnet.Invalid, "BAD_PROFILE", "profile name %q is not a short identifier", l.Name)
	case l.LogN < 4 || l.LogN > 15:
		return bad("log2 N is %d, want 4 to 15", l.LogN)
	case l.Limbs < 1 || l.Limbs > MaxLimbs:
		return bad("%d limbs, want 1 to %d", l.Limbs, MaxLimbs)
	case l.LimbBits < 20 || l.LimbBits > 60:
		return bad("limbs of %d bits, want 20 to 60", l.LimbBits)
	case l.TBits < l.LogN+2 || l.TBits >= l.LimbBits:
		return bad("T of %d bits, want %d to %d", l.TBits, l.LogN+2, l.LimbBits-1)
	case l.MaxDegree < 1 || l.MaxDegree > maxDegree:
		return bad("degree %d, want 1 to %d", l.MaxDegree, maxDegree)
	case l.Encoding != Slots && l.Encoding != Coefficients:
		return bad("unknown encoding")
	case l.Encoding == Coefficients && l.MaxDegree != 1:
		return bad("coefficient encoding allows degree 1 only")
	}
	p := &Profile{lit: l, n: 1 << l.LogN, q: big.NewInt(1)}
	primes := primesBelow(l.LimbBits, l.LogN, l.Limbs)
	ts := primesBelow(l.TBits, l.LogN, 1)
	if len(primes) < l.Limbs || len(ts) < 1 {
		return bad("there are not enough primes congruent to 1 modulo 2N")
	}
	p.t = ts[0]
	if p.t >= slices.Min(primes) {
		return bad("T is not below every limb")
	}
	for _, q := range primes {
		m, err := newModulus(q, p.n, p.t)
		if err != nil {
			return bad("no transform modulo %d: %v", q, err)
		}
		p.mods = append(p.mods, m)
		p.q.Mul(p.q, new(big.Int).SetUint64(q))
	}
	p.soundness = soundness(primes)
	if l.LogN > largestTestRing && p.soundness < MinSelectionSoundness {
		return bad("a check of a selection errs with 2^-%d, want 2^-%d", p.soundness, MinSelectionSoundness)
	}
	limits, known := logQLimits[l.LogN]
	if l.LogN > largestTestRing && (!known || p.q.BitLen() > limits[0]) {
		return bad("log2 Q is %d, more than 128 bits of security allow at N = 2^%d", p.q.BitLen(), l.LogN)
	}
	for _, q := range primes {
		b := new(big.Int).SetUint64(q)
		c := new(big.Int).Div(p.q, b)
		inv := new(big.Int).ModInverse(new(big.Int).Mod(c, b), b)
		p.crt = append(p.crt, c.Mul(c, inv))
	}
	if l.Encoding == Slots {
		sub, err := newTransform(p.t, p.n)
		if err != nil {
			return bad("no transform modulo T: %v", err)
		}
		p.tRing, p.perm = sub, slotOrder(l.LogN)
	}
	p.id = p.digest()
	return p, nil
}

// primesBelow returns the largest count primes congruent to 1 modulo 2^(logN+1)
// below 2^b, in descending order, fewer if there are not as many.
func primesBelow(b, logN, count int) []uint64 {
	step := uint64(1) << (logN + 1)
	var ps []uint64
	for x := uint64(1)<<b - step + 1; len(ps) < count && x > step; x -= step {
		if new(big.Int).SetUint64(x).ProbablyPrime(0) { // exact below 2^64
			ps = append(ps, x)
		}
	}
	return ps
}

// slotOrder returns, for each slot, the index of its value in the transform modulo
// T: slot i < N/2 is the evaluation at psi^(5^i), slot N/2+i at psi^(-5^i), and
// index j of a transform holds the evaluation at psi^(2*reverse(j)+1).
func slotOrder(logN int) []int {
	n := 1 << logN
	perm := make([]int, n)
	for i, pow := 0, uint64(1); i < n/2; i++ {
		j := int(bits.Reverse64(pow>>1) >> (64 - logN))
		perm[i], perm[n/2+i] = j, n-1-j
		pow = pow * 5 % uint64(2*n)
	}
	return perm
}

func (p *Profile) digest() carnet.Hash {
	u32 := func(v int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(v)) }
	var primes []byte
	for _, m := range p.mods {
		primes = binary.BigEndian.AppendUint64(primes, m.q)
	}
	return carnet.Digest("carnet/params/1",
		[]byte(p.lit.Name), u32(p.lit.LogN), u32(p.lit.Limbs), primes,
		binary.BigEndian.AppendUint64(nil, p.t), []byte(errorSigma), u32(errorCut),
		u32(p.lit.MaxDegree), []byte(p.lit.Encoding.String()))
}

// Name returns the profile's name, which is part of the API and of the id.
func (p *Profile) Name() string { return p.lit.Name }

// N returns the number of values in a block.
func (p *Profile) N() int { return p.n }

// LogN returns log2 N.
func (p *Profile) LogN() int { return p.lit.LogN }

// Limbs returns the number of primes.
func (p *Profile) Limbs() int { return p.lit.Limbs }

// LimbBits returns the number of bits every residue fits in.
func (p *Profile) LimbBits() int { return p.lit.LimbBits }

// T returns the plaintext modulus.
func (p *Profile) T() uint64 { return p.t }

// MaxDegree returns the largest degree of an opening.
func (p *Profile) MaxDegree() int { return p.lit.MaxDegree }

// Encoding returns how values become plaintext polynomials.
func (p *Profile) Encoding() Encoding { return p.lit.Encoding }

// Q returns a copy of the ciphertext modulus, the product of the primes.
func (p *Profile) Q() *big.Int { return new(big.Int).Set(p.q) }

// ID returns the param id: the digest of every constant of the profile.
func (p *Profile) ID() carnet.Hash { return p.id }

// BlockBytes returns the size of one ciphertext block (c0) in canonical form.
func (p *Profile) BlockBytes() int { return p.lit.Limbs * p.n * 8 }

// ScalarBytes returns the size of one scalar in canonical form.
func (p *Profile) ScalarBytes() int { return p.lit.Limbs * 8 }

// Primes returns a copy of the primes q_1..q_L, in descending order.
func (p *Profile) Primes() []uint64 {
	qs := make([]uint64, len(p.mods))
	for i := range p.mods {
		qs[i] = p.mods[i].q
	}
	return qs
}

// Prime returns the prime of a limb.
func (p *Profile) Prime(limb int) uint64 { return p.mods[limb].q }

// Secure says whether the ring gives 128 bits of security against classical and
// against quantum attackers, by published estimates for ternary secrets.
func (p *Profile) Secure() (classical, quantum bool) {
	limits := logQLimits[p.lit.LogN]
	return p.q.BitLen() <= limits[0], p.q.BitLen() <= limits[1]
}
