package main

import (
	"bytes"
	"encoding/binary"
	"math/big"
)

type cross struct {
	N, T, Number, K         int
	Keys, Contents, Bundles []string
	Own                     []uint64
	Pairs                   [][3]uint64
	ID, Value, Answer       string
}

// checkCrosses recomputes content hashes, functional ids and answers across keys.
func checkCrosses(d *document) {
	params, n := unhex(d.Params.ID), int(d.Params.N)
	var primes []*big.Int
	for _, p := range d.Params.Primes {
		primes = append(primes, integer(p))
	}
	// polynomial is the canonical bytes of one whose residues are all the same.
	polynomial := func(word uint64) []byte {
		return bytes.Repeat(binary.LittleEndian.AppendUint64(nil, word), n*len(primes))
	}
	for _, v := range d.Crosses {
		fields := [][]byte{params, []byte("cross"), []byte("slots"), u32(2), u32(len(primes) - 1), u32(v.K), []byte("none"), []byte("0"), u32(len(v.Keys))}
		for k := range v.Keys {
			content := [][]byte{polynomial(v.Own[k])}
			for _, p := range v.Pairs {
				for side, other := range []uint64{p[1], p[0]} {
					if p[side] == uint64(k) {
						content = append(content, unhex(v.Keys[other]), polynomial(p[2]))
					}
				}
			}
			same("content across keys", v.Contents[k], digest("carnet/HD/cross/1", content...))
			fields = append(fields, unhex(v.Keys[k]), unhex(v.Contents[k]))
		}
		same("functional id across keys", v.ID, digest("carnet/F/1", append(fields, make([]byte, 32))...))

		sum, scale := integer(v.Value), new(big.Int).ModInverse(t, q)
		for _, a := range subsets(v.N, v.T) {
			if a>>(v.Number-1)&1 == 1 {
				continue
			}
			var seeds [][]byte
			for _, b := range v.Bundles {
				seeds = append(seeds, parts(b)[a])
			}
			key := mask(v.Keys, a, seeds)
			part := new(big.Int).Mul(scale, flood(key, unhex(v.ID), v.K))
			for m := 1; m < v.T; m++ {
				scalar := xof(params, mac(key, "carnet/zero/1", unhex(v.ID)), primes, n, m-1)
				part.Add(part, scalar.Mul(scalar, power(big.NewInt(int64(v.Number)), m)))
			}
			sum.Add(sum, part.Mul(part, coefficient(a, v.Number)))
		}
		equal("answer across keys", v.Answer, sum.Mod(sum, q).String())
	}
}
