// Command shares recomputes the vectors in shares.json from what docs/formats/dealing.md
// and docs/formats/shares.md say, with the standard library alone. It shares no code
// with the module: it is a second implementation, as plain as possible.
//
//	go run ./docs/formats/vectors/shares docs/formats/vectors/shares.json
package main

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/big"
	"math/bits"
	"os"
	"slices"
)

type document struct {
	Reshares []reshare
	Params   struct {
		ID     string
		N      int64
		T      string
		Primes []string
	}
	Commitments []struct {
		Nonce, Seed, Commitment string
		Subset                  int
	}
	PartKeys []struct {
		Seed, Key string
		Power     int
	} `json:"part_keys"`
	MaskKeys []struct {
		Keys, Seeds []string
		Subset      int
		Mask        string
	} `json:"mask_keys"`
	Functionals []struct {
		Op, Encoding, Noise, Variance, Private, ID string
		Degree, Level, K                           int
		Keys, Contents                             []string
	}
	Floods []struct {
		Mask, ID, Flood string
		K               int
	}
	Coefficients []struct {
		Subset, Number int
		Value          string
	}
	Bundles []struct {
		Number  int
		Subsets []int
		Seeds   []string
		Home    string
		Bytes   string
	}
	Answers []struct {
		N, T, Number, Degree, K int
		Keys, Bundles           []string
		ID, Value, Answer, Home string
	}
	Combined []struct {
		N, T, K int
		Numbers []int
		Answers []string
		Value   string
		Liars   []int
		Reason  string
	}
	Selections   []selection
	Crosses      []cross
	Certificates []struct {
		Q, Modulus          string
		N, T, Homes, Degree int
		Terms               int64
		NoiseBound          string `json:"noise_bound"`
		K                   int
		ReleaseBits         int `json:"release_bits"`
	}
}

var (
	q, t   *big.Int
	agreed int
)

func main() {
	data, err := os.ReadFile(os.Args[1])
	if err != nil {
		fail("%v", err)
	}
	var d document
	if err := json.Unmarshal(data, &d); err != nil {
		fail("%v", err)
	}
	t, q = integer(d.Params.T), big.NewInt(1)
	for _, p := range d.Params.Primes {
		q.Mul(q, integer(p))
	}
	params := unhex(d.Params.ID)
	for _, v := range d.Commitments {
		same("commitment", v.Commitment, digest("carnet/commit/1", unhex(v.Nonce), u16(v.Subset), unhex(v.Seed)))
	}
	for _, v := range d.PartKeys {
		same("part key", v.Key, mac(unhex(v.Seed), "carnet/part/1", params, u32(v.Power)))
	}
	for _, v := range d.MaskKeys {
		same("mask key", v.Mask, mask(v.Keys, v.Subset, unhexAll(v.Seeds)))
	}
	for _, v := range d.Functionals {
		fields := [][]byte{params, []byte(v.Op), []byte(v.Encoding), u32(v.Degree), u32(v.Level), u32(v.K),
			[]byte(v.Noise), []byte(v.Variance), u32(len(v.Keys))}
		for i := range v.Keys {
			fields = append(fields, unhex(v.Keys[i]), unhex(v.Contents[i]))
		}
		same("functional id", v.ID, digest("carnet/F/1", append(fields, unhex(v.Private))...))
	}
	for _, v := range d.Floods {
		equal("flood", v.Flood, flood(unhex(v.Mask), unhex(v.ID), v.K).String())
	}
	for _, v := range d.Coefficients {
		equal("coefficient", v.Value, coefficient(v.Subset, v.Number).String())
	}
	for _, v := range d.Bundles {
		b := []byte{1, byte(v.Number), byte(len(v.Seeds)), byte(len(v.Home) / 64)}
		for i := range v.Seeds {
			b = append(append(b, u16(v.Subsets[i])...), unhex(v.Seeds[i])...)
		}
		same("bundle", v.Bytes, append(b, unhex(v.Home)...))
	}
	checkAnswers(&d)
	checkCombined(&d)
	checkCertificates(&d)
	checkSelections(&d)
	checkCrosses(&d)
	checkReshares(&d)
	fmt.Println(agreed, "vectors agree")
}

