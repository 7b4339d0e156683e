package client

import (
	"context"
	"encoding/json"
	"runtime"
	"slices"
	"strings"
	"time"

	pb "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/cells"
	"github.com/carnet-network/carnet/pkg/columnfile"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/ident"
	"github.com/carnet-network/carnet/pkg/schema"
)

// Publication is a table to be encrypted and published.
type Publication struct {
	ID           carnet.DatasetID // "owner/name"
	Jurisdiction carnet.Jurisdiction
	Title        string
	Schema       carnet.Hash       // statement hash of the schema the tables follow
	Tables       *schema.Tables    // with all rows added
	Encoding     *schema.Encoding  // the encoding of the tables
	Key          *ident.DatasetKey // dealt for the encoding's profile
	Terms        carnet.Terms
	Declaration  *carnet.Declaration // what laws want to know about the data; nil: nothing is declared
	Append       bool                // add the tables' partitions to the published dataset; Terms may be left out then
	StateFile    string              // memory of this upload; see Publish
	Restart      bool                // forget an earlier upload and draw fresh nonces
	Census       *cells.Census       // of the tables' rows; needed if the terms ask for a min_group
	// Earlier are the tables of the dataset's publications before, oldest first, with censuses
	// that remember their rows; needed if the terms ask for a min_group and this table takes
	// their place. With ChangesTold they are not, and what changed may be told.
	Earlier     []Earlier
	ChangesTold bool
	Workers     int            // encrypting at once; 0 = one for each processor
	Progress    func(Progress) // may be nil; called from several goroutines, one at a time
}

// Progress tells how far an upload has come.
type Progress struct {
	Blocks, Total int64 // blocks at the gateway, of how many
	Sent          int64 // bytes sent by this run
}

// Published is the outcome of Publish.
type Published struct {
	Ref
	Manifest carnet.Dataset
	Bytes    int64         // ciphertext of the tables, as it is sent
	Values   int64         // that it holds: slots or cells of all columns, empty ones included
	Had      int64         // bytes of it that had arrived before this run
	Sent     int64         // bytes sent by this run, again after a break included
	Loss     *cells.Loss   // what the groups of this run cost; nil without, or if the manifest was signed before
	Elapsed  time.Duration // of this run
	Resumed  bool
}

// Publish encrypts the tables and sends them, then the signed manifest. It can be
// interrupted at any point, by a signal or a crash, and called again with the same
// arguments: StateFile remembers the nonces and the plaintext they belong to, blocks
// that arrived are not sent again, and a finished publication is only confirmed.
//
// With Append the files of the dataset's present manifest stay as they are, and the
// new manifest lists them before those of the tables. Terms stay too: they were signed
// over the files.
//
// A table under a min_group that takes another one's place is compared with all that were
// published before it, so that subtracting tells no fewer than the minimum apart.
//
// Errors: EARLIER_NEEDED, EARLIER_DIFFERS, CHANGE_TOO_SMALL, NONCE_REUSED if the input changed since the upload began, TERMS_CHANGED if
// the manifest was signed with other terms, CANNOT_APPEND, WRONG_PROFILE if the key was dealt for
// another one, and those of the gateway.
func (c *Client) Publish(ctx context.Context, owner Signer, p *Publication) (*Published, error) {
	start := time.Now()
	profile, err := p.check(owner)
	if err != nil {
		return nil, err
	}
	builders := p.Tables.Builders()
	prints, err := fingerprints(p.Key, builders)
	if err != nil {
		return nil, err
	}
	path := p.statePath(builders)
	st, err := loadUpload(path)
	if err != nil && !p.Restart {
		return nil, err
	}
	resumed := st != nil && !p.Restart
	var base *carnet.Dataset // that the tables are added to
	if !resumed || st.Manifest == nil {
		if p.Append {
			if base, err = c.extend(ctx, owner, p, builders); err != nil {
				return nil, err
			}
		}
		if err := p.checkTerms(c.now()); err != nil {
			return nil, err
		}
	}
	if resumed {
		err = st.check(p.ID, p.Key, builders, prints)
	} else {
		st, err = newUpload(path, p.ID, p.Key, builders, prints, st.publications())
	}
	if err != nil {
		return nil, err
	}
	files, values, size, err := p.shapes(profile, builders, st)
	if err != nil {
		return nil, err
	}
	out := &Published{Resumed: resumed, Bytes: size, Values: values}
	out.Had = out.Bytes // of a finished upload
	if st.Manifest == nil {
		up := &upload{client: c, profile: profile, p: p, state: st, builders: builders, files: files}
		// Ciphertext crosses a border when it is sent, not when its manifest is.
		if out.Loss, err = up.group(base); err != nil {
			return nil, err
		}
		if err := up.compare(ctx, owner); err != nil {
			return nil, err
		}
		draft := up.draft(base, c.timestamp())
		v, err := c.AssessPublication(ctx, &draft)
		if err == nil {
			err = v.Error()
		}
		if err != nil {
			return nil, err
		}
		if err := up.run(ctx); err != nil {
			return nil, err
		}
		out.Had, out.Sent = up.had, up.sent.Load()
		if st.Manifest, err = evidence.Seal(carnet.TypeDataset, up.manifest(base, c.timestamp()), owner); err != nil {
			return nil, err
		}
		if err := st.save(); err != nil {
			return nil, err
		}
	}
	if err := json.Unmarshal(st.Manifest.Payload, &out.Manifest); err != nil {
		return nil, err
	}
	if !p.noTerms() {
		if err := p.sameTerms(&out.Manifest); err != nil {
			return nil, err
		}
	}
	resp, err := c.datasets.CommitDataset(ctx, &pb.CommitDatasetRequest{Manifest: toProto(st.Manifest)})
	if err != nil {
		return nil, fault(err)
	}
	out.Ref, err = refTo(st.Manifest, resp.GetRef())
	out.Elapsed = time.Since(start)
	return out, err
}

