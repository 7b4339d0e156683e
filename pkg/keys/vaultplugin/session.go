package vaultplugin

import (
	"context"
	"encoding/base64"
	"encoding/json"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/he/wire"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/share"
	"github.com/carnet-network/carnet/pkg/ticket"
)

// session collects the handles of one answer. Handles are good for ever, so a session
// survives a restart of Vault.
type session struct {
	of      *Sharer
	r       *keys.Release
	query   []string
	handles map[int][]byte
}

// Open implements keys.Sharer.
func (s *Sharer) Open(ctx context.Context, r *keys.Release) (keys.Session, error) {
	for _, d := range r.Dealings {
		if d.Named() != d.Key { // the engine has no proof of it, and keys its shares by statements
			return nil, carnet.E(carnet.Refused, "KEY_REDEALT", "this keyholder's engine does not answer for keys that were dealt again").
				Fix("the owner has to publish the dataset again under a new key, or deal to keyholders without the engine")
		}
	}
	query, err := json.Marshal(r.Statement)
	if err != nil {
		return nil, err
	}
	return &session{of: s, r: r, query: pieces(query), handles: map[int][]byte{}}, nil
}

// Close implements keys.Session. Handles are encrypted; nothing is to be overwritten.
func (s *session) Close() {}

// Check implements keys.Session.
func (s *session) Check(ctx context.Context) (out [share.CheckScalars]he.Scalar, err error) {
	info, err := s.of.info(ctx)
	if err != nil {
		return out, err
	}
	first, ids := s.r.Dealings[0], s.r.Plan.Keys()
	signed, err := ticket.ForCheck(info.epoch, first.Number, s.r.Hash, s.r.Query, ids).Sign(s.of.policy)
	if err != nil {
		return out, err
	}
	data, err := s.of.vault.Write(ctx, "check", map[string]any{"query": s.query, "keys": names(ids),
		"ticket": base64.StdEncoding.EncodeToString(signed)})
	if err != nil {
		return out, err
	}
	b, err := bytesOf(data, "scalars")
	if err != nil {
		return out, err
	}
	scalars, err := wire.ReadScalars(first.Profile, b, share.CheckScalars)
	if err != nil {
		return out, odd("its check has another length")
	}
	return [share.CheckScalars]he.Scalar(scalars), nil
}

// Product implements keys.Session. The engine multiplies no shares, so a session is no
// keys.CrossSession.
func (s *session) Product(ctx context.Context, i int, parts []keys.Part) error {
	if len(s.r.Plan.Functionals()[i].Cross) > 0 {
		return carnet.E(carnet.Internal, "FUNCTIONAL_MISSING", "functional %d is across keys", i)
	}
	p := s.r.Dealings[0].Profile
	var handles []byte
	for m := range parts {
		var raw []byte
		for _, d := range parts[m].D {
			raw = wire.AppendPoly(raw, p, d)
		}
		data, err := s.of.vault.Write(ctx, "functional", map[string]any{"key": parts[m].Key.String(), "d": pieces(raw)})
		if err != nil {
			return err
		}
		h, err := bytesOf(data, "handle")
		if err != nil {
			return err
		}
		if len(h) != HandleBytes(p) {
			return odd("its handle has another length")
		}
		handles = append(handles, h...)
	}
	s.handles[i] = handles
	return nil
}

// Seal implements keys.Session. ids go into the ticket only: the engine derives its own
// and refuses a ticket for others.
func (s *session) Seal(ctx context.Context, ids []carnet.Hash) ([]byte, error) {
	info, err := s.of.info(ctx)
	if err != nil {
		return nil, err
	}
	first := s.r.Dealings[0]
	var all []carnet.KeyID
	for _, d := range s.r.Dealings {
		all = append(all, d.Key)
	}
	var handles []byte
	for i := range s.r.Plan.Functionals() {
		handles = append(handles, s.handles[i]...)
	}
	signed, err := ticket.ForAnswer(info.epoch, first.Number, s.r.Hash, s.r.Query, first.Profile.N(), s.r.Plan.Openings, ids).Sign(s.of.policy)
	if err != nil {
		return nil, err
	}
	data, err := s.of.vault.Write(ctx, "share", map[string]any{"query": s.query, "keys": names(all),
		"openings": pieces(ticket.AppendOpenings(nil, s.r.Plan.Openings)), "handles": pieces(handles),
		"ticket": base64.StdEncoding.EncodeToString(signed)})
	if err != nil {
		return nil, err
	}
	return bytesOf(data, "sealed")
}

func names(ids []carnet.KeyID) (out []string) {
	for _, k := range ids {
		out = append(out, k.String())
	}
	return out
}
