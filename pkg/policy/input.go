package policy

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// InputVersion is the version of the form of Input. Rules are written for one.
const InputVersion = 3

// Flow is what crosses a border.
type Flow string

const (
	FlowStorage Flow = "storage" // ciphertext is kept by the gateway
	FlowShare   Flow = "share"   // key shares are held, and used, by keyholders
	FlowRelease Flow = "release" // a result is opened to the buyer
)

// Input is all that rules see. Every field is always there, so that a rule never fails
// for want of one; the schema of the input, which rules are compiled against, comes from
// these types (see Schema). Everything in it is public.
type Input struct {
	Version    int       `json:"version" doc:"Form of this document."`
	Flow       Flow      `json:"flow" doc:"What is judged: storage (the gateway keeps ciphertext), share (keyholders hold or use key shares), release (the buyer gets a result)." enum:"storage,share,release"`
	Now        time.Time `json:"now" doc:"The judge's clock, UTC, in whole seconds. Rules have no other."`
	Judge      Party     `json:"judge" doc:"Who decides: the gateway's operator or a keyholder."`
	Operator   Party     `json:"operator" doc:"The gateway's operator, where ciphertext is kept."`
	Buyer      Party     `json:"buyer" doc:"Who gets the result; empty unless the flow is a query's."`
	Keyholders []Party   `json:"keyholders" doc:"The committee, in its order."`
	Threshold  int       `json:"threshold" doc:"How many keyholders open a result."`
	Purpose    string    `json:"purpose" doc:"What the buyer says that the result is for."`
	Datasets   []Dataset `json:"datasets" doc:"The datasets that the flow is made of, ascending by statement hash."`
	Plan       Plan      `json:"plan" doc:"What the query computes; empty for other flows than a query's."`
	Exports    []Export  `json:"exports" doc:"What the owners of these datasets published before, by the journal, for thresholds that are counted over a year."`
}

// Party is an organisation as registered.
type Party struct {
	ID           carnet.PartyID      `json:"id" doc:"Short identifier; empty if there is no such party."`
	Jurisdiction carnet.Jurisdiction `json:"jurisdiction" doc:"ISO 3166-1 alpha-2 code that the registrar confirmed; empty if unknown."`
	Roles        []carnet.Role       `json:"roles" doc:"What it is registered as."`
}

// Dataset is one owner's table with what its signed manifest says.
type Dataset struct {
	ID           carnet.DatasetID    `json:"id" doc:"Identifier, owner/name."`
	Statement    carnet.Hash         `json:"statement" doc:"Hash of the signed manifest; zeros before it is signed."`
	Owner        Party               `json:"owner" doc:"Whose it is."`
	Jurisdiction carnet.Jurisdiction `json:"jurisdiction" doc:"Where it comes from, by the manifest."`
	Layout       carnet.Layout       `json:"layout" doc:"cube (totals of cells) or records (one slot for each record)."`
	Rows         int64               `json:"rows" doc:"Records encoded."`
	HomeVeto     bool                `json:"home_veto" doc:"Nothing opens without a keyholder that the owner chose."`
	Revoked      bool                `json:"revoked" doc:"The owner revoked it."`
	FewestOwners int                 `json:"fewest_owners" doc:"The least number of owners that a number of this query combines, among those that the dataset contributes to; 0 outside of queries."`
	Asked        Asked               `json:"asked" doc:"What the query has of this dataset: of a query over several products, its own side of it."`
	Terms        Terms               `json:"terms" doc:"The owner's conditions."`
	Declaration  Declaration         `json:"declaration" doc:"What the owner declares about the data."`
}

// Asked is what a query has of one dataset.
type Asked struct {
	Aggregates []string `json:"aggregates" doc:"SQL aggregates over it, ascending, aliases resolved."`
	GroupBy    []string `json:"group_by" doc:"Columns of it that are grouped by, ascending."`
	Filters    []string `json:"filters" doc:"Columns of it that decide which rows count, ascending."`
}

// Terms are carnet.Terms with every field there.
type Terms struct {
	Buyers        []carnet.PartyID      `json:"buyers" doc:"Who may ask; * is anyone."`
	Jurisdictions []carnet.Jurisdiction `json:"jurisdictions" doc:"Where a buyer may be; empty is anywhere."`
	Purposes      []string              `json:"purposes" doc:"What for; * is anything."`
	Aggregates    []string              `json:"aggregates" doc:"Aggregates that may be asked for, aliases resolved; empty is all."`
	GroupBy       []string              `json:"group_by" doc:"Columns that may be grouped by; empty is all."`
	Filters       []string              `json:"filters" doc:"Columns that may be filtered by; empty is all."`
	MinOwners     int                   `json:"min_owners" doc:"Least number of owners that a released number combines."`
	MinGroup      int                   `json:"min_group" doc:"Least number of persons or firms (rows, if the schema names no unit) behind any combination of released numbers; 0: none is promised."`
	MaxShare      int                   `json:"max_share" doc:"Largest share, in percent, of one of them in a group; 0: any."`
	Noise         bool                  `json:"noise" doc:"Its numbers are released with noise only."`
	Approval      string                `json:"approval" doc:"owner: its owner has to approve every query; empty: nobody has to."`
	Expires       time.Time             `json:"expires" doc:"Until when, at most 2200-01-01."`
}

