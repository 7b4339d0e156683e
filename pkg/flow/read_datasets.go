package flow

import (
	"context"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/he/wire"
)

// Dataset returns a dataset's newest manifest.
func (g *Gateway) Dataset(ctx context.Context, id carnet.DatasetID) (d DatasetRecord, err error) {
	err = g.Store.View(ctx, func(tx Tx) error { d, err = tx.GetDataset(id); return err })
	return d, err
}

// Datasets lists datasets by id after one; empty owner and schema mean any. schema
// is "name@version" or a statement hash.
func (g *Gateway) Datasets(ctx context.Context, owner carnet.PartyID, schema string, after carnet.DatasetID, limit int) (list []DatasetRecord, err error) {
	err = g.Store.View(ctx, func(tx Tx) error {
		var h carnet.Hash
		if schema != "" {
			var perr error
			if h, perr = carnet.ParseHash(schema); perr != nil {
				st, err := tx.GetNamed(NamedSchema, schema)
				if absent(err) {
					return nil // a schema nobody knows has no datasets
				}
				if err != nil {
					return err
				}
				h = st.Hash
			}
		}
		list, err = tx.ListDatasets(owner, h, after, limit)
		return err
	})
	return list, err
}

// committedFile returns a committed file the caller may read: its owner, keyholders
// (who execute queries again), auditors and operators. To others it looks absent.
func (g *Gateway) committedFile(ctx context.Context, as *carnet.Party, nonce carnet.Nonce) (u Upload, hashes []BlockHash, err error) {
	err = g.Store.View(ctx, func(tx Tx) error {
		u, err = tx.GetUpload(nonce)
		may := u.Owner == as.ID || hasRole(as, carnet.RoleKeyholder, carnet.RoleAuditor, carnet.RoleOperator)
		if err == nil && (u.State != UploadCommitted || !may) {
			err = carnet.E(carnet.NotFound, "NOT_FOUND", "there is no such file")
		}
		if err == nil {
			hashes, err = tx.BlockHashes(nonce)
		}
		return err
	})
	return u, hashes, err
}

// BlockHashes calls send with runs of a file's block hashes, column by column.
func (g *Gateway) BlockHashes(ctx context.Context, as *carnet.Party, nonce carnet.Nonce, send func(offset int64, hashes []byte) error) error {
	_, hashes, err := g.committedFile(ctx, as, nonce)
	if err != nil {
		return err
	}
	const run = 16 << 10 // half a megabyte
	for at := 0; at < len(hashes); at += run {
		var b []byte
		for _, h := range hashes[at:min(at+run, len(hashes))] {
			b = append(b, h.Hash[:]...)
		}
		if err := send(int64(at), b); err != nil {
			return err
		}
	}
	return nil
}

// BlockRange is a run of blocks of one column.
type BlockRange struct{ Column, First, Blocks int }

// maxRanges bounds one request for blocks.
const maxRanges = 4096

// ReadBlocks calls send with the blocks asked for, in the order asked.
func (g *Gateway) ReadBlocks(ctx context.Context, as *carnet.Party, nonce carnet.Nonce, ranges []BlockRange, send func(column, block int, data []byte) error) error {
	u, hashes, err := g.committedFile(ctx, as, nonce)
	if err != nil {
		return err
	}
	if len(ranges) > maxRanges {
		return bad("BAD_REQUEST", "the request is malformed").With("ranges", "want at most %d, have %d", maxRanges, len(ranges))
	}
	for _, r := range ranges {
		if r.Column < 0 || r.Column >= u.Columns || r.First < 0 || r.First > u.Blocks || r.Blocks < 0 || r.Blocks > u.Blocks-r.First {
			return bad("BAD_REQUEST", "the request is malformed").With("ranges", "the file has %d columns of %d blocks", u.Columns, u.Blocks)
		}
	}
	for _, r := range ranges {
		for b := r.First; b < r.First+r.Blocks; b++ {
			data, err := g.Blobs.Get(ctx, blockKey(he.BlockID{File: nonce, Column: uint32(r.Column), Block: uint32(b)}))
			if err != nil {
				return err
			}
			if wire.HashBlock(data) != hashes[r.Column*u.Blocks+b].Hash {
				return damaged("block %d of column %d of file %s", b, r.Column, nonce)
			}
			if err := send(r.Column, b, data); err != nil {
				return err
			}
		}
	}
	return nil
}
