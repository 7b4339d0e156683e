package columnfile

import (
	"github.com/carnet-network/carnet/pkg/carnet"
)

// Tree is the Merkle tree over a list of hashes, in the shape of RFC 6962: of n
// leaves the left subtree has the largest power of two below n. Seen level by level,
// neighbours are joined in pairs and an odd last one moves up as it is.
type Tree struct {
	levels [][]carnet.Hash // leaves first, the root last
}

// NewTree builds the tree over at least one leaf. The tree keeps the slice.
func NewTree(leaves []carnet.Hash) *Tree {
	t := &Tree{levels: [][]carnet.Hash{leaves}}
	for level := leaves; len(level) > 1; {
		level = join(level)
		t.levels = append(t.levels, level)
	}
	return t
}

// join returns the level above.
func join(level []carnet.Hash) []carnet.Hash {
	up := make([]carnet.Hash, 0, (len(level)+1)/2)
	for ; len(level) > 1; level = level[2:] {
		up = append(up, node(&level[0], &level[1]))
	}
	return append(up, level...)
}

func node(left, right *carnet.Hash) carnet.Hash {
	return carnet.Digest("carnet/node/1", left[:], right[:])
}

// Root returns the root.
func (t *Tree) Root() carnet.Hash { return t.levels[len(t.levels)-1][0] }

// Leaf returns a leaf.
func (t *Tree) Leaf(i int) carnet.Hash { return t.levels[0][i] }

// Len returns the number of leaves.
func (t *Tree) Len() int { return len(t.levels[0]) }

// AppendProof appends the hashes that prove leaves lo to hi-1 (lo < hi): level by
// level from the leaves, the left neighbour of the range where it is missing, then
// the right one.
func (t *Tree) AppendProof(dst []byte, lo, hi int) []byte {
	for _, level := range t.levels {
		if lo%2 == 1 {
			dst = append(dst, level[lo-1][:]...)
		}
		if hi%2 == 1 && hi < len(level) {
			dst = append(dst, level[hi][:]...)
		}
		lo, hi = lo/2, (hi+1)/2
	}
	return dst
}

// prove computes the root of a tree of n leaves from leaves lo, lo+1, … and the
// hashes of their proof, and returns what is left of it. ok is false if the range
// does not lie in the tree or the proof is too short.
func prove(n, lo int, leaves []carnet.Hash, proof []byte) (root carnet.Hash, rest []byte, ok bool) {
	hi := lo + len(leaves)
	if lo < 0 || len(leaves) == 0 || hi > n {
		return root, nil, false
	}
	level := leaves
	for ; n > 1; n = (n + 1) / 2 {
		next := make([]carnet.Hash, 0, len(level)+2)
		if lo%2 == 1 {
			if len(proof) < len(root) {
				return root, nil, false
			}
			next, proof, lo = append(next, carnet.Hash(proof)), proof[len(root):], lo-1
		}
		next = append(next, level...)
		if hi%2 == 1 && hi < n {
			if len(proof) < len(root) {
				return root, nil, false
			}
			next, proof, hi = append(next, carnet.Hash(proof)), proof[len(root):], hi+1
		}
		level = join(next)
		lo, hi = lo/2, (hi+1)/2
	}
	return level[0], proof, true
}
