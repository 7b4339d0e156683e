package columnfile

// Put writes one limb of block b of a chunk of g blocks to its places in the limb of
// the chunk: slot s of block b is words[((s/8)*g + b)*8 + s%8]. len(words) is
// g x len(limb), and len(limb) a multiple of 8.
func Put(words []uint64, g, b int, limb []uint64) {
	for s, at := 0, b*group; s < len(limb); s, at = s+group, at+g*group {
		*(*[group]uint64)(words[at:]) = [group]uint64(limb[s:])
	}
}

// Get is the inverse of Put: it sets limb to the words of block b.
func Get(words []uint64, g, b int, limb []uint64) {
	for s, at := 0, b*group; s < len(limb); s, at = s+group, at+g*group {
		*(*[group]uint64)(limb[s:]) = [group]uint64(words[at:])
	}
}
