package bundle

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"strconv"
	"strings"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// Decode reads a bundle. It accepts only what Encode writes, and its errors, of reason
// BUNDLE_DAMAGED, name the part at fault. Memory and time are bounded by len(data).
func Decode(data []byte) (*Bundle, error) {
	ms, err := unpack(data)
	if err != nil {
		return nil, err
	}
	r := &reader{rest: ms}
	b, err := r.bundle()
	if err != nil {
		return nil, err
	}
	again, err := b.members()
	if err != nil {
		return nil, damaged("the archive", "its contents can't be written again")
	}
	want, err := pack(again)
	if err != nil {
		return nil, damaged("the archive", "its contents can't be written again")
	}
	if !bytes.Equal(want, data) {
		return nil, damaged(where(again, differ(want, data)), "is not in its one form")
	}
	return b, nil
}

// differ is the first place where two texts differ.
func differ(a, b []byte) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

// unpack reads the members of an archive. Nothing is compressed, so they are as large as
// the archive at most.
func unpack(data []byte) ([]member, error) {
	if len(data) > MaxBytes {
		return nil, damaged("the archive", "it has %d bytes, the limit is %d", len(data), MaxBytes)
	}
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, damaged("the directory at the end of the archive", "it can't be read").Because(err)
	}
	if len(z.File) > MaxMembers {
		return nil, damaged("the archive", "it has %d parts, the limit is %d", len(z.File), MaxMembers)
	}
	var out []member
	left := uint64(len(data))
	for _, f := range z.File {
		if !fs.ValidPath(f.Name) {
			return nil, damaged("the archive", "%q is no name of a part", f.Name)
		}
		if f.Method != zip.Store || f.UncompressedSize64 != f.CompressedSize64 || f.UncompressedSize64 > left {
			return nil, damaged(f.Name, "it is not stored as it is")
		}
		left -= f.UncompressedSize64
		content, err := content(f)
		if err != nil {
			return nil, damaged(f.Name, "its checksum or its header is wrong").Because(err)
		}
		out = append(out, member{f.Name, content})
	}
	return out, nil
}

func content(f *zip.File) ([]byte, error) {
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	data := make([]byte, f.UncompressedSize64)
	if _, err := io.ReadFull(r, data); err != nil {
		return nil, err
	}
	if n, err := r.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) { // the checksum is compared at the end
		return nil, errors.Join(err, errors.New("it does not end where it should"))
	}
	return data, r.Close()
}

// reader takes members one after the other.
type reader struct{ rest []member }

// next returns the next member if its name begins and ends so, nil otherwise.
func (r *reader) next(prefix, suffix string) *member {
	if len(r.rest) == 0 || !strings.HasPrefix(r.rest[0].name, prefix) || !strings.HasSuffix(r.rest[0].name, suffix) {
		return nil
	}
	m := &r.rest[0]
	r.rest = r.rest[1:]
	return m
}

func (r *reader) bundle() (*Bundle, error) {
	b := &Bundle{}
	var h head
	if m := r.next(headName, ""); m == nil || decode(m.data, &h) != nil || h.Format != Format {
		return nil, damaged(headName, "this is no evidence bundle of the form %s", Format)
	}
	b.Query = h.Query
	m := r.next(checkpointName, "")
	if m == nil {
		return nil, damaged(checkpointName, "it is missing")
	}
	var err error
	if b.Checkpoint, err = note(m); err != nil {
		return nil, err
	}
	for _, read := range []func(*Bundle) error{r.older, r.entries, r.policies, r.pieces} {
		if err := read(b); err != nil {
			return nil, err
		}
	}
	if len(r.rest) > 0 {
		return nil, damaged(r.rest[0].name, "it does not belong there")
	}
	return b, nil
}

// note reads a checkpoint. Base64 has unused bits at the end of a signature, which have to
// be zero: there is one spelling of every signature.
func note(m *member) (*evidence.SignedCheckpoint, error) {
	cp, err := evidence.ParseCheckpoint(m.data)
	if err != nil {
		return nil, damaged(m.name, "it is not well-formed").Because(err)
	}
	if !cp.OneSpelling() {
		return nil, damaged(m.name, "a signature is not in its one spelling")
	}
	return cp, nil
}

