package engine

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"slices"

	"github.com/hashicorp/vault/sdk/framework"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/he/wire"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/keys/vaultplugin"
	"github.com/carnet-network/carnet/pkg/scan"
)

// evaluated is what a handle holds: the content hash of D_1..D_d under one key, and what
// they and the shares come to. Without flooding it would be an equation on the key, so
// the caller keeps it encrypted, and the engine keeps nothing between two requests.
type evaluated struct {
	dealing     carnet.KeyID
	content     carnet.Hash
	among       carnet.Hash // what the functional is across, see amongDigest; zero for one of a single key
	degree      int
	value, home he.Scalar
}

// functional is the first half of an answer of degree 2 or more.
func (b *backend) functional(ctx context.Context, d *framework.FieldData) (map[string]any, error) {
	key, err := keyID(d)
	if err != nil {
		return nil, err
	}
	dealing, err := b.held(ctx, key)
	if err != nil {
		return nil, err
	}
	p, ring := dealing.Profile, he.NewRing(dealing.Profile)
	raw, err := joined(d, "d")
	if err != nil {
		return nil, err
	}
	degree := len(raw) / p.BlockBytes()
	if len(raw)%p.BlockBytes() != 0 || degree < 2 || degree > p.MaxDegree() {
		return nil, invalid("d has %d bytes, which are not 2 to %d polynomials of profile %s", len(raw), p.MaxDegree(), p.Name())
	}
	given, err := polys(ring, raw)
	if err != nil {
		return nil, err
	}
	e := &evaluated{dealing: key, degree: degree, content: scan.HashProduct(ring, given...)}
	if e.value, e.home, err = b.shares.Evaluate(ctx, dealing, given); err != nil {
		return nil, err
	}
	return b.handle(ctx, e, p)
}

// polys reads canonical polynomials, one after another.
func polys(ring *he.Ring, raw []byte) (out []he.Poly, err error) {
	p := ring.Profile()
	for size := p.BlockBytes(); len(raw) >= size; raw = raw[size:] {
		next := ring.NewPoly()
		if err := wire.ReadPoly(p, raw[:size], next); err != nil {
			return nil, err
		}
		out = append(out, next)
	}
	return out, nil
}

// handle hands a result back encrypted.
func (b *backend) handle(ctx context.Context, e *evaluated, p *he.Profile) (map[string]any, error) {
	id, err := b.store.own(ctx)
	if err != nil {
		return nil, err
	}
	defer id.wipe()
	return map[string]any{"handle": base64.StdEncoding.EncodeToString(e.seal(id.Handle, p))}, nil
}

// handleInfo is bound to every handle.
const handleInfo = "carnet/vault/handle/2"

// handleCipher gives every handle a key of its own, so that no nonce is ever repeated.
func handleCipher(key, salt []byte) cipher.AEAD {
	k := carnet.Keyed(key, handleInfo, salt)
	block, err := aes.NewCipher(k[:])
	if err != nil {
		panic(err) // impossible: the key has 32 bytes
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err) // impossible: AES has blocks of 16 bytes
	}
	return aead
}

func (e *evaluated) seal(key []byte, p *he.Profile) []byte {
	plain := slices.Concat(e.dealing[:], e.content[:], e.among[:], []byte{byte(e.degree)})
	plain = wire.AppendScalars(plain, p, []he.Scalar{e.value, e.home})
	defer clear(plain)
	out := make([]byte, vaultplugin.HandleSalt, vaultplugin.HandleBytes(p))
	rand.Read(out)
	aead := handleCipher(key, out)
	return aead.Seal(out, make([]byte, aead.NonceSize()), plain, []byte(handleInfo))
}

// openHandle reads a handle of the given profile.
func openHandle(key []byte, p *he.Profile, b []byte) (*evaluated, error) {
	bad := carnet.E(carnet.Invalid, "BAD_HANDLE", "a handle was not made by this engine").Fix("hand the functional over again")
	if len(b) != vaultplugin.HandleBytes(p) {
		return nil, bad
	}
	aead := handleCipher(key, b[:vaultplugin.HandleSalt])
	plain, err := aead.Open(nil, make([]byte, aead.NonceSize()), b[vaultplugin.HandleSalt:], []byte(handleInfo))
	if err != nil {
		return nil, bad
	}
	defer clear(plain)
	e := &evaluated{dealing: carnet.KeyID(plain[:32]), content: carnet.Hash(plain[32:64]), among: carnet.Hash(plain[64:96]), degree: int(plain[96])}
	scalars, err := wire.ReadScalars(p, plain[97:], 2)
	if err != nil {
		return nil, bad
	}
	e.value, e.home = scalars[0], scalars[1]
	return e, nil
}

// handles opens the handles of all products, in the order of functionals and their keys.
func (b *backend) handles(ctx context.Context, d *framework.FieldData, r *keys.Release, p *he.Profile) (map[int][]*evaluated, error) {
	raw, err := joined(d, "handles")
	if err != nil {
		return nil, err
	}
	out := map[int][]*evaluated{}
	if len(raw) == 0 && noProducts(r) {
		return out, nil
	}
	id, err := b.store.own(ctx)
	if err != nil {
		return nil, err
	}
	defer id.wipe()
	size := vaultplugin.HandleBytes(p)
	for i, f := range r.Plan.Functionals() {
		if f.Degree == 1 {
			continue
		}
		dealings, _ := dealtAgain(r, f.Keys)
		var among carnet.Hash
		if len(f.Cross) > 0 {
			among = amongDigest(dealings)
		}
		for m := range f.Keys {
			if len(raw) < size {
				return nil, carnet.E(carnet.Internal, "FUNCTIONAL_MISSING", "functional %d was not given", i)
			}
			e, err := openHandle(id.Handle, p, raw[:size])
			if err != nil {
				return nil, err
			}
			if e.dealing != dealings[m] || e.degree != f.Degree || e.among != among {
				return nil, carnet.E(carnet.Invalid, "BAD_HANDLE", "a handle of functional %d is of other keys or another degree", i).Fix("hand the functional over again")
			}
			out[i], raw = append(out[i], e), raw[size:]
		}
	}
	if len(raw) != 0 {
		return nil, invalid("there are more handles than products")
	}
	return out, nil
}

func noProducts(r *keys.Release) bool {
	for _, f := range r.Plan.Functionals() {
		if f.Degree > 1 {
			return false
		}
	}
	return true
}
