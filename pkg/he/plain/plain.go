// Package plain is the scheme without encryption: the twin that tests compare
// everything with.
//
// It evaluates a functional on the plaintext values of blocks, modulo the
// plaintext modulus. Encrypting the same values, scanning and opening must give the
// same number.
package plain

import (
	"math/bits"
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/he"
)

// Columns holds plaintext blocks.
type Columns interface {
	// Values returns at most N values below T; missing ones are zero.
	Values(id he.BlockID) ([]uint64, error)
}

// Eval returns the value the functional opens to, modulo T. See he.Centre for its
// signed reading.
func Eval(p *he.Profile, f *functional.Functional, src Columns) (uint64, error) {
	if err := f.Validate(p.N()); err != nil {
		return 0, err
	}
	e := evaluator{p, src, 0}
	for i := range f.Keys {
		k := &f.Keys[i]
		for j := range k.Linear {
			if err := e.linear(&k.Linear[j]); err != nil {
				return 0, err
			}
		}
		for j := range k.Products {
			if err := e.product(&k.Products[j]); err != nil {
				return 0, err
			}
		}
	}
	for i := range f.Cross {
		if err := e.cross(&f.Cross[i]); err != nil {
			return 0, err
		}
	}
	return e.sum, nil
}

// cross adds the sum of the products of two files' factors, row by row.
func (e *evaluator) cross(t *functional.Cross) error {
	if e.p.MaxDegree() < 2 || e.p.Encoding() != he.Slots {
		return carnet.E(carnet.Invalid, "BAD_FUNCTIONAL", "profile %s has no products across keys", e.p.Name())
	}
	for b := range t.Blocks {
		x, err := e.factor(t.Left.File, &t.Left.Factor, b)
		if err != nil {
			return err
		}
		y, err := e.factor(t.Right.File, &t.Right.Factor, b)
		if err != nil {
			return err
		}
		for i := range x {
			hi, lo := bits.Mul64(x[i], y[i])
			_, v := bits.Div64(hi, lo, e.p.T())
			for range max(t.Weight, -t.Weight) {
				e.add(v, t.Weight < 0)
			}
		}
	}
	return nil
}

type evaluator struct {
	p   *he.Profile
	src Columns
	sum uint64
}

// add adds v, or subtracts it; both are below T, which is below 2^60.
func (e *evaluator) add(v uint64, minus bool) {
	if minus {
		v = e.p.T() - v
	}
	e.sum = (e.sum + v) % e.p.T()
}

func (e *evaluator) linear(t *functional.Linear) error {
	if (t.Cells != nil) != (e.p.Encoding() == he.Coefficients) {
		return carnet.E(carnet.Invalid, "BAD_FUNCTIONAL", "cells are chosen in coefficient encoding, and only there")
	}
	n := uint32(e.p.N())
	cells := t.Cells
	for b := range t.Blocks {
		vs, err := e.src.Values(he.BlockID{File: t.File, Column: t.Column, Block: b})
		if err != nil {
			return err
		}
		if t.Cells == nil {
			for _, v := range vs {
				e.add(v, t.Minus)
			}
			continue
		}
		for len(cells) > 0 && cells[0]/n == b {
			if i := int(cells[0] % n); i < len(vs) {
				e.add(vs[i], t.Minus)
			}
			cells = cells[1:]
		}
	}
	return nil
}

func (e *evaluator) product(t *functional.Product) error {
	if d := len(t.Factors); e.p.MaxDegree() < d {
		return carnet.E(carnet.Invalid, "BAD_FUNCTIONAL", "profile %s has no products of %d columns", e.p.Name(), d)
	}
	mod := e.p.T()
	for b := range t.Blocks {
		product, err := e.factor(t.File, &t.Factors[0], b)
		if err != nil {
			return err
		}
		for m := 1; m < len(t.Factors); m++ {
			next, err := e.factor(t.File, &t.Factors[m], b)
			if err != nil {
				return err
			}
			for i := range product {
				hi, lo := bits.Mul64(product[i], next[i])
				_, product[i] = bits.Div64(hi, lo, mod) // hi < mod because both are below mod
			}
		}
		for _, v := range product {
			e.add(v, false)
		}
	}
	return nil
}

// factor returns the factor's value in one block, slot by slot.
func (e *evaluator) factor(file carnet.Nonce, f *functional.Factor, block uint32) ([]uint64, error) {
	sum := make([]uint64, e.p.N())
	for _, c := range slices.Concat(f.Plus, f.Minus) {
		vs, err := e.src.Values(he.BlockID{File: file, Column: c, Block: block})
		if err != nil {
			return nil, err
		}
		minus := slices.Contains(f.Minus, c)
		for i, v := range vs {
			if minus {
				v = e.p.T() - v
			}
			sum[i] = (sum[i] + v) % e.p.T()
		}
	}
	return sum, nil
}
