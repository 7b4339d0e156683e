package evidence

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// Kinds of keys of C2SP signed notes.
const (
	keyLog    = 1 // Ed25519
	keyCosign = 4 // Ed25519, cosignature/v1
)

// MaxCheckpoint bounds the bytes of a signed checkpoint: its co-signatures fit.
const MaxCheckpoint = 16 << 10

// Origin names the log of a network, of which the registrar's key is the anchor: everyone
// who has it knows the name.
func Origin(registrar ed25519.PublicKey) string {
	h := sha256.Sum256(registrar)
	return "carnet.network/" + hex.EncodeToString(h[:16])
}

// WitnessName is the name of a keyholder as a witness of the log.
func WitnessName(origin string, p carnet.PartyID) string { return origin + "/" + string(p) }

// LogKey is the log's public key as C2SP signed notes write it, for clients of the log.
func LogKey(origin string, pub ed25519.PublicKey) string { return vkey(origin, keyLog, pub) }

// WitnessKey is a keyholder's public key as C2SP signed notes write it.
func WitnessKey(origin string, p carnet.PartyID, pub ed25519.PublicKey) string {
	return vkey(WitnessName(origin, p), keyCosign, pub)
}

func vkey(name string, kind byte, pub ed25519.PublicKey) string {
	return fmt.Sprintf("%s+%08x+%s", name, keyHash(name, kind, pub), base64.StdEncoding.EncodeToString(append([]byte{kind}, pub...)))
}

func keyHash(name string, kind byte, pub ed25519.PublicKey) uint32 {
	h := sha256.Sum256(slices.Concat([]byte(name+"\n"), []byte{kind}, pub))
	return binary.BigEndian.Uint32(h[:])
}

// SignedCheckpoint is a C2SP tlog-checkpoint: size and root of the log, signed by the log
// and co-signed by keyholders. Its text form is a C2SP signed note.
type SignedCheckpoint struct {
	Origin string
	carnet.Checkpoint
	Signatures []note.Signature
}

// Body is what is signed: the text before the signatures.
func (c *SignedCheckpoint) Body() string {
	return c.Origin + "\n" + strconv.FormatInt(c.Size, 10) + "\n" + base64.StdEncoding.EncodeToString(c.Head[:]) + "\n"
}

// SignCheckpoint signs a state in the log's name.
func SignCheckpoint(origin string, cp carnet.Checkpoint, by Signer) (*SignedCheckpoint, error) {
	c := &SignedCheckpoint{Origin: origin, Checkpoint: cp}
	sig, err := by.Sign([]byte(c.Body()))
	if err != nil {
		return nil, fmt.Errorf("sign checkpoint: %w", err)
	}
	c.add(origin, keyHash(origin, keyLog, by.Public()), sig)
	return c, nil
}

func (c *SignedCheckpoint) add(name string, hash uint32, sig []byte) {
	b := binary.BigEndian.AppendUint32(nil, hash)
	c.Signatures = append(c.Signatures, note.Signature{Name: name, Hash: hash, Base64: base64.StdEncoding.EncodeToString(append(b, sig...))})
}

// Cosign adds a keyholder's cosignature/v1: it has followed the log to this state.
func (c *SignedCheckpoint) Cosign(p carnet.PartyID, at time.Time, by Signer) error {
	seconds := max(at.Unix(), 0)
	sig, err := by.Sign(c.cosigned(uint64(seconds)))
	if err != nil {
		return fmt.Errorf("co-sign checkpoint: %w", err)
	}
	name := WitnessName(c.Origin, p)
	c.add(name, keyHash(name, keyCosign, by.Public()), append(binary.BigEndian.AppendUint64(nil, uint64(seconds)), sig...))
	return nil
}

// cosigned is what a co-signature signs.
func (c *SignedCheckpoint) cosigned(seconds uint64) []byte {
	return fmt.Appendf(nil, "cosignature/v1\ntime %d\n%s", seconds, c.Body())
}

