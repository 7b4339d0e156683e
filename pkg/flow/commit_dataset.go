package flow

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/cells"
	"github.com/carnet-network/carnet/pkg/columnfile"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/schema"
)

// CommitDataset is the second phase of publishing: a manifest signed by the owner,
// whose every file has arrived in full and has the root it says. A manifest for a
// dataset that exists becomes its newest version: either with files of its own, or
// with all files of the present one, unchanged, and more (carnet.Dataset.Extends). A
// revoked dataset has no further versions.
func (g *Gateway) CommitDataset(ctx context.Context, as *carnet.Party, env *evidence.Envelope) (Ref, error) {
	var d carnet.Dataset
	if err := env.Decode(carnet.TypeDataset, &d); err != nil {
		return Ref{}, err
	}
	var done Ref
	var arrived []arrivedFile
	// Everything is checked before waiting for the disk, and again in the transaction
	// that counts.
	err := g.Store.View(ctx, func(tx Tx) error {
		if st, err := tx.Statement(env.Hash()); !absent(err) {
			done = st.Ref
			return err
		}
		var err error
		_, arrived, err = g.checkManifest(tx, as, env, &d)
		return err
	})
	if err != nil || !done.Hash.IsZero() {
		return done, err
	}
	verdict, err := g.judgeDataset(ctx, &d, env.Hash())
	if err != nil {
		return Ref{}, err
	}
	if len(verdict.Refusals) > 0 {
		return Ref{}, refusedBy(verdict.Refusals)
	}
	for _, f := range arrived {
		if err := g.Columns.Seal(ctx, f.file, f.hashes); err != nil {
			return Ref{}, err
		}
	}
	ref, err := g.record(ctx, env, func(tx Tx, st Stored) error {
		rec, _, err := g.checkManifest(tx, as, env, &d)
		if err != nil {
			return err
		}
		rec.Manifest = st
		for _, f := range d.Files {
			u, err := tx.GetUpload(f.Nonce)
			if err != nil {
				return err
			}
			if u.State == UploadCommitted { // by the manifest that this one extends
				continue
			}
			if err := tx.SetUploadState(f.Nonce, UploadCommitted, st.Hash); err != nil {
				return err
			}
		}
		if err := tx.PutDataset(rec); err != nil {
			return err
		}
		return g.allowed(tx, st.Hash, &verdict)
	})
	if err != nil {
		return ref, err
	}
	// The dataset is published whatever comes of this: files are read from where they are.
	for _, f := range arrived {
		g.addUp(context.WithoutCancel(ctx), f.file, f.file.RootOf(f.hashes))
		if err := g.Columns.Settle(context.WithoutCancel(ctx), f.file.Nonce()); err != nil {
			g.Logger.Warn("a published file could not be moved to cold storage; it is tried again at the next start", "file", f.file.Nonce().String(), "error", err)
		}
	}
	return ref, nil
}

// addUp has the sums of whole columns stored, for which linear queries would read them. They
// are made of words that are compared with the signed root; those that are not stored
// are made by the first query.
func (g *Gateway) addUp(ctx context.Context, f *columnfile.File, root carnet.Hash) {
	if f.Profile().Encoding() != he.Slots {
		return
	}
	for c := range uint32(f.Columns()) {
		if _, err := g.Columns.Constants(ctx, f, root, c); err != nil {
			g.Logger.Warn("the sums of a published file's columns could not be made; queries make them", "file", f.Nonce().String(), "error", err)
			return
		}
	}
}

