package verify

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/history"
)

// CheckSplit is the check that two checkpoints contradict each other.
const CheckSplit = "split"

// splitClaims are those about the proof that a log showed two histories. They pass if it
// did.
var splitClaims = []claim{
	{CheckForm, "The file is a complete proof of two histories in its one form",
		"Nothing was added to the file or cut off."},
	{CheckSignatures, "The log signed both states",
		"Parties are those that the registrar admitted, and one that operates a gateway signed both states in the name of the log."},
	{CheckSplit, "The states contradict each other: the log showed two histories",
		"No log can have had both: whoever signed both has deceived those to whom the states were shown."},
}

// IsSplit tells the proof of two histories from other files.
func IsSplit(data []byte) bool {
	var f struct {
		Format string `json:"format"`
	}
	return len(data) > 0 && data[0] == '{' && json.Unmarshal(data, &f) == nil && f.Format == evidence.SplitFormat
}

// EncodeSplit writes a proof in its one form.
func EncodeSplit(s *evidence.Split) ([]byte, error) {
	data, err := json.MarshalIndent(s, "", "  ")
	return append(data, '\n'), err
}

// Split checks the proof that a log showed two histories. Of the options Registrar counts.
func Split(ctx context.Context, data []byte, o Options) (*Report, error) {
	v := &verifier{Options: o, ctx: ctx, report: &Report{Bundle: sha256.Sum256(data)}}
	v.report.Checks, v.checks = newChecks(splitClaims)
	s := &evidence.Split{}
	return v.conclude([][]func(){
		{func() { v.splitForm(data, s) }},
		{func() { v.splitSigners(s) }},
		{func() { v.contradiction(s) }},
	})
}

func (v *verifier) splitForm(data []byte, s *evidence.Split) {
	check := v.checks[CheckForm]
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	err := d.Decode(s)
	if err == nil {
		var again []byte
		if again, err = EncodeSplit(s); err == nil && (!bytes.Equal(again, data) || s.Older == nil || s.Newer == nil || !s.Older.OneSpelling() || !s.Newer.OneSpelling()) {
			err = carnet.E(carnet.Invalid, "BUNDLE_DAMAGED", "the file is not in its one form, or states are missing")
		}
	}
	if err != nil {
		check.failed("the file", err)
		return
	}
	v.report.Log = &Log{Origin: s.Newer.Origin, Size: s.Newer.Size, Root: s.Newer.Head, Cosigned: []carnet.PartyID{}}
	check.done()
}

// splitSigners checks who signed; keyholders that co-signed both are named.
func (v *verifier) splitSigners(s *evidence.Split) {
	check := v.checks[CheckSignatures]
	if v.wrongRegistrar(check, "the states", s.Newer.Origin, s.Parties) {
		return
	}
	v.state = history.New(v.Registrar)
	var ids, all []carnet.PartyID // keyholders; everybody
	for i, env := range s.Parties {
		if env == nil || env.PayloadType != carnet.TypeParty {
			check.fault("the parties", "WRONG_STATEMENT_TYPE", "there is something else than statements of parties")
			return
		}
		if _, err := v.state.Apply(int64(i), env); err != nil {
			check.failed("the parties", err)
			return
		}
		var p carnet.Party
		if env.Decode(carnet.TypeParty, &p) != nil || slices.Contains(all, p.ID) {
			continue
		}
		if all = append(all, p.ID); p.HasRole(carnet.RoleKeyholder) {
			ids = append(ids, p.ID)
		}
	}
	if want := evidence.Origin(v.Registrar); s.Older.Origin != want || s.Newer.Origin != want {
		check.fault("the states", "WRONG_LOG", "they are of another log than %q, that of the registrar's network", want)
	}
	for _, cp := range []*evidence.SignedCheckpoint{s.Older, s.Newer} {
		if !v.state.SignsLog(cp) {
			check.fault("the states", "BAD_SIGNATURE", "the state of size %d is not signed by the log", cp.Size)
		}
	}
	signed := func(cp *evidence.SignedCheckpoint, id carnet.PartyID) bool {
		for _, k := range v.state.Keys(id) {
			if sig, _ := cp.CosignedBy(id, k); sig != nil {
				return true
			}
		}
		return false
	}
	for _, cp := range []*evidence.SignedCheckpoint{s.Older, s.Newer} {
		good := 1
		for _, id := range ids {
			if signed(cp, id) {
				good++
			}
		}
		if good != len(cp.Signatures) {
			check.fault("the states", "BAD_SIGNATURE", "%d signatures of the state of size %d are not by the log or a keyholder in the file, or do not verify", len(cp.Signatures)-good, cp.Size)
		}
	}
	for _, id := range ids {
		older, newer := signed(s.Older, id), signed(s.Newer, id)
		switch {
		case older && newer:
			check.found("%s co-signed both", id)
		case older:
			check.found("%s co-signed the state of size %d with root %s", id, s.Older.Size, s.Older.Head)
		case newer:
			check.found("%s co-signed the state of size %d with root %s", id, s.Newer.Size, s.Newer.Head)
		}
	}
	for _, cp := range []*evidence.SignedCheckpoint{s.Older, s.Newer} {
		v.replacedKeys(check, all, cp)
	}
	check.done()
}

// replacedKeys names signatures with keys that their parties replaced. They count: which key was
// in force depends on the history, and of these there are two. But whoever got hold of such a
// key can have made them.
func (v *verifier) replacedKeys(check *Check, ids []carnet.PartyID, cp *evidence.SignedCheckpoint) {
	for _, id := range ids {
		list := v.state.Registered(id)
		for i := range list[:len(list)-1] {
			old, present := &list[i].Body, &list[len(list)-1].Body
			if bytes.Equal(old.SigningKey, list[i+1].Body.SigningKey) {
				continue // the sealing key was replaced, or it comes again
			}
			sig, _ := cp.CosignedBy(id, old.SigningKey)
			if sig != nil || present.HasRole(carnet.RoleOperator) && cp.LogSignedBy(old.SigningKey) {
				check.found("the state of size %d is signed with a key that %s replaced by the statements in the file: whoever had that key can have signed it, at any time; ask %s", cp.Size, id, id)
			}
		}
	}
}

func (v *verifier) contradiction(s *evidence.Split) {
	check := v.checks[CheckSplit]
	if err := s.Verify(); err != nil {
		check.failed("the states", err)
		return
	}
	check.found("at size %d one history has root %s", s.Older.Size, s.Older.Head)
	check.found("the other one, of size %d now, had root %s there", s.Newer.Size, s.Root)
	check.done()
}
