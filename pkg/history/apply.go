package history

import (
	"slices"
	"strings"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/schema"
	"github.com/carnet-network/carnet/pkg/share"
)

// Event is what an entry that has effect means. Fields that do not apply are nil.
type Event struct {
	Type     carnet.StatementType
	Case     *Case // the query, or what a check, decision or answer is about
	Answer   *carnet.Answer
	Decision *carnet.Decision
	Redealt  *Dealing // what a key is opened with from now on
	Replaced *Replaced
	Unknown  bool // a type that this program does not know; nothing about it was judged
}

// Apply takes the next entry in; seq ascends, not necessarily by one. The error says why
// the entry has no effect: its reason is that which keyholders have for it.
func (s *State) Apply(seq int64, env *evidence.Envelope) (*Event, error) {
	ev := &Event{Type: env.PayloadType}
	var err error
	switch env.PayloadType {
	case carnet.TypeParty:
		ev.Replaced, err = s.applyParty(seq, env)
	case carnet.TypePartyRevocation:
		err = s.applyPartyRevocation(seq, env)
	case carnet.TypeCommittee:
		err = s.applyCommittee(env)
	case carnet.TypeSchema:
		err = s.applySchema(env)
	case carnet.TypeDealing:
		err = s.applyDealing(env)
	case carnet.TypeDataset:
		err = s.applyDataset(seq, env)
	case carnet.TypeProduct:
		err = s.applyProduct(env)
	case carnet.TypeRevocation:
		err = s.applyRevocation(seq, env)
	case carnet.TypeRetirement:
		err = s.applyRetirement(seq, env)
	case carnet.TypeRedealing:
		ev.Redealt, err = s.applyRedealing(env)
	case carnet.TypeSuccession:
		err = s.applySuccession(env)
	case carnet.TypeContribution:
		err = s.applyContribution(env)
	case carnet.TypeResharing:
		err = s.applyResharing(env)
	case carnet.TypeDestruction:
		err = s.applyDestruction(env)
	case carnet.TypeCertificate, carnet.TypeUsage:
		if !s.signedBy(env, carnet.RoleOperator) {
			err = invalid("BAD_SIGNATURE", "the statement is not signed by an operator of a gateway")
		}
	case carnet.TypeQuery:
		ev.Case, err = s.applyQuery(seq, env)
	case carnet.TypeCheck:
		ev.Case, err = s.applyCheck(seq, env)
	case carnet.TypeApproval:
		ev.Case, err = s.applyApproval(seq, env)
	case carnet.TypeDeferral:
		ev.Case, err = s.applyDeferral(env)
	case carnet.TypeDecision:
		ev.Case, ev.Decision, err = s.applyDecision(seq, env)
	case carnet.TypeAnswer:
		ev.Case, ev.Answer, err = s.applyAnswer(seq, env)
	default:
		ev.Unknown = true
	}
	return ev, err
}

// applyCommittee: signed by the registrar; n, t and the quorum as the scheme has them;
// members known keyholders and none twice or revoked.
func (s *State) applyCommittee(env *evidence.Envelope) error {
	c := &Committee{Hash: env.Hash()}
	if err := env.Verify(carnet.TypeCommittee, s.registrar, &c.Body); err != nil {
		return err
	}
	n, t := len(c.Body.Members), c.Body.Threshold
	var err error
	if c.Scheme, err = share.NewCommittee(n, t); err == nil && c.Body.PrivateChecks != 0 {
		_, err = c.Scheme.AllowsSelections(c.Body.PrivateChecks)
	}
	if err != nil {
		return err
	}
	if c.Body.Quorum < (n+t+1)/2 || c.Body.Quorum > n {
		return invalid("BAD_QUORUM", "a committee of %d with threshold %d needs a quorum of %d, not %d", n, t, (n+t+1)/2, c.Body.Quorum)
	}
	if err := c.Body.Policy.Validate(); err != nil {
		return err
	}
	seen := map[carnet.PartyID]bool{}
	for _, id := range c.Body.Members {
		if p := s.Party(id); p == nil || !p.HasRole(carnet.RoleKeyholder) || seen[id] {
			return invalid("BAD_MEMBER", "member %q is unknown, revoked, no keyholder or listed twice", id)
		}
		seen[id] = true
	}
	if s.committees[c.Hash] == nil { // keys dealt before and after a repetition are of one committee
		s.committees[c.Hash] = c
	}
	return nil
}

