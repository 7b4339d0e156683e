package client

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	pb "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/schema"
)

// statePath is where the memory of this upload is kept. Every addition to a dataset
// has one of its own, named by its partitions: repeating it resumes it, and the memory
// of the files published before stays.
func (p *Publication) statePath(builders []*schema.Builder) string {
	if !p.Append {
		return p.StateFile
	}
	var names []string
	for _, b := range builders {
		names = append(names, partitionText(b.Partition()))
	}
	slices.Sort(names)
	h := sha256.Sum256([]byte(strings.Join(names, "\n")))
	ext := filepath.Ext(p.StateFile)
	return strings.TrimSuffix(p.StateFile, ext) + "+" + hex.EncodeToString(h[:8]) + ext
}

// noTerms reports whether terms were left out, which only an addition may do.
func (p *Publication) noTerms() bool {
	return p.Append && p.Terms.Expires.IsZero() && len(p.Terms.Buyers) == 0 && len(p.Terms.Purposes) == 0
}

// extend returns the published manifest that the tables are added to, and takes over
// its terms and title where none are given. What it rests on was signed by the owner:
// a gateway that shows an older version of it gets a manifest that keyholders refuse.
func (c *Client) extend(ctx context.Context, owner Signer, p *Publication, builders []*schema.Builder) (*carnet.Dataset, error) {
	resp, err := c.datasets.GetDataset(ctx, &pb.GetDatasetRequest{Id: string(p.ID)})
	if err != nil {
		return nil, named(err, "dataset", string(p.ID), "leave out --append to publish it first")
	}
	env := fromProto(resp.GetDataset().GetManifest())
	if env == nil {
		return nil, wrong("the gateway sent no manifest")
	}
	base, err := c.manifest(ctx, owner, env)
	if err != nil {
		return nil, err
	}
	if resp.GetDataset().GetRetirement() != nil {
		return nil, carnet.E(carnet.Precondition, "KEY_RETIRED", "the key of dataset %s was retired", p.ID).Fix("deal a new key and publish the whole table under it")
	}
	if resp.GetDataset().GetRevoked() {
		return nil, carnet.E(carnet.Precondition, "DATASET_REVOKED", "dataset %s was revoked", p.ID).Fix("publish under another name")
	}
	if p.Title == "" {
		p.Title = base.Title
	}
	if p.noTerms() {
		p.Terms = base.Terms
		if p.Declaration == nil {
			p.Declaration = base.Declaration
		}
	}
	if !p.Terms.Equal(&base.Terms) {
		return nil, carnet.E(carnet.Precondition, "TERMS_CHANGED", "dataset %s was published under other terms", p.ID).
			Fix("terms were signed over its files and stay as they are: leave --terms out;\nto change them, publish all of the table again with fresh nonces (--restart, without --append)")
	}
	return base, p.fits(base, builders)
}

// fits refuses tables that can't be added to the dataset.
func (p *Publication) fits(base *carnet.Dataset, builders []*schema.Builder) error {
	e := carnet.E(carnet.Precondition, "CANNOT_APPEND", "the table can't be added to dataset %s", p.ID).
		Fix("append new partitions of the same schema, layout and key;\nto replace what is published, publish all of the table with --restart, without --append")
	s := p.Encoding.Schema()
	switch {
	case base.ID != p.ID:
		return wrong("the gateway sent dataset %s instead of %s", base.ID, p.ID)
	case base.Schema != p.Schema:
		return e.With("schema", "the dataset follows schema %s", base.Schema)
	case base.Layout != p.Encoding.Layout:
		return e.With("layout", "the dataset's is %s", base.Layout)
	case base.Key != p.Key.Key || base.Profile != p.Key.Profile:
		return e.With("key", "the dataset was encrypted under key %s, profile %s", base.Key, base.Profile)
	case base.Jurisdiction != p.Jurisdiction:
		return e.With("jurisdiction", "the dataset's is %s", base.Jurisdiction)
	case len(s.Partitions) == 0:
		return e.With("schema", "%s has no partition columns, so a dataset is one file", s.ID())
	}
	var rows int64
	for _, f := range base.Files {
		rows += f.Rows
	}
	for _, b := range builders {
		rows += b.Rows()
		for _, f := range base.Files {
			if maps.Equal(f.Partition, b.Partition()) {
				return e.With("partitions", "%s is published already", partitionText(f.Partition))
			}
		}
	}
	if rows > s.Limits.Rows {
		return e.With("rows", "would be %d in all; the schema allows %d in a dataset", rows, s.Limits.Rows)
	}
	return nil
}
