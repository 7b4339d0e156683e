package verify

import (
	"fmt"
	"strings"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// OtherRegistrar says that a file is of another network than that of the registrar whose key
// was given: nothing in it can be checked with this key.
type OtherRegistrar struct {
	Given   string `json:"given"` // short names of the two keys
	Named   string `json:"named"` // by the log that the file is of
	Message string `json:"message"`
	Remedy  string `json:"remedy"`
}

// wrongRegistrar reports the key that was given as the likely fault, in place of everything that
// does not verify with it, if the file's log is named after another one and the registrar has
// signed none of its parties. A file of this network keeps its own faults: nobody can have the
// registrar sign a party of another one.
func (v *verifier) wrongRegistrar(check *Check, part, origin string, statements []*evidence.Envelope) bool {
	if origin == evidence.Origin(v.Registrar) {
		return false
	}
	for _, env := range statements {
		if env != nil && env.PayloadType == carnet.TypeParty && env.SignedBy(v.Registrar) {
			return false
		}
	}
	given, named := evidence.KeyHint(v.Registrar), keyOfLog(origin)
	o := &OtherRegistrar{Given: given, Named: named,
		Message: fmt.Sprintf("the registrar's key given is %s, and the file is of the network of the registrar with key %s", given, named),
		Remedy: fmt.Sprintf("if key %s is that of the registrar you trust, by what its operator or a party of the network tells you and not by this file, "+
			"give the file registrar.pub that has it with --registrar (carnet status prints which key a home directory has). If it is not, the file proves nothing to you", named)}
	if named == "" {
		o.Message = fmt.Sprintf("the registrar's key given is %s, and the file is of a log that is named after no registrar's key: %q", given, origin)
		o.Remedy = "ask whoever gave you the file which network it is of"
	}
	v.report.Registrar = o
	check.fault(part, "WRONG_REGISTRAR", "%s", o.Message)
	return true
}

// keyOfLog is the short name of the registrar's key that a log is named after, empty if it is
// named otherwise.
func keyOfLog(origin string) string {
	const digits = 16 // of evidence.KeyHint
	_, key, ok := strings.Cut(origin, "/")
	if !ok || len(key) < digits || strings.Trim(key, "0123456789abcdef") != "" {
		return ""
	}
	return key[:digits]
}

// envelopes of the entries of the file.
func (v *verifier) envelopes() (out []*evidence.Envelope) {
	for i := range v.bundle.Entries {
		out = append(out, v.bundle.Entries[i].Envelope)
	}
	return out
}
