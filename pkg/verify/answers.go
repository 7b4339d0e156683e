package verify

import (
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/columnfile"
	"github.com/carnet-network/carnet/pkg/history"
	"github.com/carnet-network/carnet/pkg/plan"
)

// signedFile is a file of the inputs with the root that its owner signed.
type signedFile struct {
	*columnfile.File
	root carnet.Hash
}

// files are all files of the inputs.
func (v *verifier) files() map[carnet.Nonce]*signedFile {
	out := map[carnet.Nonce]*signedFile{}
	for _, in := range v.c.Inputs {
		for i := range in.Manifest.Body.Files {
			f := &in.Manifest.Body.Files[i]
			if file, err := columnfile.NewFile(in.Dealing.Profile, f.Nonce, f.Columns, f.Blocks); err == nil {
				out[f.Nonce] = &signedFile{file, f.Root}
			}
		}
	}
	return out
}

// answers checks what keyholders signed about their answers.
func (v *verifier) answers() {
	check := v.checks[CheckAnswers]
	p, err := v.c.Plan()
	if err != nil {
		return
	}
	v.ids = history.FunctionalsOf(p)
	list := v.answersInOrder()
	for _, a := range list {
		part := v.parts[a.Seq]
		if a.Body.Openings != len(p.Openings) {
			check.fault(part, "BAD_ANSWER", "%s opened %d numbers, the plan has %d", a.Body.By, a.Body.Openings, len(p.Openings))
		}
		if !a.Body.Created.Before(v.c.Query.Expires) {
			check.fault(part, "QUERY_EXPIRED", "%s answered after the query had expired", a.Body.By)
		}
		if v.ids.Complete && a.Body.Functionals != v.ids.Digest(p, &v.c.Query) {
			check.fault(part, "FUNCTIONALS_DIFFER", "%s opened other functionals than those of the plan", a.Body.By)
		}
		if first := &list[0].Body; a.Body.Functionals != first.Functionals {
			check.fault(part, "FUNCTIONALS_DIFFER", "%s and %s opened different functionals", first.By, a.Body.By)
		}
	}
	released := "enough: the buyer could open the answer"
	if len(list) < p.Needed() {
		released = "too few: nothing was released"
	}
	check.found("%d keyholders answered, %d are needed; %s", len(list), p.Needed(), released)
	v.attestations(check, p)
	if len(list) > 0 && !v.ids.Complete {
		check.found("the functionals multiply columns: whether they are those of the plan takes the ciphertext (--recompute)")
	}
	check.done()
}

// attestations counts who computed the public half and compares them with each other.
func (v *verifier) attestations(check *Check, p *plan.Plan) {
	by := map[carnet.Hash][]carnet.PartyID{}
	n := 0
	for _, a := range v.answersInOrder() {
		if a.Body.Attested != nil {
			by[*a.Body.Attested] = append(by[*a.Body.Attested], a.Body.By)
			n++
		}
	}
	need := v.c.Committee.Body.Attestations
	if p.Certificate.Degree > 1 {
		need = max(need, v.c.Committee.Body.Threshold)
	}
	check.found("%d keyholders computed the public half themselves, the committee asks for %d", n, need)
	if len(by) > 1 {
		for _, a := range v.answersInOrder() {
			if a.Body.Attested != nil {
				check.fault(v.parts[a.Seq], "PUBLIC_VALUES_WRONG", "%s and others computed different public halves (%s)", a.Body.By, a.Body.Attested)
			}
		}
	}
}
