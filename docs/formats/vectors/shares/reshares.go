package main

import "bytes"

// reshare is the section "handing a key on" of dealing.md.
type reshare struct {
	From, Committee, Nonce, Info, Sealed, Bundle  string
	N, T, Number                                  int
	NewN                                          int `json:"new_n"`
	NewT                                          int `json:"new_t"`
	NewNumber                                     int `json:"new_number"`
	Seeds, Handed, Committed, Commitments, Joined []string
}

func holds(i, a int) bool { return a>>(i-1)&1 == 0 }

func checkReshares(d *document) {
	for _, v := range d.Reshares {
		nonce := digest("carnet/reshare/1", unhex(v.From), unhex(v.Committee))
		same("resharing nonce", v.Nonce, nonce)
		same("resharing info", v.Info, digest("carnet/reshare/sealed/1", nonce, []byte{byte(v.Number)}, []byte{byte(v.NewNumber)}))
		sealed := []byte{1, byte(v.Number), byte(v.NewNumber)}
		lists, committed := map[int][][]byte{}, map[int][][]byte{}
		at := 0
		for x, a := range subsets(v.N, v.T) {
			for _, b := range subsets(v.NewN, v.NewT) {
				seed := mac(unhex(v.Seeds[x]), "carnet/reshare/seed/1", nonce, u16(a), u16(b))
				commitment := digest("carnet/reshare/commit/1", nonce, u16(x), u16(b), seed)
				same("handed seed", v.Handed[at], seed)
				same("commitment to it", v.Committed[at], commitment)
				lists[b], committed[b] = append(lists[b], seed), append(committed[b], commitment)
				if holds(v.Number, a) && holds(v.NewNumber, b) {
					sealed = append(append(append(sealed, u16(a)...), u16(b)...), seed...)
				}
				at++
			}
		}
		same("what is sealed", v.Sealed, sealed)
		var kept []byte
		parts := 0
		for y, b := range subsets(v.NewN, v.NewT) {
			list := bytes.Join(lists[b], nil)
			same("commitment to a list", v.Commitments[y], digest("carnet/reshare/list/1", append([][]byte{nonce, u16(b)}, committed[b]...)...))
			same("joined seed", v.Joined[y], mac(list, "carnet/reshare/join/1", u16(b)))
			if holds(v.NewNumber, b) {
				kept = append(append(kept, u16(b)...), list...)
				parts++
			}
		}
		same("bundle of lists", v.Bundle, append([]byte{2, byte(v.NewNumber), byte(parts), byte(len(v.Seeds))}, kept...))
	}
}
