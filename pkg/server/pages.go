package server

import (
	"encoding/base64"
	"strconv"

	"google.golang.org/protobuf/proto"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// Bounds of a page. Statements have up to a megabyte, so bytes are bounded too.
const (
	defaultPage = 50
	maxPage     = 500
	maxPageSize = 3 << 20
)

func pageSize(asked int32) (int, error) {
	switch {
	case asked < 0:
		return 0, carnet.E(carnet.Invalid, "BAD_REQUEST", "the request is malformed").With("page_size", "is negative")
	case asked == 0:
		return defaultPage, nil
	}
	return min(int(asked), maxPage), nil
}

// A page token is the last name that was listed.
func toToken(last string) string { return base64.RawURLEncoding.EncodeToString([]byte(last)) }

func fromToken(token string) (string, error) {
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(b) > 200 {
		return "", carnet.E(carnet.Invalid, "BAD_REQUEST", "the request is malformed").With("page_token", "is not one that a listing returned")
	}
	return string(b), nil
}

func fromSeqToken(token string) (int64, error) {
	s, err := fromToken(token)
	if err != nil || s == "" {
		return 0, err
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return fromSeqToken("!")
	}
	return n, nil
}

// page converts items until the page is full by bytes. next names the last one
// converted if there are or may be more, because len(items) reached limit.
func page[T any, M proto.Message](items []T, limit int, convert func(*T) M, name func(*T) string) (out []M, next string) {
	size := 0
	for i := range items {
		m := convert(&items[i])
		size += proto.Size(m)
		if i > 0 && size > maxPageSize {
			return out, toToken(name(&items[i-1]))
		}
		out = append(out, m)
	}
	if len(items) == limit && limit > 0 {
		next = toToken(name(&items[limit-1]))
	}
	return out, next
}