// Declaration is carnet.Declaration with every field there. Declared is false if the
// manifest has none; then the rest is empty and says nothing.
type Declaration struct {
	Declared    bool                  `json:"declared" doc:"Whether the manifest has a declaration at all; without one nothing is known."`
	Classes     []carnet.DataClass    `json:"classes" doc:"Kinds of data in it; \"none\" alone says that it has neither personal nor important data."`
	Persons     int64                 `json:"persons" doc:"How many persons it has data of."`
	Sensitive   int64                 `json:"sensitive_persons" doc:"Of how many of them the data is sensitive."`
	Collected   []carnet.Jurisdiction `json:"collected" doc:"Where the data was collected; empty is the dataset's jurisdiction."`
	DomesticMix bool                  `json:"domestic_added" doc:"For data collected abroad: personal or important data of the dataset's jurisdiction was added while processing."`
	Exporter    []string              `json:"exporter" doc:"What the owner is in the eyes of its law, such as ciio or ftz."`
	Instruments []Instrument          `json:"instruments" doc:"Filings, assessments, certificates and rulings that cover the data."`
}

// Instrument is carnet.Instrument with every field there.
type Instrument struct {
	Kind         string                `json:"kind" doc:"What it is, such as security_assessment; the packs list the kinds they know."`
	Number       string                `json:"number" doc:"By what its authority or author knows it."`
	Jurisdiction carnet.Jurisdiction   `json:"jurisdiction" doc:"Under whose law."`
	Destinations []carnet.Jurisdiction `json:"destinations" doc:"Where the data may go; * is anywhere."`
	Flows        []string              `json:"flows" doc:"Which flows it covers; * is all."`
	Expires      time.Time             `json:"expires" doc:"Until when it is valid, at most 2200-01-01."`
}

// Plan is what a query computes, as far as rules may want to know.
type Plan struct {
	Layout     carnet.Layout `json:"layout" doc:"cube or records; empty outside of queries."`
	Aggregates []string      `json:"aggregates" doc:"SQL aggregates used, ascending, aliases resolved."`
	GroupBy    []string      `json:"group_by" doc:"Columns grouped by, ascending."`
	Filters    []string      `json:"filters" doc:"Columns that decide which rows count, ascending."`
	Columns    []string      `json:"columns" doc:"Columns of the result, in order."`
	Groups     int           `json:"groups" doc:"Rows of the result before HAVING and LIMIT."`
	Openings   int           `json:"openings" doc:"Numbers that are opened."`
	Factors    int           `json:"factors" doc:"Most encrypted factors in one product: 1 for sums."`
	Rows       int64         `json:"rows" doc:"Records of the files read."`
	Private    bool          `json:"private" doc:"The query has a private parameter."`
	Owners     int           `json:"owners" doc:"Owners of the datasets."`
}

// Export is one publication of an owner, as the journal has it.
type Export struct {
	Owner     carnet.PartyID   `json:"owner" doc:"Whose."`
	Dataset   carnet.DatasetID `json:"dataset" doc:"Which dataset; of an owner with many publications, the last one of the day, for all of them."`
	At        time.Time        `json:"at" doc:"When the manifest says it was made."`
	Persons   int64            `json:"persons" doc:"Persons it added: for a manifest that only adds files, those beyond the one before."`
	Sensitive int64            `json:"sensitive_persons" doc:"Of them with sensitive data."`
}

// Bytes is the canonical form, which decisions are made on and hashed: one line of JSON
// with the fields in the order of the type, lists never null, times in UTC and between
// 1970 and 2200.
func (in *Input) Bytes() ([]byte, error) {
	c := *in
	c.fill()
	return json.Marshal(&c)
}

// ParseInput reads the canonical form, and refuses any other.
func ParseInput(b []byte) (*Input, error) {
	in := &Input{}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	err := d.Decode(in)
	var again []byte
	if err == nil {
		again, err = in.Bytes()
	}
	if err != nil || !bytes.Equal(again, b) {
		return nil, carnet.E(carnet.Invalid, "BAD_POLICY_INPUT", "this is not the input of a decision in its canonical form").Because(err).
			Fix("take the input from the decision as it was signed, byte by byte")
	}
	return in, nil
}
