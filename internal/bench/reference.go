package main

import (
	"fmt"

	"github.com/tuneinsight/lattigo/v5/core/rlwe"
	"github.com/tuneinsight/lattigo/v5/ring"
	"github.com/tuneinsight/lattigo/v5/schemes/bgv"
)

// reference does the same work with Lattigo, on one core, with the same primes and
// plaintext modulus, and one more prime for relinearisation.
type reference struct {
	t       *table
	params  bgv.Parameters
	encoder *bgv.Encoder
	sk      *rlwe.SecretKey
	enc     *rlwe.Encryptor
	eval    *bgv.Evaluator
	ct      [2][]*rlwe.Ciphertext // both halves in memory
}

func newReference(t *table) (*reference, error) {
	p := t.r.Profile()
	primes := ring.NewNTTFriendlyPrimesGenerator(uint64(p.LimbBits()+1), uint64(2*p.N()))
	extra, err := primes.NextUpstreamPrimes(1)
	if err != nil {
		return nil, err
	}
	params, err := bgv.NewParametersFromLiteral(bgv.ParametersLiteral{LogN: p.LogN(), Q: p.Primes(), P: extra, PlaintextModulus: p.T()})
	if err != nil {
		return nil, err
	}
	keys := rlwe.NewKeyGenerator(params)
	sk := keys.GenSecretKeyNew()
	x := &reference{
		t: t, params: params, encoder: bgv.NewEncoder(params), sk: sk, enc: rlwe.NewEncryptor(params, sk),
		eval: bgv.NewEvaluator(params, rlwe.NewMemEvaluationKeySet(keys.GenRelinearizationKeyNew(sk))),
	}
	for c := range t.values {
		for _, values := range t.values[c] {
			ct, err := x.encryptBlock(values)
			if err != nil {
				return nil, err
			}
			x.ct[c] = append(x.ct[c], ct)
		}
	}
	return x, nil
}

func (x *reference) encryptBlock(values []uint64) (*rlwe.Ciphertext, error) {
	pt := bgv.NewPlaintext(x.params, x.params.MaxLevel())
	if err := x.encoder.Encode(values, pt); err != nil {
		return nil, err
	}
	return x.enc.EncryptNew(pt)
}

func (x *reference) encrypt() (err error) {
	for b, values := range x.t.values[0] {
		if x.ct[0][b], err = x.encryptBlock(values); err != nil {
			return err
		}
	}
	return nil
}

// filteredSum multiplies without relinearising, adds, and relinearises once.
func (x *reference) filteredSum() error {
	sum := bgv.NewCiphertext(x.params, 2, x.params.MaxLevel())
	product := bgv.NewCiphertext(x.params, 2, x.params.MaxLevel())
	for b := range x.ct[0] {
		dst := product
		if b == 0 {
			dst = sum
		}
		if err := x.eval.Mul(x.ct[0][b], x.ct[1][b], dst); err != nil {
			return err
		}
		if b > 0 {
			if err := x.eval.Add(sum, product, sum); err != nil {
				return err
			}
		}
	}
	out, err := x.eval.RelinearizeNew(sum)
	if err != nil {
		return err
	}
	return x.check(out, x.t.sum)
}

func (x *reference) linearSum() error {
	sum := x.ct[0][0].CopyNew()
	for _, ct := range x.ct[0][1:] {
		if err := x.eval.Add(sum, ct, sum); err != nil {
			return err
		}
	}
	return x.check(sum, x.t.total)
}

func (x *reference) check(ct *rlwe.Ciphertext, want int64) error {
	slots := make([]int64, x.params.MaxSlots())
	if err := x.encoder.Decode(rlwe.NewDecryptor(x.params, x.sk).DecryptNew(ct), slots); err != nil {
		return err
	}
	var have int64
	for _, v := range slots {
		have += v
	}
	if have != want {
		return fmt.Errorf("the sum is %d, want %d", have, want)
	}
	return nil
}
