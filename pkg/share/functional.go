package share

import (
	"fmt"
	"math/big"
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/he"
)

// FunctionalID is F: the identity of what one opening opens, which decides every
// flood. It contains everything an answer depends on except seeds, and nothing about
// who asks, in which query, or who answers: the same functional has the same answer
// for ever, and any other has independent floods.
//
// f is validated, its level is full, and k comes from FloodBits. hd has one H_D for
// each key of f in order: functional.KeyTerms.LinearHash for degree 1 (nil computes
// them), scan.HashProduct of the D_1..D_d the caller derived itself for higher degrees,
// scan.CrossParts.Contents for terms across keys. D_0 is in neither: with it, whoever supplies D_0 could draw fresh floods for one
// D_1 and average them away. FunctionalID panics if hd has another length.
//
// variance is that of the privacy noise of each part, nil without any. Were it left out, one
// flood would hide a total with noise and without.
func FunctionalID(p *he.Profile, f *functional.Functional, k int, variance *big.Int, hd []carnet.Hash) carnet.Hash {
	id := newIdentity(p, f.Degree, k, variance)
	if len(f.Cross) > 0 {
		id.op = "cross"
	}
	if hd == nil && f.Degree == 1 {
		for i := range f.Keys {
			hd = append(hd, f.Keys[i].LinearHash(p.N()))
		}
	}
	if len(hd) != len(f.Keys) {
		panic(fmt.Sprintf("share: %d content hashes for %d keys", len(hd), len(f.Keys)))
	}
	for i := range f.Keys {
		id.keys = append(id.keys, keyContent{f.Keys[i].Key, hd[i]})
	}
	return id.hash()
}

// SelectionID is F of an opening with a selection: fs are the functionals that the codes
// stand for, in order, and hd[g] the content hashes of fs[g] as for FunctionalID. The
// content of a key is the list of its contents in all of them. private is
// Selection.Hash. All functionals must have one degree, since one flood hides them, and
// the same keys, since one mask does; SelectionID panics otherwise.
func SelectionID(p *he.Profile, fs []*functional.Functional, k int, variance *big.Int, hd [][]carnet.Hash, private carnet.Hash) carnet.Hash {
	if len(fs) == 0 || len(hd) != len(fs) || private.IsZero() {
		panic("share: an opening with a selection of nothing")
	}
	if slices.ContainsFunc(fs, func(f *functional.Functional) bool { return len(f.Cross) > 0 }) {
		panic("share: an opening with a selection across keys")
	}
	id := newIdentity(p, fs[0].Degree, k, variance)
	id.private = private
	for i := range fs[0].Keys {
		key := fs[0].Keys[i].Key
		contents := make([][]byte, len(fs))
		for g, f := range fs {
			if f.Degree != fs[0].Degree || len(f.Keys) != len(fs[0].Keys) || len(hd[g]) != len(f.Keys) || f.Keys[i].Key != key {
				panic("share: an opening with a selection of functionals that differ in degree or keys")
			}
			contents[g] = hd[g][i][:]
		}
		id.keys = append(id.keys, keyContent{key, carnet.Digest(tagSelectContent, contents...)})
	}
	return id.hash()
}

// identity holds the fields of F.
type identity struct {
	params   carnet.Hash
	op       string // "linear", "product" or "cross"
	encoding string
	degree   int
	level    int // index of the last limb
	k        int
	noise    string // "none" or noiseKind
	variance string // of the privacy noise of each part, decimal
	keys     []keyContent
	private  carnet.Hash // H_w: sharing of a private parameter, zero without
}

type keyContent struct {
	key     carnet.KeyID
	content carnet.Hash // H_D
}

func newIdentity(p *he.Profile, degree, k int, variance *big.Int) identity {
	id := identity{
		params: p.ID(), op: "linear", encoding: p.Encoding().String(),
		degree: degree, level: p.Limbs() - 1, k: k, noise: "none", variance: "0",
	}
	if degree > 1 {
		id.op = "product"
	}
	if variance != nil {
		id.noise, id.variance = noiseKind, variance.String()
	}
	return id
}

func (id *identity) hash() carnet.Hash {
	fields := [][]byte{
		id.params[:], []byte(id.op), []byte(id.encoding),
		u32(uint32(id.degree)), u32(uint32(id.level)), u32(uint32(id.k)),
		[]byte(id.noise), []byte(id.variance), u32(uint32(len(id.keys))),
	}
	for i := range id.keys {
		fields = append(fields, id.keys[i].key[:], id.keys[i].content[:])
	}
	return carnet.Digest(tagFunctional, append(fields, id.private[:])...)
}
