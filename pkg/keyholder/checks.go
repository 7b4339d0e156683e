package keyholder

import (
	"context"
	"errors"
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/seal"
)

// check is one rule of scheme §6. It returns nil if the rule holds, a refusal (an
// error of kind Refused) if it is broken for good, errNotYet if that can't be known
// yet, and any other error if finding out failed and should be tried again.
type check struct {
	rule string
	run  func(ctx context.Context, k *Keyholder, c *Case) error
}

// checks are all rules in their order: of several that refuse, the first one tells the buyer
// why, and terms say it more simply than what follows from them. What follows the rules (deriving the functional,
// the share, persisting, sealing, sending: §6.6, §6.8, §6.9) is in answer.go.
var checks = []check{
	{"§6.1 one committee, one parameter set", func(_ context.Context, _ *Keyholder, c *Case) error { return checkOneCommittee(c) }},
	{"§6.1 seeds held and matching the commitments", checkSeedsHeld},
	{"§6.2 the buyer signed", checkSignature},
	{"§6.2 the signer may buy", checkBuyer},
	{"§6.2 answers can be sealed to the buyer", checkRecipient},
	{"§6.2 not expired", checkExpiry},
	{"§6.2 included in a checkpoint a quorum co-signed", checkIncluded},
	{"§6.3 every key within its releases", checkBudget},
	{"§6.3 own policy", checkPolicy},
	{"§9 no number tells apart what its owner keeps together", checkGroups},
	{"§6.3 no number of few owners by way of others", checkOverlap},
	{"§6.3 every dataset within its privacy budget", checkPrivacy},
	{"§6.4 inputs are the product's datasets", checkInputs},
	{"§6.4 no input revoked", checkRevoked},
	{"§6.4 one nonce, one dataset", checkNonces},
	{"§6.5 own plan equals the buyer's", checkPlan},
	{"§6.5 functionals well-formed, noise recomputed", checkOpenings},
	{"§7 private parameter as its plan has it", checkPrivate},
	{"§8 products across owners who list each other, and few", checkAcross},
	{"approved by everybody who is asked", checkApproved},
}

// errNotYet says that a query has to wait for something outside.
var errNotYet = errors.New("not yet")

func refuse(reason, format string, args ...any) *carnet.Error {
	return carnet.E(carnet.Refused, reason, format, args...)
}

// asRefusal turns an error about the query into a refusal with the same words.
func asRefusal(err error) error {
	var e *carnet.Error
	if !errors.As(err, &e) {
		return refuse("QUERY_NOT_POSSIBLE", "the query can't be compiled").Fix("load the product again and ask with a current client")
	}
	r := refuse(e.Reason, "%s", e.Msg)
	r.Remedy, r.Violations = e.Remedy, e.Violations
	if r.Reason == "" {
		r.Reason = "QUERY_NOT_POSSIBLE"
	}
	if r.Remedy == "" {
		r.Remedy = "change the query as the message says; docs/reference/sql.md has what is answered"
	}
	return r
}

// checkOneCommittee: all owners in one functional share committee and parameter id
// (scheme §3). Owner signature, parameter id and subset list of each dealing were
// checked when it was taken from the journal (state.applyDealing).
func checkOneCommittee(c *Case) error {
	for _, q := range c.products {
		for _, in := range q.inputs {
			first := q.inputs[0]
			a, b := &in.manifest.body, &first.manifest.body
			if in.dealing.committee != first.dealing.committee || in.dealing.body.Params != first.dealing.body.Params ||
				a.Schema != b.Schema || a.Layout != b.Layout {
				return refuse("MIXED_PRODUCT", "the product's datasets differ in committee, parameters, schema or layout").
					Fix("ask the publisher for a product of datasets that fit together")
			}
		}
	}
	for _, in := range c.inputs {
		first := c.inputs[0]
		if in.dealing.committee != first.dealing.committee {
			return refuse("MIXED_COMMITTEES", "the query's products have different committees, and one committee answers a query").
				Fix("ask about each product with a query of its own")
		}
		if in.dealing.body.Params != first.dealing.body.Params {
			return refuse("MIXED_PROFILES", "the query's products have different profiles").
				Fix("ask about each product with a query of its own")
		}
	}
	return nil
}

// checkSeedsHeld: this keyholder has the seeds of every key, and they match com_A.
func checkSeedsHeld(ctx context.Context, k *Keyholder, c *Case) error {
	for _, key := range c.keys() {
		d := c.dealing(key)
		if d.committee.number == 0 {
			return refuse("NO_MEMBER", "this keyholder is not a member of the committee of key %s", key).
				Fix("ask the publisher for a product whose keys were dealt to one committee")
		}
		if err := k.sharer.Held(ctx, d.shared()); err != nil {
			switch {
			case carnet.ReasonOf(err) == "KEY_DESTROYED":
				return refuse("KEY_DESTROYED", "this keyholder destroyed its seeds of key %s", key).
					Fix("ask the owner to publish the dataset again under a new dealing")
			case carnet.KindOf(err) == carnet.NotFound:
				return errNotYet // the owner may still deliver them
			}
			return err
		}
	}
	return nil
}

