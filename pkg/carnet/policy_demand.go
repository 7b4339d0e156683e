package carnet

import "fmt"

// PolicyBundle names the bundle that a gateway or keyholder decides by.
type PolicyBundle struct {
	Name    string `json:"name"`
	Version int64  `json:"version"`
	Digest  Hash   `json:"digest"`
}

// By is the bundle that decided.
func (j *Judged) By() *PolicyBundle { return &PolicyBundle{j.Name, j.Version, j.Bundle} }

// PolicyDemand is the bundle that the gateway and all keyholders of a committee have to decide
// by. Whoever has another one, or none, answers nothing.
type PolicyDemand struct {
	Name    string `json:"name"`
	Version int64  `json:"version"`          // this one or a later one
	Digest  *Hash  `json:"digest,omitempty"` // of this version exactly this bundle; a later one is any
}

// Validate says what is wrong with the demand, as an error of kind Invalid (BAD_COMMITTEE).
// A committee without a demand has none.
func (d *PolicyDemand) Validate() error {
	if d == nil {
		return nil
	}
	e := E(Invalid, "BAD_COMMITTEE", "the committee's demand for a policy bundle can't be met").Fix("name a bundle and its least version")
	switch {
	case !ValidName(d.Name):
		return e.With("policy.name", "is not a name")
	case d.Version < 1:
		return e.With("policy.version", "want a number from 1 up")
	case d.Digest != nil && d.Digest.IsZero():
		return e.With("policy.digest", "is zero")
	}
	return nil
}

// Unmet is a refusal (POLICY_DEMANDED) if who decides by another bundle than is demanded; nil
// stands for none. Without a demand every bundle will do.
func (d *PolicyDemand) Unmet(who PartyID, has *PolicyBundle) *Error {
	if d == nil || has != nil && has.Name == d.Name &&
		(has.Version > d.Version || has.Version == d.Version && (d.Digest == nil || *d.Digest == has.Digest)) {
		return nil
	}
	by := "without one"
	if has != nil {
		by = "by " + has.text()
	}
	want := (&PolicyBundle{Name: d.Name, Version: d.Version}).text() + " or later"
	if d.Digest != nil {
		want += ", which is " + d.Digest.String() + " in that version"
	}
	return E(Refused, "POLICY_DEMANDED", "the committee demands to decide by policy bundle %s, and %s decides %s", want, who, by).
		Fix("ask %s to put bundle %s in place, and then ask again", who, want)
}

// String names the bundle with its digest; nil is no bundle.
func (b *PolicyBundle) String() string {
	if b == nil {
		return "owners' terms alone"
	}
	return fmt.Sprintf("policy %s, digest %s", b.text(), b.Digest)
}

func (b *PolicyBundle) text() string { return fmt.Sprintf("%s version %d", b.Name, b.Version) }
