package vault

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/seal"
	"github.com/carnet-network/carnet/pkg/vaultclient"
	"github.com/carnet-network/carnet/pkg/vaultsecret"
)

const (
	format = "carnet-vault-keystore/1"
	held   = "held"
	gone   = "destroyed"
)

// signLimit bounds one signature, which has no context of its own.
const signLimit = time.Minute

// attempts bounds how often a lost check-and-set is looked at again.
const attempts = 5

// sealingEntry is kept at <name>/sealing.
type sealingEntry struct {
	Format  string            `json:"format"`
	Wrapped string            `json:"wrapped"` // 32 bytes, input of the HPKE key derivation
	Sealing []byte            `json:"sealing_public"`
	Signing ed25519.PublicKey `json:"signing_public"`
	Version int               `json:"signing_version"` // of the transit key

	NextSigning *signingVersion `json:"next_signing,omitempty"` // drawn, not adopted yet
	NextSealing *wrappedKey     `json:"next_sealing,omitempty"`
	Old         []wrappedKey    `json:"old_sealing,omitempty"` // replaced, kept to open what is pending
}

// bundleEntry is kept at <name>/keys/<id>.
type bundleEntry struct {
	Format  string `json:"format"`
	State   string `json:"state"`
	Wrapped string `json:"wrapped,omitempty"`
}

// Store is a keys.Store in Vault.
type Store struct {
	cfg     vaultsecret.Config
	kv      vaultsecret.KV
	transit vaultsecret.Transit
	mu      sync.RWMutex
	own     sealingEntry // guarded by mu

	life  context.Context // ends with Close
	close context.CancelFunc
	once  sync.Once
}

var _ keys.Store = (*Store)(nil)

// String keeps secrets out of careless logging.
func (s *Store) String() string   { return "keystore of " + s.cfg.Name + " in " + s.kv.String() }
func (s *Store) GoString() string { return s.String() }

func newStore(c *vaultclient.Client, cfg vaultsecret.Config) (*Store, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	life, end := context.WithCancel(context.Background())
	return &Store{cfg: cfg, kv: vaultsecret.NewKV(c, &cfg), transit: vaultsecret.NewTransit(c, &cfg), life: life, close: end}, nil
}