// checkSignature: the buyer's signature covers SQL, inputs, plan, purpose and the
// key answers are sealed to; whoever changes one of them has no signature.
func checkSignature(_ context.Context, k *Keyholder, c *Case) error {
	if c.invalid != nil {
		return refuse("BAD_STATEMENT", "the query is not well-formed").Fix("submit it with a current client")
	}
	if c.buyer == nil && k.state.isRevokedParty(c.Query.Buyer) {
		return asRefusal(evidence.PartyRevoked(c.Query.Buyer))
	}
	if c.buyer == nil {
		return refuse("UNKNOWN_PARTY", "buyer %q is not registered", c.Query.Buyer).Fix("register with the network's registrar first")
	}
	if c.signature != nil {
		return asRefusal(c.signature)
	}
	return nil
}

// checkBuyer: only a registered buyer may ask, and nobody is answered who was revoked since.
func checkBuyer(_ context.Context, k *Keyholder, c *Case) error {
	if k.state.isRevokedParty(c.Query.Buyer) {
		return asRefusal(evidence.PartyRevoked(c.Query.Buyer))
	}
	if !c.buyer.HasRole(carnet.RoleBuyer) {
		return refuse("WRONG_ROLE", "party %q is not registered as a buyer", c.Query.Buyer).Fix("ask the registrar for the role")
	}
	return nil
}

// checkRecipient: the public key in the query can be sealed to.
func checkRecipient(_ context.Context, _ *Keyholder, c *Case) error {
	if seal.CheckPublic(c.Query.Recipient) != nil {
		return refuse("BAD_RECIPIENT", "the query's recipient key is malformed").Fix("submit a new query with a fresh key")
	}
	return nil
}

// checkExpiry: a query is answered before its expiry only.
func checkExpiry(_ context.Context, k *Keyholder, c *Case) error {
	if c.expired(k.now()) {
		return refuse("QUERY_EXPIRED", "the query expired at %s", c.Query.Expires.UTC().Format("2006-01-02 15:04:05 MST")).
			Fix("submit it again with a later expiry")
	}
	return nil
}

// checkIncluded: ⌈(n+t)/2⌉ keyholders co-signed a checkpoint that includes the
// query, on the journal this keyholder follows; else two halves of a committee
// could be shown two journals and each budget be spent twice. A keyholder that was
// restored from a backup replays the journal first.
func checkIncluded(ctx context.Context, k *Keyholder, c *Case) error {
	size, err := k.ledger.Quorum(ctx, c.committee().hash)
	if err != nil {
		return err
	}
	if size <= c.Seq || !k.caughtUp() {
		return errNotYet
	}
	return nil
}

// checkBudget: every query of the journal up to that checkpoint was charged when
// its entry was made durable (see charge); a keyholder stops at R distinct
// functionals for a key (scheme §5).
func checkBudget(ctx context.Context, k *Keyholder, c *Case) error {
	p, err := c.compile()
	if err != nil {
		return asRefusal(err)
	}
	limit, err := maxReleases(c, p)
	if err != nil {
		return asRefusal(err)
	}
	if own := k.cfg.MaxReleases; own > 0 {
		limit = min(limit, own)
	}
	for _, key := range c.keys() {
		n, err := k.charged(ctx, c.dealing(key), c.Seq)
		if err != nil {
			return err
		}
		if n > limit {
			return refuse("RELEASES_EXHAUSTED", "key %s has %d distinct numbers asked for, its limit is %d", key, n, limit).
				Fix("the owner has to publish the dataset again under a new key")
		}
	}
	return nil
}

// checkPolicy: this keyholder's own policy, by default the owners' terms.
func checkPolicy(ctx context.Context, k *Keyholder, c *Case) error {
	p, err := c.compile()
	if err != nil {
		return asRefusal(err)
	}
	r := Request{Query: &c.Query, Plan: p, Buyer: c.buyer, Datasets: datasets(c.inputs), Now: k.now(), Judge: k.cfg.Party,
		Committee: &c.committee().body, Homes: map[carnet.KeyID]int{}, Parties: c.parties, Published: c.published}
	for _, in := range c.inputs {
		if h := in.dealing.body.Home; h != nil {
			r.Homes[in.dealing.key] = h.Member
		}
	}
	c.verdict, err = k.cfg.Policy.Check(ctx, r)
	return err
}

