package main

import (
	"context"
	"fmt"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/columnfile"
	"github.com/carnet-network/carnet/pkg/he"
)

// bytesFigure counts what a value takes, in memory and packed as it is sent and
// stored, headers and hashes of the file included.
func bytesFigure(_ context.Context, b *bench, r *Report) error {
	for _, p := range he.Profiles() {
		f, err := columnfile.NewFile(p, carnet.Nonce{1}, 1, b.blocks)
		if err != nil {
			return err
		}
		values := float64(b.blocks * p.N())
		plain, packed := float64(f.Size(0, columnfile.Raw))/values, float64(f.Size(0, columnfile.Packed))/values
		work := "bytes per value, profile " + p.Name()
		r.row(Row{Work: work, How: "to compute with", Value: plain, Unit: "bytes"})
		r.row(Row{Work: work, How: "sent and stored", Value: packed, Unit: "bytes"})
		if p.Name() == "records" {
			words := float64(f.PackedBytes(0)*f.Pieces(0)*p.Limbs()) / float64(f.ChunkBlocks(0)*p.N())
			r.Goals = append(r.Goals, Goal{"bytes per value sent and stored, packed", "at most 27.5",
				fmt.Sprintf("%.2f, with headers and hashes %.2f", words, packed), yesNo(words <= 27.5)})
		}
	}
	return nil
}
