// Package engine is a Vault secrets engine that keeps a keyholder's part seeds and
// answers with flooded shares only.
//
// Seeds come in sealed to a key that was made here and leave only sealed to another committee. A share is made for a
// query that an approved buyer signed and for functionals that a release ticket names,
// which the keyholder's policy key signed; it is sealed to the query's recipient before
// it goes out. The engine derives the functional ids, flooding widths and floods from
// what it is given, counts releases durably, and forgets a destroyed key for good.
package engine

import (
	"context"
	"runtime"
	"strings"
	"sync"

	"github.com/hashicorp/vault/sdk/framework"
	"github.com/hashicorp/vault/sdk/logical"

	"github.com/carnet-network/carnet/pkg/keys/local"
	"github.com/carnet-network/carnet/pkg/scan"
)

const (
	// maxKeys bounds the keys whose polynomials R_{i,j} are kept, 0.4 to 3 MiB each.
	maxKeys = 32
	// cubeBytes bounds the set-ups of cubes, which make the next query over one quick.
	cubeBytes = 128 << 20
)

const help = `
Keeps the part seeds of a Carnet keyholder and answers with flooded shares, sealed to
the buyer, for queries that a release ticket permits. Seeds are imported sealed and never
leave. See docs/howto/vault-plugin.md of github.com/carnet-network/carnet.
`

type backend struct {
	*framework.Backend
	store  *store
	counts *counts
	shares *local.Sharer

	configuring sync.Mutex
}

// Factory returns a constructor of engines that report the given version.
func Factory(version string) logical.Factory {
	return func(ctx context.Context, conf *logical.BackendConfig) (logical.Backend, error) {
		b := &backend{store: &store{view: conf.StorageView}}
		b.counts = newCounts(conf.StorageView)
		b.shares = local.New(b.store, local.Options{Scan: scan.Options{Workers: runtime.GOMAXPROCS(0)}, Cubes: scan.NewCubes(cubeBytes), Keys: maxKeys})
		b.Backend = &framework.Backend{
			Help:           strings.TrimSpace(help),
			BackendType:    logical.TypeLogical,
			RunningVersion: version,
			// With a seal that wraps, what these hold is encrypted twice.
			PathsSpecial: &logical.Paths{SealWrapStorage: []string{storedIdentity, storedSeeds}},
			Paths:        b.paths(),
			Invalidate:   b.invalidate,
			Clean:        func(context.Context) { b.shares.Zero() },
		}
		return b, b.Setup(ctx, conf)
	}
}

// invalidate is called when another node of a cluster wrote to storage.
func (b *backend) invalidate(_ context.Context, key string) {
	switch {
	case strings.HasPrefix(key, storedReleases), strings.HasPrefix(key, storedProducts), strings.HasPrefix(key, storedAcross):
		b.counts.forget()
	case strings.HasPrefix(key, storedSeeds), strings.HasPrefix(key, storedDestroyed):
		b.shares.Zero()
	case key == storedIdentity:
		b.store.forget()
	}
}

