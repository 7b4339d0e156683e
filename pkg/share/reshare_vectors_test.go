package share

import (
	"encoding/hex"
	"io"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// vectorReshare is what is derived in one resharing, seen by old keyholder Number and new
// keyholder NewNumber. Lists are ascending by old part and then by new part.
type vectorReshare struct {
	From        carnet.Hash   `json:"from"`
	Committee   carnet.Hash   `json:"committee"`
	N           int           `json:"n"`
	T           int           `json:"t"`
	NewN        int           `json:"new_n"`
	NewT        int           `json:"new_t"`
	Seeds       []carnet.Hash `json:"seeds"` // of all old parts
	Nonce       carnet.Hash   `json:"nonce"`
	Handed      []carnet.Hash `json:"handed"`      // k'_AB
	Committed   []carnet.Hash `json:"committed"`   // com_AB
	Commitments []carnet.Hash `json:"commitments"` // com_B
	Joined      []carnet.Hash `json:"joined"`      // k_B
	Number      int           `json:"number"`
	NewNumber   int           `json:"new_number"`
	Info        string        `json:"info"`
	Sealed      string        `json:"sealed"` // before it is sealed
	Bundle      string        `json:"bundle"`
}

func reshareVectors() (out []vectorReshare) {
	rng := stream("vectors of resharings")
	draw := func() (h carnet.Hash) { _, _ = io.ReadFull(rng, h[:]); return h }
	for _, s := range [][6]int{{3, 2, 4, 2, 2, 4}, {3, 1, 2, 2, 3, 1}} {
		m := must(NewMove(carnet.KeyID(draw()), must(NewCommittee(s[0], s[1])), draw(), must(NewCommittee(s[2], s[3]))))
		v := vectorReshare{From: carnet.Hash(m.From), Committee: m.Committee, N: s[0], T: s[1], NewN: s[2], NewT: s[3], Nonce: carnet.Hash(m.Nonce()),
			Number: s[4], NewNumber: s[5], Info: hex.EncodeToString(m.SealedInfo(s[4], s[5]))}
		handed := map[Subset]*Handed{}
		agreed := map[Subset]*carnet.HandedPart{}
		for x, a := range m.Old.Subsets() {
			seed := draw()
			v.Seeds = append(v.Seeds, seed)
			h := &Handed{Part: a, Seeds: map[Subset][32]byte{}}
			for _, b := range m.New.Subsets() {
				h.Seeds[b] = m.Seed(a, seed, b)
				h.Commitments = append(h.Commitments, CommitHanded(m.Nonce(), x, b, h.Seeds[b]))
				v.Handed = append(v.Handed, h.Seeds[b])
			}
			v.Committed = append(v.Committed, h.Commitments...)
			handed[a], agreed[a] = h, &carnet.HandedPart{Part: int(a), Commitments: h.Commitments}
		}
		v.Commitments = m.Commitments(agreed)
		v.Sealed = hex.EncodeToString(m.AppendSeeds(nil, v.Number, v.NewNumber, handed))
		bundle := Bundle{Number: v.NewNumber, Lists: map[Subset][][32]byte{}}
		for _, b := range m.New.Subsets() {
			var list [][32]byte
			for _, a := range m.Old.Subsets() {
				list = append(list, handed[a].Seeds[b])
			}
			v.Joined = append(v.Joined, Joined(b, list))
			if m.New.Holds(v.NewNumber, b) {
				bundle.Lists[b] = list
			}
		}
		v.Bundle = hex.EncodeToString(bundle.AppendLists(nil, m.New))
		out = append(out, v)
	}
	return out
}
