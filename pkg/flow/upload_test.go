package flow_test

import (
	"bytes"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/columnfile"
	"github.com/carnet-network/carnet/pkg/flow"
	"github.com/carnet-network/carnet/pkg/flow/flowtest"
	"github.com/carnet-network/carnet/pkg/he"
)

var rows = [][2]int64{{0, 10}, {1, -5}, {1, 7}, {2, 100}}

func begin(n *flowtest.Network, as carnet.PartyID, id carnet.DatasetID, profile string, f flow.UploadFile) error {
	_, err := n.G.BeginUpload(ctx, n.Parties[as], id, profile, []flow.UploadFile{f})
	return err
}

func TestUploadResumesAfterACrash(t *testing.T) {
	n := flowtest.New(t)
	table := n.Encrypt(n.Deal("kz", carnet.LayoutRecords), "trade", carnet.LayoutRecords, rows)
	nonce := table.Manifest.Files[0].Nonce
	_, _, err := n.Upload(table, table.Order[0])
	requireReason(t, "UNKNOWN_UPLOAD", err)
	require.NoError(t, n.Announce(table))
	half := len(table.Order) / 2
	stored, skipped, err := n.Upload(table, table.Order[:half]...)
	require.NoError(t, err)
	require.EqualValues(t, half, stored)
	require.Zero(t, skipped)

	// A stream that breaks before Close leaves a piece that the index does not name.
	w := n.G.WritePieces(n.Parties["kz"])
	require.NoError(t, w.Put(ctx, table.Nonce, table.Order[half], table.Pieces[table.Order[half]]))

	n.Restart()
	_, present, err := n.G.UploadStatus(ctx, n.Parties["kz"], nonce)
	require.NoError(t, err)
	for i := range table.Order {
		require.Equal(t, i < half, present[i/8]>>(i%8)&1 == 1, "piece %d", i)
	}
	_, err = n.Commit(table)
	requireReason(t, "PIECES_MISSING", err)
	require.NoError(t, n.Announce(table), "the same upload is resumed")
	stored, skipped, err = n.Upload(table, table.Order...)
	require.NoError(t, err)
	require.EqualValues(t, half, skipped)
	require.EqualValues(t, len(table.Order)-half, stored)

	n.Restart() // between the two phases
	ref, err := n.Commit(table)
	require.NoError(t, err)
	n.Restart() // after them, the answer having been lost
	again, err := n.Commit(table)
	require.NoError(t, err)
	require.Equal(t, ref, again)
	d, err := n.G.Dataset(ctx, "kz/trade")
	require.NoError(t, err)
	require.EqualValues(t, len(rows), d.Rows)
	require.Equal(t, ref, d.Manifest.Ref)
}

func TestPiecesLostInAPowerFailure(t *testing.T) {
	n := flowtest.New(t)
	table := n.Encrypt(n.Deal("kz", carnet.LayoutRecords), "trade", carnet.LayoutRecords, rows)
	require.NoError(t, n.Announce(table))
	_, _, err := n.Upload(table, table.Order...)
	require.NoError(t, err)
	dir := filepath.Join(n.Dir, "columns", table.Nonce.String())
	require.NoError(t, os.Remove(filepath.Join(dir, "0")))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "1"), make([]byte, 4096), 0o600))
	require.NoError(t, os.Truncate(filepath.Join(dir, "2"), 4096+8*16384)) // the first of its limbs is left
	n.Restart()
	_, err = n.Commit(table)
	requireReason(t, "PIECES_MISSING", err)
	stored, _, err := n.Upload(table, table.Order...)
	require.NoError(t, err)
	limbs := len(table.Order) / table.Manifest.Files[0].Columns
	require.EqualValues(t, 3*limbs-1, stored)
	_, err = n.Commit(table)
	require.NoError(t, err)
}

