package flow

import (
	"context"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/columnfile"
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

// committed is a file of an accepted manifest.
type committed struct {
	file  *columnfile.File
	root  carnet.Hash
	owner carnet.PartyID
}

// committedFile returns a committed file the caller may read: its owner, keyholders
// (who execute queries again), auditors and operators. To others it looks absent.
func (g *Gateway) committedFile(ctx context.Context, as *carnet.Party, nonce carnet.Nonce) (*committed, error) {
	c, err := g.lookUpFile(ctx, nonce)
	if err == nil && c.owner != as.ID && !hasRole(as, carnet.RoleKeyholder, carnet.RoleAuditor, carnet.RoleOperator) {
		err = noFile()
	}
	if err != nil {
		return nil, err
	}
	return c, nil
}

func noFile() error { return carnet.E(carnet.NotFound, "NOT_FOUND", "there is no such file") }

func (g *Gateway) lookUpFile(ctx context.Context, nonce carnet.Nonce) (*committed, error) {
	if c, ok := g.committed.Load(nonce); ok {
		return c.(*committed), nil
	}
	var c *committed
	err := g.Store.View(ctx, func(tx Tx) error {
		u, err := tx.GetUpload(nonce)
		if absent(err) || err == nil && u.State != UploadCommitted {
			return noFile()
		}
		if err != nil {
			return err
		}
		st, err := tx.Statement(u.Manifest)
		if err != nil {
			return err
		}
		var d carnet.Dataset
		if err := st.Envelope.Decode(carnet.TypeDataset, &d); err != nil {
			return err
		}
		c = &committed{owner: u.Owner}
		for _, f := range d.Files {
			if f.Nonce == nonce {
				c.root = f.Root
			}
		}
		c.file, err = u.columnFile()
		return err
	})
	if err != nil {
		return nil, err
	}
	g.committed.Store(nonce, c)
	return c, nil
}

// PieceRange is a run of pieces of one limb of a chunk; Pieces 0: to the end of it.
type PieceRange struct{ Column, Limb, Chunk, First, Pieces int }

// maxRanges bounds one request for pieces.
const maxRanges = 4096

// SentPiece is a piece on its way to a reader.
type SentPiece struct {
	columnfile.Piece
	Packed, Proof []byte
}

// ReadPieces calls send with the pieces asked for, in the order asked.
func (g *Gateway) ReadPieces(ctx context.Context, as *carnet.Party, nonce carnet.Nonce, ranges []PieceRange, send func(SentPiece) error) error {
	c, err := g.committedFile(ctx, as, nonce)
	if err != nil {
		return err
	}
	if len(ranges) > maxRanges {
		return bad("BAD_REQUEST", "the request is malformed").With("ranges", "want at most %d, have %d", maxRanges, len(ranges))
	}
	for i := range ranges {
		r := &ranges[i]
		ok := r.Column >= 0 && r.Column < c.file.Columns() && r.Limb >= 0 && r.Limb < c.file.Profile().Limbs() && r.Chunk >= 0 && r.Chunk < c.file.Chunks()
		if n := c.file.Pieces(max(r.Chunk, 0)); ok {
			ok = r.First >= 0 && r.First < n && r.Pieces >= 0 && r.Pieces <= n-r.First
			if r.Pieces == 0 {
				r.Pieces = n - r.First
			}
		}
		if !ok {
			return bad("BAD_REQUEST", "the request is malformed").With("ranges", "the file has %d columns of %d chunks of %d limbs; range %d is outside of it", c.file.Columns(), c.file.Chunks(), c.file.Profile().Limbs(), i)
		}
	}
	for _, r := range ranges {
		p := columnfile.Piece{Column: uint32(r.Column), Limb: uint32(r.Limb), Chunk: uint32(r.Chunk), Piece: uint32(r.First)}
		for range r.Pieces {
			out := SentPiece{Piece: p}
			if out.Packed, out.Proof, err = g.Columns.Piece(ctx, c.file, c.root, p); err != nil {
				return err
			}
			if err := send(out); err != nil {
				return err
			}
			p.Piece++
		}
	}
	return nil
}