func (b *backend) paths() []*framework.Path {
	text := func(what string) *framework.FieldSchema {
		return &framework.FieldSchema{Type: framework.TypeString, Description: what}
	}
	pieces := func(what string) *framework.FieldSchema {
		return &framework.FieldSchema{Type: framework.TypeCommaStringSlice, Description: what + "; base64 in pieces of at most 512 KiB before encoding"}
	}
	key := `(?P<key>[0-9a-f]{64})`
	return []*framework.Path{
		{
			Pattern:      "config$",
			HelpSynopsis: "The policy key that signs release tickets, the epoch of valid ones, and a limit of releases.",
			Fields: map[string]*framework.FieldSchema{
				"ticket_key":           text("Ed25519 public key that release tickets are signed with, base64; another one raises the epoch"),
				"epoch":                {Type: framework.TypeInt64, Description: "epoch of valid tickets; it can only be raised, which voids all tickets signed before"},
				"max_releases":         {Type: framework.TypeInt64, Description: "distinct numbers to release per key at most; the scheme's own limit holds too"},
				"max_product_releases": {Type: framework.TypeInt64, Description: "of these, numbers made of products, whose polynomials come from the keyholder; 0 allows none"},
			},
			Operations: b.operations(map[logical.Operation]handler{logical.ReadOperation: b.readConfig, logical.UpdateOperation: b.writeConfig}),
		},
		{
			Pattern:      "info$",
			HelpSynopsis: "The public sealing key and the epoch.",
			Operations:   b.operations(map[logical.Operation]handler{logical.ReadOperation: b.info}),
		},
		{
			Pattern:      "buyers/?$",
			HelpSynopsis: "Lists the approved buyers.",
			Operations:   b.operations(map[logical.Operation]handler{logical.ListOperation: b.listBuyers}),
		},
		{
			Pattern:      "buyers/" + framework.GenericNameRegex("buyer") + "$",
			HelpSynopsis: "Approves a buyer: answers are sealed to recipients in queries signed with this key.",
			Fields: map[string]*framework.FieldSchema{"buyer": text("identifier of the party"),
				"signing_key": text("Ed25519 public key of the party, base64")},
			Operations: b.operations(map[logical.Operation]handler{logical.ReadOperation: b.readBuyer, logical.UpdateOperation: b.writeBuyer, logical.DeleteOperation: b.deleteBuyer}),
		},
		{
			Pattern:      "owners/?$",
			HelpSynopsis: "Lists the owners who may deal keys again.",
			Operations:   b.operations(map[logical.Operation]handler{logical.ListOperation: b.listOwners}),
		},
		{
			Pattern:      "owners/" + framework.GenericNameRegex("owner") + "$",
			HelpSynopsis: "Tells who an owner is: it deals keys again in statements signed with this key, keys that it dealt with this or an earlier one.",
			Fields: map[string]*framework.FieldSchema{"owner": text("identifier of the party"),
				"signing_key": text("present Ed25519 public key of the party, base64"), "earlier": pieces("keys that it replaced, oldest first")},
			Operations: b.operations(map[logical.Operation]handler{logical.ReadOperation: b.readOwner, logical.UpdateOperation: b.writeOwner, logical.DeleteOperation: b.deleteOwner}),
		},
		{
			Pattern:      "keys/?$",
			HelpSynopsis: "Lists the keys held.",
			Operations:   b.operations(map[logical.Operation]handler{logical.ListOperation: b.listKeys}),
		},
		{
			Pattern:      "keys/" + key + "$",
			HelpSynopsis: "Imports sealed seeds of a key, tells its fingerprint, destroys it for good.",
			Fields: map[string]*framework.FieldSchema{"key": text("key identifier, 64 hexadecimal digits"),
				"dealing": pieces("the owner's signed dealing"), "committee": pieces("the signed committee"),
				"number": {Type: framework.TypeInt, Description: "of this keyholder in the committee"},
				"sealed": pieces("the seed bundle, sealed to the engine's sealing key")},
			Operations: b.operations(map[logical.Operation]handler{logical.ReadOperation: b.readKey, logical.UpdateOperation: b.importKey, logical.DeleteOperation: b.destroyKey}),
		},
		{
			Pattern:      "keys/" + key + "/again$",
			HelpSynopsis: "Shows that a dealing deals a key again, which keeps its name.",
			Fields: map[string]*framework.FieldSchema{"key": text("identifier of the dealing, 64 hexadecimal digits"),
				"first": pieces("the signed dealing that the key is named after"), "redealing": pieces("the owner's signed statement")},
			Operations: b.operations(map[logical.Operation]handler{logical.UpdateOperation: b.dealtAgain}),
		},
		{
			Pattern:      "successors/?$",
			HelpSynopsis: "Lists the committees that parts may be handed on to.",
			Operations:   b.operations(map[logical.Operation]handler{logical.ListOperation: b.listSuccessors}),
		},
		{
			Pattern:      "successors/(?P<committee>[0-9a-f]{64})$",
			HelpSynopsis: "Approves a committee: parts of keys are handed on to it if their owners let it, too.",
			Fields: map[string]*framework.FieldSchema{"committee": text("statement hash of the committee"),
				"recipients": text("digest of its members' sealing keys, as carnet committee show tells it")},
			Operations: b.operations(map[logical.Operation]handler{logical.ReadOperation: b.readSuccessor, logical.UpdateOperation: b.writeSuccessor, logical.DeleteOperation: b.deleteSuccessor}),
		},
		{
			Pattern:      "keys/" + key + "/handover$",
			HelpSynopsis: "Hands the parts of a dealing on, sealed to an approved committee that the owner lets have the key, if a ticket permits it.",
			Fields: map[string]*framework.FieldSchema{"key": text("identifier of the dealing, 64 hexadecimal digits"),
				"succession": pieces("the owner's signed succession"), "to": pieces("the signed committee"),
				"recipients": pieces("the sealing keys of its members, one a piece"),
				"part":       {Type: framework.TypeInt, Description: "the part whose commitments and corrections are asked for; without it the sealed seeds are"},
				"ticket":     text("ticket, base64")},
			Operations: b.operations(map[logical.Operation]handler{logical.UpdateOperation: b.handOver}),
		},
		{
			Pattern:      "keys/" + key + "/takeover$",
			HelpSynopsis: "Keeps seeds that holders of another dealing sealed to this engine, if a ticket permits it.",
			Fields: map[string]*framework.FieldSchema{"key": text("identifier of the resharing, 64 hexadecimal digits"),
				"resharing": pieces("the statement"), "to": pieces("the signed committee"), "number": {Type: framework.TypeInt, Description: "of this keyholder in it"},
				"succession": pieces("the owner's signed succession"), "first": pieces("the signed dealing that the key is named after"),
				"source": pieces("the dealing or resharing that is handed on"), "redealing": pieces("the owner's statement, if that is another dealing of the owner"),
				"holders": pieces("the signed committee of that"), "agreed": pieces("commitments to the seeds of every part: 32 bytes each, by old and new part"),
				"from":     {Type: framework.TypeCommaIntSlice, Description: "numbers of the holders who sealed something"},
				"sealed":   pieces("what they sealed, one a piece"),
				"released": {Type: framework.TypeInt64, Description: "numbers released under the key before"},
				"ticket":   text("ticket, base64")},
			Operations: b.operations(map[logical.Operation]handler{logical.UpdateOperation: b.takeOver}),
		},
		{
			Pattern:      "across$",
			HelpSynopsis: "Takes what the share of one key is multiplied with in a functional across keys, and returns a handle for share.",
			Fields: map[string]*framework.FieldSchema{
				"keys": {Type: framework.TypeCommaStringSlice, Description: "identifiers of the dealings of the functional's keys, ascending by name"},
				"at":   {Type: framework.TypeInt, Description: "place of the key"},
				"with": {Type: framework.TypeCommaIntSlice, Description: "places of the keys it is multiplied with, ascending"},
				"d":    pieces("the polynomials: of the key alone, then with each of those"), "corrections": pieces("first corrections: of the key, then of those after it")},
			Operations: b.operations(map[logical.Operation]handler{logical.UpdateOperation: b.across}),
		},
		{
			Pattern:      "functional$",
			HelpSynopsis: "Takes D_1..D_d of one functional under one key and returns a handle for share.",
			Fields:       map[string]*framework.FieldSchema{"key": text("key identifier, 64 hexadecimal digits"), "d": pieces("the polynomials, canonical, one after another")},
			Operations:   b.operations(map[logical.Operation]handler{logical.UpdateOperation: b.functional}),
		},
		{
			Pattern:      "(?P<op>share|check)$",
			HelpSynopsis: "Answers a query, or checks its private parameter, if a release ticket permits it.",
			Fields: map[string]*framework.FieldSchema{"op": text(""),
				"query":    pieces("the buyer's signed query"),
				"keys":     {Type: framework.TypeCommaStringSlice, Description: "identifiers of the query's keys, ascending"},
				"openings": pieces("description of what is opened"),
				"handles":  pieces("handles of all products, in the order of openings and keys"),
				"ticket":   text("release ticket, base64")},
			Operations: b.operations(map[logical.Operation]handler{logical.UpdateOperation: b.release}),
		},
	}
}
