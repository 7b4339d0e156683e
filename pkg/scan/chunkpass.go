package scan

import "github.com/carnet-network/carnet/pkg/he"

// chunkPass is what is the same for all limbs of a chunk.
type chunkPass struct {
	f         *filePass
	chunk     int
	rows      int
	expansion []*he.ColumnExpansion          // by column
	wide      map[uint32]*he.ColumnExpansion // by column number: those of wide factors
	turns     []turn                         // by term
}

// turn is what a chunk's term means for the sums of its member.
type turn struct {
	begin   bool // it is the first that adds to them
	relieve bool // they might overflow with it
	end     bool // it is the last
}

func (r *runner) open(p *pass, s *step) *chunkPass {
	first, g := chunkOf(s.f.blocks, uint32(s.chunk))
	c := &chunkPass{f: s.f, chunk: s.chunk, rows: g, wide: map[uint32]*he.ColumnExpansion{}}
	expand := func(column uint32) *he.ColumnExpansion {
		return r.r.ExpandColumn(p.key, he.BlockID{File: s.f.file, Column: column, Block: first}, g)
	}
	for i := range s.f.wide {
		for _, column := range s.f.wide[i].columns {
			if c.wide[column] == nil {
				c.wide[column] = expand(column)
			}
		}
	}
	for _, column := range s.f.columns {
		c.expansion = append(c.expansion, expand(column))
	}
	for i := range s.f.terms {
		t := &s.f.terms[i]
		c.turns = append(c.turns, r.members[t.member].turn(g*t.products(), r.limit))
	}
	return c
}
