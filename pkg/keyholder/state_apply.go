package keyholder

import (
	"strings"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/cells"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/schema"
	"github.com/carnet-network/carnet/pkg/share"
)

// applyCommittee: signed by the registrar, n, t and the quorum as the scheme has
// them, members known keyholders and none twice or revoked.
func (s *state) applyCommittee(env *evidence.Envelope) error {
	var c carnet.Committee
	if err := env.Verify(carnet.TypeCommittee, s.registrar, &c); err != nil {
		return err
	}
	n, t := len(c.Members), c.Threshold
	scheme, err := share.NewCommittee(n, t)
	if err == nil && c.PrivateChecks != 0 {
		_, err = scheme.AllowsSelections(c.PrivateChecks)
	}
	if err != nil {
		return err
	}
	// Fewer co-signatures would let a gateway show two halves of the committee two
	// histories with fewer than t dishonest members.
	if c.Quorum < (n+t+1)/2 || c.Quorum > n {
		return noEffect("BAD_QUORUM", "a committee of %d with threshold %d needs a quorum of %d, not %d", n, t, (n+t+1)/2, c.Quorum)
	}
	if err := c.Policy.Validate(); err != nil {
		return err
	}
	number := 0
	seen := map[carnet.PartyID]bool{}
	for i, id := range c.Members {
		p := s.current(id)
		if p == nil || !p.HasRole(carnet.RoleKeyholder) || seen[id] {
			return noEffect("BAD_MEMBER", "member %q is unknown, revoked, no keyholder or listed twice", id)
		}
		seen[id] = true
		if id == s.me {
			number = i + 1
		}
	}
	h := env.Hash()
	if s.committees[h] == nil {
		s.committees[h] = &committee{hash: h, body: c, scheme: scheme, seq: s.applied - 1, number: number, env: env}
	}
	return nil
}

