package sample

import (
	"encoding/csv"
	"fmt"
	"io"
	"iter"
	"math/big"
	"strconv"

	"github.com/carnet-network/carnet/pkg/schema"
)

// Bounds of the values made, as in the schemas of examples/customs.
const (
	MaxValue  = 1_000_000_000 // cents
	MinValue  = -100_000_000  // cents; refunds are negative
	MaxWeight = 5_000_000     // kilograms
)

// Declaration is one line of a customs declaration.
type Declaration struct {
	Number    string // unique within jurisdiction and seed
	Year      int    // 2024 or 2025
	Month     int    // 1..12
	Section   string // HS section, "01".."21"
	Chapter   string // HS chapter, "01".."97" without "77"
	Partner   string // ISO 3166-1 alpha-2 country code; "" if not stated, about 1 in 200
	Trader    string // an invented name
	Value     int64  // cents of a US dollar; negative for refunds, about 1 in 250
	Weight    int64  // kilograms
	HasWeight bool   // false for about 8 in 100
}

// Generate yields rows declarations. Jurisdictions are ISO country codes; KZ, UZ, CN
// and a few others have trade patterns of their own, all others a common one. The
// result depends on the arguments only.
func Generate(seed uint64, jurisdiction string, rows int64) iter.Seq[Declaration] {
	return func(yield func(Declaration) bool) {
		g := newGenerator(seed, jurisdiction)
		for i := range rows {
			if !yield(g.next(i + 1)) {
				return
			}
		}
	}
}

type generator struct {
	*random
	jurisdiction string
	sections     []int64
	partners     []int64
}

func newGenerator(seed uint64, jurisdiction string) *generator {
	g := &generator{random: newRandom(seed, "carnet/sample/"+jurisdiction), jurisdiction: jurisdiction}
	for _, s := range sections {
		g.sections = append(g.sections, s.weight*max(1, leanings[jurisdiction][s.code]))
	}
	weights, ok := ties[jurisdiction]
	if !ok {
		weights = ties[""]
	}
	for i, w := range weights {
		if partners[i] == jurisdiction {
			w = 0
		}
		g.partners = append(g.partners, w)
	}
	return g
}

func (g *generator) next(number int64) Declaration {
	s := &sections[g.pick(g.sections)]
	d := Declaration{Section: s.code, Year: 2024 + int(min(1, g.below(1000)/480)), HasWeight: true}
	d.Number = fmt.Sprintf("%s-%d-%07d", g.jurisdiction, d.Year, number)
	chapter := g.chapter(s)
	d.Chapter = fmt.Sprintf("%02d", chapter)
	crops := 0
	if s.harvest {
		crops = 1
	}
	d.Month = 1 + g.pick(seasons[crops][:])
	if !g.chance(5) {
		d.Partner = partners[g.pick(g.partners)]
	}
	d.Trader = g.trader()
	d.Value, d.Weight = g.amounts(s, chapter)
	switch {
	case g.chance(4):
		d.Value, d.Weight, d.HasWeight = max(MinValue, -d.Value/4), 0, false
	case g.chance(77):
		d.Weight, d.HasWeight = 0, false
	}
	return d
}

// chapter prefers the first chapters of a section; there is no chapter 77.
func (g *generator) chapter(s *section) int {
	n := uint64(s.last - s.first + 1)
	c := s.first + int(min(g.below(n), g.below(n)))
	if c == 77 {
		return 76
	}
	return c
}

// amounts draws a value with a lognormal heavy tail, and a weight that fits it. The
// chapter moves median and price a little, so that chapters differ.
func (g *generator) amounts(s *section, chapter int) (value, weight int64) {
	const one = 1 << 16
	shift := int64(chapter*37%11-5) * one / 8
	exponent := s.median*one/8 + shift + g.normal()*19/10
	value = min(MaxValue, power(min(max(exponent, 6*one), 40*one)))
	price := max(1, power(10*one+shift+g.normal()/2)*s.price>>10)
	return value, min(MaxWeight, max(1, value/price))
}

func (g *generator) trader() string {
	first, second := tradeNames[0], tradeNames[1]
	n := min(g.below(2000), g.below(2000), g.below(2000)) // few large ones, many small ones
	return first[n%uint64(len(first))] + " " + second[n/7%uint64(len(second))] + " " + strconv.FormatUint(100+n, 10)
}

// Header is the first line of the CSV form. Names are those of the schemas in
// examples/customs.
var Header = []string{"number", "year", "month", "section", "chapter", "partner", "trader", "value", "weight"}

// Record returns the fields of the CSV form; what is missing is empty.
func (d *Declaration) Record() []string {
	weight := ""
	if d.HasWeight {
		weight = strconv.FormatInt(d.Weight, 10)
	}
	return []string{d.Number, strconv.Itoa(d.Year), fmt.Sprintf("%02d", d.Month), d.Section, d.Chapter, d.Partner, d.Trader,
		schema.FormatDecimal(big.NewInt(d.Value), 2), weight}
}

// WriteCSV writes a header and the declarations.
func WriteCSV(w io.Writer, declarations iter.Seq[Declaration]) error {
	c := csv.NewWriter(w)
	if err := c.Write(Header); err != nil {
		return fmt.Errorf("write sample: %w", err)
	}
	for d := range declarations {
		if err := c.Write(d.Record()); err != nil {
			return fmt.Errorf("write sample: %w", err)
		}
	}
	c.Flush()
	if err := c.Error(); err != nil {
		return fmt.Errorf("write sample: %w", err)
	}
	return nil
}
