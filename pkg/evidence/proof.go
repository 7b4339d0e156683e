package evidence

import (
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// VerifyInclusion checks that a leaf is number index, from 0, of the tree of a
// checkpoint. path is the audit path of RFC 6962, section 2.1.1, the lowest first.
func VerifyInclusion(leaf carnet.Hash, index int64, at carnet.Checkpoint, path []carnet.Hash) error {
	h := leafHash(leaf)
	err := errNegative(index, at.Size)
	if err == nil {
		err = proof.VerifyInclusion(rfc6962.DefaultHasher, uint64(index), uint64(at.Size), h[:], slicesOf(path), at.Head[:])
	}
	if err != nil {
		return carnet.E(carnet.Invalid, "BAD_INCLUSION_PROOF", "the proof does not show that the entry is number %d of the log of size %d", index, at.Size).Because(err)
	}
	return nil
}

// VerifyConsistency checks that the log of one checkpoint begins with the log of an
// older one. path is the proof of RFC 6962, section 2.1.2.
func VerifyConsistency(older, newer carnet.Checkpoint, path []carnet.Hash) error {
	err := errNegative(older.Size, newer.Size)
	if err == nil {
		err = proof.VerifyConsistency(rfc6962.DefaultHasher, uint64(older.Size), uint64(newer.Size), slicesOf(path), older.Head[:], newer.Head[:])
	}
	if err == nil && older.Size == 0 && older.Head != (Tree{}).Root() {
		err = carnet.E(carnet.Invalid, "BAD_CHECKPOINT", "an empty log has another root")
	}
	if err != nil {
		return carnet.E(carnet.Invalid, "BAD_CONSISTENCY_PROOF", "the proof does not show that the log of size %d begins with that of size %d", newer.Size, older.Size).Because(err)
	}
	return nil
}

func errNegative(sizes ...int64) error {
	for _, s := range sizes {
		if s < 0 {
			return carnet.E(carnet.Invalid, "BAD_CHECKPOINT", "%d is negative", s)
		}
	}
	return nil
}

func slicesOf(path []carnet.Hash) [][]byte {
	out := make([][]byte, len(path))
	for i := range path {
		out[i] = path[i][:]
	}
	return out
}

// ProveInclusion makes the proof for leaf number index among all leaves of a log. It
// hashes all of them; a log that keeps its tree reads a few nodes instead.
func ProveInclusion(leaves []carnet.Hash, index int64) ([]carnet.Hash, error) {
	if index < 0 || index >= int64(len(leaves)) {
		return nil, carnet.E(carnet.NotFound, "NOT_FOUND", "the log has no entry %d", index)
	}
	return path(leaves, index), nil
}

// ProveConsistency makes the proof that a log of all leaves begins with its first size.
func ProveConsistency(leaves []carnet.Hash, size int64) ([]carnet.Hash, error) {
	if size < 0 || size > int64(len(leaves)) {
		return nil, carnet.E(carnet.NotFound, "NOT_FOUND", "the log has no state of size %d", size)
	}
	if size == 0 {
		return nil, nil
	}
	return subproof(leaves, size, true), nil
}

// path is PATH of RFC 6962, section 2.1.1.
func path(leaves []carnet.Hash, index int64) []carnet.Hash {
	if len(leaves) == 1 {
		return nil
	}
	half := split(len(leaves))
	if index < half {
		return append(path(leaves[:half], index), rootOf(leaves[half:]))
	}
	return append(path(leaves[half:], index-half), rootOf(leaves[:half]))
}

// subproof is SUBPROOF of RFC 6962, section 2.1.2. known says that whoever checks the
// proof has the root of all these leaves.
func subproof(leaves []carnet.Hash, size int64, known bool) []carnet.Hash {
	if size == int64(len(leaves)) {
		if known {
			return nil
		}
		return []carnet.Hash{rootOf(leaves)}
	}
	half := split(len(leaves))
	if size <= half {
		return append(subproof(leaves[:half], size, known), rootOf(leaves[half:]))
	}
	return append(subproof(leaves[half:], size-half, false), rootOf(leaves[:half]))
}

// split is the largest power of two below n.
func split(n int) int64 {
	half := int64(1)
	for half*2 < int64(n) {
		half *= 2
	}
	return half
}

func rootOf(leaves []carnet.Hash) carnet.Hash {
	var t Tree
	for _, l := range leaves {
		t.Add(l)
	}
	return t.Root()
}
