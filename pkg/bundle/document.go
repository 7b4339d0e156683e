package bundle

import (
	"bytes"
	"encoding/json"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// DocumentFormat names the version of the form of documents.
const DocumentFormat = "carnet/document/1"

// Kinds of documents.
const (
	Certificate = "certificate" // a logged statement, carnet.Certificate
	Usage       = "usage"       // a logged statement, carnet.Usage
	Settlement  = "settlement"  // a sheet, of which carnet.Figures are signed
	Valuation   = "valuation"   // likewise
)

// Document is what the gateway's operator signed about the log, with the proof in the same
// file: whoever has the registrar's key checks it without asking anybody. Its form is
// that of Encode and no other.
type Document struct {
	Format    string             `json:"format"`
	Kind      string             `json:"kind"`
	Statement *evidence.Envelope `json:"statement"`
	Hash      carnet.Hash        `json:"hash"`  // of the statement
	Entry     int64              `json:"entry"` // of it; -1 of a sheet, whose statement is not logged
	Says      json.RawMessage    `json:"says"`  // what the statement says, or the sheet
	Proof     Proof              `json:"proof"`
}

// Proof is a state of the log that a quorum of a committee co-signed, and the entries in it
// that a document rests on.
type Proof struct {
	Checkpoint  *evidence.SignedCheckpoint `json:"checkpoint"`
	Consistency []carnet.Hash              `json:"consistency"` // from the state that the document names, if it names one
	Entries     []ProvedEntry              `json:"entries"`     // ascending
}

// ProvedEntry is an entry of the log with its audit path.
type ProvedEntry struct {
	Entry     int64              `json:"entry"`
	Salt      carnet.Hash        `json:"salt"`
	Path      []carnet.Hash      `json:"path"`
	Statement *evidence.Envelope `json:"statement"`
}

// NewDocument makes a document of a statement and a bundle of what proves it. says is nil
// of a statement that says all itself.
func NewDocument(kind string, env *evidence.Envelope, entry int64, says json.RawMessage, b *Bundle) *Document {
	if says == nil {
		says = env.Payload
	}
	d := &Document{Format: DocumentFormat, Kind: kind, Statement: env, Hash: env.Hash(), Entry: entry, Says: says,
		Proof: Proof{Checkpoint: b.Checkpoint, Consistency: []carnet.Hash{}, Entries: []ProvedEntry{}}}
	for _, o := range b.Older {
		d.Proof.Consistency = append(d.Proof.Consistency, o.Proof...)
	}
	for i := range b.Entries {
		e := &b.Entries[i]
		d.Proof.Entries = append(d.Proof.Entries, ProvedEntry{e.Seq, e.Salt, append([]carnet.Hash{}, e.Proof...), e.Envelope})
	}
	return d
}

// Bundle is the proof as a bundle has it.
func (d *Document) Bundle() *Bundle {
	b := &Bundle{Checkpoint: d.Proof.Checkpoint}
	for i := range d.Proof.Entries {
		e := &d.Proof.Entries[i]
		b.Entries = append(b.Entries, Entry{e.Entry, e.Salt, e.Statement, e.Path})
	}
	return b
}

// Encode writes the document: JSON that people can read.
func (d *Document) Encode() ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(d)
	return out.Bytes(), err
}

// IsDocument tells a document from other files.
func IsDocument(data []byte) bool {
	var f struct {
		Format string `json:"format"`
	}
	return len(data) > 0 && data[0] == '{' && json.Unmarshal(data, &f) == nil && f.Format == DocumentFormat
}

// DecodeDocument reads a document. It accepts only what Encode writes. Nothing that it says
// is checked.
func DecodeDocument(data []byte) (*Document, error) {
	if len(data) > MaxBytes {
		return nil, damaged("the document", "it has %d bytes, the limit is %d", len(data), MaxBytes)
	}
	d := &Document{}
	if err := decode(data, d); err != nil {
		return nil, damaged("the document", "it is not well-formed").Because(err)
	}
	if d.Format != DocumentFormat || d.Statement == nil || d.Proof.Checkpoint == nil || d.Proof.Consistency == nil || d.Proof.Entries == nil {
		return nil, damaged("the document", "parts are missing, or it is of another form than %s", DocumentFormat)
	}
	if !d.Proof.Checkpoint.OneSpelling() {
		return nil, damaged("the checkpoint", "a signature is not in its one spelling")
	}
	for i := range d.Proof.Entries {
		e := &d.Proof.Entries[i]
		if e.Statement == nil || len(e.Path) > maxProof || e.Entry < 0 || i > 0 && e.Entry <= d.Proof.Entries[i-1].Entry {
			return nil, damaged("the document", "its entries are out of order, or have no statement")
		}
	}
	if len(d.Proof.Consistency) > 2*maxProof {
		return nil, damaged("the document", "it has more hashes than a proof can have")
	}
	if again, err := d.Encode(); err != nil || !bytes.Equal(again, data) {
		return nil, damaged("the document", "it is not in its one form")
	}
	return d, nil
}
