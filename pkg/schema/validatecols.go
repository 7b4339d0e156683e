package schema

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

func (s *Schema) checkDimension(c *checker, i int, seen map[string]string) {
	d := &s.Dimensions[i]
	path := fmt.Sprintf("dimensions[%d]", i)
	c.column(path, "a dimension", d.Name, seen)
	c.text(path+".title", d.Title, 200)
	c.source(path, d.Source)
	if d.Prefix < 0 || d.Prefix > 64 {
		c.add(path+".prefix", "the prefix has %d characters; use 1 to 64", d.Prefix)
	}
	switch {
	case d.Prefix > 0 && d.Length:
		c.add(path+".length", "prefix and length exclude each other; keep one")
	case d.Prefix > 0 && d.Source == "":
		c.add(path+".prefix", "prefix needs a source; add the header of the column the prefix is taken from")
	case d.Length && d.Source == "":
		c.add(path+".length", "length needs a source; add the header of the column whose length is meant")
	}
	if len(d.Codes) == 0 {
		c.add(path+".codes", "dimension %s has no codes; list every value it can have", quote(d.Name))
	}
	if len(d.Codes) > MaxCodes {
		c.add(path+".codes", "dimension %s has %d codes, the limit is %d; use coarser codes", quote(d.Name), len(d.Codes), MaxCodes)
		return
	}
	first := make(map[string]int, len(d.Codes))
	for j, code := range d.Codes {
		at := fmt.Sprintf("%s.codes[%d]", path, j)
		c.token(at+".value", "code", code.Value)
		c.text(at+".label", code.Label, 200)
		if code.Value == "" {
			continue
		}
		if s.isNull(code.Value) {
			c.add(at+".value", "the code %s is a spelling of NULL; remove it here or from nulls", quote(code.Value))
		}
		if k, ok := first[code.Value]; ok {
			c.add(at+".value", "the code %s is listed twice, first as number %d; remove one", quote(code.Value), k+1)
			continue
		}
		first[code.Value] = j
	}
	c.dates(path, d)
}

// dateForms are the forms of codes of a date dimension.
var dateForms = []string{"2006-01-02", "2006-01", "2006"}

// dates checks that the codes of a date dimension are dates of one form.
func (c *checker) dates(path string, d *Dimension) {
	switch {
	case d.Type == "":
		return
	case d.Type != DateType:
		c.add(path+".type", "type can't be %s; use date for days, months or years, or leave it out", quote(d.Type))
		return
	case d.Ordered:
		c.add(path+".ordered", "dates are in the order of the calendar; remove ordered")
	}
	form := ""
	for j, code := range d.Codes {
		at := fmt.Sprintf("%s.codes[%d].value", path, j)
		i := slices.IndexFunc(dateForms, func(f string) bool { return len(f) == len(code.Value) })
		if i < 0 {
			c.add(at, "the code %s is not a date; write a day as 2024-01-31, a month as 2024-01 or a year as 2024", quote(code.Value))
			continue
		}
		if t, err := time.Parse(dateForms[i], code.Value); err != nil || t.Year() < 1 {
			c.add(at, "the code %s is not a date of the calendar", quote(code.Value))
			continue
		}
		if form == "" {
			form = dateForms[i]
		}
		if form != dateForms[i] {
			c.add(at, "the code %s is of another form than the first; list days, or months, or years", quote(code.Value))
		}
	}
}

func (s *Schema) checkMeasure(c *checker, i int, seen map[string]string) {
	m := &s.Measures[i]
	path := fmt.Sprintf("measures[%d]", i)
	c.column(path, "a measure", m.Name, seen)
	c.text(path+".title", m.Title, 200)
	c.text(path+".unit", m.Unit, 40)
	c.source(path, m.Source)
	if m.Scale < 0 || m.Scale > MaxScale {
		c.add(path+".scale", "the scale is %d; use 0 to %d, the number of digits after the point", m.Scale, MaxScale)
		return
	}
	if m.Outside != "" && m.Outside != Refuse && m.Outside != Clip {
		c.add(path+".outside", "outside can't be %s%s", quote(string(m.Outside)), didYouMean(string(m.Outside), []string{"refuse", "clip"}))
	}
	if m.Formula != "" && !s.checkFormula(c, i) {
		return
	}
	lo, okLo := c.bound(path+".min", "min", m.Min, m.Scale)
	hi, okHi := c.bound(path+".max", "max", m.Max, m.Scale)
	if !okLo || !okHi {
		return
	}
	switch {
	case lo > hi:
		c.add(path+".min", "min %s is above max %s; swap them", m.Min, m.Max)
	case lo == hi:
		c.add(path+".max", "min and max are both %s; a measure needs room, or leave it out and use COUNT(*)", m.Max)
	}
}

