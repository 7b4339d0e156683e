package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/cells"
	"github.com/carnet-network/carnet/pkg/ingest"
	"github.com/carnet-network/carnet/pkg/schema"
)

// table is inputs that were read into the shape of their schema.
type table struct {
	*ingest.Table
	encoding *schema.Encoding
	census   *cells.Census // nil unless it was asked for
}

// loadTable reads every input. Faults of single rows are collected, not returned. Every row
// that is taken is counted in the census, unless that is nil.
func (a *app) loadTable(s *schema.Schema, layout carnet.Layout, inputs []string, census *cells.Census) (*table, error) {
	enc, err := s.Encode(layout)
	if err != nil {
		return nil, err
	}
	opt := ingest.Options{}
	if census != nil {
		opt.Row = census.Add
	}
	t, err := ingest.Load(a.ctx, enc, opt, inputs...)
	if err != nil {
		return nil, err
	}
	return &table{t, enc, census}, nil
}

// clipping tells which values were changed, since that changes answers.
func (t *table) clipping(a *app) {
	for _, m := range slices.Sorted(maps.Keys(t.Clipped)) {
		a.printf("clipped: %s of %s outside its bounds\n", plural(int(t.Clipped[m]), "value"), m)
	}
}

func partitionText(p map[string]string) string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(p)) {
		out = append(out, fmt.Sprintf("%s=%s", k, p[k]))
	}
	return strings.Join(out, " ")
}
