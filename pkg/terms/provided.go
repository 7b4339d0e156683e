package terms

import "github.com/carnet-network/carnet/pkg/carnet"

// Protection is what a dataset's terms guarantee about every number that is released of
// it, whoever asks.
type Protection struct {
	MinGroup int64 // least number of units (rows, if the schema names none) behind it; 0: none is guaranteed
	Noise    bool  // it has noise
}

// Provided is what terms guarantee. A policy that obliges to more refuses the dataset.
func Provided(t *carnet.Terms) Protection {
	return Protection{MinGroup: int64(t.MinGroup), Noise: t.Privacy != nil}
}
