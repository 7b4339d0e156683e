package vaultsecret

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/hashicorp/vault/api"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/vaultclient"
)

// Transit is the engine that encrypts and signs.
type Transit struct {
	c     *vaultclient.Client
	mount string
}

// NewTransit uses the transit engine of a checked configuration.
func NewTransit(c *vaultclient.Client, cfg *Config) Transit { return Transit{c, cfg.Transit} }

func (t Transit) write(ctx context.Context, op, key string, data map[string]any) (map[string]any, error) {
	var out map[string]any
	path := t.mount + "/" + op + "/" + key
	err := t.c.Do(ctx, "update "+path, func(a *api.Client) error {
		s, err := a.Logical().WriteWithContext(ctx, path, data)
		if s != nil {
			out = s.Data
		}
		return err
	})
	return out, err
}

// Encrypt wraps a secret. place is authenticated, so that a ciphertext does not open at
// another place.
func (t Transit) Encrypt(ctx context.Context, key, place string, secret []byte) (string, error) {
	out, err := t.write(ctx, "encrypt", key, map[string]any{
		"plaintext": base64.StdEncoding.EncodeToString(secret), "associated_data": associated(place)})
	if err != nil {
		return "", err
	}
	text, _ := out["ciphertext"].(string)
	if !strings.HasPrefix(text, "vault:") {
		return "", Malformed("encrypt", key)
	}
	return text, nil
}

// Decrypt unwraps what Encrypt wrapped for the same place. Error: Precondition
// (KEYSTORE_DAMAGED).
func (t Transit) Decrypt(ctx context.Context, key, place, wrapped string) ([]byte, error) {
	out, err := t.write(ctx, "decrypt", key, map[string]any{"ciphertext": wrapped, "associated_data": associated(place)})
	if carnet.ReasonOf(err) == "VAULT_REFUSED" {
		return nil, Damaged(place)
	}
	if err != nil {
		return nil, err
	}
	text, _ := out["plaintext"].(string)
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, Malformed("decrypt", key)
	}
	return b, nil
}

func associated(place string) string {
	return base64.StdEncoding.EncodeToString([]byte("carnet/vault/1 " + place))
}

// Sign signs with one version of a key and checks what comes back: a signature by
// another key would be refused by everybody else, much later.
func (t Transit) Sign(ctx context.Context, key string, version int, pub ed25519.PublicKey, message []byte) ([]byte, error) {
	out, err := t.write(ctx, "sign", key, map[string]any{"input": base64.StdEncoding.EncodeToString(message), "key_version": version})
	if err != nil {
		return nil, err
	}
	text, _ := out["signature"].(string)
	sig, err := base64.StdEncoding.DecodeString(text[strings.LastIndexByte(text, ':')+1:])
	if err != nil || !ed25519.Verify(pub, message, sig) {
		return nil, carnet.E(carnet.Precondition, "VAULT_KEY_CHANGED", "Vault's key %s/%s is not the one this keyholder was registered with", t.mount, key).
			Fix("restore the transit key from Vault's backup, or register the keyholder anew")
	}
	return sig, nil
}

// KeyInfo is what matters of a transit key.
type KeyInfo struct {
	Type       string `json:"type"`
	Latest     int    `json:"latest_version"`
	Exportable bool   `json:"exportable"`
	Backup     bool   `json:"allow_plaintext_backup"`
	Keys       map[string]json.RawMessage
}

// Inspect reads a key's description and refuses one that could leave Vault.
func (t Transit) Inspect(ctx context.Context, key, kind string) (*KeyInfo, error) {
	var info KeyInfo
	path := t.mount + "/keys/" + key
	err := t.c.Do(ctx, "read "+path, func(a *api.Client) error {
		s, err := a.Logical().ReadWithContext(ctx, path)
		if err != nil {
			return err
		}
		if s == nil {
			return carnet.E(carnet.NotFound, "VAULT_NO_KEY", "there is no key %s", path).
				Fix("make it: vault write %s type=%s", path, kind)
		}
		b, err := json.Marshal(s.Data)
		if err != nil {
			return err
		}
		return json.Unmarshal(b, &info)
	})
	if err != nil {
		return nil, err
	}
	if info.Type != kind {
		return nil, carnet.E(carnet.Precondition, "VAULT_WRONG_KEY", "the key %s is of type %s", path, info.Type).
			Fix("make one of type %s under another name or mount", kind)
	}
	if info.Exportable || info.Backup {
		return nil, carnet.E(carnet.Precondition, "VAULT_KEY_EXPORTABLE", "the key %s can be exported from Vault", path).
			Fix("make a new one without exportable and allow_plaintext_backup; these can't be taken back")
	}
	return &info, nil
}

// Public is the public half of a version of an Ed25519 key.
func (k *KeyInfo) Public(version int) (ed25519.PublicKey, bool) {
	var v struct {
		Public string `json:"public_key"`
	}
	if json.Unmarshal(k.Keys[strconv.Itoa(version)], &v) != nil {
		return nil, false
	}
	b, err := base64.StdEncoding.DecodeString(v.Public)
	return b, err == nil && len(b) == ed25519.PublicKeySize
}

// Malformed says that Vault, or what stands in its place, answers something else.
func Malformed(op, key string) error {
	return carnet.E(carnet.Internal, "VAULT_MALFORMED", "Vault's answer to %s with %s has not the expected form", op, key)
}

// Damaged says that an entry is not as it was written.
func Damaged(place string) error {
	return carnet.E(carnet.Precondition, "KEYSTORE_DAMAGED", "what Vault keeps at %s was deleted or changed by something else", place).
		Fix("undelete it with vault kv undelete, or restore Vault from its newest snapshot")
}
