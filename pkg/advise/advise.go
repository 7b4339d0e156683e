package advise

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/query"
	"github.com/carnet-network/carnet/pkg/schema"
	"github.com/carnet-network/carnet/pkg/share"
)

// Choice is one way to encode a schema.
type Choice struct {
	Schema     *schema.Schema `json:"-"` // in one layout, with the encodings written in
	Layout     carnet.Layout  `json:"layout"`
	Degree     int            `json:"degree"` // largest of a question
	Profile    string         `json:"profile"`
	Encodings  []string       `json:"encodings,omitempty"` // what differs from one-hot, for people
	AsWritten  bool           `json:"as_written"`          // the schema says so already
	Columns    int            `json:"columns"`
	Values     int64          `json:"values"`      // rows of the largest dataset, or cells
	Bytes      int            `json:"bytes"`       // ciphertext per row or cell, in memory
	PackedBits int            `json:"packed_bits"` // the same on the wire and in storage
	Outcomes   []Outcome      `json:"outcomes"`    // one for each question
}

// PackedTotal is the storage that the largest dataset takes, in bytes.
func (c *Choice) PackedTotal() int64 { return int64(c.PackedBits) * c.Values / 8 }

// Answers counts the questions that run.
func (c *Choice) Answers() int {
	n := 0
	for i := range c.Outcomes {
		if c.Outcomes[i].Refused == "" {
			n++
		}
	}
	return n
}

// time adds up the cost of all questions.
func (c *Choice) time() (sum float64) {
	for i := range c.Outcomes {
		sum += c.Outcomes[i].Cost
	}
	return sum
}

// Outcome is what a question takes under a choice.
type Outcome struct {
	Refused  string  `json:"refused,omitempty"` // reason; the rest is zero then
	Degree   int     `json:"degree,omitempty"`
	Openings int     `json:"openings,omitempty"`
	Cost     float64 `json:"cost,omitempty"`     // see Cost
	Releases int64   `json:"releases,omitempty"` // openings of a key that keyholders grant in all
}

// Report compares the choices for a schema.
type Report struct {
	Questions   []string  `json:"questions"`
	Choices     []*Choice `json:"choices"`
	Recommended int       `json:"recommended"` // index into Choices
	InRecords   int       `json:"in_records"`  // the best of the records layout; -1 if it can't hold the schema
}

// Compare works out what the questions take under every choice worth looking at, and
// recommends one: of those that answer the most questions, the one with the least
// storage squared times time. The schema is valid. Without questions it takes those of
// Questions. The table that questions are FROM is called t. The error is a
// *query.Refusal for a question that no encoding could make possible.
func Compare(s *schema.Schema, questions []string, committee share.Committee) (*Report, error) {
	if len(questions) == 0 {
		questions = Questions(s)
	}
	r := &Report{Questions: questions}
	refusals := make([]error, len(questions)) // about the question, whatever the encoding
	seen := map[carnet.Hash]*Choice{}
	for i, v := range variants(s) {
		if had, again := seen[v.Hash()]; again {
			had.AsWritten = had.AsWritten || i < len(s.Layouts)
			continue
		}
		c, err := choice(v, questions, committee, refusals)
		if err != nil {
			continue // this layout can't hold the schema, or not with these encodings
		}
		c.AsWritten = i < len(s.Layouts)
		seen[v.Hash()] = c
		r.Choices = append(r.Choices, c)
	}
	for i, err := range refusals {
		if err != nil && !slices.ContainsFunc(r.Choices, func(c *Choice) bool { return c.Outcomes[i].Refused == "" }) {
			return nil, err
		}
	}
	if len(r.Choices) == 0 { // no schema that passes Validate
		return nil, carnet.E(carnet.Invalid, "BAD_SCHEMA", "schema %s can't be encoded in any layout", s.ID()).Fix("run carnet schema lint")
	}
	r.Choices = worthwhile(r.Choices)
	r.InRecords = -1
	for i, c := range r.Choices {
		if better(c, r.Choices[r.Recommended]) {
			r.Recommended = i
		}
		if c.Layout == carnet.LayoutRecords && (r.InRecords < 0 || better(c, r.Choices[r.InRecords])) {
			r.InRecords = i
		}
	}
	return r, nil
}

// better compares the number of questions answered, then storage squared times time: half
// the storage makes up for four times the time, as storage is paid for all the time.
func better(x, y *Choice) bool {
	if a, b := x.Answers(), y.Answers(); a != b {
		return a > b
	}
	score := func(c *Choice) float64 { return float64(c.PackedTotal()) * float64(c.PackedTotal()) * c.time() }
	return score(x) < score(y)
}