func TestANonceIsUsedOnce(t *testing.T) {
	n := flowtest.New(t)
	k := n.Deal("kz", carnet.LayoutCube)
	table := n.Encrypt(k, "trade", carnet.LayoutCube, rows)
	f := table.Manifest.Files[0]
	file := flow.UploadFile{Nonce: f.Nonce, Columns: f.Columns, Blocks: f.Blocks}
	require.NoError(t, n.Announce(table))
	requireReason(t, "NONCE_REUSED", begin(n, "hk", "hk/trade", table.Manifest.Profile, file))
	requireReason(t, "NONCE_REUSED", begin(n, "kz", "kz/other", table.Manifest.Profile, file))
	requireReason(t, "NONCE_REUSED", begin(n, "kz", "kz/trade", "records", file))
	wider := file
	wider.Columns++
	requireReason(t, "NONCE_REUSED", begin(n, "kz", "kz/trade", table.Manifest.Profile, wider))

	// Other contents under one (nonce, piece).
	id := table.Order[0]
	_, _, err := n.Upload(table, id)
	require.NoError(t, err)
	w := n.G.WritePieces(n.Parties["kz"])
	requireReason(t, "NONCE_REUSED", w.Put(ctx, table.Nonce, id, table.Pieces[table.Order[1]]))
	// The same race between two streams that both began before either wrote.
	a, b := n.G.WritePieces(n.Parties["kz"]), n.G.WritePieces(n.Parties["kz"])
	second := table.Order[1]
	require.NoError(t, a.Put(ctx, table.Nonce, second, table.Pieces[second]))
	requireReason(t, "NONCE_REUSED", b.Put(ctx, table.Nonce, second, table.Pieces[id]))
	_, _, err = a.Close(ctx)
	require.NoError(t, err)

	_, _, err = n.Upload(table, table.Order...)
	require.NoError(t, err)
	_, err = n.Commit(table)
	require.NoError(t, err)
	requireReason(t, "NONCE_REUSED", n.Announce(table))
	_, skipped, err := n.Upload(table, id)
	require.NoError(t, err, "the same bytes are harmless even now")
	require.EqualValues(t, 1, skipped)
	w = n.G.WritePieces(n.Parties["kz"])
	requireReason(t, "NONCE_REUSED", w.Put(ctx, table.Nonce, id, table.Pieces[second]))

	// One nonce, one dataset.
	copied := *table
	copied.Manifest.ID = "kz/copy"
	_, err = n.Commit(&copied)
	requireReason(t, "NONCE_REUSED", err)
	copied = *table
	copied.Manifest.Terms.Buyers = []carnet.PartyID{"*"}
	_, err = n.Commit(&copied)
	requireReason(t, "NONCE_REUSED", err)
}

