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

	mu    sync.Mutex // held while logging in
	turns int        // logins so far
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
	s, err := c.renewed(ctx, 0)
	if err != nil {
		return nil, err
	}
	life, stop := context.WithCancel(context.Background())
	c.stop = stop
	c.done.Go(func() { c.keepAlive(life, s) })
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

// renewed logs in, unless somebody else did since the caller's turn; then it returns
// nil.
func (c *Client) renewed(ctx context.Context, turn int) (*api.Secret, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.turns != turn {
		return nil, nil
	}
	s, err := c.login(ctx, c.api)
	if err != nil {
		return nil, err
	}
	c.api.SetToken(s.Auth.ClientToken)
	c.turns++
	return s, nil
}

func (c *Client) turn() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.turns
}

// keepAlive renews the token at two thirds of its life and logs in again when it can't
// be renewed any more. Requests log in by themselves, too, if they come first.
func (c *Client) keepAlive(ctx context.Context, s *api.Secret) {
	for {
		turn := c.turn()
		if s != nil && !c.watch(ctx, s, turn) {
			return
		}
		err := Patiently(ctx, c.log, func() (err error) {
			s, err = c.renewed(ctx, turn)
			return err
		})
		if ctx.Err() != nil {
			return
		}
		switch {
		case err != nil:
			c.log.Error("the login to Vault failed", "reason", carnet.ReasonOf(err), "error", err, "remedy", remedy(err))
			s = nil
			if !sleep(ctx, longest) {
				return
			}
		case s != nil:
			c.log.Info("logged in to Vault again", "ttl_seconds", s.Auth.LeaseDuration)
		default: // a request did; its token is looked after from now on
			if s, err = c.current(ctx); err != nil && !sleep(ctx, time.Second) {
				return
			}
		}
	}
}

// current describes the present token.
func (c *Client) current(ctx context.Context) (*api.Secret, error) {
	s, err := c.api.Auth().Token().LookupSelfWithContext(ctx)
	if err != nil {
		return nil, Explain("look up the own token", err)
	}
	renewable, err := s.TokenIsRenewable()
	if err != nil {
		return nil, err
	}
	ttl, err := s.TokenTTL()
	if err != nil {
		return nil, err
	}
	return &api.Secret{Auth: &api.SecretAuth{ClientToken: c.api.Token(), Renewable: renewable, LeaseDuration: int(ttl.Seconds())}}, nil
}

// watch returns true when a new login is due, false when ctx ended. A token without
// an end is watched until somebody logs in again.
func (c *Client) watch(ctx context.Context, s *api.Secret, turn int) bool {
	if s.Auth.LeaseDuration == 0 {
		<-ctx.Done()
		return false
	}
	w, err := c.api.NewLifetimeWatcher(&api.LifetimeWatcherInput{Secret: s})
	if err != nil {
		return true
	}
	go w.Start()
	defer w.Stop()
	check := time.NewTicker(time.Second)
	defer check.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-w.RenewCh():
			c.log.Debug("Vault token renewed")
		case <-w.DoneCh():
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
	if _, again := c.renewed(ctx, turn); again != nil {
		return again
	}
	return Explain(what, request(c.api))
}

// Address is Vault's address, for messages.
func (c *Client) Address() string { return c.api.Address() }
