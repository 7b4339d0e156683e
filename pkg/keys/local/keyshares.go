package local

import (
	"context"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/share"
)

// keyShare returns the share of a key, from seeds that are compared with the
// commitments again whenever they are read. One that makes room for another is not
// overwritten, since an answer may still be computed from it.
func (s *Sharer) keyShare(ctx context.Context, d *keys.Dealing) (*share.KeyShare, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := shareOf{d.Key, d.Named()}
	if got := s.items[at]; got != nil {
		return got, nil
	}
	plain, err := s.seeds.Get(ctx, d.Key)
	if err != nil {
		return nil, err
	}
	defer clear(plain)
	b, err := checked(d, plain)
	if err != nil {
		return nil, err
	}
	got, err := share.NewKeyShare(he.NewRing(d.Profile), d.Scheme, d.Named(), b, d.Profile.MaxDegree())
	if err != nil {
		return nil, err
	}
	if len(s.order) >= s.opt.Keys {
		delete(s.items, s.order[0])
		s.order = s.order[1:]
	}
	s.items[at], s.order = got, append(s.order, at)
	return got, nil
}

// sharesOf lists the shares of the keys of a functional.
func (s *Session) sharesOf(ctx context.Context, f *functional.Functional) (out []*share.KeyShare, err error) {
	for i := range f.Keys {
		k, err := s.share(ctx, f.Keys[i].Key)
		if err != nil {
			return nil, err
		}
		out = append(out, k)
	}
	return out, nil
}

func (s *Session) share(ctx context.Context, key carnet.KeyID) (*share.KeyShare, error) {
	d := s.r.Dealing(key)
	if d == nil {
		return nil, missing(key)
	}
	return s.of.keyShare(ctx, d)
}

// powers lists what get returns for the powers 1..d of a key.
func powers(get func(int) he.Poly, d int) []he.Poly {
	out := make([]he.Poly, d)
	for j := range out {
		out[j] = get(j + 1)
	}
	return out
}

func missing(key carnet.KeyID) error {
	return carnet.E(carnet.Internal, "MISSING_KEY", "nothing is known for dataset key %s", key)
}
