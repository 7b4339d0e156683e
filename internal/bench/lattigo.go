package main

import (
	"fmt"
	"math/big"

	"github.com/tuneinsight/lattigo/v5/core/rlwe"
	"github.com/tuneinsight/lattigo/v5/ring"
	"github.com/tuneinsight/lattigo/v5/schemes/bgv"
)

// reference does the same work with Lattigo on one core, both halves of every
// ciphertext in memory.
type reference struct {
	t       *table
	params  bgv.Parameters
	encoder *bgv.Encoder
	sk      *rlwe.SecretKey
	enc     *rlwe.Encryptor
	dec     *rlwe.Decryptor
	eval    *bgv.Evaluator
	slots   int
	cts     [][]*rlwe.Ciphertext // by column
	sums    []*rlwe.Ciphertext   // one for each group, degree 2
	product *rlwe.Ciphertext
}

// sameRing are Lattigo's parameters with the primes and the plaintext modulus of the
// table's profile, and one more prime for relinearisation.
func sameRing(t *table) (bgv.Parameters, error) {
	p := t.r.Profile()
	primes := ring.NewNTTFriendlyPrimesGenerator(uint64(p.LimbBits()+1), uint64(2*p.N()))
	extra, err := primes.NextUpstreamPrimes(1)
	if err != nil {
		return bgv.Parameters{}, err
	}
	return bgv.NewParametersFromLiteral(bgv.ParametersLiteral{LogN: p.LogN(), Q: p.Primes(), P: extra, PlaintextModulus: p.T()})
}

// halfRing are the smallest parameters of 128 bits in which Lattigo, with a key of one
// party and no flooding, still evaluates a filtered sum over this table: half the ring
// and three primes. Nothing smaller is honest; nothing larger is as fast.
func halfRing(t *table) (bgv.Parameters, error) {
	p := t.r.Profile()
	return bgv.NewParametersFromLiteral(bgv.ParametersLiteral{LogN: p.LogN() - 1, LogQ: []int{57, 53, 53}, LogP: []int{55}, PlaintextModulus: p.T()})
}

// newReference encrypts the table's columns.
func newReference(t *table, params bgv.Parameters) (*reference, error) {
	keys := rlwe.NewKeyGenerator(params)
	sk := keys.GenSecretKeyNew()
	x := &reference{
		t: t, params: params, encoder: bgv.NewEncoder(params), sk: sk, enc: rlwe.NewEncryptor(params, sk), dec: rlwe.NewDecryptor(params, sk),
		eval:    bgv.NewEvaluator(params, rlwe.NewMemEvaluationKeySet(keys.GenRelinearizationKeyNew(sk))),
		slots:   params.MaxSlots(),
		product: bgv.NewCiphertext(params, 2, params.MaxLevel()),
	}
	for range t.sums {
		x.sums = append(x.sums, bgv.NewCiphertext(params, 2, params.MaxLevel()))
	}
	for c := range t.plain {
		var column []*rlwe.Ciphertext
		for from := 0; from < len(t.plain[c]); from += x.slots {
			ct := bgv.NewCiphertext(params, 1, params.MaxLevel())
			if err := x.encryptBlock(t.plain[c][from:from+x.slots], bgv.NewPlaintext(params, params.MaxLevel()), ct); err != nil {
				return nil, err
			}
			column = append(column, ct)
		}
		x.cts = append(x.cts, column)
	}
	return x, nil
}

func (x *reference) encryptBlock(values []int64, pt *rlwe.Plaintext, ct *rlwe.Ciphertext) error {
	if err := x.encoder.Encode(values, pt); err != nil {
		return err
	}
	return x.enc.Encrypt(pt, ct)
}

// encrypt encrypts the measure again, into the memory of before.
func (x *reference) encrypt() error {
	pt := bgv.NewPlaintext(x.params, x.params.MaxLevel())
	for b, ct := range x.cts[0] {
		if err := x.encryptBlock(x.t.plain[0][b*x.slots:(b+1)*x.slots], pt, ct); err != nil {
			return err
		}
	}
	return nil
}

// filteredAdd multiplies without relinearising, adds, and relinearises every sum once.
func (x *reference) filteredAdd() error {
	return x.filtered(func(sum, a, b *rlwe.Ciphertext) error {
		if err := x.eval.Mul(a, b, x.product); err != nil {
			return err
		}
		return x.eval.Add(sum, x.product, sum)
	})
}

// filteredFused is filteredAdd by the evaluator's multiplication that adds.
func (x *reference) filteredFused() error {
	return x.filtered(func(sum, a, b *rlwe.Ciphertext) error { return x.eval.MulThenAdd(a, b, sum) })
}

// filtered goes over the measure once for all groups.
func (x *reference) filtered(add func(sum, a, b *rlwe.Ciphertext) error) error {
	for b, measure := range x.cts[0] {
		for g, sum := range x.sums {
			var err error
			if ind := x.cts[1+g][b]; b == 0 {
				err = x.eval.Mul(measure, ind, sum)
			} else {
				err = add(sum, measure, ind)
			}
			if err != nil {
				return err
			}
		}
	}
	for g, sum := range x.sums {
		out, err := x.eval.RelinearizeNew(sum)
		if err != nil {
			return err
		}
		if err := x.check(out, x.t.sums[g]); err != nil {
			return err
		}
	}
	return nil
}

func (x *reference) sumAll() error {
	sum := x.cts[0][0].CopyNew()
	for _, ct := range x.cts[0][1:] {
		if err := x.eval.Add(sum, ct, sum); err != nil {
			return err
		}
	}
	return x.check(sum, x.t.total)
}

// check decrypts and adds the slots up, modulo the plaintext modulus.
func (x *reference) check(ct *rlwe.Ciphertext, want int64) error {
	slots := make([]uint64, x.slots)
	if err := x.encoder.Decode(x.dec.DecryptNew(ct), slots); err != nil {
		return err
	}
	sum, t := new(big.Int), new(big.Int).SetUint64(x.params.PlaintextModulus())
	for _, v := range slots {
		sum.Add(sum, new(big.Int).SetUint64(v))
	}
	if have := sum.Mod(sum, t).Int64(); have != want {
		return fmt.Errorf("the sum is %d, want %d", have, want)
	}
	return nil
}
