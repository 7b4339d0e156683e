package verify

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"slices"
	"time"

	"github.com/carnet-network/carnet/pkg/bundle"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/he/wire"
	"github.com/carnet-network/carnet/pkg/share"
	"github.com/carnet-network/carnet/pkg/terms"
)

// terms judges the owners' terms when the query was asked and at every answer.
func (v *verifier) terms() {
	check := v.checks[CheckTerms]
	p, err := v.c.Plan()
	if err != nil {
		return
	}
	judge := func(part string, at time.Time) {
		for _, r := range terms.Check(terms.Request{Buyer: v.c.Query.Buyer, From: v.c.Buyer.Jurisdiction, Purpose: v.c.Query.Purpose, Plan: p, Now: at}) {
			check.fault(part, r.Reason, "%s", r.Message)
		}
	}
	judge(v.queryPart(), v.c.Query.Created)
	for _, a := range v.answersInOrder() {
		judge(v.parts[a.Seq], a.Body.Created)
	}
	for _, in := range v.c.Inputs {
		t := &in.Manifest.Body.Terms
		check.found("dataset %s: buyers %v, purposes %v, until %s", in.Manifest.Body.ID, t.Buyers, t.Purposes, t.Expires.UTC().Format("2006-01-02"))
	}
	check.done()
}

// judged is a record of a decision by rules and the part that it is in.
type judged struct {
	carnet.Judged
	part string
}

// records lists all decisions by rules in the bundle.
func (v *verifier) records() (out []judged) {
	for i := range v.bundle.Entries {
		e := &v.bundle.Entries[i]
		var d carnet.Decision
		if e.Envelope.PayloadType != carnet.TypeDecision || e.Envelope.Decode(carnet.TypeDecision, &d) != nil {
			continue
		}
		for _, j := range d.Judged {
			out = append(out, judged{j, e.Name()})
		}
	}
	return out
}

// policies checks that the policy bundles are those that decisions name, file by file.
func (v *verifier) policies() {
	check := v.checks[CheckPolicy]
	named := map[carnet.Hash]bool{}
	for _, j := range v.records() {
		named[j.Bundle] = true
	}
	for _, a := range v.answersInOrder() {
		if a.Body.Policy != nil {
			named[a.Body.Policy.Digest] = true
		}
	}
	for i := range v.bundle.Policies {
		p := &v.bundle.Policies[i]
		part := bundle.PolicyName(p.Digest())
		if !named[p.Digest()] {
			check.fault(part, "OTHER_POLICY", "no decision or answer in the bundle names this policy bundle")
		}
		checkPolicy(check, part, p)
	}
}

// checkPolicy compares the files of a policy bundle with its signed list.
func checkPolicy(check *Check, part string, p *bundle.Policy) {
	var s struct {
		Files []struct {
			Path string      `json:"path"`
			Hash carnet.Hash `json:"sha256"`
		} `json:"files"`
	}
	if err := json.Unmarshal(p.Statement, &s); err != nil {
		check.fault(part, "BAD_POLICY", "its statement is not well-formed")
		return
	}
	for _, f := range s.Files {
		content, ok := p.Files[f.Path]
		if !ok || sha256.Sum256(content) != f.Hash {
			check.fault(part+"/files/"+f.Path, "POLICY_CHANGED", "the file is not the one that the policy bundle lists")
		}
	}
	if len(s.Files) != len(p.Files) {
		check.fault(part, "POLICY_CHANGED", "it has %d files and lists %d", len(p.Files), len(s.Files))
	}
}

// policy repeats decisions by rules.
func (v *verifier) policy() {
	check, records := v.checks[CheckPolicy], v.records()
	if len(records) == 0 {
		check.idle("nothing in the bundle was decided by rules; owners' terms are judged above")
		return
	}
	have := map[carnet.Hash]*bundle.Policy{}
	for _, list := range [][]bundle.Policy{v.Policies, v.bundle.Policies} {
		for i := range list {
			have[list[i].Digest()] = &list[i]
		}
	}
	missing := 0
	for i := range records {
		j := &records[i]
		p := have[j.Bundle]
		if p == nil || v.Replay == nil {
			missing++
			check.found("%s: %s by %s version %d, digest %s, was not repeated", j.part, j.Flow, j.Name, j.Version, j.Bundle)
			continue
		}
		if err := v.Replay.Replay(v.ctx, p, &j.Judged); err != nil {
			check.failed(j.part, err)
			continue
		}
		check.found("%s: %s %s by %s version %d", j.part, j.Flow, verdict(j.Allow), j.Name, j.Version)
	}
	if missing > 0 {
		check.skip("%d of %d decisions were made by policy bundles that are not at hand; get them from whoever decided, and give them with --policy", missing, len(records))
		return
	}
	check.done()
}

func verdict(allow bool) string {
	if allow {
		return "allowed"
	}
	return "refused"
}

