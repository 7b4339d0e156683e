package evidence

import "github.com/carnet-network/carnet/pkg/carnet"

// DecodeDealing reads how a key was shared, by its owner or by the holders of an earlier
// dealing. It checks no signature; resharing is nil of an owner's.
func (e *Envelope) DecodeDealing() (d carnet.Dealing, resharing *carnet.Resharing, err error) {
	if e.PayloadType != carnet.TypeResharing {
		err = e.Decode(carnet.TypeDealing, &d)
		return d, nil, err
	}
	resharing = &carnet.Resharing{}
	if err := e.Decode(carnet.TypeResharing, resharing); err != nil {
		return d, nil, err
	}
	return resharing.Dealing(), resharing, nil
}
