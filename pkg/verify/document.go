package verify

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/carnet-network/carnet/pkg/bundle"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/history"
)

// Identifiers of the checks of documents, besides some of those of bundles.
const (
	CheckSays = "says" // what the document says follows from what it has
	CheckRead = "read" // what it says follows from the whole log
)

// documentClaims are those about a document.
var documentClaims = []claim{
	{CheckForm, "The file is a complete document in its one form",
		"Nothing was added to the file or cut off, and every program reads it alike."},
	{CheckInclusion, "Every statement in it is an entry of the log",
		"The statements are those that the gateway published, at these places, and none of them can be taken back without being noticed."},
	{CheckSignatures, "The gateway's operator signed it, and every statement is signed by whom it commits",
		"Parties and committees are those that the registrar admitted; owners and operator made the statements in their names."},
	{CheckCosigned, "A quorum of the keyholders co-signed the log with these entries",
		"Two quorums share more keyholders than may be dishonest, so no other history of these entries was shown to the committee."},
	{CheckConsistency, "It was made from this log",
		"The state of the log that the document names is one that the co-signed log began with, and so are the checkpoints given."},
	{CheckSays, "It says what follows from the statements and figures in it",
		"A certificate repeats what the owner signed, and sizes add up; sums, balances and formulas come out as written."},
	{CheckRead, "Its figures follow from the whole log",
		"Reading every entry up to the named state gives the same figures."},
}

// Paper says what a document is about.
type Paper struct {
	Kind      string         `json:"kind"`
	Subject   string         `json:"subject"` // dataset, product, or month
	By        carnet.PartyID `json:"by"`      // the operator
	Statement carnet.Hash    `json:"statement"`
	Entry     int64          `json:"entry"` // of the statement; -1: it is not logged
	Committee string         `json:"committee,omitempty"`
}

// Document checks what bundle.DecodeDocument reads, as Verify does a bundle. Of the options
// Registrar and Pinned count.
func Document(ctx context.Context, data []byte, o Options) (*Report, error) {
	v := &documentVerifier{verifier: verifier{Options: o, ctx: ctx, report: &Report{Bundle: sha256.Sum256(data)}, parts: map[int64]string{}}}
	v.report.Checks, v.checks = newChecks(documentClaims)
	return v.conclude([][]func(){
		{func() { v.decode(data) }},
		{v.inclusion},
		{v.replay},
		{v.cosigned},
		{v.sameLog},
		{v.judge},
	})
}

type documentVerifier struct {
	verifier
	doc  *bundle.Document
	says sheet
	own  *carnet.Certificate // what the log said of a certificate's subject at its entry
}

// decode reads the file and what the statement says.
func (v *documentVerifier) decode(data []byte) {
	check := v.checks[CheckForm]
	var err error
	if v.doc, err = bundle.DecodeDocument(data); err == nil {
		v.says, err = readSheet(v.doc)
	}
	if err != nil {
		check.failed("the file", err)
		return
	}
	v.bundle = v.doc.Bundle()
	for i := range v.bundle.Entries {
		e := &v.bundle.Entries[i]
		v.parts[e.Seq] = e.Name()
	}
	v.report.Document = &Paper{Kind: v.doc.Kind, Subject: v.says.subject(), By: v.says.operator(), Statement: v.doc.Hash, Entry: v.doc.Entry}
	check.found("a %s of %s with %d entries of the log", v.doc.Kind, v.says.subject(), len(v.bundle.Entries))
	check.done()
}

// readSheet decodes the statement, and compares with it what the document is shown to say.
func readSheet(d *bundle.Document) (sheet, error) {
	s, err := newSheet(d)
	if err != nil {
		return nil, err
	}
	var shown bytes.Buffer
	if err := json.Compact(&shown, d.Says); err != nil {
		return nil, err
	}
	if want := s.shown(d); d.Hash != d.Statement.Hash() || sha256.Sum256(shown.Bytes()) != want {
		return nil, carnet.E(carnet.Invalid, "DOCUMENT_DIFFERS", "the file shows something else than its statement says").
			Fix("get the document again from whoever had it made")
	}
	return s, nil
}

