package carnet

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func manifestOf(years ...string) *Dataset {
	d := &Dataset{ID: "kz/trade", Owner: "kz", Jurisdiction: "KZ", Schema: Hash{1}, Layout: LayoutCube, Profile: "cube", Key: KeyID{2},
		Terms: Terms{Buyers: []PartyID{"*"}, Purposes: []string{"statistics"}, Expires: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)}}
	d.Groups = []Groups{{Files: 1, Dimensions: []GroupedDimension{{Dimension: "month", From: []int{0, 3}}}}}
	for range years[1:] {
		d.Groups = append(d.Groups, Groups{Files: 1})
	}
	for i, y := range years {
		d.Files = append(d.Files, File{Nonce: Nonce{byte(i + 1)}, Partition: map[string]string{"year": y}, Rows: 10, Columns: 2, Blocks: 1, Root: Hash{byte(i + 1)}})
	}
	return d
}

// A manifest extends another if it keeps everything and adds files; whatever else it
// changes makes it another one.
func TestExtends(t *testing.T) {
	old := manifestOf("2024", "2025")
	require.True(t, manifestOf("2024", "2025", "2026").Extends(old))
	require.True(t, manifestOf("2024", "2025", "2026", "2027").Extends(old))
	later := manifestOf("2024", "2025", "2026")
	later.Created, later.Title = time.Now(), "with 2026"
	require.True(t, later.Extends(old))
	for name, change := range map[string]func(*Dataset){
		"nothing added":        func(d *Dataset) { d.Files = d.Files[:2] },
		"a file dropped":       func(d *Dataset) { d.Files = d.Files[1:] },
		"files in other order": func(d *Dataset) { d.Files[0], d.Files[1] = d.Files[1], d.Files[0] },
		"the new file first":   func(d *Dataset) { d.Files[0], d.Files[2] = d.Files[2], d.Files[0] },
		"another nonce":        func(d *Dataset) { d.Files[1].Nonce[5] = 9 },
		"another root":         func(d *Dataset) { d.Files[1].Root[5] = 9 },
		"other rows":           func(d *Dataset) { d.Files[1].Rows++ },
		"other blocks":         func(d *Dataset) { d.Files[1].Blocks++ },
		"other columns":        func(d *Dataset) { d.Files[1].Columns++ },
		"another partition":    func(d *Dataset) { d.Files[1].Partition = map[string]string{"year": "2023"} },
		"another name":         func(d *Dataset) { d.ID = "kz/other" },
		"another owner":        func(d *Dataset) { d.Owner = "uz" },
		"another jurisdiction": func(d *Dataset) { d.Jurisdiction = "UZ" },
		"another schema":       func(d *Dataset) { d.Schema[0]++ },
		"another layout":       func(d *Dataset) { d.Layout = LayoutRecords },
		"another profile":      func(d *Dataset) { d.Profile = "cube-wide" },
		"another key":          func(d *Dataset) { d.Key[0]++ },
		"more buyers":          func(d *Dataset) { d.Terms.Buyers = append(d.Terms.Buyers, "x") },
		"a later expiry":       func(d *Dataset) { d.Terms.Expires = d.Terms.Expires.AddDate(1, 0, 0) },
		"other groups":         func(d *Dataset) { d.Groups[0].Dimensions[0].From[1] = 2 },
		"fewer groups":         func(d *Dataset) { d.Groups = d.Groups[1:] },
		"no groups":            func(d *Dataset) { d.Groups = nil },
		"fewer owners":         func(d *Dataset) { d.Terms.MinOwners = 1 },
	} {
		d := manifestOf("2024", "2025", "2026")
		change(d)
		require.False(t, d.Extends(old), name)
	}
}