// Many streams send two contents to the same places at once: one of them wins every
// place, and what is stored is what the index says.
func TestRacingStreams(t *testing.T) {
	n := flowtest.New(t)
	k := n.Deal("kz", carnet.LayoutCube)
	table, other := n.Encrypt(k, "trade", carnet.LayoutCube, rows), n.Encrypt(k, "trade", carnet.LayoutCube, rows[1:])
	require.NoError(t, n.Announce(table))
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			w := n.G.WritePieces(n.Parties["kz"])
			for at := range table.Order {
				p := table.Order[(at+i)%len(table.Order)]
				if err := w.Put(ctx, table.Nonce, p, []*flowtest.Table{table, other}[i%2].Pieces[p]); err != nil && carnet.ReasonOf(err) != "NONCE_REUSED" {
					t.Error(err)
				}
			}
			if _, _, err := w.Close(ctx); err != nil && carnet.ReasonOf(err) != "NONCE_REUSED" {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	before := indexOf(t, n, table.Nonce)
	require.Len(t, before, len(table.Order))
	n.Restart() // forgets every piece that is not stored with its hash
	require.Equal(t, before, indexOf(t, n, table.Nonce))
}

func indexOf(t *testing.T, n *flowtest.Network, nonce carnet.Nonce) (hashes []flow.PieceHash) {
	require.NoError(t, n.Store.View(ctx, func(tx flow.Tx) (err error) { hashes, err = tx.PieceHashes(nonce); return err }))
	return hashes
}

func TestMalformedUploads(t *testing.T) {
	n := flowtest.New(t)
	table := n.Encrypt(n.Deal("kz", carnet.LayoutCube), "trade", carnet.LayoutCube, rows)
	f := table.Manifest.Files[0]
	good := flow.UploadFile{Nonce: f.Nonce, Columns: f.Columns, Blocks: f.Blocks}
	for name, c := range map[string]struct {
		id      carnet.DatasetID
		profile string
		file    flow.UploadFile
	}{
		"other name space": {"hk/trade", "cube", good},
		"no owner":         {"trade", "cube", good},
		"path":             {"kz/../x", "cube", good},
		"unknown profile":  {"kz/trade", "toy", good},
		"zero nonce":       {"kz/trade", "cube", flow.UploadFile{Columns: 1, Blocks: 1}},
		"no columns":       {"kz/trade", "cube", flow.UploadFile{Nonce: f.Nonce, Blocks: 1}},
		"negative":         {"kz/trade", "cube", flow.UploadFile{Nonce: f.Nonce, Columns: -1, Blocks: -1}},
		"too many blocks":  {"kz/trade", "cube", flow.UploadFile{Nonce: f.Nonce, Columns: 1 << 30, Blocks: 1 << 30}},
	} {
		require.Error(t, begin(n, "kz", c.id, c.profile, c.file), name)
	}
	require.NoError(t, n.Announce(table))
	id := table.Order[0]
	w := n.G.WritePieces(n.Parties["kz"])
	requireReason(t, "PIECE_SIZE", w.Put(ctx, table.Nonce, id, table.Pieces[id][1:]))
	requireReason(t, "PIECE_SIZE", w.Put(ctx, table.Nonce, id, append(bytes.Clone(table.Pieces[id]), 0)))
	requireReason(t, "PIECE_SIZE", w.Put(ctx, table.Nonce, id, nil))
	requireReason(t, "NOT_CANONICAL", w.Put(ctx, table.Nonce, id, bytes.Repeat([]byte{255}, len(table.Pieces[id]))))
	requireReason(t, "PIECE_OUT_OF_RANGE", w.Put(ctx, table.Nonce, columnfile.Piece{Column: uint32(f.Columns)}, table.Pieces[id]))
	requireReason(t, "PIECE_OUT_OF_RANGE", w.Put(ctx, table.Nonce, columnfile.Piece{Chunk: 1 << 31}, table.Pieces[id]))
	other := n.G.WritePieces(n.Parties["hk"])
	requireReason(t, "UNKNOWN_UPLOAD", other.Put(ctx, table.Nonce, id, table.Pieces[id]))
	_, _, err := n.G.UploadStatus(ctx, n.Parties["hk"], f.Nonce)
	requireReason(t, "UNKNOWN_UPLOAD", err)
	require.NoError(t, w.Put(ctx, table.Nonce, id, table.Pieces[id]), "faults before leave no trace")
}

func TestCommitChecksTheManifest(t *testing.T) {
	n := flowtest.New(t)
	table := n.Encrypt(n.Deal("kz", carnet.LayoutCube), "trade", carnet.LayoutCube, rows)
	hk := n.Deal("hk", carnet.LayoutCube)
	records := n.Deal("kz", carnet.LayoutRecords)
	require.NoError(t, n.Announce(table))
	_, _, err := n.Upload(table, table.Order...)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		reason string
		change func(*carnet.Dataset)
	}{
		"root":            {"ROOT_DIFFERS", func(d *carnet.Dataset) { d.Files[0].Root = carnet.Hash{1} }},
		"rows":            {"BAD_MANIFEST", func(d *carnet.Dataset) { d.Files[0].Rows = 1 << 40 }},
		"negative rows":   {"BAD_MANIFEST", func(d *carnet.Dataset) { d.Files[0].Rows = -1 }},
		"columns":         {"BAD_MANIFEST", func(d *carnet.Dataset) { d.Files[0].Columns++ }},
		"blocks":          {"BAD_MANIFEST", func(d *carnet.Dataset) { d.Files[0].Blocks++ }},
		"file twice":      {"BAD_MANIFEST", func(d *carnet.Dataset) { d.Files = append(d.Files, d.Files[0]) }},
		"no files":        {"BAD_MANIFEST", func(d *carnet.Dataset) { d.Files = nil }},
		"partition":       {"BAD_MANIFEST", func(d *carnet.Dataset) { d.Files[0].Partition = map[string]string{"year": "2026"} }},
		"other's key":     {"BAD_MANIFEST", func(d *carnet.Dataset) { d.Key = hk.ID }},
		"unknown key":     {"BAD_MANIFEST", func(d *carnet.Dataset) { d.Key = carnet.KeyID{1} }},
		"key of profile":  {"BAD_MANIFEST", func(d *carnet.Dataset) { d.Key = records.ID }},
		"profile":         {"BAD_MANIFEST", func(d *carnet.Dataset) { d.Profile = "records" }},
		"jurisdiction":    {"BAD_MANIFEST", func(d *carnet.Dataset) { d.Jurisdiction = "HK" }},
		"expired terms":   {"BAD_MANIFEST", func(d *carnet.Dataset) { d.Terms.Expires = n.Now() }},
		"min owners":      {"BAD_MANIFEST", func(d *carnet.Dataset) { d.Terms.MinOwners = 5 }},
		"schema":          {"UNKNOWN_SCHEMA", func(d *carnet.Dataset) { d.Schema = carnet.Hash{1} }},
		"name space":      {"BAD_NAME", func(d *carnet.Dataset) { d.ID = "hk/trade" }},
		"unknown file":    {"UNKNOWN_UPLOAD", func(d *carnet.Dataset) { d.Files[0].Nonce = carnet.Nonce{1} }},
		"other's dataset": {"WRONG_PARTY", func(d *carnet.Dataset) { d.Owner = "hk" }},
		"other name":      {"UPLOAD_DIFFERS", func(d *carnet.Dataset) { d.ID = "kz/other" }},
	} {
		d := table.Manifest
		d.Files = append([]carnet.File(nil), d.Files...)
		c.change(&d)
		_, err := n.G.CommitDataset(ctx, n.Parties["kz"], n.Seal(carnet.TypeDataset, d, "kz"))
		require.Equal(t, c.reason, carnet.ReasonOf(err), "%s: %v", name, err)
	}
	_, err = n.G.CommitDataset(ctx, n.Parties["kz"], n.Seal(carnet.TypeDataset, table.Manifest, "hk"))
	requireReason(t, "BAD_SIGNATURE", err)
	_, err = n.G.Dataset(ctx, "kz/trade")
	require.Equal(t, carnet.NotFound, carnet.KindOf(err), "nothing is visible before the commit")
	_, err = n.Commit(table)
	require.NoError(t, err)
}

