package plan

import (
	"encoding/binary"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// Charge is what opening number i counts as against the releases of each of its keys.
// Equal ones are counted once for a key, however often they are asked for: shares are
// deterministic in what is opened. sharing is the hash of the sharing of a private
// parameter, zero without one; with it every request is another functional.
//
// With one content root for every file, the description of the functional and the
// flooding width stand for the functional id, without any data having to be read.
//
// With other noise it is another functional.
func (p *Plan) Charge(i int, sharing carnet.Hash) carnet.Hash {
	h := p.charge(i, sharing)
	if v := p.Openings[i].Variance; v != nil {
		return carnet.Digest("carnet/charge/noise/1", h[:], []byte(v.String()))
	}
	return h
}

func (p *Plan) charge(i int, sharing carnet.Hash) carnet.Hash {
	o := &p.Openings[i]
	bits := binary.BigEndian.AppendUint32(nil, uint32(o.FloodBits))
	if p.Private != nil {
		return carnet.Digest("carnet/charge/select/1", o.Digest[:], bits, sharing[:])
	}
	return carnet.Digest("carnet/charge/1", o.Digest[:], bits)
}

// Redealt is what a charge becomes when one of its keys was dealt again: dealings are
// those that the keys of the functional are opened with, in their order. Another dealing
// has other seeds, so the same functional is flooded anew and counts anew, for all keys:
// an owner that deals again and again must not get many floods of one total.
func Redealt(charge carnet.Hash, dealings []carnet.KeyID) carnet.Hash {
	fields := [][]byte{charge[:]}
	for i := range dealings {
		fields = append(fields, dealings[i][:])
	}
	return carnet.Digest("carnet/charge/redealt/1", fields...)
}
