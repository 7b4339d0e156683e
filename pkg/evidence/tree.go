package evidence

import (
	"slices"

	"github.com/transparency-dev/merkle/rfc6962"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// Tree follows the log: it accepts entries in order and nothing else, and knows the root
// of the Merkle tree (RFC 6962) over all of them. It keeps only the roots of the perfect
// subtrees, so it is small whatever the size. The zero value is an empty tree. A copy is
// a tree of its own. It is not safe for concurrent use.
type Tree struct {
	size  int64
	nodes []carnet.Hash // roots of the perfect subtrees, the largest first; never changed in place
}

// Append accepts the next entry or says that it is another. On error the tree is
// unchanged.
func (t *Tree) Append(e *Entry) error {
	if e.Seq != t.size {
		return carnet.E(carnet.Invalid, "JOURNAL_GAP", "the journal continues with entry %d, want %d", e.Seq, t.size)
	}
	t.Add(e.Leaf())
	return nil
}

// Add adds a leaf.
func (t *Tree) Add(leaf carnet.Hash) {
	h, nodes := leafHash(leaf), slices.Clone(t.nodes)
	for s := t.size; s&1 == 1; s >>= 1 {
		last := len(nodes) - 1
		h, nodes = inner(nodes[last], h), nodes[:last]
	}
	t.nodes, t.size = append(nodes, h), t.size+1
}

// Size is the number of entries.
func (t Tree) Size() int64 { return t.size }

// Root is the root hash, the head of the journal. That of an empty tree is SHA-256 of
// nothing.
func (t Tree) Root() (root carnet.Hash) {
	last := len(t.nodes) - 1
	if last < 0 {
		return carnet.Hash(rfc6962.DefaultHasher.EmptyRoot())
	}
	root = t.nodes[last]
	for i := last - 1; i >= 0; i-- {
		root = inner(t.nodes[i], root)
	}
	return root
}

// Checkpoint is the state to be co-signed.
func (t Tree) Checkpoint() carnet.Checkpoint { return carnet.Checkpoint{Size: t.size, Head: t.Root()} }

// Nodes lists the roots of the perfect subtrees, the largest first: as many as the size
// has ones in binary. TreeOf makes the tree of them again.
func (t Tree) Nodes() []carnet.Hash { return slices.Clone(t.nodes) }

// TreeOf is the tree that has the size and the nodes.
func TreeOf(size int64, nodes []carnet.Hash) (Tree, error) {
	if size < 0 || len(nodes) != ones(size) {
		return Tree{}, carnet.E(carnet.Invalid, "BAD_TREE", "a tree of size %d is not given by %d nodes", size, len(nodes))
	}
	return Tree{size, slices.Clone(nodes)}, nil
}

func ones(size int64) (n int) {
	for ; size > 0; size &= size - 1 {
		n++
	}
	return n
}

func leafHash(leaf carnet.Hash) carnet.Hash {
	return carnet.Hash(rfc6962.DefaultHasher.HashLeaf(leaf[:]))
}

func inner(left, right carnet.Hash) carnet.Hash {
	return carnet.Hash(rfc6962.DefaultHasher.HashChildren(left[:], right[:]))
}
