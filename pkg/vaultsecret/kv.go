package vaultsecret

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/hashicorp/vault/api"

	"github.com/carnet-network/carnet/pkg/vaultclient"
)

// KV is a KV engine of version 2 in which nothing is overwritten unseen.
type KV struct {
	c     *vaultclient.Client
	mount string
}

// NewKV uses the KV engine of a checked configuration.
func NewKV(c *vaultclient.Client, cfg *Config) KV { return KV{c, cfg.KV} }

func (s KV) String() string { return s.c.String() }

// Get decodes the newest version of an entry; version 0 is none. With an entry that is
// damaged the version is told, too.
func (s KV) Get(ctx context.Context, path string, out any) (version int, err error) {
	err = s.c.Do(ctx, "read "+s.mount+"/data/"+path, func(a *api.Client) error {
		got, err := a.KVv2(s.mount).Get(ctx, path)
		if errors.Is(err, api.ErrSecretNotFound) {
			version = 0
			return nil
		}
		if err != nil {
			return err
		}
		if got.VersionMetadata == nil {
			return Malformed("read", path)
		}
		version = got.VersionMetadata.Version
		if got.Data == nil { // deleted, but the version says that something was there
			return Damaged(s.mount + "/" + path)
		}
		b, err := json.Marshal(got.Data)
		if err != nil {
			return err
		}
		defer clear(b)
		d := json.NewDecoder(strings.NewReader(string(b)))
		d.DisallowUnknownFields()
		if d.Decode(out) != nil {
			return Damaged(s.mount + "/" + path)
		}
		return nil
	})
	return version, err
}

// Put writes version+1 of an entry, if version is still the newest one. Error: Exists
// (VAULT_CHANGED).
func (s KV) Put(ctx context.Context, path string, version int, in map[string]any) error {
	return s.c.Do(ctx, "create or update "+s.mount+"/data/"+path, func(a *api.Client) error {
		_, err := a.KVv2(s.mount).Put(ctx, path, in, api.WithCheckAndSet(version))
		return err
	})
}

// Erase destroys versions 1 to last of an entry: their contents are gone.
func (s KV) Erase(ctx context.Context, path string, last int) error {
	if last < 1 {
		return nil
	}
	var all []int
	for v := 1; v <= last; v++ {
		all = append(all, v)
	}
	return s.c.Do(ctx, "update "+s.mount+"/destroy/"+path, func(a *api.Client) error {
		return a.KVv2(s.mount).Destroy(ctx, path, all)
	})
}

// List returns the names in a folder.
func (s KV) List(ctx context.Context, path string) (names []string, err error) {
	err = s.c.Do(ctx, "list "+s.mount+"/metadata/"+path, func(a *api.Client) error {
		names = nil
		got, err := a.Logical().ListWithContext(ctx, s.mount+"/metadata/"+path)
		if err != nil || got == nil {
			return err
		}
		all, _ := got.Data["keys"].([]any)
		for _, n := range all {
			if text, ok := n.(string); ok {
				names = append(names, text)
			}
		}
		return nil
	})
	return names, err
}
