package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/keys/agefile"
	"github.com/carnet-network/carnet/pkg/keys/vaultplugin"
)

// inEngine is a keystore in Vault whose seeds are in the secrets engine beside it:
// signatures come from the one, shares from the other.
type inEngine struct {
	inVault
	path    string
	engine  vaultplugin.Mount
	sealing []byte
}

// beside adds the engine to a keystore if the configuration names one.
func (v *vaultFile) beside(ctx context.Context, store inVault) (keys.Store, error) {
	if v.Engine == "" {
		return store, nil
	}
	s := inEngine{inVault: store, path: v.Engine, engine: vaultplugin.At(store.client, v.Engine)}
	var err error
	if s.sealing, err = vaultplugin.SealingKey(ctx, s.engine); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return s, nil
}

// SealingKey implements keys.Store: owners seal to the engine.
func (s inEngine) SealingKey() []byte { return bytes.Clone(s.sealing) }

// Draw implements keys.Rotator for the signing key: the sealing key is the engine's.
func (s inEngine) Draw(ctx context.Context, signing, sealing bool) (keys.Next, error) {
	if sealing {
		return keys.Next{}, carnet.E(carnet.Precondition, "SEALING_KEY_IN_ENGINE", "the sealing key is in the secrets engine %s, which does not replace it", s.path).
			Fix("replace the signing key alone: carnet-keyholder rotate --signing")
	}
	n, err := s.inVault.Draw(ctx, signing, false)
	n.SealingKey = s.SealingKey()
	return n, err
}

// Next implements keys.Rotator.
func (s inEngine) Next() (keys.Next, bool) {
	n, drawn := s.inVault.Next()
	n.SealingKey = s.SealingKey()
	return n, drawn
}

// Adopt implements keys.Rotator.
func (s inEngine) Adopt(ctx context.Context, signing ed25519.PublicKey, sealing []byte) error {
	if !bytes.Equal(sealing, s.sealing) {
		return keys.NotOurs(signing)
	}
	return s.inVault.Adopt(ctx, signing, s.inVault.SealingKey())
}

// List implements keys.Store.
func (s inEngine) List(ctx context.Context) ([]carnet.KeyID, error) {
	return vaultplugin.List(ctx, s.engine)
}

// Destroy implements keys.Store.
func (s inEngine) Destroy(ctx context.Context, key carnet.KeyID) error {
	return vaultplugin.Destroy(ctx, s.engine, key)
}

// policyKey is where the key lies that release tickets are signed with. It is not in
// Vault: whoever takes this keyholder's token must not get what permits a release.
func (f storeFlags) policyKey() string { return filepath.Join(f.Dir, "policy.age") }

// createPolicy makes the policy key if a keystore needs one.
func (f storeFlags) createPolicy(s streams) error {
	v, err := f.vaultFile()
	if err != nil || v == nil || v.Engine == "" {
		return err
	}
	if _, err := os.Stat(f.policyKey()); err == nil {
		return nil // of an attempt that did not come further
	}
	p, err := f.protection(s, true)
	if err != nil {
		return err
	}
	k, err := agefile.Create(f.policyKey(), p, rand.Reader)
	if err != nil {
		return err
	}
	return k.Close()
}

// policy opens the policy key of a keystore that has one, nil for others. The caller
// closes it.
func (f storeFlags) policy(s streams, store keys.Store) (*agefile.Store, error) {
	if _, ok := store.(inEngine); !ok {
		return nil, nil
	}
	p, err := f.protection(s, false)
	if err != nil {
		return nil, err
	}
	return agefile.OpenReadOnly(f.policyKey(), p)
}

// sharer makes shares in the engine, nil if the keystore has none.
func sharer(ctx context.Context, store keys.Store, policy evidence.Signer) (keys.Sharer, error) {
	e, ok := store.(inEngine)
	if !ok {
		return nil, nil
	}
	return vaultplugin.New(ctx, e.engine, policy)
}

// explainEngine says what the engine's operator has to do.
func explainEngine(s streams, store keys.Store, policy evidence.Signer) {
	if e, ok := store.(inEngine); ok {
		fmt.Fprintf(s.out, "engine:     %s\n\nHave the operator of Vault run: vault write %s/config ticket_key=%s\n",
			e.path, e.path, base64.StdEncoding.EncodeToString(policy.Public()))
	}
}
