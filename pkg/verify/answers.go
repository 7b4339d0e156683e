package verify

import (
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/columnfile"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/share"
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

// functionals are what a plan opens, as keyholders name it.
type functionals struct {
	all      []*functional.Functional
	contents [][]carnet.Hash // H_D of every key, nil where it takes ciphertext to know
	complete bool
}

// linear computes the contents that need no ciphertext.
func linear(p *plan.Plan) *functionals {
	f := &functionals{all: p.Functionals(), complete: true}
	f.contents = make([][]carnet.Hash, len(f.all))
	memo := functional.NewMemo(p.Profile.N())
	for i, x := range f.all {
		if x.Degree > 1 {
			f.complete = false
			continue
		}
		for k := range x.Keys {
			f.contents[i] = append(f.contents[i], memo.LinearHash(&x.Keys[k]))
		}
	}
	return f
}

// digest is what answers name the functionals by.
func (f *functionals) digest(p *plan.Plan, q *carnet.Query) carnet.Hash {
	var all []byte
	at := 0
	for i := range p.Openings {
		o := &p.Openings[i]
		fs := o.Functionals()
		hd := f.contents[at : at+len(fs)]
		at += len(fs)
		var id carnet.Hash
		if p.Private != nil {
			id = share.SelectionID(p.Profile, fs, o.FloodBits, hd, share.SelectionOf(q).Hash())
		} else {
			id = share.FunctionalID(p.Profile, o.F, o.FloodBits, hd[0])
		}
		all = append(all, id[:]...)
	}
	return carnet.Digest("carnet/answers/F/1", all)
}

// answers checks what keyholders signed about their answers.
func (v *verifier) answers() {
	check := v.checks[CheckAnswers]
	p, err := v.c.Plan()
	if err != nil {
		return
	}
	v.ids = linear(p)
	list := v.answersInOrder()
	for _, a := range list {
		part := v.parts[a.Seq]
		if a.Body.Openings != len(p.Openings) {
			check.fault(part, "BAD_ANSWER", "%s opened %d numbers, the plan has %d", a.Body.By, a.Body.Openings, len(p.Openings))
		}
		if !a.Body.Created.Before(v.c.Query.Expires) {
			check.fault(part, "QUERY_EXPIRED", "%s answered after the query had expired", a.Body.By)
		}
		if v.ids.complete && a.Body.Functionals != v.ids.digest(p, &v.c.Query) {
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
	if len(list) > 0 && !v.ids.complete {
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