// worthwhile keeps what the schema says, the plain encodings, and of the rest the best
// of each layout and degree; in order of layout, degree and storage.
func worthwhile(list []*Choice) []*Choice {
	best := map[int]*Choice{}
	for _, c := range list {
		if had := best[c.Degree]; had == nil || better(c, had) {
			best[c.Degree] = c
		}
	}
	var out []*Choice
	for _, c := range list {
		if c.AsWritten || len(c.Encodings) == 0 || best[c.Degree] == c {
			out = append(out, c)
		}
	}
	slices.SortStableFunc(out, func(a, b *Choice) int {
		return cmp.Or(strings.Compare(string(a.Layout), string(b.Layout)), cmp.Compare(a.Degree, b.Degree), cmp.Compare(b.PackedTotal(), a.PackedTotal()))
	})
	return out
}

// choice encodes a variant and asks the questions. refusals collects errors that are
// not about the encoding.
func choice(s *schema.Schema, questions []string, committee share.Committee, refusals []error) (*Choice, error) {
	e, err := s.Encode(s.Layouts[0])
	if err != nil {
		return nil, err
	}
	p, err := he.Lookup(e.Profile)
	if err != nil {
		return nil, err
	}
	c := &Choice{
		Schema: s, Layout: e.Layout, Degree: p.MaxDegree(), Profile: e.Profile, Encodings: encodings(s), Columns: len(e.Columns),
		Values: e.Values(s.Limits.Rows), Bytes: e.BytesPerRow, PackedBits: len(e.Columns) * p.Limbs() * p.LimbBits(),
	}
	product := largest(e, p, committee)
	for i, q := range questions {
		made, err := plan.Compile(q, product)
		if err == nil {
			c.Outcomes = append(c.Outcomes, Outcome{
				Degree: made.Certificate.Degree, Openings: made.Cost.Openings, Cost: Cost(made), Releases: made.Cost.MaxReleases,
			})
			continue
		}
		refusal := plan.RefusalOf(err)
		if refusal == nil {
			return nil, err
		}
		if !slices.Contains(ofEncoding, refusal.Reason) {
			refusals[i] = query.Locate(q, err)
		}
		c.Outcomes = append(c.Outcomes, Outcome{Refused: refusal.Reason})
	}
	return c, nil
}

// ofEncoding are the refusals that another encoding may lift.
var ofEncoding = []string{"DEGREE", "NOISE_BUDGET", "OVERFLOW", "NOT_STORED", "TOO_COMPLEX"}

// encodings says what the schema declares besides one-hot.
func encodings(s *schema.Schema) []string {
	var list []string
	for i := range s.Dimensions {
		if e := s.Dimensions[i].Encoding; e != "" && e != schema.OneHot {
			list = append(list, s.Dimensions[i].Name+" "+string(e))
		}
	}
	for i := range s.Combine {
		text := strings.Join(s.Combine[i].Dimensions, "+") + " combined"
		if e := s.Combine[i].Encoding; e != "" && e != schema.OneHot {
			text += " " + string(e)
		}
		list = append(list, text)
	}
	return list
}

// largest is a product of datasets that are as large as the schema allows.
func largest(e *schema.Encoding, p *he.Profile, committee share.Committee) *plan.Product {
	s := e.Schema()
	out := &plan.Product{ID: "advise/t", Schema: s, Encoding: e, Profile: p, Committee: committee}
	partition := map[string]string{}
	for i := range s.Partitions {
		partition[s.Partitions[i].Name] = "x"
		if len(s.Partitions[i].Values) > 0 {
			partition[s.Partitions[i].Name] = s.Partitions[i].Values[0]
		}
	}
	for i := range s.Limits.Datasets {
		id, _ := json.Marshal(i) // a number
		h := carnet.Digest("carnet/advise/1", id)
		out.Datasets = append(out.Datasets, plan.Dataset{Hash: h, Manifest: carnet.Dataset{
			ID: carnet.DatasetID("advise/" + string(id)), Owner: carnet.PartyID("owner-" + string(id)), Jurisdiction: "ZZ",
			Layout: e.Layout, Profile: e.Profile, Key: carnet.KeyID(h),
			Files: []carnet.File{{Nonce: carnet.Nonce(h), Partition: partition, Rows: s.Limits.Rows, Columns: len(e.Columns), Blocks: e.Blocks(s.Limits.Rows)}},
		}})
	}
	return out
}