// applySchema: signed by any registered owner or operator; the key hints choose whose
// keys to try.
func (s *State) applySchema(env *evidence.Envelope) error {
	if !s.signedBy(env, carnet.RoleOwner, carnet.RoleOperator) {
		return invalid("BAD_SIGNATURE", "the schema is not signed by a registered owner or operator")
	}
	var sc schema.Schema
	if err := env.Decode(carnet.TypeSchema, &sc); err != nil {
		return err
	}
	if err := sc.Validate(); err != nil {
		return err
	}
	s.schemas[env.Hash()] = &sc
	return nil
}

// signedBy reports whether a party in one of the roles signed what does not say who signs.
func (s *State) signedBy(env *evidence.Envelope, roles ...carnet.Role) bool {
	for id := range s.parties {
		p := s.Party(id)
		if p == nil {
			continue
		}
		hint := evidence.KeyHint(p.SigningKey)
		for _, sig := range env.Signatures {
			if sig.KeyID == hint && slices.ContainsFunc(roles, p.HasRole) && env.SignedBy(p.SigningKey) {
				return true
			}
		}
	}
	return false
}

// applyDealing: owner's signature, parameter id, one commitment for every subset, one
// correction for every power.
func (s *State) applyDealing(env *evidence.Envelope) error {
	d := &Dealing{Key: carnet.KeyID(env.Hash()), ID: carnet.KeyID(env.Hash())}
	if err := env.Decode(carnet.TypeDealing, &d.Body); err != nil {
		return err
	}
	if _, err := s.signer(env, d.Body.Owner, carnet.RoleOwner); err != nil {
		return err
	}
	if d.Committee = s.committees[d.Body.Committee]; d.Committee == nil {
		return invalid("UNKNOWN_COMMITTEE", "the dealing names an unknown committee")
	}
	var err error
	if d.Profile, err = he.Lookup(d.Body.Profile); err != nil {
		return err
	}
	if d.Body.Params != d.Profile.ID() {
		return invalid("WRONG_PARAMS", "the dealing's parameters are not those of profile %s", d.Body.Profile)
	}
	if len(d.Body.Commitments) != d.Committee.Scheme.Parts() || len(d.Body.Corrections) != d.Profile.MaxDegree() || d.Body.Nonce.IsZero() {
		return invalid("BAD_DEALING", "the dealing has %d commitments and %d corrections, want %d and %d",
			len(d.Body.Commitments), len(d.Body.Corrections), d.Committee.Scheme.Parts(), d.Profile.MaxDegree())
	}
	if h := d.Body.Home; h != nil && (h.Member < 1 || h.Member > len(d.Committee.Body.Members)) {
		return invalid("BAD_DEALING", "the home part belongs to no member of the committee")
	}
	if s.dealings[d.Key] == nil {
		s.dealings[d.Key] = d
	}
	return nil
}

// applyProduct: signed by its publisher, whose name it stays; no dataset listed twice.
func (s *State) applyProduct(env *evidence.Envelope) error {
	var p carnet.Product
	if err := env.Decode(carnet.TypeProduct, &p); err != nil {
		return err
	}
	if _, err := s.signer(env, p.Publisher, carnet.RoleOwner, carnet.RoleOperator); err != nil {
		return err
	}
	if old := s.products[p.ID]; old != nil {
		if old.Publisher != p.Publisher {
			return invalid("PRODUCT_EXISTS", "product %q belongs to another publisher", p.ID)
		}
		if err := older("product "+string(p.ID), p.Created, old.Created); err != nil {
			return err
		}
	}
	seen := map[carnet.DatasetID]bool{}
	for _, d := range p.Datasets {
		if seen[d] {
			return invalid("DATASET_TWICE", "product %q lists dataset %q twice", p.ID, d)
		}
		seen[d] = true
	}
	s.products[p.ID] = &p
	return nil
}

// applyRevocation: signed by the dataset's owner; final for the dataset's name.
func (s *State) applyRevocation(seq int64, env *evidence.Envelope) error {
	var r carnet.Revocation
	if err := env.Decode(carnet.TypeRevocation, &r); err != nil {
		return err
	}
	if _, err := s.signer(env, r.Owner, carnet.RoleOwner); err != nil {
		return err
	}
	if !strings.HasPrefix(string(r.Dataset), string(r.Owner)+"/") {
		return invalid("BAD_REVOCATION", "dataset %q does not belong to %q", r.Dataset, r.Owner)
	}
	if s.revoked[r.Dataset] == nil {
		s.revoked[r.Dataset] = &Ended{seq, r.Created}
	}
	return nil
}