func (r *reader) older(b *Bundle) error {
	for m := r.next(olderFolder, noteSuffix); m != nil; m = r.next(olderFolder, noteSuffix) {
		var o Older
		var err error
		if o.Checkpoint, err = note(m); err != nil {
			return err
		}
		name := strings.TrimSuffix(m.name, noteSuffix)
		p := r.next(name, proofSuffix)
		if p == nil || name != OlderName(o.Checkpoint.Size) {
			return damaged(m.name, "its proof is missing, or its name is not that of its size")
		}
		if n := len(b.Older); n >= maxOlder || n > 0 && b.Older[n-1].Checkpoint.Size >= o.Checkpoint.Size {
			return damaged(m.name, "checkpoints are out of order, or too many")
		}
		if o.Proof, err = parseLines(p.data); err != nil {
			return damaged(p.name, "it is not well-formed").Because(err)
		}
		b.Older = append(b.Older, o)
	}
	return nil
}

func (r *reader) entries(b *Bundle) error {
	for m := r.next(entryFolder, ""); m != nil; m = r.next(entryFolder, "") {
		name, ok := strings.CutSuffix(m.name, ".json")
		var l logged
		p := r.next(name, logSuffix)
		if !ok || p == nil {
			return damaged(m.name, "an entry is a statement and what the log says of it")
		}
		if err := decode(p.data, &l); err != nil || len(l.Proof) > maxProof {
			return damaged(p.name, "it is not well-formed").Because(err)
		}
		number, _, _ := strings.Cut(strings.TrimPrefix(name, entryFolder), "-")
		seq, err := strconv.ParseInt(number, 10, 64)
		if err != nil || seq < 0 {
			return damaged(m.name, "it has no number")
		}
		if n := len(b.Entries); n > 0 && b.Entries[n-1].Seq >= seq {
			return damaged(m.name, "entries are out of order")
		}
		if len(m.data) > evidence.MaxPayload {
			return damaged(m.name, "a statement has at most %d bytes", evidence.MaxPayload)
		}
		if l.Signatures == nil || l.Proof == nil {
			return damaged(p.name, "lists are missing")
		}
		e := Entry{seq, l.Salt, &evidence.Envelope{PayloadType: l.PayloadType, Payload: m.data, Signatures: l.Signatures}, l.Proof}
		if e.Name() != name {
			return damaged(p.name, "its name is not that of its number and type")
		}
		b.Entries = append(b.Entries, e)
	}
	return nil
}

func (r *reader) policies(b *Bundle) error {
	for m := r.next(policyFolder, statementName); m != nil; m = r.next(policyFolder, statementName) {
		p := Policy{Statement: m.data, Files: map[string][]byte{}}
		if n := len(b.Policies); m.name != PolicyName(p.Digest())+statementName || n > 0 && compare(b.Policies[n-1].Digest(), p.Digest()) >= 0 {
			return damaged(m.name, "it is not the policy bundle that its folder names, or out of order")
		}
		folder := strings.TrimSuffix(m.name, statementName) + fileFolder
		for f := r.next(folder, ""); f != nil; f = r.next(folder, "") {
			p.Files[strings.TrimPrefix(f.name, folder)] = f.data
		}
		b.Policies = append(b.Policies, p)
	}
	return nil
}

func (r *reader) pieces(b *Bundle) error {
	for m := r.next(pieceFolder, ""); m != nil; m = r.next(pieceFolder, "") {
		nonce, err := carnet.ParseNonce(strings.TrimPrefix(m.name, pieceFolder))
		if err != nil || len(m.data)%32 != 0 || len(m.data) == 0 {
			return damaged(m.name, "these are not the hashes of a file").Because(err)
		}
		if n := len(b.Pieces); n > 0 && compare(carnet.Hash(b.Pieces[n-1].File), carnet.Hash(nonce)) >= 0 {
			return damaged(m.name, "files are out of order")
		}
		p := Pieces{File: nonce, Hashes: make([]carnet.Hash, len(m.data)/32)}
		for i := range p.Hashes {
			copy(p.Hashes[i][:], m.data[32*i:])
		}
		b.Pieces = append(b.Pieces, p)
	}
	return nil
}

// decode reads one line of JSON with known fields only.
func decode(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

// parseLines is the inverse of lines.
func parseLines(data []byte) (out []carnet.Hash, err error) {
	for text := range strings.Lines(string(data)) {
		h, err := carnet.ParseHash(strings.TrimSuffix(text, "\n"))
		if err != nil {
			return nil, err
		}
		if out = append(out, h); len(out) > 2*maxProof {
			return nil, errors.New("it has more hashes than a proof can have")
		}
	}
	return out, nil
}
