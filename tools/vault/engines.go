package main

import (
	"maps"
	"slices"

	kubernetes "github.com/hashicorp/vault-plugin-auth-kubernetes"
	kv "github.com/hashicorp/vault-plugin-secrets-kv"
	"github.com/hashicorp/vault/builtin/credential/approle"
	"github.com/hashicorp/vault/builtin/credential/cert"
	"github.com/hashicorp/vault/builtin/logical/pki"
	"github.com/hashicorp/vault/builtin/logical/transit"
	"github.com/hashicorp/vault/sdk/helper/consts"
	"github.com/hashicorp/vault/sdk/logical"
)

// engines are the built-in plugins. Others can be registered from the plugin folder.
type engines struct{ secret, auth map[string]logical.Factory }

func builtin() engines {
	return engines{
		secret: map[string]logical.Factory{"kv": kv.Factory, "transit": transit.Factory, "pki": pki.Factory},
		auth:   map[string]logical.Factory{"approle": approle.Factory, "cert": cert.Factory, "kubernetes": kubernetes.Factory},
	}
}

func (e engines) of(t consts.PluginType) map[string]logical.Factory {
	switch t {
	case consts.PluginTypeSecrets:
		return e.secret
	case consts.PluginTypeCredential:
		return e.auth
	}
	return nil
}

func (e engines) Contains(name string, t consts.PluginType) bool {
	_, ok := e.of(t)[name]
	return ok
}

func (e engines) Get(name string, t consts.PluginType) (func() (any, error), bool) {
	f, ok := e.of(t)[name]
	return func() (any, error) { return f, nil }, ok
}

func (e engines) Keys(t consts.PluginType) []string { return slices.Sorted(maps.Keys(e.of(t))) }

func (e engines) DeprecationStatus(name string, t consts.PluginType) (consts.DeprecationStatus, bool) {
	return consts.Supported, e.Contains(name, t)
}

func (engines) IsBuiltinEntPlugin(string, consts.PluginType) bool { return false }
