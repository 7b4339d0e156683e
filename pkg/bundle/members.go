package bundle

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// Names of members and folders.
const (
	headName       = "bundle.json"
	checkpointName = "checkpoint"
	olderFolder    = "consistency/"
	entryFolder    = "entries/"
	policyFolder   = "policies/"
	pieceFolder    = "pieces/"
	noteSuffix     = ".checkpoint"
	proofSuffix    = ".proof"
	logSuffix      = ".log.json"
	statementName  = "/bundle.json"
	fileFolder     = "/files/"
)

// member is one file of the archive.
type member struct {
	name string
	data []byte
}

// head is the first member.
type head struct {
	Format string      `json:"format"`
	Query  carnet.Hash `json:"query"`
}

// logged is what an entry has besides its payload.
type logged struct {
	PayloadType carnet.StatementType `json:"payloadType"`
	Signatures  []evidence.Signature `json:"signatures"`
	Salt        carnet.Hash          `json:"salt"`
	Proof       []carnet.Hash        `json:"proof"`
}

// members lists what the archive consists of, in its order.
func (b *Bundle) members() (out []member, err error) {
	put := func(name string, data []byte) { out = append(out, member{name, data}) }
	first, err := line(head{Format, b.Query})
	if err != nil {
		return nil, err
	}
	put(headName, first)
	text, err := b.Checkpoint.MarshalText()
	if err != nil {
		return nil, err
	}
	put(checkpointName, text)
	for _, o := range b.Older {
		if text, err = o.Checkpoint.MarshalText(); err != nil {
			return nil, err
		}
		name := OlderName(o.Checkpoint.Size)
		put(name+noteSuffix, text)
		put(name+proofSuffix, lines(o.Proof))
	}
	for i := range b.Entries {
		e := &b.Entries[i]
		l := logged{e.Envelope.PayloadType, e.Envelope.Signatures, e.Salt, e.Proof}
		if l.Proof == nil {
			l.Proof = []carnet.Hash{}
		}
		data, err := line(l)
		if err != nil {
			return nil, err
		}
		put(e.Name()+".json", e.Envelope.Payload)
		put(e.Name()+logSuffix, data)
	}
	for i := range b.Policies {
		p := &b.Policies[i]
		folder := PolicyName(p.Digest())
		put(folder+statementName, p.Statement)
		for _, path := range slices.Sorted(maps.Keys(p.Files)) {
			put(folder+fileFolder+path, p.Files[path])
		}
	}
	for _, p := range b.Pieces {
		data := make([]byte, 0, 32*len(p.Hashes))
		for _, h := range p.Hashes {
			data = append(data, h[:]...)
		}
		put(PiecesName(p.File), data)
	}
	return out, nil
}

// Name is what the entry is called in the archive and in reports: its number and what
// kind of statement it is.
func (e *Entry) Name() string {
	return fmt.Sprintf("%s%012d-%s", entryFolder, e.Seq, Kind(e.Envelope.PayloadType))
}

var kindForm = regexp.MustCompile(`^application/vnd\.carnet\.([a-z][a-z-]{0,30})\.v[0-9]{1,4}\+json$`)

// Kind is the short name of a type of statement, such as query.
func Kind(t carnet.StatementType) string {
	if m := kindForm.FindStringSubmatch(string(t)); m != nil {
		return m[1]
	}
	return "statement"
}

// line is v as one line of JSON.
func line(v any) ([]byte, error) {
	data, err := json.Marshal(v)
	return append(data, '\n'), err
}

// lines writes hashes one a line.
func lines(hashes []carnet.Hash) []byte {
	var b strings.Builder
	for _, h := range hashes {
		b.WriteString(h.String())
		b.WriteByte('\n')
	}
	return []byte(b.String())
}

// OlderName is what an earlier checkpoint is called in reports.
func OlderName(size int64) string { return fmt.Sprintf("%s%012d", olderFolder, size) }

// PolicyName is what a policy bundle is called in reports.
func PolicyName(digest carnet.Hash) string { return policyFolder + digest.String() }

// PiecesName is what the hashes of a file are called in reports.
func PiecesName(file carnet.Nonce) string { return pieceFolder + file.String() }