func (s *Schema) checkInput(c *checker, i int, seen map[string]string) {
	in := &s.Inputs[i]
	path := fmt.Sprintf("inputs[%d]", i)
	c.column(path, "an input", in.Name, seen)
	c.text(path+".title", in.Title, 200)
	c.source(path, in.Source)
	if in.Scale < 0 || in.Scale > MaxScale {
		c.add(path+".scale", "the scale is %d; use 0 to %d, the number of digits after the point", in.Scale, MaxScale)
		return
	}
	lo, okLo := c.bound(path+".min", "min", in.Min, in.Scale)
	hi, okHi := c.bound(path+".max", "max", in.Max, in.Scale)
	if okLo && okHi && lo > hi {
		c.add(path+".min", "min %s is above max %s; swap them", in.Min, in.Max)
	}
}

func (c *checker) bound(path, what, text string, scale int) (int64, bool) {
	if text == "" {
		c.add(path, "%s is missing; write the %s", what, map[string]string{"min": "smallest value allowed, as in \"min: 0\"", "max": "largest value allowed, as in \"max: 1000\""}[what])
		return 0, false
	}
	v, err := ParseDecimal(text, scale)
	if err != nil {
		var d *decimalError
		if errors.As(err, &d) {
			c.add(path, "%s %s", what, d.msg)
		}
		return 0, false
	}
	return v, true
}

// source checks an optional header name.
func (c *checker) source(path, s string) {
	if s != "" {
		c.token(path+".source", "header", s)
	}
}

// checkProducts checks the references between measures.
func (s *Schema) checkProducts(c *checker) {
	names := make([]string, len(s.Measures))
	for i := range s.Measures {
		names[i] = s.Measures[i].Name
	}
	type pair struct{ x, y int }
	seen := map[pair]bool{}
	for i := range s.Measures {
		path := fmt.Sprintf("measures[%d].products", i)
		c.most(path, len(s.Measures[i].Products), MaxMeasures)
		for k, other := range s.Measures[i].Products[:min(len(s.Measures[i].Products), MaxMeasures)] {
			at := fmt.Sprintf("%s[%d]", path, k)
			j := s.Measure(other)
			p := pair{min(i, j), max(i, j)}
			switch {
			case j < 0:
				c.add(at, "there is no measure %s%s", quote(other), didYouMean(other, slices.Delete(slices.Clone(names), i, i+1)))
			case j == i:
				c.add(at, "the product of %s with itself is declared by \"squares: true\"; move it there", quote(other))
			case seen[p]:
				c.add(at, "the product of %s and %s is declared twice; remove one", quote(names[i]), quote(other))
			default:
				seen[p] = true
			}
		}
	}
}

func (s *Schema) checkPartition(c *checker, i int, seen map[string]string) {
	p := &s.Partitions[i]
	path := fmt.Sprintf("partitions[%d]", i)
	c.column(path, "a partition", p.Name, seen)
	c.text(path+".title", p.Title, 200)
	c.source(path, p.Source)
	c.most(path+".values", len(p.Values), MaxFiles)
	for j, v := range p.Values[:min(len(p.Values), MaxFiles)] {
		at := fmt.Sprintf("%s.values[%d]", path, j)
		if msg := checkToken(v); msg != "" {
			c.add(at, "%s", msg)
		} else if slices.Contains(p.Values[:j], v) {
			c.add(at, "the value %s is listed twice; remove one", quote(v))
		}
	}
}