// checkManifest checks a manifest against everything it refers to, and returns the
// files that it is the first to name, in its order.
func (g *Gateway) checkManifest(tx Tx, as *carnet.Party, env *evidence.Envelope, d *carnet.Dataset) (rec DatasetRecord, files []arrivedFile, err error) {
	if err := sameCaller(as, d.Owner); err != nil {
		return rec, nil, err
	}
	owner, err := signer(tx, env, d.Owner, carnet.RoleOwner)
	if err != nil {
		return rec, nil, err
	}
	if err := checkDatasetID(d.ID, d.Owner); err != nil {
		return rec, nil, err
	}
	present, err := replaces(tx, d)
	if err != nil {
		return rec, nil, err
	}
	enc, err := g.encoding(tx, d.Schema, d.Layout)
	if err != nil {
		return rec, nil, err
	}
	e := bad("BAD_MANIFEST", "the manifest does not fit schema, key and terms")
	dealing, st, err := tx.GetDealing(d.Key)
	if err != nil && !absent(err) {
		return rec, nil, err
	}
	var dealt carnet.Dealing
	if err == nil {
		if dealt, _, err = st.Envelope.DecodeDealing(); err != nil {
			return rec, nil, err
		}
	}
	now := g.now()
	switch {
	case err != nil || dealing.Owner != d.Owner:
		return rec, nil, e.With("key", "was not dealt by %s", d.Owner)
	case d.Profile != enc.Profile || dealt.Profile != enc.Profile:
		return rec, nil, e.With("profile", "schema and layout demand %s; the manifest says %s and the key was dealt for %s", enc.Profile, d.Profile, dealt.Profile)
	case d.Jurisdiction != owner.Jurisdiction:
		return rec, nil, e.With("jurisdiction", "is %s, its owner is registered in %s", d.Jurisdiction, owner.Jurisdiction)
	case !d.Terms.Expires.After(now):
		return rec, nil, e.With("terms.expires", "%s has passed", d.Terms.Expires.Format("2006-01-02 15:04:05 MST"))
	case d.Terms.MinOwners < 0 || d.Terms.MinOwners > enc.Schema().Limits.Datasets:
		return rec, nil, e.With("terms.min_owners", "want 0 to %d", enc.Schema().Limits.Datasets)
	case d.Terms.Approval != "" && d.Terms.Approval != carnet.ApprovalOwner:
		return rec, nil, e.With("terms.approval", "want %q or nothing", carnet.ApprovalOwner)
	}
	if err := checkPrivacy(d, e); err != nil {
		return rec, nil, err
	}
	if err := notRetired(tx, d.Key); err != nil {
		return rec, nil, err
	}
	if again, err := tx.RedealingOf(d.Key); !absent(err) {
		return rec, nil, orElse(err, e.With("key", "deals key %s again; encrypt under that", again.Key))
	}
	if err := checkShape(d, enc, e); err != nil {
		return rec, nil, err
	}
	if err := cells.Check(d, enc.Schema()); err != nil {
		return rec, nil, err
	}
	if err := checkDeclaration(d, now); err != nil {
		return rec, nil, err
	}
	p, err := he.Lookup(enc.Profile)
	if err != nil {
		return rec, nil, err
	}
	rec = DatasetRecord{ID: d.ID, Owner: d.Owner, Schema: d.Schema, Layout: d.Layout, Profile: d.Profile, Key: d.Key}
	kept := 0
	if present != nil && d.Extends(present) {
		kept = len(present.Files)
	}
	for i, f := range d.Files {
		rec.Rows += f.Rows
		if i < kept { // arrived with the manifest it is repeated from
			file, err := columnfile.NewFile(p, f.Nonce, f.Columns, f.Blocks)
			if err != nil {
				return rec, nil, err
			}
			rec.Bytes += g.Columns.Bytes(file)
			continue
		}
		a, err := checkArrived(tx, d, f)
		if err != nil {
			return rec, nil, err
		}
		files = append(files, a)
		rec.Bytes += g.Columns.Bytes(a.file)
	}
	return rec, files, nil
}

// replaces: a dataset's next version comes after the present one, which is returned;
// nil if there is none yet.
func replaces(tx Tx, d *carnet.Dataset) (*carnet.Dataset, error) {
	old, err := tx.GetDataset(d.ID)
	switch {
	case absent(err):
		return nil, nil
	case err != nil:
		return nil, err
	case old.Revocation != nil:
		return nil, carnet.E(carnet.Precondition, "DATASET_REVOKED", "dataset %s was revoked", d.ID).Fix("publish under another name")
	}
	present := &carnet.Dataset{}
	if err := old.Manifest.Envelope.Decode(carnet.TypeDataset, present); err != nil {
		return nil, err
	}
	return present, notOlder("dataset "+string(d.ID), d.Created, present.Created)
}

// checkDeclaration: what is declared is complete, and dated by the clock, since volumes
// are counted from 1 January on.
func checkDeclaration(d *carnet.Dataset, now time.Time) error {
	if d.Declaration == nil {
		return nil
	}
	if err := d.Declaration.Check(); err != nil {
		return err
	}
	if apart := now.Sub(d.Created).Abs(); apart > maxApart {
		return carnet.E(carnet.Invalid, "BAD_DECLARATION", "the manifest is dated %s, which is %s from the gateway's clock", d.Created.UTC().Format(time.RFC3339), apart.Round(time.Hour)).
			Fix("sign it anew, with the clock set right")
	}
	return nil
}

// maxApart is how far a manifest with a declaration may be from the gateway's clock: an
// interrupted publication can be finished days after it was signed.
const maxApart = 7 * 24 * time.Hour

// notOlder: keyholders give no effect to a statement made before the one it replaces,
// so it is refused here, where its author learns of it.
func notOlder(what string, made, present time.Time) error {
	if !made.Before(present) {
		return nil
	}
	return carnet.E(carnet.Precondition, "OLDER_STATEMENT", "%s has a statement of %s, and this one is of %s", what,
		present.UTC().Format(time.RFC3339), made.UTC().Format(time.RFC3339)).
		Fix("sign it anew, with the clock set right")
}

