package verify

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

	"github.com/carnet-network/carnet/pkg/bundle"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/history"
	"github.com/carnet-network/carnet/pkg/meter"
)

// sheet is what a document says.
type sheet interface {
	subject() string
	operator() carnet.PartyID
	logged() bool              // its statement is an entry of the log
	state() *carnet.Checkpoint // that it was made from; nil if none is named
	datasets() []carnet.DatasetID
	shown(d *bundle.Document) carnet.Hash                              // digest of what the file has to show
	registered(s *history.State, b *bundle.Bundle) *carnet.Certificate // what the log says at its entry, of a certificate
	check(own *carnet.Certificate) error                               // against what registered returned, and by itself
	facts() []string                                                   // for the checklist
	unread() string                                                    // why its figures were not compared with the whole log, if they have to be
}

// newSheet decodes a document's statement.
func newSheet(d *bundle.Document) (sheet, error) {
	switch d.Kind {
	case bundle.Certificate:
		c := &certificate{}
		return c, d.Statement.Decode(carnet.TypeCertificate, &c.Certificate)
	case bundle.Usage:
		u := &usage{}
		return u, d.Statement.Decode(carnet.TypeUsage, &u.Usage)
	case bundle.Settlement:
		s := &settlement{figures: figures{}}
		return s, s.figures.read(d, &s.Settlement)
	case bundle.Valuation:
		s := &valuation{figures: figures{}}
		return s, s.figures.read(d, &s.Valuation)
	}
	return nil, carnet.E(carnet.Invalid, "DOCUMENT_DIFFERS", "%q is no kind of document", d.Kind).Fix("use a newer version of the program")
}

func differs(format string, args ...any) error {
	return carnet.E(carnet.Invalid, "DOCUMENT_DIFFERS", format, args...).Fix("do not rely on the document; ask its operator")
}

const whole = "it takes the whole log: carnet recompute, by an auditor or a keyholder, reads it and works the figures out again"

type certificate struct{ carnet.Certificate }

func (c *certificate) subject() string           { return c.Subject }
func (c *certificate) operator() carnet.PartyID  { return c.Operator }
func (c *certificate) logged() bool              { return true }
func (c *certificate) state() *carnet.Checkpoint { return nil }
func (c *certificate) unread() string            { return "" }

func (c *certificate) shown(d *bundle.Document) carnet.Hash {
	return sha256.Sum256(d.Statement.Payload)
}

func (c *certificate) datasets() []carnet.DatasetID {
	if c.Kind == "product" {
		return c.Datasets
	}
	return []carnet.DatasetID{carnet.DatasetID(c.Subject)}
}

// registered is the certificate that the log gives at this point, nil if the statement that
// is certified is not in effect.
func (c *certificate) registered(s *history.State, b *bundle.Bundle) *carnet.Certificate {
	i := slices.IndexFunc(b.Entries, func(e bundle.Entry) bool { return e.Seq == c.Entry && e.Envelope.Hash() == c.Statement })
	if i < 0 {
		return nil
	}
	own := &carnet.Certificate{Kind: c.Kind, Statement: c.Statement, Entry: c.Entry, Operator: c.Operator}
	var p carnet.Product
	switch env := b.Entries[i].Envelope; {
	case c.Kind == "dataset":
		m := s.Manifest(c.Statement)
		if m == nil || m.Seq != c.Entry || s.Dataset(m.Body.ID) != m {
			return nil
		}
		d := &m.Body
		own.Subject, own.By, own.Title, own.Schema, own.Jurisdiction, own.Layout, own.Terms, own.Registered = string(d.ID), d.Owner, d.Title, d.Schema, d.Jurisdiction, d.Layout, &d.Terms, d.Created
		for i := range d.Files {
			own.Roots = append(own.Roots, d.Files[i].Root)
		}
		if addSize(own, d) != nil {
			return nil
		}
	case env.Decode(carnet.TypeProduct, &p) == nil:
		if now := s.Product(p.ID); now == nil || !reflect.DeepEqual(*now, p) {
			return nil
		}
		own.Subject, own.By, own.Title, own.Schema, own.Datasets, own.Registered = string(p.ID), p.Publisher, p.Title, p.Schema, p.Datasets, p.Created
		for _, id := range p.Datasets {
			m := s.Dataset(id)
			if m == nil || s.Revoked(id) != nil || s.Retired(m.Body.Key) != nil {
				continue
			}
			if addSize(own, &m.Body) != nil {
				return nil
			}
		}
	}
	own.SchemaID = s.SchemaID(own.Schema)
	return own
}

func addSize(c *carnet.Certificate, d *carnet.Dataset) error {
	rows, bytes, err := meter.Size(d)
	c.Rows, c.Bytes, c.Files = c.Rows+rows, c.Bytes+bytes, c.Files+len(d.Files)
	return err
}

func (c *certificate) check(own *carnet.Certificate) error {
	if own == nil {
		return differs("the statement that is certified was not in effect in the log")
	}
	said, err := json.Marshal(&c.Certificate)
	if err != nil {
		return err
	}
	want, err := json.Marshal(own)
	if err != nil {
		return err
	}
	if !bytes.Equal(said, want) {
		return differs("the certificate says something else than the statement of %s in the log, which gives %s", own.By, want)
	}
	return nil
}

