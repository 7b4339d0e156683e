package history

import (
	"bytes"
	"cmp"
	"crypto/ed25519"
	"encoding/json"
	"maps"
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// Selector finds the entries of a log that one query rests on: the statements that it
// names, those that they name, and what was said about it. Of entries about other queries
// it keeps nothing.
type Selector struct {
	query carnet.Hash
	text  []byte // of the query's hash, as statements write it
	state *State

	parties  map[carnet.PartyID][]*evidence.Entry   // statements in effect, one after the other
	byHash   map[carnet.Hash]*evidence.Entry        // committees, schemas, dealings
	datasets map[carnet.DatasetID][]*evidence.Entry // manifests in effect
	products map[carnet.ProductID]*evidence.Entry   // newest
	ended    []endedEntry
	redealt  map[carnet.KeyID][]*evidence.Entry // how keys were dealt again and handed on
	judged   map[carnet.Hash][]*evidence.Entry  // decisions, by what they are about
	about    []*evidence.Entry                  // the query and what names it
	asked    *evidence.Entry
	frozen   map[carnet.ProductID]*evidence.Entry // products, when the query was asked
	listed   []carnet.DatasetID                   // their datasets, in use or not
}

type endedEntry struct {
	dataset carnet.DatasetID
	key     carnet.KeyID
	entry   *evidence.Entry
}

// NewSelector looks for a query by its statement hash, in a log of the registrar's network.
func NewSelector(registrar ed25519.PublicKey, query carnet.Hash) *Selector {
	return &Selector{query: query, text: []byte(query.String()), state: New(registrar),
		parties: map[carnet.PartyID][]*evidence.Entry{}, byHash: map[carnet.Hash]*evidence.Entry{},
		datasets: map[carnet.DatasetID][]*evidence.Entry{}, products: map[carnet.ProductID]*evidence.Entry{},
		redealt: map[carnet.KeyID][]*evidence.Entry{}, judged: map[carnet.Hash][]*evidence.Entry{}}
}

// Take looks at the next entry; all entries from the first on have to be given.
func (s *Selector) Take(e *evidence.Entry) {
	switch e.Envelope.PayloadType {
	case carnet.TypeQuery:
		if s.asked == nil && e.Envelope.Hash() == s.query {
			s.ask(e)
		}
	case carnet.TypeCheck, carnet.TypeAnswer:
		if s.asked != nil && bytes.Contains(e.Envelope.Payload, s.text) {
			s.about = append(s.about, e)
		}
	case carnet.TypeDecision:
		s.decision(e)
	case carnet.TypeCertificate, carnet.TypeUsage:
		if s.asked == nil && e.Envelope.Hash() == s.query {
			s.certified(e)
		}
	case carnet.TypeParty, carnet.TypePartyRevocation, carnet.TypeCommittee, carnet.TypeSchema, carnet.TypeDealing, carnet.TypeDataset, carnet.TypeProduct,
		carnet.TypeRevocation, carnet.TypeRetirement, carnet.TypeRedealing, carnet.TypeDestruction,
		carnet.TypeSuccession, carnet.TypeContribution, carnet.TypeResharing:
		if _, err := s.state.Apply(e.Seq, e.Envelope); err == nil {
			s.keep(e)
		}
	default:
		if bytes.Contains(e.Envelope.Payload, s.text) {
			s.about = append(s.about, e)
		}
	}
}

// ask freezes what the query refers to.
func (s *Selector) ask(e *evidence.Entry) {
	s.asked, s.about, s.frozen = e, append(s.about, e), map[carnet.ProductID]*evidence.Entry{}
	var q carnet.Query
	if e.Envelope.Decode(carnet.TypeQuery, &q) != nil {
		return
	}
	for _, id := range q.Products() {
		if p := s.state.products[id]; p != nil {
			s.frozen[id] = s.products[id]
			s.listed = append(s.listed, p.Datasets...)
		}
	}
}

func (s *Selector) decision(e *evidence.Entry) {
	var d struct {
		Query carnet.Hash `json:"query"`
	}
	if json.Unmarshal(e.Envelope.Payload, &d) != nil {
		return
	}
	if d.Query == s.query {
		s.about = append(s.about, e)
	} else if s.state.manifests[d.Query] != nil {
		s.judged[d.Query] = append(s.judged[d.Query], e)
	}
}

// keep remembers a statement that took effect.
func (s *Selector) keep(e *evidence.Entry) {
	env := e.Envelope
	switch env.PayloadType {
	case carnet.TypeParty:
		var b carnet.Party
		if env.Decode(env.PayloadType, &b) == nil {
			s.parties[b.ID] = append(s.parties[b.ID], e)
		}
	case carnet.TypePartyRevocation:
		var b carnet.PartyRevocation
		if env.Decode(env.PayloadType, &b) == nil {
			s.parties[b.Party] = append(s.parties[b.Party], e)
		}
	case carnet.TypeCommittee, carnet.TypeSchema, carnet.TypeDealing:
		if s.byHash[env.Hash()] == nil {
			s.byHash[env.Hash()] = e
		}
	case carnet.TypeDataset:
		if m := s.state.manifests[env.Hash()]; m != nil && m.Seq == e.Seq {
			s.datasets[m.Body.ID] = append(s.datasets[m.Body.ID], e)
		}
	case carnet.TypeProduct:
		var b carnet.Product
		if env.Decode(env.PayloadType, &b) == nil {
			s.products[b.ID] = e
		}
	case carnet.TypeRevocation:
		var b carnet.Revocation
		if env.Decode(env.PayloadType, &b) == nil {
			s.ended = append(s.ended, endedEntry{dataset: b.Dataset, entry: e})
		}
	case carnet.TypeRetirement:
		var b carnet.Retirement
		if env.Decode(env.PayloadType, &b) == nil {
			s.ended = append(s.ended, endedEntry{key: b.Key, entry: e})
		}
	case carnet.TypeRedealing, carnet.TypeSuccession, carnet.TypeContribution, carnet.TypeResharing:
		var b struct {
			Key carnet.KeyID `json:"key"`
		}
		if json.Unmarshal(env.Payload, &b) == nil {
			s.redealt[b.Key] = append(s.redealt[b.Key], e)
		}
	}
}

// Selected lists the entries in the order of the log. The error is of kind NotFound if the
// query is not in it.
func (s *Selector) Selected() ([]*evidence.Entry, error) {
	if s.asked == nil {
		return nil, carnet.E(carnet.NotFound, "NOT_FOUND", "the log has no query %s", s.query)
	}
	p := s.pick()
	p.people()
	return p.inOrder(), nil
}

// pick collects what was looked for and what it names, without people.
func (s *Selector) pick() *picked {
	p := &picked{s: s, entries: map[int64]*evidence.Entry{}}
	for _, e := range s.about {
		p.add(e)
	}
	for _, e := range s.frozen {
		p.add(e)
	}
	for _, id := range s.listed {
		p.dataset(id)
	}
	return p
}

type picked struct {
	s       *Selector
	entries map[int64]*evidence.Entry
}

func (p *picked) inOrder() []*evidence.Entry {
	return slices.SortedFunc(maps.Values(p.entries), func(a, b *evidence.Entry) int { return cmp.Compare(a.Seq, b.Seq) })
}

func (p *picked) add(e *evidence.Entry) {
	if e != nil {
		p.entries[e.Seq] = e
	}
}

// dataset adds the manifests up to the query's, and what they rest on.
func (p *picked) dataset(id carnet.DatasetID) {
	s := p.s
	for _, e := range s.ended {
		if e.dataset == id {
			p.add(e.entry)
		}
	}
	for _, e := range s.datasets[id] {
		m := s.state.manifests[e.Envelope.Hash()]
		if e.Seq > s.asked.Seq || m == nil {
			continue
		}
		p.add(e)
		p.add(s.byHash[m.Body.Schema])
		for _, d := range s.judged[m.Hash] {
			p.add(d)
		}
		p.key(m.Body.Key)
	}
}

// key adds the dealings of a key until the query was asked, and its end.
func (p *picked) key(key carnet.KeyID) {
	s := p.s
	p.dealing(key)
	for _, e := range s.redealt[key] {
		var r struct {
			Dealing   carnet.KeyID `json:"dealing"`   // of a redealing
			Committee carnet.Hash  `json:"committee"` // of what hands a key on
		}
		if e.Seq < s.asked.Seq && json.Unmarshal(e.Envelope.Payload, &r) == nil {
			p.add(e)
			p.dealing(r.Dealing)
			p.add(s.byHash[r.Committee])
		}
	}
	for _, e := range s.ended {
		if e.key == key && e.dataset == "" {
			p.add(e.entry)
		}
	}
}

func (p *picked) dealing(id carnet.KeyID) {
	p.add(p.s.byHash[carnet.Hash(id)])
	if d := p.s.state.dealings[id]; d != nil {
		p.add(p.s.byHash[d.Committee.Hash])
	}
}

// people adds the parties that signed any of the entries, and the members of committees,
// with every statement about them: a key may have changed meanwhile.
func (p *picked) people() {
	names := map[carnet.PartyID]bool{}
	hints := map[string]bool{}
	for _, e := range p.entries {
		var b struct {
			Buyer, Owner, By, Publisher carnet.PartyID
			Members                     []carnet.PartyID
		}
		if json.Unmarshal(e.Envelope.Payload, &b) == nil {
			for _, id := range append(b.Members, b.Buyer, b.Owner, b.By, b.Publisher) {
				names[id] = true
			}
		}
		for _, sig := range e.Envelope.Signatures {
			hints[sig.KeyID] = true
		}
	}
	for id, list := range p.s.parties {
		var all []carnet.Party
		operator := false
		for _, e := range list {
			var b carnet.Party
			if e.Envelope.Decode(carnet.TypeParty, &b) == nil {
				all, operator = append(all, b), operator || b.HasRole(carnet.RoleOperator)
			}
		}
		signed := slices.ContainsFunc(all, func(b carnet.Party) bool { return hints[evidence.KeyHint(b.SigningKey)] })
		if names[id] || operator || signed {
			for _, e := range list {
				p.add(e)
			}
		}
	}
}