// LogSignedBy reports whether the log's signature is there and verifies under pub.
func (c *SignedCheckpoint) LogSignedBy(pub ed25519.PublicKey) bool {
	return c.find(c.Origin, keyLog, pub, func(sig []byte) bool { return verifies(pub, []byte(c.Body()), sig) }) != nil
}

// CosignedBy returns a keyholder's co-signature and when it was made; nil if there is
// none that verifies under pub.
func (c *SignedCheckpoint) CosignedBy(p carnet.PartyID, pub ed25519.PublicKey) (sig *note.Signature, at time.Time) {
	sig = c.find(WitnessName(c.Origin, p), keyCosign, pub, func(b []byte) bool {
		if len(b) != 8+ed25519.SignatureSize {
			return false
		}
		seconds := binary.BigEndian.Uint64(b)
		at = time.Unix(int64(seconds), 0).UTC()
		return verifies(pub, c.cosigned(seconds), b[8:])
	})
	if sig == nil {
		return nil, time.Time{}
	}
	return sig, at
}

func (c *SignedCheckpoint) find(name string, kind byte, pub ed25519.PublicKey, good func([]byte) bool) *note.Signature {
	if len(pub) != ed25519.PublicKeySize {
		return nil
	}
	hash := keyHash(name, kind, pub)
	for i, s := range c.Signatures {
		if s.Name != name || s.Hash != hash {
			continue
		}
		if b, err := base64.StdEncoding.DecodeString(s.Base64); err == nil && len(b) > 4 && good(b[4:]) {
			return &c.Signatures[i]
		}
	}
	return nil
}

// OneSpelling reports whether every signature is written as base64 is: its unused bits at
// the end are zero. For files in which every byte counts.
func (c *SignedCheckpoint) OneSpelling() bool {
	return !slices.ContainsFunc(c.Signatures, func(s note.Signature) bool {
		_, err := base64.StdEncoding.Strict().DecodeString(s.Base64)
		return err != nil
	})
}

func verifies(pub ed25519.PublicKey, message, sig []byte) bool {
	return len(sig) == ed25519.SignatureSize && ed25519.Verify(pub, message, sig)
}

// MarshalText writes the signed note.
func (c *SignedCheckpoint) MarshalText() ([]byte, error) {
	return note.Sign(&note.Note{Text: c.Body(), UnverifiedSigs: c.Signatures})
}

// UnmarshalText reads what ParseCheckpoint does.
func (c *SignedCheckpoint) UnmarshalText(text []byte) error {
	got, err := ParseCheckpoint(text)
	if err == nil {
		*c = *got
	}
	return err
}

// ParseCheckpoint reads a signed checkpoint, without checking its signatures. One without
// any, or with lines after the root, is refused.
func ParseCheckpoint(text []byte) (*SignedCheckpoint, error) {
	c, err := parseCheckpoint(text)
	if err != nil {
		return nil, carnet.E(carnet.Invalid, "BAD_CHECKPOINT", "the checkpoint is not well-formed").Because(err)
	}
	return c, nil
}

func parseCheckpoint(text []byte) (*SignedCheckpoint, error) {
	if len(text) > MaxCheckpoint {
		return nil, fmt.Errorf("%d bytes are more than %d", len(text), MaxCheckpoint)
	}
	var unverified *note.UnverifiedNoteError
	if _, err := note.Open(text, note.VerifierList()); !errors.As(err, &unverified) {
		return nil, fmt.Errorf("no signed note: %w", err)
	}
	n := unverified.Note
	lines := strings.Split(n.Text, "\n")
	if len(lines) != 4 {
		return nil, errors.New("want three lines: origin, size and root")
	}
	c := &SignedCheckpoint{Origin: lines[0], Signatures: n.UnverifiedSigs}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return nil, err
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil {
		return nil, err
	}
	if size < 0 || len(root) != len(c.Head) {
		return nil, errors.New("want a size from 0 on and a root of 32 bytes")
	}
	c.Size = size
	copy(c.Head[:], root)
	if c.Body() != n.Text {
		return nil, errors.New("want the one spelling of origin, size and root")
	}
	return c, nil
}
