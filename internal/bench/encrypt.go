package main

import (
	"context"

	"github.com/carnet-network/carnet/pkg/he"
)

// encryptFigure is what an owner's machine does for every value: encode and encrypt.
func encryptFigure(ctx context.Context, b *bench, r *Report) error {
	t, err := newTable("records", b.groupBlocks, 0)
	if err != nil {
		return err
	}
	same, err := sameRing(t)
	if err != nil {
		return err
	}
	lat, err := newReference(t, same)
	if err != nil {
		return err
	}
	e, c0 := he.NewEncryptor(t.r, t.seed, t.key), t.r.NewPoly()
	blocks := make([][]uint64, t.blocks)
	for i := range blocks {
		blocks[i] = t.values(0, i)
	}
	const work = "encode and encrypt"
	rows, err := b.race(ctx, r, work, "M values/s",
		task{"Lattigo's secret-key encryptor", 1, t.rows() / 1e6, lat.encrypt},
		task{"Carnet", 1, t.rows() / 1e6, func() error {
			for i, values := range blocks {
				if err := e.EncryptBlock(t.id(0, i), values, c0); err != nil {
					return err
				}
			}
			return nil
		}})
	if err != nil {
		return err
	}
	r.atLeast(work+", per core", "1.5 times Lattigo's secret-key encryptor", 1.5, rows[1].Ratio)
	return nil
}
