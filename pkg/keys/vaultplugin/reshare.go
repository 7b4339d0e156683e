package vaultplugin

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/he/wire"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/share"
	"github.com/carnet-network/carnet/pkg/ticket"
)

var _ keys.Resharer = (*Sharer)(nil)

// HandOver implements keys.Resharer. One request has the sealed seeds, and one each part.
func (s *Sharer) HandOver(ctx context.Context, d *keys.Dealing, h *keys.Handing) (*keys.HandedOver, error) {
	if d.Body.Home != nil {
		return nil, keys.NoHandOver(d.Named())
	}
	if d.Again != nil {
		if err := s.prove(ctx, d); err != nil {
			return nil, err
		}
	}
	info, err := s.info(ctx)
	if err != nil {
		return nil, err
	}
	data, err := named(map[string]*evidence.Envelope{"succession": h.Succession, "to": h.To})
	if err != nil {
		return nil, err
	}
	signed, err := ticket.ForHandOver(info.epoch, d.Number, h.Succession.Hash(), d.Key, h.Committee, h.Recipients).Sign(s.policy)
	if err != nil {
		return nil, err
	}
	data["ticket"], data["recipients"] = base64.StdEncoding.EncodeToString(signed), each(h.Recipients)
	path := "keys/" + d.Key.String() + "/handover"
	got, err := s.vault.Write(ctx, path, data)
	if err != nil {
		return nil, err
	}
	out := &keys.HandedOver{Corrections: map[carnet.Hash][]byte{}}
	if out.Sealed, err = listOf(got, "sealed"); err == nil && len(out.Sealed) != h.New.N {
		err = odd("it sealed seeds to another number of members")
	}
	if err != nil {
		return nil, err
	}
	for _, a := range h.Old.Subsets() {
		if !h.Old.Holds(d.Number, a) {
			continue
		}
		data["part"] = int(a)
		if got, err = s.vault.Write(ctx, path, data); err != nil {
			return nil, err
		}
		part, polys, err := handedPart(got, a, d, h)
		if err != nil {
			return nil, err
		}
		for j, b := range polys {
			digest := wire.CorrectionHash(j+1, b)
			out.Corrections[digest], part.Corrections = b, append(part.Corrections, digest)
		}
		out.Parts = append(out.Parts, *part)
	}
	return out, nil
}

func handedPart(data map[string]any, a share.Subset, d *keys.Dealing, h *keys.Handing) (*carnet.HandedPart, [][]byte, error) {
	commitments, err := bytesOf(data, "commitments")
	if err != nil {
		return nil, nil, err
	}
	polys, err := listOf(data, "corrections")
	if err != nil {
		return nil, nil, err
	}
	if len(commitments) != 32*h.New.Parts() || len(polys) != d.Profile.MaxDegree() ||
		slices.ContainsFunc(polys, func(b []byte) bool { return len(b) != d.Profile.BlockBytes() }) {
		return nil, nil, odd("what it says of a part has another length")
	}
	part := &carnet.HandedPart{Part: int(a)}
	for c := range slices.Chunk(commitments, 32) {
		part.Commitments = append(part.Commitments, carnet.Hash(c))
	}
	return part, polys, nil
}

// TakeOver implements keys.Resharer.
func (s *Sharer) TakeOver(ctx context.Context, d *keys.Dealing, h *keys.Handing, agreed map[share.Subset]*carnet.HandedPart, sealed map[int][]byte) (liars []int, err error) {
	info, err := s.info(ctx)
	if err != nil {
		return nil, err
	}
	envs := map[string]*evidence.Envelope{"resharing": d.Statement, "to": d.Committee, "succession": h.Succession, "first": h.First, "source": h.Source, "holders": h.Holders}
	if h.Redealing != nil {
		envs["redealing"] = h.Redealing
	}
	data, err := named(envs)
	if err != nil {
		return nil, err
	}
	released, err := h.Released(ctx)
	if err != nil {
		return nil, err
	}
	signed, err := ticket.ForTakeOver(info.epoch, d.Number, h.Succession.Hash(), d.Key, h.Committee, released).Sign(s.policy)
	if err != nil {
		return nil, err
	}
	var commitments []byte
	for _, a := range h.Old.Subsets() {
		if agreed[a] == nil || len(agreed[a].Commitments) != h.New.Parts() {
			return nil, carnet.E(carnet.Internal, "BAD_RESHARING", "part %03x was not agreed on", uint16(a))
		}
		for _, c := range agreed[a].Commitments {
			commitments = append(commitments, c[:]...)
		}
	}
	from := slices.Sorted(maps.Keys(sealed))
	var messages [][]byte
	for _, i := range from {
		messages = append(messages, sealed[i])
	}
	maps.Copy(data, map[string]any{"number": d.Number, "agreed": pieces(commitments), "from": from, "sealed": each(messages), "released": released,
		"ticket": base64.StdEncoding.EncodeToString(signed)})
	got, err := s.vault.Write(ctx, "keys/"+d.Key.String()+"/takeover", data)
	if err != nil {
		return nil, err
	}
	list, _ := got["liars"].([]any) // null without any
	for _, x := range list {
		n, ok := x.(json.Number)
		i, err := n.Int64()
		if !ok || err != nil {
			return nil, odd("who lied is not told by number")
		}
		liars = append(liars, int(i))
	}
	if text, ok := got["incomplete"].(string); ok {
		if e := ParseError(text); e != nil {
			return liars, e
		}
		return liars, odd("it does not say what is missing")
	}
	return liars, nil
}

// named are the fields of signed statements.
func named(envs map[string]*evidence.Envelope) (map[string]any, error) {
	data := map[string]any{}
	for name, env := range envs {
		text, err := statement(env)
		if err != nil {
			return nil, err
		}
		data[name] = text
	}
	return data, nil
}

// each encodes byte strings that fit one string of a request each.
func each(list [][]byte) (out []string) {
	for _, b := range list {
		out = append(out, base64.StdEncoding.EncodeToString(b))
	}
	return out
}

func listOf(data map[string]any, name string) (out [][]byte, err error) {
	list, ok := data[name].([]any)
	if !ok {
		return nil, odd("there is no list " + name)
	}
	for _, x := range list {
		text, ok := x.(string)
		b, err := base64.StdEncoding.DecodeString(text)
		if !ok || err != nil {
			return nil, odd(name + " is not base64")
		}
		out = append(out, b)
	}
	return out, nil
}
