package policy

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// Flags are how a gateway or keyholder is told what bundle to decide by.
type Flags struct {
	Policy    string   `help:"Policy bundle to decide by: a signed folder or archive, or builtin for the one that comes with the program. Without it owners' terms alone decide. It is read again upon SIGHUP." placeholder:"BUNDLE" env:"CARNET_POLICY"`
	PolicyKey []string `name:"policy-key" help:"File with the public key of whom you trust with policies; may be repeated." type:"path" placeholder:"FILE" env:"CARNET_POLICY_KEY"`
}

// Open makes the holder that the flags ask for, nil if they ask for none. It remembers
// the bundle in use in the file state.
func (f *Flags) Open(ctx context.Context, state string) (*Holder, error) {
	if f.Policy == "" {
		return nil, nil
	}
	if f.Policy != Builtin && len(f.PolicyKey) == 0 {
		return nil, carnet.E(carnet.Invalid, "BAD_POLICY_KEY", "no key is given that policy bundle %s may be signed with", f.Policy).
			Fix("give the public key of whom you trust with --policy-key")
	}
	var keys []ed25519.PublicKey
	for _, file := range f.PolicyKey {
		k, err := ReadKey(file)
		if err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	return NewHolder(ctx, f.Policy, state, keys...)
}

// ReadKey reads a public key: 32 bytes, in base64 on one line.
func ReadKey(file string) (ed25519.PublicKey, error) {
	content, err := os.ReadFile(file)
	if err == nil {
		var raw []byte
		if raw, err = base64.StdEncoding.DecodeString(string(bytes.TrimSpace(content))); err == nil && len(raw) == ed25519.PublicKeySize {
			return raw, nil
		}
	}
	return nil, carnet.E(carnet.Invalid, "BAD_POLICY_KEY", "%s is not a file with a public key", file).Because(err).
		Fix("carnet policy key prints the one of an identity")
}

// Follow reads the bundle again whenever the process gets SIGHUP, until ctx ends. What
// can't be used is logged, and the present bundle stays.
func (h *Holder) Follow(ctx context.Context, log *slog.Logger) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGHUP)
	defer signal.Stop(signals)
	for {
		select {
		case <-ctx.Done():
			return
		case <-signals:
		}
		if err := h.Reload(ctx); err != nil {
			log.Error("the policy bundle can't be used; the present one stays", "reason", carnet.ReasonOf(err), "error", err)
			continue
		}
		h.Announce(log)
	}
}

// Announce logs which bundle decides.
func (h *Holder) Announce(log *slog.Logger) {
	b := h.Engine().Bundle()
	log.Info("policy bundle in use", "name", b.Name, "version", b.Version, "digest", b.Digest.String(), "expires", b.Expires)
}
