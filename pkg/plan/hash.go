package plan

import (
	"encoding/binary"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// Hash identifies what the plan opens and how groups are made of it: parameters,
// committee structure, layout, every opening with its degree and flood size, and for
// every group its keys and the parts of its quantities. It does not contain the text
// of the query, which the signed request does. The order of datasets has no
// influence. With privacy noise it also identifies the noise of every opening.
func (p *Plan) Hash() carnet.Hash {
	h := p.exact()
	if !p.Noisy() {
		return h
	}
	fields := [][]byte{h[:]}
	for i := range p.Openings {
		v := []byte(nil)
		if x := p.Openings[i].Variance; x != nil {
			v = []byte(x.String())
		}
		fields = append(fields, v)
	}
	return carnet.Digest("carnet/plan/noise/1", fields...)
}

// exact is Hash without noise.
func (p *Plan) exact() carnet.Hash {
	u64 := func(b []byte, vs ...int64) []byte {
		for _, v := range vs {
			b = binary.BigEndian.AppendUint64(b, uint64(v))
		}
		return b
	}
	params := p.Profile.ID()
	fields := [][]byte{params[:], u64(nil, int64(p.Committee.N), int64(p.Committee.T)), []byte(p.Layout), u64(nil, int64(len(p.Openings)))}
	for i := range p.Openings {
		o := &p.Openings[i]
		fields = append(fields, u64(append([]byte(nil), o.Digest[:]...), int64(o.Degree), int64(o.FloodBits)))
	}
	for i := range p.Groups {
		g := &p.Groups[i]
		for _, k := range g.Keys {
			fields = append(fields, []byte(keyText(k)))
		}
		for _, parts := range g.Quantities {
			b := u64(nil, int64(len(parts)))
			for _, x := range parts {
				b = u64(b, int64(x.Opening), int64(x.Shift), x.Times)
			}
			fields = append(fields, b)
		}
	}
	if p.Private != nil {
		// Degree and flood size of an opening, and the choices in its digest, are above.
		fields = append(fields, u64(nil, int64(len(p.Private.Codes)), int64(p.Private.Spare), int64(p.Private.Weight), int64(p.Private.Checks)))
		return carnet.Digest("carnet/plan/private/2", fields...)
	}
	return carnet.Digest("carnet/plan/1", fields...)
}

// keyText tells NULL, text and numbers apart.
func keyText(v Value) string {
	switch {
	case v.IsNull():
		return "null"
	case v.isTxt:
		return "t" + v.text
	}
	return "n" + v.String()
}