// applySchema: any registered owner or operator. The body does not say who signed,
// so the key hints choose whose keys to try.
func (s *state) applySchema(env *evidence.Envelope) error {
	signed := false
	for id := range s.parties {
		p := s.current(id)
		if p == nil {
			continue
		}
		hint := evidence.KeyHint(p.SigningKey)
		for _, sig := range env.Signatures {
			if sig.KeyID == hint && (p.HasRole(carnet.RoleOwner) || p.HasRole(carnet.RoleOperator)) && env.SignedBy(p.SigningKey) {
				signed = true
			}
		}
	}
	if !signed {
		return noEffect("BAD_SIGNATURE", "the schema is not signed by a registered owner or operator")
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

// applyDealing: scheme §6.1, what does not need the seeds: owner signature,
// parameter id, one commitment for every subset, one correction for every power.
func (s *state) applyDealing(env *evidence.Envelope) error {
	var d carnet.Dealing
	if err := env.Decode(carnet.TypeDealing, &d); err != nil {
		return err
	}
	if _, err := s.signer(env, d.Owner, carnet.RoleOwner); err != nil {
		return err
	}
	c := s.committees[d.Committee]
	if c == nil {
		return noEffect("UNKNOWN_COMMITTEE", "the dealing names an unknown committee")
	}
	p, err := he.Lookup(d.Profile)
	if err != nil {
		return err
	}
	if d.Params != p.ID() {
		return noEffect("WRONG_PARAMS", "the dealing's parameters are not those of profile %s", d.Profile)
	}
	if len(d.Commitments) != c.scheme.Parts() || len(d.Corrections) != p.MaxDegree() || d.Nonce.IsZero() {
		return noEffect("BAD_DEALING", "the dealing has %d commitments and %d corrections, want %d and %d",
			len(d.Commitments), len(d.Corrections), c.scheme.Parts(), p.MaxDegree())
	}
	if d.Home != nil && (d.Home.Member < 1 || d.Home.Member > len(c.body.Members)) {
		return noEffect("BAD_DEALING", "the home part belongs to no member of the committee")
	}
	key := carnet.KeyID(env.Hash())
	if s.dealings[key] == nil {
		s.dealings[key] = &dealing{key: key, id: key, body: d, committee: c, profile: p, env: env}
	}
	return nil
}

// applyDataset: scheme §6.4: signed by the owner named in the key, and one nonce →
// one content root → one dataset → one terms document: the first manifest that
// names a file keeps it. A manifest that only adds files to the dataset's present one
// repeats its files, which changes none of the four; any other manifest with a known
// file has no effect and bars a dataset that has no valid one.
func (s *state) applyDataset(env *evidence.Envelope) error {
	var d carnet.Dataset
	if err := env.Decode(carnet.TypeDataset, &d); err != nil {
		return err
	}
	h := env.Hash()
	if s.manifests[h] != nil {
		return nil
	}
	if _, err := s.signer(env, d.Owner, carnet.RoleOwner); err != nil {
		return err
	}
	if !strings.HasPrefix(string(d.ID), string(d.Owner)+"/") {
		return noEffect("BAD_DATASET", "dataset %q is not in the name space of its owner", d.ID)
	}
	if old := s.datasets[d.ID]; old != nil {
		if err := older("dataset "+string(d.ID), d.Created, old.body.Created); err != nil {
			return err
		}
	}
	k := s.dealings[d.Key]
	if k == nil || k.body.Owner != d.Owner || k.body.Profile != d.Profile {
		return noEffect("BAD_DATASET", "the dataset's key was not dealt by its owner for profile %s", d.Profile)
	}
	if _, again := s.again[d.Key]; again {
		return noEffect("BAD_DATASET", "the dataset's key deals another one again; data is encrypted under that")
	}
	if s.retired[d.Key] {
		return noEffect("KEY_RETIRED", "the dataset's key was retired")
	}
	if p := d.Terms.Privacy; p != nil && p.Validate() != nil {
		return noEffect("BAD_DATASET", "nobody can keep the dataset's privacy terms")
	}
	sc := s.schemas[d.Schema]
	if sc == nil {
		return noEffect("UNKNOWN_SCHEMA", "the dataset names an unknown schema")
	}
	kept := 0 // files of the present manifest that this one repeats
	if old := s.datasets[d.ID]; old != nil && d.Extends(&old.body) {
		kept = len(old.body.Files)
	}
	seen := map[carnet.Nonce]bool{}
	for i, f := range d.Files {
		if _, used := s.nonces[f.Nonce]; seen[f.Nonce] || used && i >= kept {
			s.reused[d.ID] = true
			return noEffect("NONCE_REUSED", "file %s is named by more than one manifest, or twice", f.Nonce)
		}
		seen[f.Nonce] = true
	}
	if err := checkFiles(&d, sc, k.profile); err != nil {
		return err
	}
	if err := cells.Check(&d, sc); err != nil {
		return err
	}
	for _, f := range d.Files {
		s.nonces[f.Nonce] = d.ID
	}
	m := &manifest{hash: h, body: d}
	s.manifests[h], s.datasets[d.ID] = m, m
	s.published[d.Owner] = append(s.published[d.Owner], s.dated(&m.body))
	return nil
}

// checkFiles compares the shape of every file with what schema and layout demand.
func checkFiles(d *carnet.Dataset, sc *schema.Schema, p *he.Profile) error {
	enc, err := sc.Encode(d.Layout)
	if err != nil {
		return err
	}
	if enc.Profile != p.Name() {
		return noEffect("BAD_DATASET", "schema and layout demand profile %s, not %s", enc.Profile, p.Name())
	}
	if len(d.Files) == 0 {
		return noEffect("BAD_DATASET", "the dataset has no files")
	}
	var rows int64
	for _, f := range d.Files {
		if f.Rows < 0 || f.Rows > sc.Limits.Rows || f.Columns != len(enc.Columns) || f.Blocks != enc.Blocks(f.Rows) || f.Root.IsZero() || f.Nonce.IsZero() {
			return noEffect("BAD_DATASET", "file %s has %d rows, %d columns and %d blocks, which its schema does not allow", f.Nonce, f.Rows, f.Columns, f.Blocks)
		}
		rows += f.Rows
	}
	if rows > sc.Limits.Rows {
		return noEffect("BAD_DATASET", "the dataset has %d rows, its schema allows %d", rows, sc.Limits.Rows)
	}
	return nil
}

// applyProduct: signed by its publisher, whose name it stays; no dataset listed twice,
// since it would count twice. Whether its datasets fit together is checked for each query.
func (s *state) applyProduct(env *evidence.Envelope) error {
	var p carnet.Product
	if err := env.Decode(carnet.TypeProduct, &p); err != nil {
		return err
	}
	if _, err := s.signer(env, p.Publisher, carnet.RoleOwner, carnet.RoleOperator); err != nil {
		return err
	}
	if old := s.products[p.ID]; old != nil {
		if old.Publisher != p.Publisher {
			return noEffect("PRODUCT_EXISTS", "product %q belongs to another publisher", p.ID)
		}
		if err := older("product "+string(p.ID), p.Created, old.Created); err != nil {
			return err
		}
	}
	seen := map[carnet.DatasetID]bool{}
	for _, d := range p.Datasets {
		if seen[d] {
			return noEffect("DATASET_TWICE", "product %q lists dataset %q twice", p.ID, d)
		}
		seen[d] = true
	}
	s.products[p.ID] = &p
	return nil
}

// applyRevocation: signed by the dataset's owner; final for the dataset's name.
func (s *state) applyRevocation(env *evidence.Envelope) error {
	var r carnet.Revocation
	if err := env.Decode(carnet.TypeRevocation, &r); err != nil {
		return err
	}
	if _, err := s.signer(env, r.Owner, carnet.RoleOwner); err != nil {
		return err
	}
	if !strings.HasPrefix(string(r.Dataset), string(r.Owner)+"/") {
		return noEffect("BAD_REVOCATION", "dataset %q does not belong to %q", r.Dataset, r.Owner)
	}
	s.revoked[r.Dataset] = true
	return nil
}

// ownOutcome recognises an answer or refusal of this keyholder in the journal.
func (s *state) ownOutcome(env *evidence.Envelope) *decidedOutcome {
	switch env.PayloadType {
	case carnet.TypeAnswer:
		var a carnet.Answer
		if env.Decode(carnet.TypeAnswer, &a) == nil && a.By == s.me && s.signedByMe(env) {
			return &decidedOutcome{query: a.Query, kind: kindAnswer, statement: env}
		}
	case carnet.TypeDecision:
		var d carnet.Decision
		if env.Decode(carnet.TypeDecision, &d) == nil && d.By == s.me && !d.Allow && s.signedByMe(env) {
			return &decidedOutcome{query: d.Query, kind: kindRefusal, reason: d.Reason, statement: env}
		}
	}
	return nil
}
