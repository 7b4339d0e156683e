package schema

import (
	"crypto/sha256"
	"encoding/binary"
	"math/big"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// Digest goes once over all columns. It checks that every value lies within its
// column's Min and Max and every total within what the number of rows allows, and
// returns a SHA-256 over schema, layout, profile, partition and every value.
//
// A client keeps the digest beside a nonce and refuses to resume an upload under that
// nonce with another one: two plaintexts under one nonce reveal their difference. The
// digest is a fingerprint of secret data and must not leave the owner's machine.
//
// The error ENCODING_OUT_OF_BOUNDS means a fault of this program, not of the data.
func (b *Builder) Digest() (carnet.Hash, error) {
	e := b.enc
	u64 := func(v uint64) []byte { return binary.BigEndian.AppendUint64(nil, v) }
	id := e.schema.Hash()
	fields := [][]byte{id[:], []byte(e.Layout), []byte(e.Profile), u64(e.T), u64(uint64(e.N)), u64(uint64(len(b.partition)))}
	for _, p := range b.partition {
		fields = append(fields, []byte(p))
	}
	fields = append(fields, u64(uint64(b.rows)), u64(uint64(len(e.Columns))), u64(uint64(b.Blocks())))
	values, buf := make([]uint64, e.N), make([]byte, 8*e.N)
	for i := range e.Columns {
		h, err := b.hashColumn(i, values, buf)
		if err != nil {
			return carnet.Hash{}, err
		}
		fields = append(fields, h[:])
	}
	return carnet.Digest("carnet/plain/1", fields...), nil
}

func (b *Builder) hashColumn(i int, values []uint64, buf []byte) (sum carnet.Hash, err error) {
	c := &b.enc.Columns[i]
	lo, hi := c.Min.Int64(), c.Max.Int64() // both are below T/2
	h := sha256.New()
	var total int128
	for block := range b.Blocks() {
		b.fill(i, block, values)
		for j, v := range values {
			if s := int64(v); s < lo || s > hi {
				return sum, outOfBounds(c, "a value")
			}
			total = total.add(int128From(int64(v)))
			binary.LittleEndian.PutUint64(buf[8*j:], v)
		}
		h.Write(buf)
	}
	least, most := b.enc.SumBounds(*c, b.rows)
	if t := total.big(); outside(t, least, most) || outside(t, c.TotalMin, c.TotalMax) {
		return sum, outOfBounds(c, "the total")
	}
	return carnet.Hash(h.Sum(nil)), nil
}

func outside(v, lo, hi *big.Int) bool { return v.Cmp(lo) < 0 || v.Cmp(hi) > 0 }

func outOfBounds(c *Column, what string) error {
	return carnet.E(carnet.Internal, "ENCODING_OUT_OF_BOUNDS", "%s of column %s is outside its bounds", what, c.Name).
		Fix("do not publish this file; report the schema, without the data")
}
