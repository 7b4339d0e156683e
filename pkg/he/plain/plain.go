// Package plain is the scheme without encryption: the twin that tests compare
// everything with.
//
// It evaluates a functional on the plaintext values of blocks, modulo the
// plaintext modulus. Encrypting the same values, scanning and opening must give the
// same number.
package plain

import (
	"math/bits"

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
	return e.sum, nil
}

type evaluator struct {
	p   *he.Profile
	src Columns
	sum uint64
}

func (e *evaluator) add(v uint64) { e.sum = (e.sum + v) % e.p.T() } // both below 2^60

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
				e.add(v)
			}
			continue
		}
		for len(cells) > 0 && cells[0]/n == b {
			if i := int(cells[0] % n); i < len(vs) {
				e.add(vs[i])
			}
			cells = cells[1:]
		}
	}
	return nil
}

func (e *evaluator) product(t *functional.Product) error {
	if e.p.MaxDegree() < 2 {
		return carnet.E(carnet.Invalid, "BAD_FUNCTIONAL", "profile %s has no products", e.p.Name())
	}
	mod := e.p.T()
	for b := range t.Blocks {
		x, err := e.factor(t.File, t.A, b)
		if err != nil {
			return err
		}
		y, err := e.factor(t.File, t.B, b)
		if err != nil {
			return err
		}
		for i := range x {
			hi, lo := bits.Mul64(x[i], y[i])
			_, r := bits.Div64(hi, lo, mod) // hi < mod because both are below mod
			e.add(r)
		}
	}
	return nil
}

// factor returns the sum of the columns in one block, slot by slot.
func (e *evaluator) factor(file carnet.Nonce, columns []uint32, block uint32) ([]uint64, error) {
	sum := make([]uint64, e.p.N())
	for _, c := range columns {
		vs, err := e.src.Values(he.BlockID{File: file, Column: c, Block: block})
		if err != nil {
			return nil, err
		}
		for i, v := range vs {
			sum[i] = (sum[i] + v) % e.p.T()
		}
	}
	return sum, nil
}