// replay takes the statements in, in their order, and finds the document's own and the
// committee that co-signed.
func (v *documentVerifier) replay() {
	check := v.checks[CheckSignatures]
	if v.wrongRegistrar(check, "checkpoint", v.bundle.Checkpoint.Origin, v.envelopes()) {
		return
	}
	v.state = history.New(v.Registrar)
	logged := false
	for i := range v.bundle.Entries {
		e := &v.bundle.Entries[i]
		if e.Seq == v.doc.Entry && evidence.Leaf(e.Salt, e.Envelope) == evidence.Leaf(e.Salt, v.doc.Statement) {
			logged, v.own = true, v.says.registered(v.state, v.bundle)
		}
		if _, err := v.state.Apply(e.Seq, e.Envelope); err != nil {
			check.failed(e.Name(), err)
		}
	}
	if !logged && v.says.logged() {
		check.fault("the file", "NO_STATEMENT", "the entries do not have the document's own statement, as entry %d", v.doc.Entry)
	}
	if !v.state.ByOperator(v.doc.Statement, v.says.operator(), v.size()) || !v.says.logged() && !v.onlyOperator() {
		check.fault("the statement", "BAD_SIGNATURE", "it is not signed by %q, or that is no operator of a gateway", v.says.operator())
	}
	if v.committee = v.cosigner(); v.committee == nil {
		check.fault("the file", "UNKNOWN_COMMITTEE", "it has no committee")
		return
	}
	v.report.Document.Committee = string(v.committee.Body.ID)
	check.found("%d statements, in the order of the log; registrar's key %s", len(v.bundle.Entries), evidence.KeyHint(v.Registrar))
	check.done()
}

// size is that of the log in which the operator's key has to be in force: for what is logged
// that at its entry, else that of the state that the document is about.
func (v *documentVerifier) size() int64 {
	if at := v.says.state(); at != nil && !v.says.logged() {
		return at.Size
	}
	return v.doc.Entry
}

// onlyOperator reports whether the statement has one signature, named after the key that made
// it: of what is not logged nothing else covers the names of keys.
func (v *documentVerifier) onlyOperator() bool {
	sigs := v.doc.Statement.Signatures
	return len(sigs) == 1 && slices.ContainsFunc(v.state.Keys(v.says.operator()), func(k ed25519.PublicKey) bool {
		return sigs[0].KeyID == evidence.KeyHint(k) && v.doc.Statement.SignedBy(k)
	})
}

// cosigner is the committee of which most members co-signed, nil if there is none.
func (v *documentVerifier) cosigner() (best *history.Committee) {
	most := -1
	for _, c := range v.state.Committees() {
		v.committee = c
		n := len(v.signers(&Check{}, "", v.bundle.Checkpoint)) - c.Body.Quorum
		if best == nil || n > most || n == most && c.Body.ID < best.Body.ID {
			best, most = c, n
		}
	}
	return best
}

// sameLog compares the state that the document names, and pinned ones, with the log.
func (v *documentVerifier) sameLog() {
	check, cp := v.checks[CheckConsistency], v.bundle.Checkpoint
	proved := map[int64]carnet.Hash{cp.Size: cp.Head}
	at := v.says.state()
	switch {
	case at == nil && len(v.doc.Proof.Consistency) > 0:
		check.fault("the file", "BAD_CONSISTENCY_PROOF", "it proves a state that the document does not name")
	case at != nil:
		if err := evidence.VerifyConsistency(*at, cp.Checkpoint, v.doc.Proof.Consistency); err != nil {
			check.failed("the file", err)
			break
		}
		proved[at.Size] = at.Head
		check.found("made from the first %d entries, root %s; the co-signed log of %d begins with them", at.Size, at.Head, cp.Size)
	}
	open := v.pins(check, proved)
	switch {
	case len(open) > 0:
		check.skip("the file has no proof for checkpoints of size %s; carnet monitor --compare has", joinSizes(open))
	case at == nil && len(v.Pinned) == 0:
		check.skip("it names no state of the log, and no checkpoint that was seen before was given (--pin)")
	default:
		check.done()
	}
}

// judge compares what the document says with what is in it.
func (v *documentVerifier) judge() {
	check, read := v.checks[CheckSays], v.checks[CheckRead]
	if err := v.says.check(v.own); err != nil {
		check.failed("the document", err)
	}
	for _, line := range v.says.facts() {
		check.found("%s", line)
	}
	for _, line := range v.withdrawn() {
		check.found("%s", line)
	}
	check.done()
	if why := v.says.unread(); why != "" {
		read.skip("%s", why)
		return
	}
	read.idle("it rests on the owner's statement alone, which is in the file")
}

// withdrawn tells what happened to the subject since.
func (v *documentVerifier) withdrawn() (out []string) {
	for _, id := range v.says.datasets() {
		end := v.state.Revoked(id)
		if m := v.state.Dataset(id); end == nil && m != nil {
			end = v.state.Retired(m.Body.Key)
		}
		if end != nil {
			out = append(out, fmt.Sprintf("dataset %s was withdrawn on %s, by entry %d", id, end.At.UTC().Format("2006-01-02"), end.Seq))
		}
	}
	return out
}
