package share

import (
	"encoding/binary"
	"maps"
	"math/bits"
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// Bundle is one keyholder's secret part of a dealing. It travels sealed.
type Bundle struct {
	Number int // keyholder number, 1..n
	Seeds  map[Subset][32]byte
	Home   *[32]byte // only at the home keyholder

	// Lists has, after a resharing, for every part the seeds that the old parts gave it.
	// Seeds then are what Joined makes of them.
	Lists map[Subset][][32]byte
}

// bundleVersion is the first byte of a bundle.
const bundleVersion = 1

// Append appends the canonical bytes: version 1, keyholder number, number of seeds,
// 1 with a home seed or else 0 (a byte each); then, ascending by subset, the subset
// as 2 bytes big-endian and the seed; then the home seed.
func (b Bundle) Append(dst []byte) []byte {
	home := byte(0)
	if b.Home != nil {
		home = 1
	}
	dst = append(dst, bundleVersion, byte(b.Number), byte(len(b.Seeds)), home)
	for _, a := range slices.Sorted(maps.Keys(b.Seeds)) {
		seed := b.Seeds[a]
		dst = binary.BigEndian.AppendUint16(dst, uint16(a))
		dst = append(dst, seed[:]...)
	}
	if b.Home != nil {
		dst = append(dst, b.Home[:]...)
	}
	return dst
}

// ParseBundle reads exactly one bundle in canonical form. Whether it fits a dealing
// is for CheckBundle to say.
func ParseBundle(data []byte) (Bundle, error) {
	bad := func(what string) (Bundle, error) {
		return Bundle{}, carnet.E(carnet.Invalid, "BAD_BUNDLE", "the seed bundle is malformed: %s", what)
	}
	if len(data) < 4 {
		return bad("it is too short")
	}
	if data[0] != bundleVersion {
		return bad("unknown version")
	}
	number, count, home := int(data[1]), int(data[2]), data[3]
	if number < 1 || number > MaxKeyholders {
		return bad("keyholder number out of range")
	}
	if home > 1 {
		return bad("home flag is neither 0 nor 1")
	}
	if data = data[4:]; len(data) != 34*count+32*int(home) {
		return bad("wrong length")
	}
	b := Bundle{Number: number, Seeds: make(map[Subset][32]byte, count)}
	last, size := -1, -1
	for range count {
		a := Subset(binary.BigEndian.Uint16(data))
		switch n := bits.OnesCount16(uint16(a)); {
		case int(a) <= last:
			return bad("subsets are not in ascending order")
		case a >= 1<<MaxKeyholders:
			return bad("a subset names a keyholder that can't exist")
		case a>>(number-1)&1 == 1:
			return bad("it has a part its keyholder must not hold")
		case size >= 0 && n != size:
			return bad("subsets differ in size")
		default:
			last, size = int(a), n
		}
		b.Seeds[a] = [32]byte(data[2:34])
		data = data[34:]
	}
	if home == 1 {
		seed := [32]byte(data)
		b.Home = &seed
	}
	return b, nil
}

// CheckBundle checks a keyholder's bundle against the signed dealing: every part it
// must hold is there and is the one committed to, and nothing else is. A keyholder
// that accepted an unchecked seed could be made to answer off the codeword.
func CheckBundle(c Committee, d *carnet.Dealing, b Bundle) error {
	all := c.Subsets()
	if len(d.Commitments) != len(all) {
		return carnet.E(carnet.Invalid, "BAD_DEALING", "the dealing has %d commitments, the committee has %d parts", len(d.Commitments), len(all))
	}
	if d.Home != nil && (d.Home.Member < 1 || d.Home.Member > c.N) {
		return carnet.E(carnet.Invalid, "BAD_DEALING", "the dealing names keyholder %d as home, of %d", d.Home.Member, c.N)
	}
	if err := complete(c, b); err != nil {
		return err
	}
	bad := func(format string, args ...any) error {
		return carnet.E(carnet.Invalid, "BAD_SEEDS", "the seeds do not match the dealing: "+format, args...).
			Fix("the owner must deal again, to everyone")
	}
	for x, a := range all {
		if c.Holds(b.Number, a) && b.commitment(d.Nonce, a) != d.Commitments[x] {
			return bad("another seed was committed to for part %03x", uint16(a))
		}
	}
	switch home := d.Home != nil && d.Home.Member == b.Number; {
	case home && b.Home == nil:
		return bad("the home seed is missing")
	case !home && b.Home != nil:
		return bad("there is a home seed that is not this keyholder's")
	case home && Commit(d.Nonce, HomeLabel, *b.Home) != d.Home.Commitment:
		return bad("another home seed was committed to")
	}
	return nil
}

// commitment is what the dealing has to say of the part.
func (b Bundle) commitment(nonce carnet.Nonce, a Subset) carnet.Hash {
	if b.Lists == nil {
		return Commit(nonce, a, b.Seeds[a])
	}
	var all []carnet.Hash
	for x, seed := range b.Lists[a] {
		all = append(all, CommitHanded(nonce, x, a, seed))
	}
	return CommitList(nonce, a, all)
}

// complete checks that the bundle has the seeds of exactly the parts that its
// keyholder holds.
func complete(c Committee, b Bundle) error {
	if b.Number < 1 || b.Number > c.N {
		return carnet.E(carnet.Invalid, "BAD_SEEDS", "the committee has no keyholder %d", b.Number)
	}
	held := c.held(b.Number)
	for _, a := range held {
		if _, ok := b.Seeds[a]; !ok {
			return carnet.E(carnet.Invalid, "BAD_SEEDS", "the seed of part %03x is missing", uint16(a))
		}
	}
	if len(b.Seeds) != len(held) {
		return carnet.E(carnet.Invalid, "BAD_SEEDS", "there are %d seeds, keyholder %d holds %d", len(b.Seeds), b.Number, len(held))
	}
	return nil
}
