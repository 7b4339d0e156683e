package client

import (
	"context"
	"maps"
	"slices"
	"strings"

	pb "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/cells"
	"github.com/carnet-network/carnet/pkg/schema"
)

// Earlier is a table that was published under the dataset's name before.
type Earlier struct {
	Tables *schema.Tables
	Census *cells.Census // that remembers its rows
}

// compare refuses a table whose numbers, less those of the tables that were published before it
// under the same name, tell apart fewer than the terms' min_group. Only the owner sees the rows,
// so only the owner can find that out.
func (u *upload) compare(ctx context.Context, owner Signer) error {
	p := u.p
	if p.Append || p.Terms.MinGroup < 2 || p.ChangesTold {
		return nil
	}
	before, err := u.client.publications(ctx, owner, p.ID, u.state.Before)
	if err != nil || len(before) == 0 {
		return err
	}
	if len(p.Earlier) != len(before) {
		return earlierNeeded(p.ID, "it was published %d times before this, and %d earlier tables are given", len(before), len(p.Earlier))
	}
	s := p.Encoding.Schema()
	var versions []cells.Version
	for i := range before {
		var m carnet.Dataset
		if err := before[i].Manifest.Decode(carnet.TypeDataset, &m); err != nil {
			return err
		}
		if err := p.sameTable(i, &before[i], &m); err != nil {
			return err
		}
		versions = append(versions, cells.Version{Census: p.Earlier[i].Census, Groups: groupsOf(&m, s)})
	}
	draft := u.draft(nil, u.client.timestamp())
	versions = append(versions, cells.Version{Census: p.Census, Groups: groupsOf(&draft, s)})
	return cells.Compare(cells.Rule{MinGroup: p.Terms.MinGroup, MaxShare: p.Terms.MaxShare}, versions)
}

func earlierNeeded(id carnet.DatasetID, format string, args ...any) error {
	return carnet.E(carnet.Precondition, "EARLIER_NEEDED", "dataset %s has numbers of an earlier table, from which those of this one can be subtracted: "+format, append([]any{id}, args...)...).
		Fix("give the earlier tables, oldest first (--earlier FILE for each), so that what changed can be compared with the min_group;\nor add partitions instead of replacing the table (--append); if it may be told what changed, say so (--changes-told)")
}

// publications are those of a dataset, oldest first: as the state of the upload has them, the last
// one with the partitions that were added to it since.
func (c *Client) publications(ctx context.Context, owner Signer, id carnet.DatasetID, known []published) ([]published, error) {
	resp, err := c.datasets.GetDataset(ctx, &pb.GetDatasetRequest{Id: string(id)})
	if err = fault(err); carnet.KindOf(err) == carnet.NotFound {
		return known, nil
	}
	if err != nil {
		return nil, err
	}
	env := fromProto(resp.GetDataset().GetManifest())
	if env == nil {
		return nil, wrong("the gateway sent no manifest")
	}
	present, err := c.manifest(ctx, owner, env)
	if err != nil {
		return nil, err
	}
	if len(known) == 0 {
		return nil, earlierNeeded(id, "this machine does not remember which it was (the folder uploads)")
	}
	last := &known[len(known)-1]
	var m carnet.Dataset
	if err := last.Manifest.Decode(carnet.TypeDataset, &m); err != nil {
		return nil, err
	}
	switch {
	case env.Hash() == last.Manifest.Hash():
	case present.Extends(&m):
		last.Manifest = env
	default:
		return nil, earlierNeeded(id, "the one that is published now is not the one that this machine published last")
	}
	return known, nil
}

// sameTable checks that an earlier table is the one that a manifest was signed for.
func (p *Publication) sameTable(i int, was *published, m *carnet.Dataset) error {
	e := carnet.E(carnet.Precondition, "EARLIER_DIFFERS", "earlier table %d is not the one that was published", i+1).
		Fix("give the earlier tables in the order in which they were published, oldest first, each with all partitions")
	earlier := &p.Earlier[i]
	builders := earlier.Tables.Builders()
	switch {
	case m.Schema != p.Schema || m.Layout != p.Encoding.Layout:
		return earlierNeeded(p.ID, "publication %d has another schema or layout and can't be compared", i+1)
	case earlier.Census == nil || int64(earlier.Census.Rows()) != earlier.Tables.Rows():
		return carnet.E(carnet.Invalid, "NO_CENSUS", "the rows of an earlier table were not counted").Fix("give every Earlier a Census of the rows of its tables")
	case len(builders) != len(m.Files):
		return e.With("partitions", "has %d, %d were published", len(builders), len(m.Files))
	}
	prints, err := fingerprints(p.Key, builders)
	if err != nil {
		return err
	}
	for j, b := range builders {
		same := slices.IndexFunc(m.Files, func(f carnet.File) bool { return maps.Equal(f.Partition, b.Partition()) })
		if same < 0 {
			e = e.With(fileName(b.Partition()), "was not published")
		} else if f := &m.Files[same]; f.Rows != b.Rows() {
			e = e.With(fileName(f.Partition), "has %d rows, %d were published", b.Rows(), f.Rows)
		}
		for _, f := range was.Files {
			if was.Key == p.Key.Key && maps.Equal(f.Partition, b.Partition()) && f.Fingerprint != prints[j] {
				e = e.With(fileName(f.Partition), "has other contents")
			}
		}
	}
	if len(e.Violations) > 0 {
		return e
	}
	return nil
}

// groupsOf are the groups of a manifest's partitions.
func groupsOf(m *carnet.Dataset, s *schema.Schema) func(string) cells.Grouping {
	by := map[string]cells.Grouping{}
	for i := range m.Files {
		var values []string
		for _, x := range s.Partitions {
			values = append(values, m.Files[i].Partition[x.Name])
		}
		if g := m.GroupsOf(i); g != nil {
			by[strings.Join(values, " ")] = cells.NewGrouping(g, s)
		}
	}
	return func(partition string) cells.Grouping { return by[partition] }
}
