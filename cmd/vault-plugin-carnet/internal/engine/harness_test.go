package engine

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"testing"

	"github.com/hashicorp/vault/sdk/logical"
	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/keys/keystest"
	"github.com/carnet-network/carnet/pkg/keys/vaultplugin"
	"github.com/carnet-network/carnet/pkg/ticket"
)

// storage is memory behind the boundary between two processes: entries are copies, so
// that the engine may overwrite what it got and gave.
type storage struct{ logical.InmemStorage }

func (s *storage) Get(ctx context.Context, key string) (*logical.StorageEntry, error) {
	e, err := s.InmemStorage.Get(ctx, key)
	if e != nil {
		e.Value = bytes.Clone(e.Value)
	}
	return e, err
}

func (s *storage) Put(ctx context.Context, e *logical.StorageEntry) error {
	return s.InmemStorage.Put(ctx, &logical.StorageEntry{Key: e.Key, Value: bytes.Clone(e.Value), SealWrap: e.SealWrap})
}

// inProcess calls an engine the way Vault does, with what JSON makes of requests.
type inProcess struct {
	backend logical.Backend
	storage logical.Storage
}

func newEngine(t testing.TB, storage logical.Storage) *inProcess {
	b, err := Factory("v0.0.0-test")(context.Background(), &logical.BackendConfig{StorageView: storage, System: &logical.StaticSystemView{}})
	require.NoError(t, err)
	return &inProcess{b, storage}
}

func (e *inProcess) call(ctx context.Context, op logical.Operation, path string, data map[string]any) (map[string]any, error) {
	var sent, got map[string]any
	b, err := json.Marshal(data)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(b, &sent); err != nil {
		return nil, err
	}
	resp, err := e.backend.HandleRequest(ctx, &logical.Request{Operation: op, Path: path, Data: sent, Storage: e.storage})
	switch {
	case err != nil:
		return nil, err
	case resp == nil:
		return nil, nil
	case resp.IsError():
		if e := vaultplugin.ParseError(resp.Error().Error()); e != nil {
			return nil, e
		}
		return nil, resp.Error()
	}
	if b, err = json.Marshal(resp.Data); err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(b))
	decoder.UseNumber()
	return got, decoder.Decode(&got)
}

func (e *inProcess) Read(ctx context.Context, path string) (map[string]any, error) {
	return e.call(ctx, logical.ReadOperation, path, nil)
}

func (e *inProcess) Write(ctx context.Context, path string, data map[string]any) (map[string]any, error) {
	return e.call(ctx, logical.UpdateOperation, path, data)
}

func (e *inProcess) List(ctx context.Context, path string) (names []string, err error) {
	data, err := e.call(ctx, logical.ListOperation, path, nil)
	if err != nil || data["keys"] == nil {
		return nil, err
	}
	for _, n := range data["keys"].([]any) {
		names = append(names, n.(string))
	}
	return names, nil
}

func (e *inProcess) Delete(ctx context.Context, path string) error {
	_, err := e.call(ctx, logical.DeleteOperation, path, nil)
	return err
}

var policy = keystest.NewPerson("policy")

func text(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

// configure does what an operator does once.
func configure(t testing.TB, e vaultplugin.Logical, buyer ed25519.PublicKey) {
	_, err := e.Write(t.Context(), "config", map[string]any{"ticket_key": text(policy.Public())})
	require.NoError(t, err)
	_, err = e.Write(t.Context(), "buyers/buyer", map[string]any{"signing_key": text(buyer)})
	require.NoError(t, err)
	for _, owner := range []string{"owner0", "owner1"} { // one person signs everything in these networks
		_, err = e.Write(t.Context(), "owners/"+owner, map[string]any{"signing_key": text(buyer)})
		require.NoError(t, err)
	}
}

func approve(t testing.TB, e vaultplugin.Logical, committee carnet.Hash, recipients [][]byte) {
	_, err := e.Write(t.Context(), "successors/"+committee.String(), map[string]any{"recipients": ticket.RecipientsDigest(recipients).String()})
	require.NoError(t, err)
}

func sharer(t testing.TB, e vaultplugin.Logical) keys.Sharer {
	s, err := vaultplugin.New(t.Context(), e, policy)
	require.NoError(t, err)
	return s
}

func TestSharer(t *testing.T) {
	keystest.RunSharer(t, func(t *testing.T, buyer ed25519.PublicKey) keystest.SharerFixture {
		storage := &storage{}
		e := newEngine(t, storage)
		configure(t, e, buyer)
		return keystest.SharerFixture{Sharer: sharer(t, e), Reopen: func(t *testing.T) keys.Sharer {
			return sharer(t, newEngine(t, storage))
		}, Approve: func(t *testing.T, committee carnet.Hash, recipients [][]byte) { approve(t, e, committee, recipients) }}
	})
}

func bytesOf(t testing.TB, v any) []byte {
	b, err := base64.StdEncoding.DecodeString(v.(string))
	require.NoError(t, err)
	return b
}