func (c *certificate) facts() []string {
	return []string{
		fmt.Sprintf("%s %s of %s, registered on %s by entry %d", c.Kind, c.Subject, c.By, c.Registered.UTC().Format("2006-01-02"), c.Entry),
		fmt.Sprintf("schema %s; %d rows in %d files, %d bytes of ciphertext", c.SchemaID, c.Rows, c.Files, c.Bytes),
	}
}

type usage struct{ carnet.Usage }

func (u *usage) subject() string              { return string(u.Dataset) }
func (u *usage) operator() carnet.PartyID     { return u.Operator }
func (u *usage) logged() bool                 { return true }
func (u *usage) state() *carnet.Checkpoint    { return &carnet.Checkpoint{Size: u.Size, Head: u.Head} }
func (u *usage) datasets() []carnet.DatasetID { return []carnet.DatasetID{u.Dataset} }
func (u *usage) unread() string               { return whole }

func (u *usage) shown(d *bundle.Document) carnet.Hash { return sha256.Sum256(d.Statement.Payload) }

// registered has the owner that the log gives.
func (u *usage) registered(s *history.State, _ *bundle.Bundle) *carnet.Certificate {
	m := s.Dataset(u.Dataset)
	if m == nil {
		return nil
	}
	return &carnet.Certificate{By: m.Body.Owner}
}

func (u *usage) check(own *carnet.Certificate) error {
	var sum carnet.BuyerUsage
	for _, b := range u.Buyers {
		sum.Queries, sum.Groups, sum.Numbers = sum.Queries+b.Queries, sum.Groups+b.Groups, sum.Numbers+b.Numbers
	}
	switch {
	case own == nil || own.By != u.Owner:
		return differs("dataset %s does not belong to %s by the log", u.Dataset, u.Owner)
	case !u.From.Before(u.Until) || u.Until.After(u.Created):
		return differs("the period does not begin before it ends, or was not over")
	case sum.Queries != u.Queries || sum.Groups != u.Groups || sum.Numbers != u.Numbers:
		return differs("what buyers used does not add up to what is said")
	}
	return nil
}

func (u *usage) facts() []string {
	return []string{fmt.Sprintf("%d queries, %d numbers and %d rows of %s from %s until %s; the buyers' parts add up", u.Queries, u.Numbers, u.Rows, u.Dataset,
		u.From.UTC().Format("2006-01-02 15:04"), u.Until.UTC().Format("2006-01-02 15:04 MST"))}
}

// figures are what is signed of a sheet.
type figures struct{ carnet.Figures }

// read decodes the signed figures and the sheet.
func (f *figures) read(d *bundle.Document, into any) error {
	if err := d.Statement.Decode(carnet.TypeFigures, &f.Figures); err != nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(d.Says))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil || f.Kind != d.Kind || d.Entry != -1 {
		return carnet.E(carnet.Invalid, "DOCUMENT_DIFFERS", "the file is no %s", d.Kind).Because(err)
	}
	return nil
}

func (f *figures) operator() carnet.PartyID                                      { return f.Operator }
func (f *figures) logged() bool                                                  { return false }
func (f *figures) state() *carnet.Checkpoint                                     { return &carnet.Checkpoint{Size: f.Size, Head: f.Head} }
func (f *figures) shown(*bundle.Document) carnet.Hash                            { return f.Sheet }
func (f *figures) registered(*history.State, *bundle.Bundle) *carnet.Certificate { return nil }
func (f *figures) unread() string                                                { return whole }

type settlement struct {
	figures
	meter.Settlement
}

func (s *settlement) subject() string              { return string(s.Month) }
func (s *settlement) datasets() []carnet.DatasetID { return nil }

func (s *settlement) check(*carnet.Certificate) error {
	if s.figures.Size != s.Settlement.Size || s.figures.Head != s.Settlement.Head {
		return differs("the settlement names another state of the log than its signature")
	}
	again, err := s.Again()
	if err != nil {
		return err
	}
	return same(again, &s.Settlement, "balances and payments do not follow from the lines")
}

func (s *settlement) facts() []string {
	who := "all parties"
	if s.Party != "" {
		who = string(s.Party)
	}
	return []string{fmt.Sprintf("%d lines of %s; balances and payments follow from them and net to zero", len(s.Lines), who)}
}

type valuation struct {
	figures
	meter.Valuation
}

func (s *valuation) subject() string              { return string(s.Dataset) }
func (s *valuation) datasets() []carnet.DatasetID { return []carnet.DatasetID{s.Dataset} }

func (s *valuation) check(*carnet.Certificate) error {
	if s.figures.Size != s.Valuation.Size || s.figures.Head != s.Valuation.Head {
		return differs("the valuation names another state of the log than its signature")
	}
	again, err := s.Again()
	if err != nil {
		return err
	}
	return same(again, &s.Valuation, "the figures do not follow by the formulas")
}

func (s *valuation) facts() []string { return meter.Formulas() }

func same(again, said any, what string) error {
	a, err := json.Marshal(again)
	if err != nil {
		return err
	}
	b, err := json.Marshal(said)
	if err != nil {
		return err
	}
	if !bytes.Equal(a, b) {
		return differs("%s: want %s", what, a)
	}
	return nil
}
