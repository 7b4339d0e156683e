package vaultplugin

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/hashicorp/vault/api"

	"github.com/carnet-network/carnet/pkg/vaultclient"
)

// Mount is the engine as a Vault client reaches it.
type Mount struct {
	client *vaultclient.Client
	path   string
}

var _ Logical = Mount{}

// At is the engine enabled at a path of the client's Vault.
func At(client *vaultclient.Client, path string) Mount {
	return Mount{client, strings.Trim(path, "/") + "/"}
}

// Read implements Logical.
func (m Mount) Read(ctx context.Context, path string) (map[string]any, error) {
	return m.do(ctx, "read", path, func(c *api.Client) (*api.Secret, error) { return c.Logical().ReadWithContext(ctx, m.path+path) })
}

// Write implements Logical.
func (m Mount) Write(ctx context.Context, path string, data map[string]any) (map[string]any, error) {
	return m.do(ctx, "write", path, func(c *api.Client) (*api.Secret, error) {
		return c.Logical().WriteWithContext(ctx, m.path+path, data)
	})
}

// List implements Logical.
func (m Mount) List(ctx context.Context, path string) ([]string, error) {
	data, err := m.do(ctx, "list", path, func(c *api.Client) (*api.Secret, error) { return c.Logical().ListWithContext(ctx, m.path+path) })
	if err != nil {
		return nil, err
	}
	entries, _ := data["keys"].([]any) // none if the list is empty
	var names []string
	for _, e := range entries {
		name, ok := e.(string)
		if !ok {
			return nil, odd("its list is none")
		}
		names = append(names, name)
	}
	return names, nil
}

// Delete implements Logical.
func (m Mount) Delete(ctx context.Context, path string) error {
	_, err := m.do(ctx, "delete", path, func(c *api.Client) (*api.Secret, error) { return c.Logical().DeleteWithContext(ctx, m.path+path) })
	return err
}

func (m Mount) do(ctx context.Context, op, path string, request func(c *api.Client) (*api.Secret, error)) (data map[string]any, err error) {
	err = m.client.Do(ctx, op+" "+m.path+path, func(c *api.Client) error {
		s, err := request(c)
		if s != nil {
			data = s.Data
		}
		return explained(err)
	})
	if err != nil {
		return nil, err
	}
	return data, nil
}

// explained finds the engine's own words in an answer of Vault; the rest is for the
// client to explain.
func explained(err error) error {
	var answer *api.ResponseError
	if !errors.As(err, &answer) {
		return err
	}
	for _, text := range answer.Errors {
		if e := ParseError(text); e != nil {
			return e
		}
	}
	if answer.StatusCode == http.StatusNotFound {
		return odd("nothing is mounted at the path")
	}
	return err
}