// A version signed before the present one would put its older terms in force again.
func TestOlderVersionIsRefused(t *testing.T) {
	n := flowtest.New(t)
	key := n.Deal("kz", carnet.LayoutCube)
	first, second := n.Encrypt(key, "trade", carnet.LayoutCube, rows), n.Encrypt(key, "trade", carnet.LayoutCube, rows)
	second.Manifest.Created = first.Manifest.Created.Add(time.Minute)
	for _, table := range []*flowtest.Table{first, second} {
		require.NoError(t, n.Announce(table))
		_, _, err := n.Upload(table, table.Order...)
		require.NoError(t, err)
	}
	_, err := n.Commit(second)
	require.NoError(t, err)
	_, err = n.Commit(first)
	requireReason(t, "OLDER_STATEMENT", err)
	first.Manifest.Created = second.Manifest.Created
	_, err = n.Commit(first)
	require.NoError(t, err)
}

func TestAbandonedUploadsAreRemoved(t *testing.T) {
	n := flowtest.New(t)
	table := n.Encrypt(n.Deal("kz", carnet.LayoutCube), "trade", carnet.LayoutCube, rows)
	require.NoError(t, n.Announce(table))
	_, _, err := n.Upload(table, table.Order[0])
	require.NoError(t, err)
	n.Advance(23 * time.Hour)
	require.NoError(t, n.G.Sweep(ctx))
	_, _, err = n.Upload(table, table.Order[1])
	require.NoError(t, err, "activity keeps an upload alive")
	n.Advance(23 * time.Hour)
	require.NoError(t, n.G.Sweep(ctx))
	_, skipped, err := n.Upload(table, table.Order[0])
	require.NoError(t, err)
	require.EqualValues(t, 1, skipped)
	n.Advance(25 * time.Hour)
	require.NoError(t, n.G.Sweep(ctx))
	_, _, err = n.Upload(table, table.Order[0])
	requireReason(t, "UPLOAD_CLOSED", err)
	requireReason(t, "NONCE_REUSED", n.Announce(table))
	_, err = os.Stat(filepath.Join(n.Dir, "columns", table.Nonce.String()))
	require.ErrorIs(t, err, os.ErrNotExist)
	n.Restart()
}

