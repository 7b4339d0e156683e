package vaultplugin

import (
	"context"
	"encoding/base64"

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
		if d.Named() == d.Key || d.Handed {
			continue // what was handed on has its name in the statement
		}
		if err := s.prove(ctx, d); err != nil {
			return nil, err
		}
	}
	query, err := statement(r.Statement)
	if err != nil {
		return nil, err
	}
	return &session{of: s, r: r, query: query, handles: map[int][]byte{}}, nil
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
	data, err := s.of.vault.Write(ctx, "check", map[string]any{"query": s.query, "keys": s.dealings(ids),
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

// Product implements keys.Session.
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
		h, err := s.handle(ctx, "functional", map[string]any{"key": s.dealings([]carnet.KeyID{parts[m].Key})[0], "d": pieces(raw)})
		if err != nil {
			return err
		}
		handles = append(handles, h...)
	}
	s.handles[i] = handles
	return nil
}

// handle has the engine evaluate something and keeps the result, which is encrypted.
func (s *session) handle(ctx context.Context, path string, data map[string]any) ([]byte, error) {
	got, err := s.of.vault.Write(ctx, path, data)
	if err != nil {
		return nil, err
	}
	h, err := bytesOf(got, "handle")
	if err == nil && len(h) != HandleBytes(s.r.Dealings[0].Profile) {
		err = odd("its handle has another length")
	}
	return h, err
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
		all = append(all, d.Named())
	}
	var handles []byte
	for i := range s.r.Plan.Functionals() {
		handles = append(handles, s.handles[i]...)
	}
	signed, err := ticket.ForAnswer(info.epoch, first.Number, s.r.Hash, s.r.Query, first.Profile.N(), s.r.Plan.Openings, ids).Sign(s.of.policy)
	if err != nil {
		return nil, err
	}
	data, err := s.of.vault.Write(ctx, "share", map[string]any{"query": s.query, "keys": s.dealings(all),
		"openings": pieces(ticket.AppendOpenings(nil, s.r.Plan.Openings)), "handles": pieces(handles),
		"ticket": base64.StdEncoding.EncodeToString(signed)})
	if err != nil {
		return nil, err
	}
	return bytesOf(data, "sealed")
}

// dealings are what the engine calls keys: the dealings that they are opened with.
func (s *session) dealings(keys []carnet.KeyID) (out []string) {
	for _, k := range keys {
		if d := s.r.Dealing(k); d != nil {
			k = d.Key
		}
		out = append(out, k.String())
	}
	return out
}
