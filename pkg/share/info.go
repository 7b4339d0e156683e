package share

import "github.com/carnet-network/carnet/pkg/carnet"

// SeedsInfo is the HPKE context in which an owner seals the seeds of a key to keyholder
// number. A bundle opens for the dealing it was made for only.
func SeedsInfo(key carnet.KeyID, number int) []byte {
	return append(append([]byte("carnet/seeds/1"), key[:]...), byte(number))
}

// AnswerInfo is the HPKE context in which keyholder number seals its answer to a query.
func AnswerInfo(query carnet.Hash, number int) []byte {
	return append(append([]byte("carnet/answer/1"), query[:]...), byte(number))
}
