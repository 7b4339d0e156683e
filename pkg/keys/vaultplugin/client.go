// Package vaultplugin makes a keyholder's shares in a secrets engine inside Vault,
// vault-plugin-carnet, where part seeds never leave.
//
// The keyholder derives what a query opens, as always, and signs a release ticket with
// its policy key (package ticket). Linear functionals travel as their description;
// D_1..D_d of products are handed over one by one, each for a handle, so that no
// request is large. The engine answers with the shares sealed to the buyer, so this
// process sees neither seeds nor shares.
package vaultplugin

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strconv"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/seal"
)

const (
	// pieceBytes is the most one string of a request carries before base64: Vault takes
	// no string of more than 1 MiB.
	pieceBytes = 512 << 10

	// HandleSalt is the length of what precedes the encrypted part of a handle.
	HandleSalt = 32
)

// HandleBytes is the length of a handle of a profile: salt, dealing, content hash, keys it
// is across, degree, two scalars, authentication tag.
func HandleBytes(p *he.Profile) int { return HandleSalt + 3*32 + 1 + 2*p.ScalarBytes() + 16 }

// Logical is what is needed of a Vault client; Mount is one. Paths are below the engine's
// mount; data is nil if an answer has none. What the engine says is turned into errors by
// ParseError. All methods may be called concurrently.
type Logical interface {
	Read(ctx context.Context, path string) (map[string]any, error)
	Write(ctx context.Context, path string, data map[string]any) (map[string]any, error)
	List(ctx context.Context, path string) ([]string, error)
	Delete(ctx context.Context, path string) error
}

// Sharer implements keys.Sharer.
type Sharer struct {
	vault   Logical
	policy  evidence.Signer
	sealing []byte
}

var _ keys.Sharer = (*Sharer)(nil)

// SealingKey asks the engine for its public sealing key, before it knows any policy key.
func SealingKey(ctx context.Context, vault Logical) ([]byte, error) {
	data, err := vault.Read(ctx, "info")
	if err != nil {
		return nil, err
	}
	key, err := bytesOf(data, "sealing_key")
	if err == nil && seal.CheckPublic(key) != nil {
		err = odd("its sealing key is none")
	}
	return key, err
}

// List returns the keys whose seeds the engine keeps, ascending.
func List(ctx context.Context, vault Logical) (out []carnet.KeyID, err error) {
	names, err := vault.List(ctx, "keys")
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	for _, name := range names {
		key, err := carnet.ParseKeyID(name)
		if err != nil {
			return nil, odd("it lists what is no key")
		}
		out = append(out, key)
	}
	return out, nil
}

// Destroy has the seeds of a key destroyed for good, by whoever may: no policy key is
// needed.
func Destroy(ctx context.Context, vault Logical, key carnet.KeyID) error {
	return vault.Delete(ctx, "keys/"+key.String())
}

// New reads the engine's sealing key. Tickets are signed with policy. WRONG_POLICY_KEY says
// that the engine was configured with the public half of another key.
func New(ctx context.Context, vault Logical, policy evidence.Signer) (*Sharer, error) {
	s := &Sharer{vault: vault, policy: policy}
	info, err := s.info(ctx)
	if err != nil {
		return nil, err
	}
	if s.sealing = info.sealing; seal.CheckPublic(s.sealing) != nil {
		return nil, odd("its sealing key is none")
	}
	return s, nil
}

type engineInfo struct {
	sealing []byte
	epoch   uint64
}

func (s *Sharer) info(ctx context.Context) (*engineInfo, error) {
	data, err := s.vault.Read(ctx, "info")
	if err != nil {
		return nil, err
	}
	i := &engineInfo{}
	if i.sealing, err = bytesOf(data, "sealing_key"); err != nil {
		return nil, err
	}
	key, err := bytesOf(data, "ticket_key")
	if err != nil {
		return nil, err
	}
	if !s.policy.Public().Equal(ed25519.PublicKey(key)) {
		return nil, carnet.E(carnet.Precondition, "WRONG_POLICY_KEY", "the engine does not take tickets signed with this keyholder's policy key").
			Fix("have its operator run: vault write MOUNT/config ticket_key=%s", base64.StdEncoding.EncodeToString(s.policy.Public()))
	}
	switch v := data["epoch"].(type) {
	case json.Number:
		i.epoch, err = strconv.ParseUint(v.String(), 10, 63)
	default:
		err = odd("its epoch is missing")
	}
	if err != nil {
		return nil, odd("its epoch is no number")
	}
	return i, nil
}

// SealingKey implements keys.Sharer.
func (s *Sharer) SealingKey() []byte { return s.sealing }

// Accept implements keys.Sharer.
func (s *Sharer) Accept(ctx context.Context, d *keys.Dealing, sealed []byte) error {
	dealing, err := statement(d.Statement)
	if err != nil {
		return err
	}
	committee, err := statement(d.Committee)
	if err != nil {
		return err
	}
	_, err = s.vault.Write(ctx, "keys/"+d.Key.String(), map[string]any{
		"dealing": dealing, "committee": committee, "number": d.Number, "sealed": pieces(sealed)})
	return err
}

// prove shows the engine that a dealing deals a key again, which it keeps; a snapshot of Vault
// that was put back may not have it, so it is shown for every answer.
func (s *Sharer) prove(ctx context.Context, d *keys.Dealing) error {
	if d.Again == nil {
		return carnet.E(carnet.Internal, "BAD_REDEALING", "nothing says that %s deals key %s again", d.Key, d.As)
	}
	first, err := statement(d.Again.First)
	if err != nil {
		return err
	}
	redealing, err := statement(d.Again.Redealing)
	if err != nil {
		return err
	}
	_, err = s.vault.Write(ctx, "keys/"+d.Key.String()+"/again", map[string]any{"first": first, "redealing": redealing})
	return err
}

func statement(env *evidence.Envelope) ([]string, error) {
	b, err := json.Marshal(env)
	return pieces(b), err
}

// Held implements keys.Sharer.
func (s *Sharer) Held(ctx context.Context, d *keys.Dealing) error {
	data, err := s.vault.Read(ctx, "keys/"+d.Key.String())
	if err != nil {
		return err
	}
	if _, ok := data["fingerprint"].(string); !ok {
		return odd("there is no fingerprint")
	}
	return nil
}

// Destroy implements keys.Sharer.
func (s *Sharer) Destroy(ctx context.Context, key carnet.KeyID) error {
	return Destroy(ctx, s.vault, key)
}

// Zero implements keys.Sharer; there is nothing to overwrite here.
func (s *Sharer) Zero() {}

// pieces cuts bytes into strings that Vault takes.
func pieces(b []byte) []string {
	var out []string
	for len(b) > 0 {
		n := min(len(b), pieceBytes)
		out = append(out, base64.StdEncoding.EncodeToString(b[:n]))
		b = b[n:]
	}
	return out
}

func bytesOf(data map[string]any, name string) ([]byte, error) {
	text, ok := data[name].(string)
	b, err := base64.StdEncoding.DecodeString(text)
	if !ok || err != nil {
		return nil, odd("there is no " + name)
	}
	return b, nil
}

func odd(what string) error {
	return carnet.E(carnet.Precondition, "VAULT_NO_ENGINE", "what answers is no secrets engine of Carnet: %s", what).
		Fix("enable vault-plugin-carnet at the mount that the keyholder is configured with")
}