// checkInputs: the query names exactly the product's datasets that were in use
// when it was asked, each by the statement its owner signed, each once.
func checkInputs(_ context.Context, _ *Keyholder, c *Case) error {
	if len(c.reused) > 0 {
		return refuse("NONCE_REUSED", "dataset %q names a file that another manifest names", c.reused[0]).
			Fix("its owner has to encrypt and publish the table again")
	}
	if len(c.missing) > 0 {
		return refuse("UNKNOWN_DATASET", "dataset %q has no manifest that verifies", c.missing[0]).
			Fix("ask its owner to publish it again")
	}
	if !slices.Equal(c.Query.Inputs, c.hashes()) {
		return refuse("INPUTS_DIFFER", "the query's inputs are not the product's present datasets").
			Fix("load the product again and resubmit the query")
	}
	return nil
}

// checkRevoked: revocations and retirements that arrived after the query count, too.
func checkRevoked(_ context.Context, k *Keyholder, c *Case) error {
	for _, in := range c.inputs {
		if k.state.isRevoked(in.manifest.body.ID) {
			return refuse("DATASET_REVOKED", "dataset %q was revoked by its owner", in.manifest.body.ID).
				Fix("resubmit the query without it")
		}
		if k.state.isRetired(in.dealing.key) {
			return refuse("KEY_RETIRED", "the key of dataset %q was retired by its owner", in.manifest.body.ID).
				Fix("resubmit the query without it")
		}
	}
	return nil
}

// checkNonces: one nonce → one content root → one dataset → one terms document. A
// file that counted twice would double its rows and could reveal differences of
// plaintexts. Signature, block count and parameters of each manifest were checked
// when it was taken from the journal (state.applyDataset).
func checkNonces(_ context.Context, k *Keyholder, c *Case) error {
	seen := map[carnet.Nonce]bool{}
	for _, in := range c.inputs {
		for _, f := range in.manifest.body.Files {
			if seen[f.Nonce] || k.state.fileOwner(f.Nonce) != in.manifest.body.ID {
				return refuse("NONCE_REUSED", "file %s is named by more than one dataset", f.Nonce).
					Fix("its owner has to encrypt and publish the table again")
			}
			seen[f.Nonce] = true
		}
	}
	return nil
}

// checkPlan: the plan compiled here from SQL and signed manifests is the one the
// buyer signed. It fixes degree, level, k, certificate and every functional.
func checkPlan(_ context.Context, _ *Keyholder, c *Case) error {
	p, err := c.compile()
	if err != nil {
		return asRefusal(err)
	}
	if p.Hash() != c.Query.Plan {
		return refuse("PLAN_DIFFERS", "the plan this keyholder compiles is not the one the buyer signed").
			Fix("load the product again and resubmit; if it persists, buyer and keyholder run different versions")
	}
	return nil
}

// planDiffers refuses a plan that this keyholder would not make.
func planDiffers(format string, args ...any) error {
	return refuse("PLAN_DIFFERS", format, args...).
		Fix("load the product again and resubmit; if it persists, buyer and keyholder run different versions")
}

// checkOpenings: every weight is 0 or 1, no file, block, cell or pair counts twice;
// the degree is one the profile allows; the flooding width is the largest that fits
// the noise budget, recomputed here from the functional alone.
func checkOpenings(_ context.Context, _ *Keyholder, c *Case) error {
	p, err := c.compile()
	if err != nil {
		return asRefusal(err)
	}
	profile := c.inputs[0].dealing.profile
	memo, floods := functional.NewMemo(profile.N()), newFloods(c)
	for i := range p.Openings {
		o := &p.Openings[i]
		fs := o.Functionals()
		for _, f := range fs {
			if err := memo.Validate(f); err != nil {
				return asRefusal(err)
			}
			for j := range f.Keys {
				if c.dealing(f.Keys[j].Key) == nil {
					return planDiffers("opening %d uses a key that is not among the inputs", i)
				}
			}
			if f.Degree != fs[0].Degree || f.KeySet() != fs[0].KeySet() {
				return planDiffers("opening %d chooses between functionals that differ in degree or keys", i)
			}
		}
		k, _, err := floods.of(p, o)
		if err != nil {
			return asRefusal(err)
		}
		if o.Degree != fs[0].Degree || o.Degree > profile.MaxDegree() || o.FloodBits != k {
			return planDiffers("opening %d has degree %d and %d flooding bits, want %d and %d", i, o.Degree, o.FloodBits, fs[0].Degree, k)
		}
	}
	return nil
}

// runChecks runs all checks; the error names the rule.
func (k *Keyholder) runChecks(ctx context.Context, c *Case) error {
	for _, ch := range checks {
		if err := ch.run(ctx, k, c); err != nil {
			k.log.Debug("check did not pass", "query", c.Hash, "rule", ch.rule, "error", err)
			return err
		}
	}
	return nil
}