func TestWhoMayReadPieces(t *testing.T) {
	n := flowtest.New(t)
	table := n.Publish("kz", "trade", carnet.LayoutCube, rows)
	f := table.Manifest.Files[0]
	p, err := he.Lookup(table.Manifest.Profile)
	require.NoError(t, err)
	file, err := columnfile.NewFile(p, f.Nonce, f.Columns, f.Blocks)
	require.NoError(t, err)
	for id, may := range map[carnet.PartyID]bool{"kz": true, "k1": true, "audit": true, "gateway": true, "hk": false, "bank": false} {
		var got []flow.SentPiece
		err := n.G.ReadPieces(ctx, n.Parties[id], f.Nonce, []flow.PieceRange{{Column: 1, Limb: 2}, {Column: 0, Limb: 1, Pieces: 1}}, func(s flow.SentPiece) error {
			got = append(got, s)
			return nil
		})
		if !may {
			require.Equal(t, carnet.NotFound, carnet.KindOf(err), id)
			continue
		}
		require.NoError(t, err)
		require.Len(t, got, 2)
		for i, at := range []columnfile.Piece{{Column: 1, Limb: 2}, {Column: 0, Limb: 1}} {
			require.Equal(t, at, got[i].Piece)
			require.Equal(t, table.Pieces[at], got[i].Packed)
			words := make([]uint64, file.PieceWords(0))
			require.NoError(t, file.Open(at, got[i].Packed, got[i].Proof, f.Root, words))
		}
	}
	for _, r := range []flow.PieceRange{{Column: -1}, {Column: f.Columns}, {Limb: -1}, {Limb: 9}, {Chunk: -1}, {Chunk: 1}, {Chunk: 1 << 40},
		{First: 1}, {First: -1}, {Pieces: 2}, {Pieces: -1}, {First: 1 << 62, Pieces: 1 << 62}} {
		requireReason(t, "BAD_REQUEST", n.G.ReadPieces(ctx, n.Parties["k1"], f.Nonce, []flow.PieceRange{r}, nil))
	}
	pending := n.Encrypt(n.Deal("hk", carnet.LayoutCube), "trade", carnet.LayoutCube, rows)
	require.NoError(t, n.Announce(pending))
	err = n.G.ReadPieces(ctx, n.Parties["k1"], pending.Nonce, nil, nil)
	require.Equal(t, carnet.NotFound, carnet.KindOf(err), "what is not committed is not served")
}
