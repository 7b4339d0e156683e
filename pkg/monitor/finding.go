package monitor

import (
	"errors"
	"fmt"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// Weight says how much a finding proves.
type Weight string

const (
	Breach  Weight = "breach"  // a rule is broken; the entries or signatures prove it
	Suspect Weight = "suspect" // to be asked about: it can be innocent
)

// Finding is one thing that is wrong.
type Finding struct {
	Invariant string         `json:"invariant"` // one of Invariants
	Weight    Weight         `json:"weight"`
	Reason    string         `json:"reason"`
	Entry     int64          `json:"entry"` // -1: about no entry
	By        carnet.PartyID `json:"by,omitempty"`
	Source    string         `json:"source,omitempty"` // where a checkpoint came from
	Message   string         `json:"message"`
}

// Key tells findings apart from run to run.
func (f *Finding) Key() carnet.Hash {
	return carnet.Digest("carnet/monitor/finding/1", []byte(f.Invariant), []byte(f.Reason), fmt.Append(nil, f.Entry), []byte(f.By), []byte(f.Source), []byte(f.Message))
}

// The invariants. Their names are stable.
const (
	OneHistory   = "one-history"     // every source shows one log
	Grows        = "grows"           // no entry vanishes, none is left out
	Cosigned     = "co-signed"       // a quorum co-signed the log before anybody answered
	Genuine      = "genuine"         // signatures of checkpoints verify
	Effect       = "effect"          // every entry is a statement that keyholders give effect to
	Once         = "once"            // no statement is in the log twice
	Planned      = "planned"         // the plan of a query is the one that its text has
	Allowed      = "allowed"         // owners' terms allow what is answered
	Decided      = "decided"         // nothing is answered that was refused, or not decided
	Within       = "within-releases" // no key opens more numbers than it may
	Budget       = "within-budget"   // no privacy budget pays more than it has
	NeverShrinks = "never-shrinks"   // what was counted of a key stays counted
	InUse        = "in-use"          // nothing is answered from what was withdrawn
	InTime       = "in-time"         // nothing is answered after the query expired
	AsAsked      = "as-asked"        // answers are to the question, and agree
	Checked      = "checked"         // private parameters are checked before they are answered
	Known        = "known"           // statements are of types that this program judges
	Continuous   = "continuous-keys" // keys are replaced with the consent of the old ones
	Company      = "in-company"      // numbers tell nothing about fewer owners than terms demand
	AsCounted    = "as-counted"      // usage statements say what the log gives
)

// Invariants lists all of them with what they say.
func Invariants() [][2]string {
	return [][2]string{
		{OneHistory, "every source shows the same log: no two roots of one size"},
		{Grows, "the log only grows: no entry vanishes, none is left out"},
		{Cosigned, "a quorum of the committee co-signed the log with a query before its keyholders answered"},
		{Genuine, "the signatures of checkpoints are those of the log and of keyholders"},
		{Effect, "every entry is a statement that keyholders give effect to: signer, role, order, references"},
		{Once, "no statement is in the log twice"},
		{Planned, "the plan of a query is the one that its text and the manifests give"},
		{Allowed, "the owners' terms allow what is answered, when it is answered"},
		{Decided, "nothing is answered that the gateway or the keyholder refused, or that was to be decided and was not"},
		{Within, "no key opens more numbers than the scheme allows"},
		{Budget, "no numbers are released that a dataset's privacy budget can't pay for, all queries of the log together"},
		{NeverShrinks, "a key that is dealt again keeps the numbers that were opened before; privacy terms are not dropped or cut below what was spent"},
		{InUse, "nothing is answered from datasets that were revoked, or keys that were retired"},
		{InTime, "nothing is answered after the query expired"},
		{AsAsked, "answers open the numbers of the plan, and keyholders agree about them"},
		{Checked, "a private parameter is answered only after enough checks of it"},
		{Known, "every statement is of a type that this program judges"},
		{Continuous, "a party's key is replaced with the signature of the old one"},
		{Company, "nothing is answered that tells, together with what was asked before, about fewer owners than terms demand"},
		{AsCounted, "the figures of a usage statement are those that the log gives"},
	}
}

func breach(invariant, reason string, entry int64, by carnet.PartyID, format string, args ...any) Finding {
	return Finding{Invariant: invariant, Weight: Breach, Reason: reason, Entry: entry, By: by, Message: fmt.Sprintf(format, args...)}
}

// because makes a finding of an error.
func because(invariant string, entry int64, by carnet.PartyID, err error) Finding {
	var e *carnet.Error
	if errors.As(err, &e) && e.Reason != "" {
		weight := Breach
		if e.Kind == carnet.Internal { // a fault of this program proves nothing
			weight, by = Suspect, ""
		}
		return Finding{Invariant: invariant, Weight: weight, Reason: e.Reason, Entry: entry, By: by, Message: e.Error()}
	}
	return breach(invariant, "INTERNAL", entry, by, "%v", err)
}