// Create makes a keystore with a sealing key drawn from rand. The two transit keys are
// made by Vault's administrator; Create refuses keys that can be exported. Errors:
// Exists (KEYSTORE_EXISTS), NotFound (VAULT_NO_KEY), Precondition (VAULT_WRONG_KEY,
// VAULT_KEY_EXPORTABLE), and those of package vaultclient. The store does not close c.
func Create(ctx context.Context, c *vaultclient.Client, cfg vaultsecret.Config, rand io.Reader) (*Store, error) {
	s, err := newStore(c, cfg)
	if err != nil {
		return nil, err
	}
	place := s.cfg.Path("sealing")
	exists := carnet.E(carnet.Exists, "KEYSTORE_EXISTS", "there is already a keystore of %s in Vault", cfg.Name).
		Fix("choose another name; losing a keystore can make datasets unreadable for ever")
	if v, err := s.kv.Get(ctx, place, &sealingEntry{}); v > 0 {
		return nil, exists
	} else if err != nil {
		return nil, err
	}
	if _, err := s.transit.Inspect(ctx, s.cfg.WrapKey(), "aes256-gcm96"); err != nil {
		return nil, err
	}
	sign, err := s.transit.Inspect(ctx, s.cfg.SignKey(), "ed25519")
	if err != nil {
		return nil, err
	}
	pub, ok := sign.Public(sign.Latest)
	if !ok {
		return nil, vaultsecret.Malformed("read", s.cfg.SignKey())
	}
	seed := make([]byte, 32)
	defer clear(seed)
	if _, err := io.ReadFull(rand, seed); err != nil {
		return nil, err
	}
	key, err := seal.DeriveKey(seed)
	if err != nil {
		return nil, err
	}
	wrapped, err := s.transit.Encrypt(ctx, s.cfg.WrapKey(), place, seed)
	if err != nil {
		return nil, err
	}
	s.own = sealingEntry{Format: format, Wrapped: wrapped, Sealing: key.Public(), Signing: pub, Version: sign.Latest}
	err = s.kv.Put(ctx, place, 0, s.own.fields())
	if carnet.ReasonOf(err) == "VAULT_CHANGED" {
		return nil, exists
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Open opens a keystore. Errors: NotFound (NO_KEYSTORE), Precondition (KEYSTORE_DAMAGED,
// KEYSTORE_UNKNOWN_FORMAT), and those of package vaultclient. The store does not close c.
func Open(ctx context.Context, c *vaultclient.Client, cfg vaultsecret.Config) (*Store, error) {
	s, err := newStore(c, cfg)
	if err != nil {
		return nil, err
	}
	v, err := s.kv.Get(ctx, s.cfg.Path("sealing"), &s.own)
	if err != nil {
		return nil, err
	}
	if v == 0 {
		return nil, carnet.E(carnet.NotFound, "NO_KEYSTORE", "there is no keystore of %s in Vault", cfg.Name).
			Fix("make one with carnet-keyholder init, or check name, mounts and namespace")
	}
	if s.own.Format != format {
		return nil, carnet.E(carnet.Precondition, "KEYSTORE_UNKNOWN_FORMAT", "the keystore of %s is not of the format %s", cfg.Name, format).
			Fix("it may have been written by a newer version; nothing was changed")
	}
	if !s.own.wellFormed() {
		return nil, vaultsecret.Damaged(s.cfg.Path("sealing"))
	}
	// A change of keys may have ended before it erased the versions with the old ones.
	if err := s.kv.Erase(ctx, s.cfg.Path("sealing"), v-1); err != nil {
		return nil, err
	}
	return s, nil
}

// open refuses a closed store and ties a call to the store's life.
func (s *Store) open(ctx context.Context) (context.Context, context.CancelFunc, error) {
	if s.life.Err() != nil {
		return nil, nil, carnet.E(carnet.Precondition, "KEYSTORE_CLOSED", "the keystore is closed")
	}
	ctx, end := context.WithCancel(ctx)
	unhook := context.AfterFunc(s.life, end)
	return ctx, func() { unhook(); end() }, nil
}

func (s *Store) keyPath(key carnet.KeyID) string { return s.cfg.Path("keys", key.String()) }

// bundle reads the entry of a key.
func (s *Store) bundle(ctx context.Context, key carnet.KeyID) (e bundleEntry, version int, err error) {
	version, err = s.kv.Get(ctx, s.keyPath(key), &e)
	if err == nil && version > 0 && (e.Format != format || e.State != held && e.State != gone) {
		err = vaultsecret.Damaged(s.keyPath(key))
	}
	return e, version, err
}

// Put implements keys.Store.
func (s *Store) Put(ctx context.Context, key carnet.KeyID, bundle []byte) error {
	if err := keys.CheckBundle(bundle); err != nil {
		return err
	}
	ctx, end, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer end()
	for range attempts {
		e, version, err := s.bundle(ctx, key)
		switch {
		case err != nil:
			return err
		case version > 0 && e.State == gone:
			return keys.Destroyed(key)
		case version > 0:
			old, err := s.transit.Decrypt(ctx, s.cfg.WrapKey(), s.keyPath(key), e.Wrapped)
			if err != nil {
				return err
			}
			defer clear(old)
			if !bytes.Equal(old, bundle) {
				return keys.Differs(key)
			}
			return nil
		}
		wrapped, err := s.transit.Encrypt(ctx, s.cfg.WrapKey(), s.keyPath(key), bundle)
		if err != nil {
			return err
		}
		err = s.kv.Put(ctx, s.keyPath(key), 0, map[string]any{"format": format, "state": held, "wrapped": wrapped})
		if carnet.ReasonOf(err) != "VAULT_CHANGED" {
			return err
		}
	}
	return busy(s.keyPath(key))
}

// Get implements keys.Store.
func (s *Store) Get(ctx context.Context, key carnet.KeyID) ([]byte, error) {
	ctx, end, err := s.open(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	e, version, err := s.bundle(ctx, key)
	switch {
	case err != nil:
		return nil, err
	case version == 0:
		return nil, keys.NotHeld(key)
	case e.State == gone:
		return nil, keys.Destroyed(key)
	}
	return s.transit.Decrypt(ctx, s.cfg.WrapKey(), s.keyPath(key), e.Wrapped)
}

// List implements keys.Store. It reads every entry, since destroyed keys have one, too.
func (s *Store) List(ctx context.Context) ([]carnet.KeyID, error) {
	ctx, end, err := s.open(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	names, err := s.kv.List(ctx, s.cfg.Path("keys"))
	if err != nil {
		return nil, err
	}
	var out []carnet.KeyID
	for _, n := range names {
		key, err := carnet.ParseKeyID(n)
		if err != nil {
			continue // not ours
		}
		e, version, err := s.bundle(ctx, key)
		if err != nil {
			return nil, err
		}
		if version > 0 && e.State == held {
			out = append(out, key)
		}
	}
	slices.SortFunc(out, func(a, b carnet.KeyID) int { return bytes.Compare(a[:], b[:]) })
	return out, nil
}

// Destroy implements keys.Store. It can be repeated after a crash between its two steps.
func (s *Store) Destroy(ctx context.Context, key carnet.KeyID) error {
	ctx, end, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer end()
	for range attempts {
		e, version, err := s.bundle(ctx, key)
		if err != nil && carnet.ReasonOf(err) != "KEYSTORE_DAMAGED" { // what is damaged can be destroyed
			return err
		}
		if err == nil && version > 0 && e.State == gone {
			return s.kv.Erase(ctx, s.keyPath(key), version-1)
		}
		err = s.kv.Put(ctx, s.keyPath(key), version, map[string]any{"format": format, "state": gone})
		if carnet.ReasonOf(err) == "VAULT_CHANGED" {
			continue
		}
		if err != nil {
			return err
		}
		return s.kv.Erase(ctx, s.keyPath(key), version)
	}
	return busy(s.keyPath(key))
}

func busy(place string) error {
	return carnet.E(carnet.Unavailable, "VAULT_BUSY", "something else changes %s in Vault all the time", place).
		Fix("make sure that no second program uses the same name in Vault")
}

// Signer implements keys.Store. Vault signs.
func (s *Store) Signer() evidence.Signer {
	e := s.present()
	return signer{s, signingVersion{e.Signing, e.Version}}
}

type signer struct {
	s *Store
	signingVersion
}

func (g signer) Public() ed25519.PublicKey { return slices.Clone(g.Signing) }

func (g signer) Sign(message []byte) ([]byte, error) {
	ctx, end, err := g.s.open(context.Background())
	if err != nil {
		return nil, err
	}
	defer end()
	if e := g.s.present(); g.Version != e.Version && (e.NextSigning == nil || g.Version != e.NextSigning.Version) {
		return nil, keys.SignerGone(g.Signing)
	}
	ctx, done := context.WithTimeout(ctx, signLimit)
	defer done()
	return g.s.transit.Sign(ctx, g.s.cfg.SignKey(), g.Version, g.Signing, message)
}

// SealingKey implements keys.Store.
func (s *Store) SealingKey() []byte { return bytes.Clone(s.present().Sealing) }

// Unseal implements keys.Store.
func (s *Store) Unseal(ctx context.Context, info, sealed []byte) ([]byte, error) {
	ctx, end, err := s.open(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	e := s.present()
	all := append([]wrappedKey{{e.Wrapped, e.Sealing}}, e.Old...)
	if e.NextSealing != nil {
		all = append(all, *e.NextSealing)
	}
	for i := range all {
		key, err := s.unwrap(ctx, &all[i])
		if err != nil {
			return nil, err
		}
		if plain, err := key.Open(info, sealed); err == nil {
			return plain, nil
		}
	}
	return nil, keys.UnsealFailed()
}

func (s *Store) unwrap(ctx context.Context, k *wrappedKey) (*seal.PrivateKey, error) {
	seed, err := s.transit.Decrypt(ctx, s.cfg.WrapKey(), s.cfg.Path("sealing"), k.Wrapped)
	if err != nil {
		return nil, err
	}
	defer clear(seed)
	key, err := seal.DeriveKey(seed)
	if err != nil || !bytes.Equal(key.Public(), k.Sealing) {
		return nil, vaultsecret.Damaged(s.cfg.Path("sealing"))
	}
	return key, nil
}

// Close implements keys.Store.
func (s *Store) Close() error {
	s.once.Do(s.close)
	return nil
}