// private verifies the keyholders' checks of the shared selection.
func (v *verifier) private() {
	check := v.checks[CheckPrivate]
	p, err := v.c.Plan()
	if err != nil {
		return
	}
	choices, spare, weight := 0, 0, 0
	if p.Private != nil {
		choices, spare, weight = len(p.Private.Codes), p.Private.Spare, p.Private.Weight
	}
	if err := share.CheckPrivate(p.Committee, &v.c.Query, choices, spare, weight); err != nil {
		check.failed(v.queryPart(), err)
		return
	}
	if p.Private == nil {
		check.idle("the query has no private parameter")
		return
	}
	var scalars []share.CheckAnswer
	for i, member := range v.c.Committee.Body.Members {
		k := v.c.Checks[member]
		if k == nil {
			continue
		}
		values, err := wire.ReadScalars(p.Profile, k.Scalars, share.CheckScalars)
		if err != nil {
			check.found("the check of %s is malformed and does not count", member)
			continue
		}
		scalars = append(scalars, share.CheckAnswer{Number: i + 1, Values: [share.CheckScalars]he.Scalar(values)})
	}
	check.found("%d checks, %d must agree", len(scalars), p.Private.Checks)
	if len(v.c.Answers) == 0 {
		check.idle("nobody answered the query")
		return
	}
	if err := share.VerifySelection(he.NewRing(p.Profile), p.Committee, p.Private.Checks, scalars); err != nil {
		check.failed(v.queryPart(), err)
	}
	check.done()
}

// decisions checks that nobody answered what was refused.
func (v *verifier) decisions() {
	check := v.checks[CheckDecisions]
	for _, d := range v.decisionsInOrder() {
		operator := v.c.Committee.Number(d.By) == 0
		check.found("%s %s the query: %s", d.By, verdict(d.Allow), orNone(d.Reason))
		for _, a := range v.answersInOrder() {
			if !d.Allow && (operator || d.By == a.Body.By) {
				check.fault(v.parts[a.Seq], "RELEASE_REFUSED", "%s answered what %s refused", a.Body.By, d.By)
			}
		}
	}
	for _, a := range v.answersInOrder() {
		check.found("%s answered, having decided by %s", a.Body.By, a.Body.Policy)
		if e := v.c.Committee.Body.Policy.Unmet(a.Body.By, a.Body.Policy); e != nil {
			check.fault(v.parts[a.Seq], e.Reason, "%s", e.Msg)
		}
	}
	for _, owner := range v.c.Owners() {
		if a := v.c.Approvals[owner]; a != nil {
			check.found("%s %s the query by entry %d", owner, verdict(a.Body.Allow), a.Seq)
		}
	}
	for _, a := range v.answersInOrder() {
		missing, refused := v.c.Unapproved(a.Seq)
		for _, owner := range refused {
			check.fault(v.parts[a.Seq], "APPROVAL_REFUSED", "%s answered what %s had refused", a.Body.By, owner)
		}
		for _, owner := range missing {
			check.fault(v.parts[a.Seq], "APPROVAL_MISSING", "%s answered without the approval of %s, whose terms demand it", a.Body.By, owner)
		}
	}
	if len(v.c.Decisions) == 0 {
		check.found("no decision besides the answers: the gateway logs one only if rules decide")
	}
	check.done()
}

func orNone(reason string) string {
	if reason == "" {
		return "no reason is needed"
	}
	return reason
}

func (v *verifier) decisionsInOrder() (out []carnet.Decision) {
	var ids []carnet.PartyID
	for id := range v.c.Decisions {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		out = append(out, v.c.Decisions[id].Body)
	}
	return out
}

// ciphertext compares hashes of pieces with the roots in the manifests.
func (v *verifier) ciphertext() {
	check := v.checks[CheckCiphertext]
	files := v.files()
	for i := range v.bundle.Pieces {
		p := &v.bundle.Pieces[i]
		part := bundle.PiecesName(p.File)
		f := files[p.File]
		if f == nil {
			check.fault(part, "PIECE_DIFFERS", "no dataset of the query has this file")
			continue
		}
		if want := f.Columns() * f.Leaves(); len(p.Hashes) != want || f.RootOf(slices.Clone(p.Hashes)) != f.root {
			check.fault(part, "PIECE_DIFFERS", "the hashes do not lead to the root that the owner signed")
		}
		delete(files, p.File)
		check.found("file %s: %d pieces, root %s", p.File, len(p.Hashes), f.root)
	}
	if len(files) > 0 {
		check.skip("the bundle has no hashes of %d of the files; their roots are in the signed manifests", len(files))
		return
	}
	check.done()
}

// equal compares digests that may be absent.
func equal(a *carnet.Hash, b carnet.Hash) bool { return a != nil && bytes.Equal(a[:], b[:]) }