// checkShape compares the files with what schema and layout demand.
func checkShape(d *carnet.Dataset, enc *schema.Encoding, e *carnet.Error) error {
	if len(d.Files) == 0 || len(d.Files) > MaxFiles {
		return e.With("files", "want 1 to %d, have %d", MaxFiles, len(d.Files))
	}
	s := enc.Schema()
	nonces, partitions := map[carnet.Nonce]bool{}, map[string]bool{}
	var rows int64
	for i, f := range d.Files {
		at := fmt.Sprintf("files[%d]", i)
		switch {
		case nonces[f.Nonce]:
			return e.With(at+".nonce", "is that of another file")
		case f.Rows < 0 || f.Rows > s.Limits.Rows:
			return e.With(at+".rows", "%d rows; the schema allows 0 to %d in a dataset", f.Rows, s.Limits.Rows)
		case f.Columns != len(enc.Columns):
			return e.With(at+".columns", "%d columns; schema and layout demand %d", f.Columns, len(enc.Columns))
		case f.Blocks != enc.Blocks(f.Rows):
			return e.With(at+".blocks", "%d blocks; schema and layout demand %d", f.Blocks, enc.Blocks(f.Rows))
		}
		if msg := checkPartition(s, f.Partition); msg != "" {
			return e.With(at+".partition", "%s", msg)
		}
		key := partitionKey(f.Partition)
		if partitions[key] {
			return e.With(at+".partition", "is that of another file")
		}
		nonces[f.Nonce], partitions[key] = true, true
		rows += f.Rows
	}
	if rows > s.Limits.Rows {
		return e.With("files", "%d rows in all; the schema allows %d in a dataset", rows, s.Limits.Rows)
	}
	return nil
}

func checkPartition(s *schema.Schema, values map[string]string) string {
	if len(values) != len(s.Partitions) {
		return fmt.Sprintf("want a value for each of %d partition columns, have %d", len(s.Partitions), len(values))
	}
	for _, p := range s.Partitions {
		v, ok := values[p.Name]
		switch {
		case !ok:
			return fmt.Sprintf("there is no value of %s", p.Name)
		case len(p.Values) > 0 && !slices.Contains(p.Values, v):
			return fmt.Sprintf("%q is not an allowed value of %s", v, p.Name)
		case v == "" || len(v) > 63 || strings.ContainsFunc(v, func(r rune) bool { return r < ' ' || r == 0x7f }):
			return fmt.Sprintf("%q is not a short token", v)
		}
	}
	return ""
}

func partitionKey(values map[string]string) string {
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(values)) {
		fmt.Fprintf(&b, "%q=%q,", k, values[k])
	}
	return b.String()
}

// arrivedFile is a file whose pieces are all there.
type arrivedFile struct {
	file   *columnfile.File
	hashes []carnet.Hash
}

// checkArrived: the upload is this dataset's, every piece is there, and their hashes
// have the root the owner signed.
func checkArrived(tx Tx, d *carnet.Dataset, f carnet.File) (a arrivedFile, err error) {
	u, err := tx.GetUpload(f.Nonce)
	if err != nil && !absent(err) {
		return a, err
	}
	switch {
	case err != nil || u.Owner != d.Owner:
		return a, carnet.E(carnet.Precondition, "UNKNOWN_UPLOAD", "file %s was not uploaded", f.Nonce).Fix("begin the upload and send its pieces first")
	case u.State == UploadCommitted:
		return a, nonceReuse("file %s belongs to another manifest", f.Nonce)
	case u.State != UploadPending:
		return a, closedUpload(&u)
	case u.Dataset != d.ID || u.Profile != d.Profile || u.Columns != f.Columns || u.Blocks != f.Blocks:
		return a, carnet.E(carnet.Precondition, "UPLOAD_DIFFERS", "file %s was announced for another dataset, profile or shape", f.Nonce).
			Fix("announce it again under a fresh nonce")
	}
	if a.file, err = u.columnFile(); err != nil {
		return a, err
	}
	stored, err := tx.PieceHashes(f.Nonce)
	if err != nil {
		return a, err
	}
	if want := f.Columns * a.file.Leaves(); len(stored) != want {
		return a, carnet.E(carnet.Precondition, "PIECES_MISSING", "file %s has %d of %d pieces", f.Nonce, len(stored), want).
			Fix("ask which have arrived and send the others")
	}
	a.hashes = make([]carnet.Hash, len(stored)) // indices are distinct, ascending and in range, so they are 0, 1, 2, …
	for i := range stored {
		a.hashes[i] = stored[i].Hash
	}
	if a.file.RootOf(a.hashes) != f.Root {
		return a, bad("ROOT_DIFFERS", "the pieces of file %s do not have the signed root", f.Nonce).
			Fix("what arrived is not what was signed; encrypt the table again under fresh nonces")
	}
	return a, nil
}
