package vaultclient

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/hashicorp/vault/api"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// Client is a connection with a living token. It may be used concurrently.
type Client struct {
	api   *api.Client
	login login
	log   *slog.Logger
	stop  context.CancelFunc
	done  sync.WaitGroup

	mu     sync.Mutex // held while logging in
	turns  int        // logins so far
	newest *api.Secret
}

// String keeps tokens out of careless logging.
func (c *Client) String() string   { return "vault " + c.api.Address() }
func (c *Client) GoString() string { return c.String() }

// Open logs in and keeps the token alive until Close. Errors: Invalid
// (BAD_VAULT_CONFIG), Forbidden (VAULT_LOGIN_FAILED, VAULT_WRAPPING_USED,
// VAULT_TOKEN_INVALID), Unavailable (VAULT_SEALED, VAULT_UNREACHABLE …), which may be
// waited for. log may be nil.
func Open(ctx context.Context, cfg Config, log *slog.Logger) (*Client, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	a, err := cfg.client()
	if err != nil {
		return nil, err
	}
	how, err := cfg.Auth.login()
	if err != nil {
		return nil, err
	}
	c := &Client{api: a, login: how, log: log}
	if err := c.relogin(ctx, 0); err != nil {
		return nil, err
	}
	life, stop := context.WithCancel(context.Background())
	c.stop = stop
	c.done.Go(func() { c.keepAlive(life) })
	return c, nil
}

// Patience between attempts to open and to log in again.
const (
	shortest = 200 * time.Millisecond
	longest  = 15 * time.Second
)

// Wait is Open that waits for a Vault that is sealed or not reachable.
func Wait(ctx context.Context, cfg Config, log *slog.Logger) (c *Client, err error) {
	err = Patiently(ctx, log, func() error {
		c, err = Open(ctx, cfg, log)
		return err
	})
	return c, err
}

// Patiently repeats do while Vault is unavailable, which it logs.
func Patiently(ctx context.Context, log *slog.Logger, do func() error) error {
	for pause := shortest; ; pause = min(2*pause, longest) {
		err := do()
		if carnet.KindOf(err) != carnet.Unavailable {
			return err
		}
		if log != nil {
			log.Warn("waiting for Vault", "in", pause, "reason", carnet.ReasonOf(err), "error", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

// Close stops renewing. The token is left to expire: others may use it too.
func (c *Client) Close() error {
	c.stop()
	c.done.Wait()
	return nil
}

// relogin logs in, unless somebody else did since the caller's turn.
func (c *Client) relogin(ctx context.Context, turn int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.turns != turn {
		return nil
	}
	s, err := c.login(ctx, c.api)
	if err != nil {
		return err
	}
	c.api.SetToken(s.Auth.ClientToken)
	c.newest = s
	c.turns++
	return nil
}

func (c *Client) turn() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.turns
}

// keepAlive renews the token at two thirds of its life and logs in again when it can't
// be renewed any more. Requests log in by themselves, too, if they come first.
func (c *Client) keepAlive(ctx context.Context) {
	for {
		c.mu.Lock()
		turn, s := c.turns, c.newest
		c.mu.Unlock()
		if !c.watch(ctx, s, turn) {
			return
		}
		if c.turn() != turn {
			continue
		}
		err := Patiently(ctx, c.log, func() error { return c.relogin(ctx, turn) })
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			c.log.Error("the login to Vault failed; trying again", "in", longest, "reason", carnet.ReasonOf(err), "error", err, "remedy", remedy(err))
			if !sleep(ctx, longest) {
				return
			}
		default:
			c.log.Info("logged in to Vault again")
		}
	}
}

// watch returns true when a new login is due or was made, false when ctx ended.
func (c *Client) watch(ctx context.Context, s *api.Secret, turn int) bool {
	var renewed <-chan *api.RenewOutput
	var ended <-chan error
	if s.Auth.LeaseDuration > 0 { // else the token has no end
		w, err := c.api.NewLifetimeWatcher(&api.LifetimeWatcherInput{Secret: s})
		if err != nil {
			return true
		}
		go w.Start()
		defer w.Stop()
		renewed, ended = w.RenewCh(), w.DoneCh()
	}
	check := time.NewTicker(time.Second)
	defer check.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-renewed:
			c.log.Debug("Vault token renewed")
		case err := <-ended: // nil, too, when the token reached its greatest age
			c.log.Debug("the Vault token is not renewed any more", "reason", carnet.ReasonOf(Explain("renew the own token", err)))
			return true
		case <-check.C:
			if c.turn() != turn {
				return true
			}
		}
	}
}

func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

func remedy(err error) string {
	var e *carnet.Error
	if errors.As(err, &e) {
		return e.Remedy
	}
	return ""
}

// Do runs a request. what names it in errors. If Vault does not know the token any
// more, Do logs in and runs it once more.
func (c *Client) Do(ctx context.Context, what string, request func(a *api.Client) error) error {
	turn := c.turn()
	err := Explain(what, request(c.api))
	if carnet.ReasonOf(err) != "VAULT_TOKEN_INVALID" {
		return err
	}
	if again := c.relogin(ctx, turn); again != nil {
		return again
	}
	return Explain(what, request(c.api))
}

// Renew prolongs the token now; it is done by itself in time.
func (c *Client) Renew(ctx context.Context) error {
	return c.Do(ctx, "renew the own token", func(a *api.Client) error {
		_, err := a.Auth().Token().RenewSelfWithContext(ctx, 0)
		return err
	})
}

// Address is Vault's address, for messages.
func (c *Client) Address() string { return c.api.Address() }