// checkAnswers adds the flooding to a value, from the bundles of one keyholder.
func checkAnswers(d *document) {
	for _, v := range d.Answers {
		seeds, home := map[int][][]byte{}, [][]byte{}
		for _, text := range v.Bundles {
			b := unhex(text)
			count, hasHome := int(b[2]), b[3] == 1
			for b = b[4:]; count > 0; count-- {
				a := int(binary.BigEndian.Uint16(b))
				seeds[a] = append(seeds[a], b[2:34])
				b = b[34:]
			}
			if hasHome {
				home = append(home, b)
			}
		}
		scale := power(new(big.Int).ModInverse(t, q), v.Degree-1)
		sum := new(big.Int)
		for a, s := range seeds {
			if bits.OnesCount(uint(a)) != v.T-1 || a>>(v.Number-1)&1 == 1 {
				fail("the keyholder holds part %b", a)
			}
			f := flood(mask(v.Keys, a, s), unhex(v.ID), v.K)
			sum.Add(sum, f.Mul(f, coefficient(a, v.Number)))
		}
		answer := sum.Mul(sum, scale)
		answer.Add(answer, integer(v.Value)).Mod(answer, q)
		equal("answer", v.Answer, answer.String())
		f := flood(mask(v.Keys, 0xffff, home), unhex(v.ID), v.K)
		f.Mul(f, scale).Add(f, integer(v.Value)).Mod(f, q)
		equal("home answer", v.Home, f.String())
	}
}

// checkCombined finds the one polynomial that enough answers lie on, by trying every
// set of liars.
func checkCombined(d *document) {
	for _, v := range d.Combined {
		m := len(v.Numbers)
		limit := min((m-v.T)/2, max(0, m-2*v.T+1))
		value, reason, liars := "", "INCONSISTENT_ANSWERS", []int(nil)
	search:
		for size := range limit + 1 {
			for out := range 1 << m {
				if bits.OnesCount(uint(out)) != size {
					continue
				}
				var xs []int
				var ys []*big.Int
				for i := range m {
					if out>>i&1 == 0 {
						xs, ys = append(xs, v.Numbers[i]), append(ys, integer(v.Answers[i]))
					}
				}
				consistent := true
				for i := v.T; i < len(xs); i++ {
					consistent = consistent && interpolate(xs[:v.T], ys, xs[i]).Cmp(ys[i]) == 0
				}
				if !consistent {
					continue
				}
				value, reason = interpolate(xs[:v.T], ys, 0).String(), ""
				for i := range m {
					if out>>i&1 == 1 {
						liars = append(liars, v.Numbers[i])
					}
				}
				slices.Sort(liars)
				break search
			}
		}
		equal("combined value", v.Value, value)
		equal("reason", v.Reason, reason)
		equal("liars", fmt.Sprint(v.Liars), fmt.Sprint(liars))
	}
}

func checkCertificates(d *document) {
	for _, v := range d.Certificates {
		q, t := q, t
		if v.Q != "" { // of another profile with the same N
			q, t = integer(v.Q), integer(v.Modulus)
		}
		b := new(big.Int).Mul(big.NewInt(v.Terms), power(big.NewInt(20), v.Degree))
		b.Mul(b, power(new(big.Int).Mul(big.NewInt(d.Params.N), t), v.Degree-1))
		equal("noise bound", v.NoiseBound, b.String())
		parts := new(big.Int).Binomial(int64(v.N), int64(v.T-1))
		parts.Add(parts, big.NewInt(int64(v.Homes)))
		k := 0
		for ; ; k++ { // the first k+1 that does not fit
			s := new(big.Int).Lsh(parts, uint(k+1))
			s.Add(s, b).Add(s, parts).Add(s, big.NewInt(1)).Mul(s, t).Lsh(s, 1)
			if s.Cmp(q) >= 0 {
				break
			}
		}
		equal("k", fmt.Sprint(v.K), fmt.Sprint(k))
		release := -1 // the largest e with B * 2^(63+e) <= 2^k
		for new(big.Int).Lsh(b, uint(63+release+1)).Cmp(new(big.Int).Lsh(big.NewInt(1), uint(k))) <= 0 {
			release++
		}
		equal("release bits", fmt.Sprint(v.ReleaseBits), fmt.Sprint(release))
	}
}
