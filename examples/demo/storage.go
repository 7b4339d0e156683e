package main

import (
	"bytes"
	"encoding/binary"
	"encoding/csv"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
)

// needle is something of the plaintext to look for.
type needle struct {
	what string
	find []byte
}

// storage looks for the owners' plaintext in everything the gateway stored: names,
// amounts as text, and amounts as numbers in both byte orders. The same search over
// the owners' own files shows that it finds what is there.
func (d *demo) storage() error {
	needles, err := d.needles()
	if err != nil {
		return err
	}
	control := make([]int, len(needles))
	for _, o := range d.owners {
		data, err := os.ReadFile(o.csv)
		if err != nil {
			return err
		}
		for i, n := range needles {
			control[i] += bytes.Count(data, n.find)
		}
	}
	var files int
	var size int64
	found := map[string]string{}
	var largest []byte
	err = filepath.WalkDir(d.storageDir(), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files, size = files+1, size+int64(len(data))
		for _, n := range needles {
			if bytes.Contains(data, n.find) {
				found[n.what] = path
			}
		}
		if strings.Contains(path, "block") || len(data)%(1<<17) == 0 && len(data) > len(largest) {
			largest = data
		}
		return d.ctx.Err()
	})
	if err != nil {
		return err
	}
	texts := 0
	for _, c := range control {
		if c > 0 {
			texts++
		}
	}
	fmt.Printf("%d files, %s. Looked for %d pieces of plaintext: traders' names, amounts as text,\n", files, megabytes(size), len(needles))
	fmt.Printf("amounts as 8-byte numbers in both byte orders.\n")
	fmt.Printf("  in the owners' files: %d of them, as expected (the others are binary forms)\n", texts)
	fmt.Printf("  at the gateway:       %d\n", len(found))
	for what, path := range found {
		fmt.Printf("  ✗ %s in %s\n", what, path)
	}
	d.cells, d.different = d.cells+len(needles), d.different+len(found)
	clear, err := os.ReadFile(d.owners[0].csv)
	if err != nil {
		return err
	}
	fmt.Printf("Entropy: %.3f bits a byte in a stored block (the low 6 bytes of every residue), %.3f in the owner's CSV.\n",
		entropy(lowBytes(largest)), entropy(clear))
	return nil
}

// needles picks pieces of every owner's rows that do not occur by chance: names, and
// large amounts.
func (d *demo) needles() ([]needle, error) {
	var out []needle
	for _, o := range d.owners {
		f, err := os.Open(o.csv)
		if err != nil {
			return nil, err
		}
		r := csv.NewReader(f)
		rows, err := r.ReadAll()
		f.Close()
		if err != nil {
			return nil, err
		}
		names, amounts := 0, 0
		for _, row := range rows[1:] {
			for i, h := range rows[0] {
				switch {
				case h == "trader" && names < 20 && len(row[i]) >= 6:
					names++
					out = append(out, needle{"name " + row[i], []byte(row[i])})
				case h == "value" && amounts < 20:
					v, err := cents(row[i])
					if err != nil {
						return nil, err
					}
					if v < 1<<26 {
						continue
					}
					amounts++
					out = append(out, needle{"amount " + row[i], []byte(row[i])},
						needle{"amount, little-endian", binary.LittleEndian.AppendUint64(nil, uint64(v))},
						needle{"amount, big-endian", binary.BigEndian.AppendUint64(nil, uint64(v))})
				}
			}
			if names == 20 && amounts == 20 {
				break
			}
		}
	}
	return out, nil
}

// lowBytes leaves out the two high bytes of every 8-byte word: residues have 52 to 60
// bits, so that the high ones are partly zero by construction.
func lowBytes(block []byte) []byte {
	out := make([]byte, 0, len(block))
	for ; len(block) >= 8; block = block[8:] {
		out = append(out, block[:6]...)
	}
	return out
}

// entropy is Shannon's, of the byte frequencies; 8 is the most.
func entropy(data []byte) float64 {
	var n [256]float64
	for _, b := range data {
		n[b]++
	}
	var h float64
	for _, c := range n {
		if c > 0 {
			p := c / float64(len(data))
			h -= p * math.Log2(p)
		}
	}
	return h
}
