package schema

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/carnet-network/carnet/pkg/carnet"
)

const (
	maxNulls   = 20
	maxLayouts = 2
)

// Validate checks everything that can be wrong with a schema, including that each of
// its layouts can be encoded. The error is of kind Invalid and reason BAD_SCHEMA; its
// violations name the places, such as "dimensions[0].codes[3].value".
func (s *Schema) Validate() error {
	problems := s.check()
	if len(problems) == 0 {
		problems = s.checkLayouts()
	}
	if len(problems) > 0 {
		return badSchema(problems, nil)
	}
	return nil
}

// checkLayouts reports the layouts that can't be encoded.
func (s *Schema) checkLayouts() []problem {
	var c checker
	for i, l := range s.Layouts {
		among, err := s.candidates(l)
		if err == nil {
			_, err = s.encode(l, among)
		}
		if err == nil {
			continue
		}
		msg := err.Error()
		var e *carnet.Error
		if errors.As(err, &e) && e.Remedy != "" {
			msg += "; " + e.Remedy
		}
		c.add(fmt.Sprintf("layouts[%d]", i), "%s", msg)
	}
	return c.problems
}

// check reports everything but what checkLayouts does.
func (s *Schema) check() []problem {
	c := &checker{}
	switch {
	case s.Name == "":
		c.add("name", "the name is missing")
	case !carnet.ValidName(s.Name):
		c.add("name", "%s is not a schema name; use lower-case letters, digits, '.', '_' and '-', at most 63, as in %s", quote(s.Name), quote(fixName(s.Name)))
	}
	if s.Version < 1 || s.Version > 1_000_000 {
		c.add("version", "the version is %d; use 1 for the first and count up with every change", s.Version)
	}
	c.text("title", s.Title, 200)
	c.text("description", s.Description, 4000)
	c.text("unit", s.Unit, 200)
	s.checkNulls(c)
	s.checkLimits(c)
	if len(s.Dimensions)+len(s.Measures) == 0 {
		c.add("dimensions", "there is neither a dimension nor a measure; add at least one")
	}
	c.most("dimensions", len(s.Dimensions), MaxDimensions)
	c.most("inputs", len(s.Inputs), MaxInputs)
	c.most("measures", len(s.Measures), MaxMeasures)
	c.most("partitions", len(s.Partitions), MaxPartitions)
	if len(s.Dimensions) > MaxDimensions || len(s.Inputs) > MaxInputs || len(s.Measures) > MaxMeasures || len(s.Partitions) > MaxPartitions {
		return c.problems
	}
	seen := map[string]string{}
	for i := range s.Dimensions {
		s.checkDimension(c, i, seen)
	}
	for i := range s.Inputs {
		s.checkInput(c, i, seen)
	}
	for i := range s.Measures {
		s.checkMeasure(c, i, seen)
	}
	for i := range s.Dimensions {
		s.checkBuckets(c, i)
	}
	for i := range s.Partitions {
		s.checkPartition(c, i, seen)
	}
	s.checkProducts(c)
	s.checkEncodings(c)
	if len(c.problems) == 0 {
		if b, err := json.Marshal(s); err != nil || len(b) > MaxBytes {
			c.add("dimensions", "the schema takes %d bytes as JSON, the limit is %d; shorten labels or code lists", len(b), MaxBytes)
		}
	}
	return c.problems
}

func (s *Schema) checkLimits(c *checker) {
	l := s.Limits
	if l.Rows == 0 {
		c.add("limits.rows", "limits.rows is missing or 0; write the largest number of rows of one dataset, up to %d", MaxRows)
	} else if l.Rows < 1 || l.Rows > MaxRows {
		c.add("limits.rows", "the limit on rows of a dataset is %d; use 1 to %d", l.Rows, MaxRows)
	}
	if l.Datasets == 0 {
		c.add("limits.datasets", "limits.datasets is missing or 0; write how many datasets a product may combine, up to %d", MaxDatasets)
	} else if l.Datasets < 1 || l.Datasets > MaxDatasets {
		c.add("limits.datasets", "the limit on datasets of a product is %d; use 1 to %d", l.Datasets, MaxDatasets)
	} else if l.Rows >= 1 && l.Rows <= MaxRows && s.MaxRowsTotal() > MaxTotal {
		c.add("limits.datasets", "%d rows x %d datasets are %d, the limit is %d; lower one of them", l.Rows, l.Datasets, s.MaxRowsTotal(), MaxTotal)
	}
	if len(s.Layouts) == 0 {
		c.add("layouts", "no layout is listed; use cube, records or both")
	}
	c.most("layouts", len(s.Layouts), maxLayouts)
	for i, l := range s.Layouts[:min(len(s.Layouts), maxLayouts)] {
		at := fmt.Sprintf("layouts[%d]", i)
		if l != carnet.LayoutCube && l != carnet.LayoutRecords {
			c.add(at, "unknown layout %s%s", quote(string(l)), didYouMean(string(l), []string{"cube", "records"}))
		} else if slices.Contains(s.Layouts[:i], l) {
			c.add(at, "the layout %s is listed twice; remove one", l)
		}
	}
}

func (s *Schema) checkNulls(c *checker) {
	c.most("nulls", len(s.Nulls), maxNulls)
	for i, n := range s.Nulls[:min(len(s.Nulls), maxNulls)] {
		at := fmt.Sprintf("nulls[%d]", i)
		c.token(at, "spelling of NULL", n)
		if slices.Contains(s.Nulls[:i], n) {
			c.add(at, "%s is listed twice; remove one", quote(n))
		}
	}
}

// isNull reports whether a field, freed of surrounding spaces, stands for NULL.
func (s *Schema) isNull(field string) bool {
	return field == "" || slices.Contains(s.Nulls, field)
}

func (c *checker) most(path string, have, limit int) {
	if have > limit {
		c.add(path, "there are %d %s, the limit is %d", have, path, limit)
	}
}

// column checks the name of a column and that it is the only one.
func (c *checker) column(path, what, name string, seen map[string]string) {
	at := path + ".name"
	if msg := checkName(name); msg != "" {
		c.add(at, "%s", msg)
		return
	}
	if first, ok := seen[name]; ok {
		c.add(at, "the name %s is used twice, first for %s; rename one", quote(name), first)
		return
	}
	seen[name] = what
}

// text checks a title or description: printable, of bounded length.
func (c *checker) text(path, s string, limit int) {
	if n := utf8.RuneCountInString(s); n > limit {
		c.add(path, "the text has %d characters, the limit is %d; shorten it", n, limit)
	}
	if !printable(s, true) {
		c.add(path, "the text contains control characters or is not UTF-8; remove them")
	}
}

// token checks a code value, a header or a spelling of NULL.
func (c *checker) token(path, what, s string) {
	switch {
	case s == "":
		c.add(path, "a %s is empty; an empty field always is NULL", what)
	case len(s) > 64:
		c.add(path, "the %s %s has %d bytes, the limit is 64; shorten it", what, quote(s), len(s))
	case !printable(s, false):
		c.add(path, "the %s %s contains control characters or is not UTF-8; remove them", what, quote(s))
	case strings.TrimSpace(s) != s:
		c.add(path, "the %s %s begins or ends with a space; write %s, spaces around a field are ignored", what, quote(s), quote(strings.TrimSpace(s)))
	}
}

func printable(s string, lines bool) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		switch {
		case lines && (r == '\n' || r == '\t'):
		case unicode.IsControl(r), r == utf8.RuneError, r == '\ufeff':
			return false
		}
	}
	return true
}
