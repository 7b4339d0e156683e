package verify

import (
	"slices"
	"strings"

	"github.com/carnet-network/carnet/pkg/bundle"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/history"
)

// inclusion proves every entry against the checkpoint.
func (v *verifier) inclusion() {
	check, cp := v.checks[CheckInclusion], v.bundle.Checkpoint
	v.report.Log = &Log{Origin: cp.Origin, Size: cp.Size, Root: cp.Head, Cosigned: []carnet.PartyID{}}
	for i := range v.bundle.Entries {
		e := &v.bundle.Entries[i]
		if err := evidence.VerifyInclusion(evidence.Leaf(e.Salt, e.Envelope), e.Seq, cp.Checkpoint, e.Proof); err != nil {
			check.failed(e.Name(), err)
		}
	}
	if n := len(v.bundle.Entries); n == 0 || len(check.Faults) == n {
		check.fault("checkpoint", "BAD_INCLUSION_PROOF", "no entry is in the log of this checkpoint")
	}
	check.found("%d entries of a log of %d, root %s", len(v.bundle.Entries), cp.Size, cp.Head)
	check.done()
}

// signatures replays the statements in their order.
func (v *verifier) signatures() {
	check := v.checks[CheckSignatures]
	if v.wrongRegistrar(check, "checkpoint", v.bundle.Checkpoint.Origin, v.envelopes()) {
		return
	}
	v.state = history.New(v.Registrar)
	unknown := 0
	for i := range v.bundle.Entries {
		e := &v.bundle.Entries[i]
		ev, err := v.state.Apply(e.Seq, e.Envelope)
		switch {
		case err != nil:
			check.failed(e.Name(), err)
		case ev.Unknown:
			unknown++
			check.found("%s: of a type that this program does not know; it was found in the log and is not judged", e.Name())
		case ev.Replaced != nil:
			check.found("%s", replaced(e.Name(), ev.Replaced))
		case ev.Type == carnet.TypePartyRevocation:
			check.found("%s: the registrar revoked a party; nothing that it signed later counts", e.Name())
		}
	}
	v.c = v.state.Case(v.bundle.Query)
	if v.c == nil {
		check.fault("bundle.json", "NO_QUERY", "the bundle has no valid query %s", v.bundle.Query)
		return
	}
	v.committee = v.c.Committee
	v.report.Query = subject(v.c)
	check.found("%d statements, in the order of the log; registrar's key %s", len(v.bundle.Entries)-unknown, evidence.KeyHint(v.Registrar))
	check.done()
}

func subject(c *history.Case) *Subject {
	s := &Subject{Hash: c.Hash, Entry: c.Seq, Buyer: c.Query.Buyer, Products: c.Query.Products(), SQL: c.Query.SQL,
		Purpose: c.Query.Purpose, Created: c.Query.Created, Expires: c.Query.Expires}
	s.From = strings.TrimSpace(c.Buyer.Name + ", " + string(c.Buyer.Jurisdiction))
	for _, in := range c.Inputs {
		s.Datasets = append(s.Datasets, in.Manifest.Body.ID)
	}
	return s
}

// cosigned counts the co-signatures of the query's committee. The bundle has no signature
// that does not verify: a changed one is found even if the others are enough.
func (v *verifier) cosigned() {
	check, cp := v.checks[CheckCosigned], v.bundle.Checkpoint
	if want := evidence.Origin(v.Registrar); cp.Origin != want {
		check.fault("checkpoint", "WRONG_LOG", "the checkpoint is of the log %q, that of the registrar's network is %q", cp.Origin, want)
		return
	}
	signers := v.signers(check, "checkpoint", cp)
	v.report.Log.Cosigned = append(v.report.Log.Cosigned, signers...)
	com := &v.committee.Body
	if len(signers) < com.Quorum {
		check.fault("checkpoint", "NO_QUORUM", "%d of the %d keyholders co-signed, %d are needed", len(signers), len(com.Members), com.Quorum)
	}
	check.found("%d of %d keyholders of committee %s, %d are needed: %s", len(signers), len(com.Members), com.ID, com.Quorum, join(signers))
	check.done()
}

// signers lists the members of the committee that co-signed. Every signature has to be the
// log's or that of a member, and to verify.
func (v *verifier) signers(check *Check, part string, cp *evidence.SignedCheckpoint) (out []carnet.PartyID) {
	good := 0
	for _, id := range v.committee.Body.Members {
		if v.state.Cosigned(id, cp) {
			out, good = append(out, id), good+1
		}
	}
	if v.state.SignsLog(cp) {
		good++
	} else {
		check.fault(part, "BAD_SIGNATURE", "the log's own signature is not there, or is not by an operator of a gateway")
	}
	if good != len(cp.Signatures) {
		check.fault(part, "BAD_SIGNATURE", "%d of its %d signatures are not by the log or a member of the committee, or do not verify", len(cp.Signatures)-good, len(cp.Signatures))
	}
	return out
}

// consistency compares the log with states that were seen before.
func (v *verifier) consistency() {
	check, cp := v.checks[CheckConsistency], v.bundle.Checkpoint
	proved := map[int64]carnet.Hash{cp.Size: cp.Head}
	for i := range v.bundle.Older {
		o := &v.bundle.Older[i]
		part := bundle.OlderName(o.Checkpoint.Size)
		if err := evidence.VerifyConsistency(o.Checkpoint.Checkpoint, cp.Checkpoint, o.Proof); err != nil {
			check.failed(part, err)
			continue
		}
		if o.Checkpoint.Origin != cp.Origin {
			check.fault(part, "WRONG_LOG", "it is of another log")
		}
		v.signers(check, part, o.Checkpoint)
		proved[o.Checkpoint.Size] = o.Checkpoint.Head
		check.found("the log of size %d begins with that of size %d", cp.Size, o.Checkpoint.Size)
	}
	open := v.pins(check, proved)
	switch {
	case len(open) > 0:
		check.skip("the bundle has no proof for checkpoints of size %s; export it again with --since and the checkpoint", joinSizes(open))
	case len(v.Pinned) == 0 && len(v.bundle.Older) == 0:
		check.skip("no checkpoint that was seen before was given (--pin)")
	case len(v.Pinned) == 0:
		check.found("whether these are the states that you saw can only be told with --pin")
		check.done()
	default:
		check.done()
	}
}

// pins compares states that were seen before with those that are proved to be of this log,
// and returns the sizes of which nothing is proved.
func (v *verifier) pins(check *Check, proved map[int64]carnet.Hash) (open []int64) {
	for _, p := range v.Pinned {
		switch head, ok := proved[p.Size]; {
		case ok && head != p.Head:
			check.fault("checkpoint", "SPLIT_VIEW", "at size %d the log had root %s, the checkpoint given has %s: two histories were shown", p.Size, head, p.Head)
		case ok:
			check.found("the checkpoint given of size %d is of this log", p.Size)
		default:
			open = append(open, p.Size)
		}
	}
	return open
}

func join(ids []carnet.PartyID) string {
	var names []string
	for _, id := range ids {
		names = append(names, string(id))
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}
