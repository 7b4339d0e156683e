package main

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"runtime"

	"filippo.io/age"

	"github.com/carnet-network/carnet/internal/vaultserver"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/keys/agefile"
	"github.com/carnet-network/carnet/pkg/keys/vault"
	"github.com/carnet-network/carnet/pkg/vaultclient"
	"github.com/carnet-network/carnet/pkg/vaultsecret"
)

// groupsOfQuery is how many groups the query has whose keystore requests are measured:
// one for each chapter of the Harmonized System.
const groupsOfQuery = 96

// vaultFigure is what one query asks of a keyholder's keystore, in an age file and in a
// Vault on this machine with TLS and an audit file: a signed co-signature, its mark, a
// signed answer; and once for each key of a process, its seeds.
func vaultFigure(ctx context.Context, b *bench, r *Report) error {
	const goal, most = "keys in Vault, added to a group of a query of 96 groups", 1.0
	server, err := vaultserver.Start(ctx, vaultserver.Options{})
	if errors.Is(err, vaultserver.ErrNotBuilt) {
		r.untold(goal, "under "+short(most)+" ms", err.Error())
		return nil
	}
	if err != nil {
		return err
	}
	defer server.Stop()
	dir, err := os.MkdirTemp("", "bench-keystore")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	file, err := ageStore(dir)
	if err != nil {
		return err
	}
	defer file.Close()
	login, err := server.Provision(ctx, "keyholder", "bench", dir)
	if err != nil {
		return err
	}
	client, err := vaultclient.Open(ctx, login, nil)
	if err != nil {
		return err
	}
	defer client.Close()
	inVault, err := vault.Create(ctx, client, vaultsecret.Config{Name: "bench"}, rand.Reader)
	if err != nil {
		return err
	}
	defer inVault.Close()

	const times = 10
	var size int64
	query := func(s keys.Store) func() error {
		return func() error {
			for range times {
				size++
				if _, err := s.Signer().Sign(make([]byte, 200)); err != nil {
					return err
				}
				if err := s.(keys.Marker).Mark(ctx, carnet.Checkpoint{Size: size}); err != nil {
					return err
				}
				if _, err := s.Signer().Sign(make([]byte, 400)); err != nil {
					return err
				}
			}
			return nil
		}
	}
	for _, s := range []keys.Store{file, inVault} {
		if err := s.Put(ctx, carnet.KeyID{1}, make([]byte, 6*32)); err != nil {
			return err
		}
	}
	seeds := func(s keys.Store) func() error {
		return func() error {
			for range times {
				if _, err := s.Get(ctx, carnet.KeyID{1}); err != nil {
					return err
				}
			}
			return nil
		}
	}
	cores := max(runtime.NumCPU(), 2) // client and server work in turn: what counts is the time
	rows, err := b.race(ctx, r, "keystore, one query: two signatures and a mark", "queries/s",
		task{"age file", cores, times, query(file)}, task{"Vault", cores, times, query(inVault)})
	if err != nil {
		return err
	}
	if _, err := b.race(ctx, r, "keystore, seeds of one key", "keys/s",
		task{"age file", cores, times, seeds(file)}, task{"Vault", cores, times, seeds(inVault)}); err != nil {
		return err
	}
	r.atMost(goal, "under "+short(most)+" ms", most, 1000*(rows[1].Seconds-rows[0].Seconds)/times/groupsOfQuery, "ms")
	return nil
}

func ageStore(dir string) (*agefile.Store, error) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "age.key")
	if err := os.WriteFile(path, []byte(id.String()+"\n"), 0o600); err != nil {
		return nil, err
	}
	p, err := agefile.IdentityFile(path)
	if err != nil {
		return nil, err
	}
	return agefile.Create(filepath.Join(dir, "keystore.age"), p, rand.Reader)
}
