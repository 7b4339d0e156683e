package history

import (
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// certified freezes what a certificate or a usage statement is about.
func (s *Selector) certified(e *evidence.Entry) {
	s.asked, s.about, s.frozen = e, append(s.about, e), map[carnet.ProductID]*evidence.Entry{}
	var c carnet.Certificate
	var u carnet.Usage
	switch {
	case e.Envelope.Decode(carnet.TypeUsage, &u) == nil:
		s.listed = append(s.listed, u.Dataset)
	case e.Envelope.Decode(carnet.TypeCertificate, &c) != nil:
	case c.Kind == "product":
		s.frozen[carnet.ProductID(c.Subject)] = s.products[carnet.ProductID(c.Subject)]
		s.listed = append(s.listed, c.Datasets...)
	default:
		s.listed = append(s.listed, carnet.DatasetID(c.Subject))
	}
}

// Proving lists the entries that prove a certificate or usage statement: what it is about,
// who signed that, and the committee that co-signs the log. With the zero hash nothing is
// looked for, and they prove a state of the log alone. The error is of kind NotFound if the
// statement is not in the log.
func (s *Selector) Proving(committee carnet.Hash) ([]*evidence.Entry, error) {
	p := &picked{s: s, entries: map[int64]*evidence.Entry{}}
	switch {
	case s.asked != nil:
		p = s.pick()
	case !s.query.IsZero():
		return nil, carnet.E(carnet.NotFound, "NOT_FOUND", "the log has no statement %s", s.query)
	}
	p.add(s.byHash[committee])
	p.people()
	return p.inOrder(), nil
}

// Dataset returns the manifest of a dataset that is in effect, nil if there is none.
func (s *State) Dataset(id carnet.DatasetID) *Manifest { return s.datasets[id] }

// Product returns a product's statement that is in effect, nil if there is none.
func (s *State) Product(id carnet.ProductID) *carnet.Product { return s.products[id] }

// SchemaID is the name and version of a schema by its statement hash, empty if it is unknown.
func (s *State) SchemaID(h carnet.Hash) string {
	if sc := s.schemas[h]; sc != nil {
		return sc.ID()
	}
	return ""
}

// ByOperator reports whether a party that operates a gateway signed what it says of a log of
// a size, with a key that it had in that log or got later: whoever has one that was replaced
// can't sign what was not there before. A party that was revoked in that log signs nothing.
func (s *State) ByOperator(env *evidence.Envelope, id carnet.PartyID, size int64) bool {
	k := s.parties[id]
	if k == nil || k.revokedIn(size) || !k.present().HasRole(carnet.RoleOperator) {
		return false
	}
	for i := range k.statements {
		replaced := i+1 < len(k.statements) && k.statements[i+1].Seq < size
		if !replaced && env.SignedBy(k.statements[i].Body.SigningKey) {
			return true
		}
	}
	return false
}
