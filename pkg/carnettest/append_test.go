package carnettest

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	pb "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/carnet"
)

const yearlyYAML = `
name: yearly
version: 1
dimensions:
  - name: month
    codes: [{value: "01"}, {value: "02"}]
measures:
  - {name: value, min: "-1000", max: "1000"}
partitions:
  - name: year
limits: {rows: 1000, datasets: 4}
layouts: [cube]
`

// yearly is a table of one year.
func yearly(year int) string {
	text := "year,month,value\n"
	for r := range 4 {
		text += fmt.Sprintf("%d,%02d,%d\n", year, r%2+1, (year-2000)*(r-1))
	}
	return text
}

// An owner adds a year to a published dataset: queries see it, what was there is not
// sent again, and neither the year nor the terms can be had otherwise.
func TestAppend(t *testing.T) {
	t.Parallel()
	n := Start(t, Options{})
	s := ParseSchema(t, yearlyYAML)
	first := n.Publish(t, Publication{Owner: "kz", Name: "sales", Schema: s, CSV: yearly(2024)})
	n.Product(t, "sales", first)
	byYear := "SELECT year, COUNT(*), SUM(value) FROM sales GROUP BY year ORDER BY year"
	require.Equal(t, [][]string{{"2024", "4", "48"}}, Rows(n.Ask(t, "buyer", "sales", byYear).Result))

	next := func(year int, edit func(*Publication)) *Publication {
		p := &Publication{Owner: "kz", Name: "sales", Schema: s, CSV: yearly(year), Key: first.Key}
		if edit != nil {
			edit(p)
		}
		return p
	}
	send := func(p *Publication, noTerms bool) (*Dataset, error) {
		prepared := n.Prepare(t, *p)
		prepared.Append = true
		if noTerms {
			prepared.Terms = carnet.Terms{}
		}
		got, err := n.Client(t, "kz").Publish(Context(t), n.Identity("kz"), prepared)
		if err != nil {
			return nil, err
		}
		return &Dataset{Published: got, ID: prepared.ID, Key: p.Key}, nil
	}
	second, err := send(next(2025, nil), true)
	require.NoError(t, err)
	require.Len(t, second.Manifest.Files, 2)
	require.Equal(t, first.Manifest.Files[0], second.Manifest.Files[0])
	require.True(t, second.Manifest.Terms.Equal(&first.Manifest.Terms))
	require.Equal(t, first.Bytes, second.Sent, "only the new file was sent")
	require.Equal(t, [][]string{{"2024", "4", "48"}, {"2025", "4", "50"}}, Rows(n.Ask(t, "buyer", "sales", byYear).Result))

	again, err := send(next(2025, nil), true) // the same once more only confirms it
	require.NoError(t, err)
	require.Equal(t, second.Hash, again.Hash)
	require.Zero(t, again.Sent)
	_, err = send(next(2024, nil), true)
	require.Equal(t, "CANNOT_APPEND", carnet.ReasonOf(err), "%v", err)
	_, err = send(next(2026, func(p *Publication) { terms := OpenTerms(); terms.MinOwners = 1; p.Terms = &terms }), false)
	require.Equal(t, "TERMS_CHANGED", carnet.ReasonOf(err), "%v", err)
	_, err = send(next(2026, func(p *Publication) { p.Key = n.Deal(t, "kz", "cube", "") }), true)
	require.Equal(t, "CANNOT_APPEND", carnet.ReasonOf(err), "%v", err)
	_, err = send(next(2026, func(p *Publication) { p.Name = "nothing" }), true)
	require.Equal(t, "NOT_FOUND", carnet.ReasonOf(err), "%v", err)

	// The gateway takes files again only as they were.
	c := pb.NewDatasetServiceClient(n.Conn(t, "kz"))
	commit := func(edit func(*carnet.Dataset)) error {
		d := second.Manifest
		d.Files = append(d.Files[:2:2], d.Files[1])
		d.Files[2].Nonce, d.Files[2].Partition = carnet.Nonce{1}, map[string]string{"year": "2026"}
		edit(&d)
		_, err := c.CommitDataset(Context(t), &pb.CommitDatasetRequest{Manifest: toProto(n.seal(t, carnet.TypeDataset, d, "kz"))})
		return err
	}
	require.ErrorContains(t, commit(func(*carnet.Dataset) {}), "was not uploaded")
	for what, edit := range map[string]func(*carnet.Dataset){
		"another root":      func(d *carnet.Dataset) { d.Files[0].Root[0] ^= 1 },
		"another partition": func(d *carnet.Dataset) { d.Files[0].Partition = map[string]string{"year": "2020"} },
		"another order":     func(d *carnet.Dataset) { d.Files[0], d.Files[1] = d.Files[1], d.Files[0] },
		"a file dropped":    func(d *carnet.Dataset) { d.Files = d.Files[1:] },
		"other terms":       func(d *carnet.Dataset) { d.Terms.Purposes = []string{"marketing"} },
		"another dataset":   func(d *carnet.Dataset) { d.ID = "kz/other" },
	} {
		require.ErrorContains(t, commit(edit), "belongs to another manifest", what)
	}

	// A gateway that shows the owner the first version only gets a manifest that
	// keyholders give no effect: the second year can't be dropped that way.
	third := second.Manifest
	third.Files, third.Title = third.Files[:1], "without the second year"
	n.Gateway.Inject(t, nil, n.seal(t, carnet.TypeDataset, third, "kz"))
	require.Equal(t, [][]string{{"2024", "4", "48"}, {"2025", "4", "50"}}, Rows(n.Ask(t, "buyer", "sales", byYear).Result))
}