// check finds mistakes before anything is encrypted.
func (p *Publication) check(owner Signer) (*he.Profile, error) {
	name, ok := strings.CutPrefix(string(p.ID), string(owner.Party())+"/")
	if !ok {
		return nil, carnet.E(carnet.Invalid, "BAD_NAME", "%q is not a dataset of %s", p.ID, owner.Party()).
			Fix("name it %s/<name>", owner.Party())
	}
	if !carnet.ValidName(name) {
		return nil, carnet.BadName("a dataset", name)
	}
	if p.Key.Owner != owner.Party() || p.Key.Key.IsZero() {
		return nil, carnet.E(carnet.Precondition, "KEY_NOT_DEALT", "the dataset key was not dealt by %s", owner.Party()).
			Fix("make one with carnet deal")
	}
	if p.Key.Profile != p.Encoding.Profile {
		return nil, carnet.E(carnet.Precondition, "WRONG_PROFILE", "the key was dealt for profile %s, this schema and layout need %s", p.Key.Profile, p.Encoding.Profile).
			Fix("deal a key for this layout: carnet deal --profile %s", p.Encoding.Profile)
	}
	if len(p.Tables.Builders()) == 0 {
		return nil, carnet.E(carnet.Invalid, "NO_ROWS", "the table has no rows").
			Fix("check that the file has more than its header")
	}
	if p.Workers < 1 {
		p.Workers = runtime.GOMAXPROCS(0)
	}
	return he.Lookup(p.Key.Profile)
}

// checkTerms finds terms that the gateway would refuse after everything was sent.
func (p *Publication) checkTerms(now time.Time) error {
	if !p.Terms.Expires.After(now) {
		return carnet.E(carnet.Invalid, "BAD_TERMS", "the terms have expired").With("expires", "%s has passed", p.Terms.Expires.Format(time.RFC3339)).
			Fix("choose a later day")
	}
	if p.Declaration != nil {
		if err := p.Declaration.Check(); err != nil {
			return err
		}
	}
	if p.Terms.Privacy != nil {
		if err := p.Terms.Privacy.Validate(); err != nil {
			return err
		}
	}
	if most := p.Encoding.Schema().Limits.Datasets; p.Terms.MinOwners < 0 || p.Terms.MinOwners > most {
		return carnet.E(carnet.Invalid, "BAD_TERMS", "no query can meet the terms").
			With("min_owners", "is %d; products of this schema have at most %d datasets", p.Terms.MinOwners, most).Fix("choose a smaller number")
	}
	return nil
}

// sameTerms refuses to go on with a manifest that says something else than asked.
func (p *Publication) sameTerms(m *carnet.Dataset) error {
	if m.Terms.Equal(&p.Terms) {
		return nil
	}
	return carnet.E(carnet.Precondition, "TERMS_CHANGED", "the manifest of %s was signed with other terms", p.ID).
		Fix("terms are part of what was signed over these files; give the same terms,\nor publish again with fresh nonces (--restart)")
}

// shapes returns the files of an upload, the number of values they hold, and the
// bytes in which these are sent.
func (p *Publication) shapes(profile *he.Profile, builders []*schema.Builder, st *uploadState) (files []*columnfile.File, values, size int64, err error) {
	for i, b := range builders {
		f, err := columnfile.NewFile(profile, st.Files[i].Nonce, len(p.Encoding.Columns), b.Blocks())
		if err != nil {
			return nil, 0, 0, err
		}
		files = append(files, f)
		values += int64(f.Columns()) * int64(f.Blocks()) * int64(profile.N())
		size += int64(f.Columns()) * (f.TrailerOffset(columnfile.Packed) - columnfile.HeaderBytes)
	}
	return files, values, size, nil
}

// manifest is the dataset statement once the hash of every piece is known. base is the
// one it adds files to, nil for a dataset of its own.
func (u *upload) manifest(base *carnet.Dataset, created time.Time) carnet.Dataset {
	m := u.draft(base, created)
	kept := len(m.Files) - len(u.builders)
	for i := range u.builders {
		m.Files[kept+i].Root = u.files[i].RootOf(u.hashes[i])
	}
	return m
}

// draft is the manifest before anything is encrypted: without the roots of its own files.
func (u *upload) draft(base *carnet.Dataset, created time.Time) carnet.Dataset {
	m := carnet.Dataset{
		ID: u.p.ID, Owner: u.p.Key.Owner, Jurisdiction: u.p.Jurisdiction, Title: u.p.Title, Schema: u.p.Schema,
		Layout: u.p.Encoding.Layout, Profile: u.profile.Name(), Key: u.p.Key.Key, Terms: u.p.Terms, Declaration: u.p.Declaration, Created: created,
	}
	if base != nil {
		m.Files, m.Groups = slices.Clone(base.Files), slices.Clone(base.Groups)
	}
	if u.groups != nil {
		m.Groups = append(m.Groups, *u.groups)
	}
	for i, b := range u.builders {
		m.Files = append(m.Files, carnet.File{
			Nonce: u.state.Files[i].Nonce, Partition: b.Partition(), Rows: b.Rows(), Columns: len(u.p.Encoding.Columns), Blocks: b.Blocks(),
		})
	}
	return m
}
