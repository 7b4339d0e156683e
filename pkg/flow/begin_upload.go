package flow

import (
	"context"
	"strings"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/columnfile"
	"github.com/carnet-network/carnet/pkg/he"
)

// MaxFiles bounds the files of one dataset. What one file may have, package
// columnfile says.
const MaxFiles = 4096

// UploadFile announces one file version.
type UploadFile struct {
	Nonce           carnet.Nonce
	Columns, Blocks int
}

// BeginUpload reserves nonces for a dataset and returns the param id of its profile.
// A nonce that was seen before is refused, unless it is the same upload of the same
// owner and still pending: then it is resumed.
func (g *Gateway) BeginUpload(ctx context.Context, as *carnet.Party, dataset carnet.DatasetID, profile string, files []UploadFile) (params carnet.Hash, err error) {
	p, err := he.Lookup(profile)
	if err != nil {
		return params, err
	}
	if err := checkDatasetID(dataset, as.ID); err != nil {
		return params, err
	}
	if len(files) == 0 || len(files) > MaxFiles {
		return params, bad("BAD_REQUEST", "the request is malformed").With("files", "want 1 to %d, have %d", MaxFiles, len(files))
	}
	for _, f := range files {
		_, err := columnfile.NewFile(p, f.Nonce, f.Columns, f.Blocks)
		if f.Nonce.IsZero() || err != nil {
			return params, bad("BAD_REQUEST", "the request is malformed").
				With("files", "file %s has %d columns and %d blocks; want at least 1 each and at most %d blocks in all", f.Nonce, f.Columns, f.Blocks, columnfile.MaxBlocks)
		}
	}
	now := g.now()
	err = g.Store.Update(ctx, func(tx Tx) error {
		for _, f := range files {
			want := Upload{Nonce: f.Nonce, Owner: as.ID, Dataset: dataset, Profile: profile, Columns: f.Columns, Blocks: f.Blocks, State: UploadPending, Active: now}
			old, err := tx.GetUpload(f.Nonce)
			if absent(err) {
				if err := tx.PutUpload(want); err != nil {
					return err
				}
				continue
			}
			if err != nil {
				return err
			}
			want.Active = old.Active
			if old != want {
				return nonceReuse("nonce %s was used before", f.Nonce)
			}
			if err := tx.TouchUpload(f.Nonce, now); err != nil {
				return err
			}
		}
		return nil
	})
	return p.ID(), err
}

// nonceReuse is the refusal that keeps two contents from sharing a nonce, which
// would reveal the difference of their plaintexts.
func nonceReuse(format string, args ...any) error {
	return known("NONCE_REUSED", format, args...).
		Fix("encrypt the table again under fresh nonces; never send other contents under one that was used")
}

// checkDatasetID: "owner/name", in the owner's name space.
func checkDatasetID(id carnet.DatasetID, owner carnet.PartyID) error {
	name, ok := strings.CutPrefix(string(id), string(owner)+"/")
	if !ok || !carnet.ValidName(name) {
		return bad("BAD_NAME", "%q is not a dataset of %q", id, owner).Fix("name it %s/<name>", owner)
	}
	return nil
}
