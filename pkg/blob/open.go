package blob

import (
	"context"
	"strings"

	"gocloud.dev/blob"
	_ "gocloud.dev/blob/s3blob" // opens s3://

	"github.com/carnet-network/carnet/pkg/carnet"
)

// Open opens a bucket where it is: a folder, as OpenDir does, or
// s3://NAME?region=REGION, with &prefix=a/b/ for a part of it, and
// &endpoint=URL&use_path_style=true for servers other than Amazon's. What the requests are
// signed with comes from where Amazon's tools look for it: the environment, files, the
// machine.
//
// Errors: BAD_DATA_DIR for a folder, BUCKET_UNUSABLE for another place.
func Open(ctx context.Context, place string) (*Bucket, error) {
	if !IsAddress(place) {
		b, err := OpenDir(place)
		if err != nil {
			return nil, carnet.E(carnet.Precondition, "BAD_DATA_DIR", "the folder %s can't be used", place).Because(err).
				Fix("choose a folder this user may write to")
		}
		return b, nil
	}
	shown, _, _ := strings.Cut(place, "?")
	unusable := func(why string, err error) error {
		return carnet.E(carnet.Precondition, "BUCKET_UNUSABLE", "the bucket %s %s", shown, why).Because(err).
			Fix("write s3://NAME?region=REGION, with &endpoint=URL&use_path_style=true for a server other than Amazon's, and set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or another way that Amazon's tools know")
	}
	if !strings.HasPrefix(place, "s3://") {
		return nil, unusable("is of a kind that is not supported", nil)
	}
	b, err := blob.OpenBucket(ctx, place)
	if err != nil {
		return nil, unusable("can't be opened", err)
	}
	if ok, err := b.IsAccessible(ctx); err != nil || !ok {
		b.Close()
		return nil, unusable("can't be reached, or there is none of that name", err)
	}
	return newBucket(b, ""), nil
}

// IsAddress tells an address from the path of a folder.
func IsAddress(place string) bool { return strings.Contains(place, "://") }
