package main

import (
	"bytes"
	"context"
	"errors"
)

// readBandwidth measures how fast one core reads memory: a search for a byte that is
// not there, which the standard library does with the widest registers, and a plain sum
// of words; the faster counts.
func (b *bench) readBandwidth(ctx context.Context, r *Report) (gbPerSecond float64, err error) {
	words := make([]uint64, b.buffer/8)
	buf := make([]byte, b.buffer)
	for i := range words {
		words[i] = uint64(i)
	}
	for i := range buf {
		buf[i] = 1
	}
	gb := float64(b.buffer) / 1e9
	rows, err := b.race(ctx, r, "reading memory", "GB/s",
		task{"searching bytes", 1, gb, func() error {
			if bytes.IndexByte(buf, 0) >= 0 {
				return errors.New("found a byte that is not there")
			}
			return nil
		}},
		task{"adding words", 1, gb, func() error {
			n := uint64(len(words))
			if sumWords(words) != n*(n-1)/2 {
				return errors.New("the sum of words is wrong")
			}
			return nil
		}})
	if err != nil {
		return 0, err
	}
	return best(rows...).Value, nil
}

func sumWords(w []uint64) uint64 {
	var a, b, c, d, e, f, g, h uint64
	for ; len(w) >= 8; w = w[8:] {
		a, b, c, d = a+w[0], b+w[1], c+w[2], d+w[3]
		e, f, g, h = e+w[4], f+w[5], g+w[6], h+w[7]
	}
	for _, v := range w {
		a += v
	}
	return a + b + c + d + e + f + g + h
}
