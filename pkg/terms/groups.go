package terms

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/cells"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/schema"
)

// Reasons of refusals by the groups of a dataset.
const (
	ReasonGroups     = "GROUPS_TOLD_APART"
	ReasonBadGroups  = "BAD_GROUPS"
	ReasonTooComplex = "SELECTION_TOO_COMPLEX"
)

// Grouped refuses a plan of which a number selects a part of a group that the owner of a
// dataset says is too small to be told apart. Every number is then a sum over whole
// combinations of groups, and so is whatever is computed from any number of them. All
// choices of a private parameter are judged. Keyholders check this whatever their policy is.
func Grouped(p *plan.Plan) []Refusal {
	g := &grouped{files: map[carnet.Nonce]*groupedFile{}, cut: map[*plan.Dataset]map[cells.Range]bool{}, done: map[groupedWeight][]cells.Range{}}
	for i := range p.Sources {
		s := &p.Sources[i]
		for j := range s.Datasets {
			d := &s.Datasets[j]
			if d.Manifest.Terms.MinGroup < 2 {
				continue
			}
			if r := g.add(d, s.Encoding.Schema()); r != nil {
				return []Refusal{*r}
			}
		}
	}
	if len(g.files) == 0 {
		return nil
	}
	reader := cells.NewReader()
	reader.Add(p)
	for i := range p.Openings {
		for _, f := range p.Openings[i].Functionals() {
			parts, err := reader.Read(f)
			if err != nil {
				return []Refusal{g.unread(err)}
			}
			for j := range parts {
				g.judge(&parts[j])
			}
		}
	}
	return g.refusals()
}

type grouped struct {
	files    map[carnet.Nonce]*groupedFile
	datasets []*plan.Dataset // that have groups, each once
	schemas  []*schema.Schema
	cut      map[*plan.Dataset]map[cells.Range]bool
	done     map[groupedWeight][]cells.Range
}

type groupedFile struct {
	dataset *plan.Dataset
	entry   *carnet.Groups
	groups  cells.Grouping
}

type groupedWeight struct {
	entry  *carnet.Groups
	space  *cells.Space
	weight cells.Weight
}

// add enters the groups of a dataset, or refuses it if they can't be read.
func (g *grouped) add(d *plan.Dataset, s *schema.Schema) *Refusal {
	m := &d.Manifest
	if slices.ContainsFunc(g.datasets, func(o *plan.Dataset) bool { return o.Hash == d.Hash }) {
		return nil
	}
	if err := cells.Check(m, s); err != nil {
		return &Refusal{m.Owner, m.ID, ReasonBadGroups, fmt.Sprintf("the terms of dataset %s ask for groups of at least %d, and its manifest does not say which they are", m.ID, m.Terms.MinGroup),
			fmt.Sprintf("ask %s to publish the dataset again, or leave it out", m.Owner)}
	}
	g.datasets, g.schemas = append(g.datasets, d), append(g.schemas, s)
	known := map[*carnet.Groups]cells.Grouping{}
	for i := range m.Files {
		entry := m.GroupsOf(i)
		if known[entry] == nil {
			known[entry] = cells.NewGrouping(entry, s)
		}
		g.files[m.Files[i].Nonce] = &groupedFile{d, entry, known[entry]}
	}
	return nil
}

// judge notes the groups that a part of a number cuts.
func (g *grouped) judge(part *cells.Part) {
	for side, nonce := range part.Place {
		f := g.files[nonce]
		if f == nil || side == 1 && nonce == (carnet.Nonce{}) {
			continue
		}
		key := groupedWeight{f.entry, part.Space, part.Weight}
		told, ok := g.done[key]
		if !ok {
			told = part.Space.Told(part.Weight, f.groups)
			g.done[key] = told
		}
		for _, r := range told {
			if g.cut[f.dataset] == nil {
				g.cut[f.dataset] = map[cells.Range]bool{}
			}
			g.cut[f.dataset][r] = true
		}
	}
}

func (g *grouped) unread(err error) Refusal {
	m := &g.datasets[0].Manifest
	r := Refusal{By: m.Owner, Dataset: m.ID, Reason: carnet.ReasonOf(err), Message: err.Error()}
	var e *carnet.Error
	if errors.As(err, &e) {
		r.Message, r.Remedy = e.Msg, e.Remedy
	}
	return r
}

// refusals are one for each dataset whose groups are cut, with what would pass.
func (g *grouped) refusals() (out []Refusal) {
	for i, d := range g.datasets {
		cut := make([]cells.Range, 0, len(g.cut[d]))
		for r := range g.cut[d] {
			cut = append(cut, r)
		}
		if len(cut) == 0 {
			continue
		}
		slices.SortFunc(cut, func(a, b cells.Range) int {
			if a.Dimension != b.Dimension {
				return a.Dimension - b.Dimension
			}
			return a.From - b.From
		})
		m, s := &d.Manifest, g.schemas[i]
		out = append(out, Refusal{m.Owner, m.ID, ReasonGroups,
			fmt.Sprintf("%s releases numbers of dataset %s over groups of at least %d, and this query tells apart %s", m.Owner, m.ID, m.Terms.MinGroup, named(cut, s)),
			remedy(cut, s)})
	}
	return out
}

// named says which codes are kept together, at most three groups of them.
func named(cut []cells.Range, s *schema.Schema) string {
	var list []string
	for i, r := range cut {
		if i == 3 {
			list = append(list, fmt.Sprintf("%d more groups", len(cut)-i))
			break
		}
		d := &s.Dimensions[r.Dimension]
		if r.To-r.From == d.Cardinality() {
			list = append(list, "codes of "+d.Name)
			continue
		}
		list = append(list, d.Name+" "+span(d, r))
	}
	return strings.Join(list, ", and ")
}

// span names a group: all codes of a small one, first and last of others.
func span(d *schema.Dimension, r cells.Range) string {
	name := func(i int) string {
		if i == len(d.Codes) {
			return "NULL"
		}
		return d.Codes[i].Value
	}
	if r.To-r.From > 4 {
		return fmt.Sprintf("%s to %s", name(r.From), name(r.To-1))
	}
	var list []string
	for i := r.From; i < r.To; i++ {
		list = append(list, name(i))
	}
	return strings.Join(list[:len(list)-1], ", ") + " and " + list[len(list)-1]
}

// remedy is the smallest change: what to select as one, dimension by dimension.
func remedy(cut []cells.Range, s *schema.Schema) string {
	var list []string
	whole := map[int]bool{}
	for _, r := range cut {
		d := &s.Dimensions[r.Dimension]
		switch {
		case r.To-r.From < d.Cardinality():
			if len(list) < 5 {
				list = append(list, fmt.Sprintf("select %s %s together, or none of them", d.Name, span(d, r)))
			}
		case !whole[r.Dimension]:
			whole[r.Dimension] = true
			list = append(list, fmt.Sprintf("leave %s out of GROUP BY and of conditions", d.Name))
		}
	}
	return strings.Join(list, "; ") + " (CASE in GROUP BY makes groups); carnet datasets --json lists all groups"
}
