package query

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMisspeltKeywords(t *testing.T) {
	for sql, want := range map[string]string{
		"SELECT SUM(value) FORM trade":                               "line 1, column 19: write FROM",
		"SELECT SUM(value) FRM trade":                                "line 1, column 19: write FROM",
		"SELECT SUM(value) FROMM trade WHERE a = 1":                  "line 1, column 19: write FROM",
		"SELECT SUM(value) AS v form kz/trade-2024":                  "line 1, column 24: write FROM",
		"SELCT SUM(value) FROM trade":                                "line 1, column 1: write SELECT",
		"slecet SUM(value) FROM trade":                               "line 1, column 1: write SELECT",
		"SELECT a, COUNT(*)\nFROM trade\nGRUOP BY a":                 "line 3, column 1: write GROUP",
		"SELECT a, COUNT(*) FROM trade GROUP YB a":                   "line 1, column 37: write BY",
		"SELECT COUNT(*) FROM trade WEHRE a = 1":                     "line 1, column 28: write WHERE",
		"SELECT COUNT(*) FROM trade t WHER (a = 1)":                  "line 1, column 30: write WHERE",
		"SELECT COUNT(*) FROM trade WHERE a = 1 ANND b = 2":          "line 1, column 40: write AND",
		"SELECT COUNT(*) FROM trade WHERE a BETWEEEN 1 AND 2":        "line 1, column 36: write BETWEEN",
		"SELECT COUNT(*) FROM trade WHERE NOTT a = 1":                "line 1, column 34: write NOT",
		"SELECT COUNT(*) FROM trade WHERE a NI (1, 2)":               "line 1, column 36: write IN",
		"SELECT a, COUNT(*) FROM trade GROUP BY a HAVNIG COUNT(*)>1": "line 1, column 42: write HAVING",
		"SELECT a, COUNT(*) FROM trade GROUP BY a ODER BY a":         "line 1, column 42: write ORDER",
		"SELECT a, COUNT(*) FROM trade GROUP BY a ORDER BY a DSEC":   "line 1, column 53: write DESC",
		"SELECT a, COUNT(*) FROM trade GROUP BY a LIMT 5":            "line 1, column 42: write LIMIT",
		"SELECT COUNT(*) FROM trade LIMT 5":                          "line 1, column 28: write LIMIT",
		"SELECT COUNT(*) SA n FROM trade":                            "line 1, column 17: write AS",
		"SELCT COUNT(*) FORM trade":                                  "line 1, column 1: write SELECT", // one after the other
		// Not misspelt, or not so that it is known.
		"SELECT a b c FROM trade":                  "line 1, column 12: ",
		`SELECT COUNT(*) "form" trade`:             "line 1, column 24: ",
		"SELECT COUNT(*) FROM trade WHERE":         "line 1, column 33: ",
		"SELECT COUNT(*) FROM trade WHERE a LIK 1": "line 1, column 36: ",
		"HELLO": "line 1, column 1: ",
	} {
		_, err := Parse(sql)
		var r *Refusal
		require.True(t, errors.As(err, &r), sql)
		require.Equal(t, "SYNTAX", r.Reason, sql)
		place, fix, _ := strings.Cut(want, ": ")
		require.Equal(t, place, r.Pos.String(), sql)
		if fix == "" {
			require.NotContains(t, r.Remedy, "if that is meant", sql)
			continue
		}
		require.Equal(t, fix+" if that is meant", r.Remedy, sql)
		require.NotEmpty(t, r.Near, sql)
	}
}

// Names that look like keywords are names as long as the query can be read with them.
func TestNamesAlikeKeywords(t *testing.T) {
	for _, sql := range []string{
		"SELECT form, SUM(ordre) AS wehre FROM gruop",
		"SELECT SUM(form) frm FROM trade limt WHERE limt.nto = 1 GROUP BY form ORDER BY frm",
	} {
		_, err := Parse(sql)
		require.NoError(t, err)
	}
}

// Two letters swapped in any keyword of a query are found, where they are.
func TestSwappedLetters(t *testing.T) {
	const sql = "select a , count(*) as n from trade where not b between 1 and 2 and c in (3) group by a having count(*) > 1 order by a desc limit 5 offset 1"
	_, err := Parse(sql)
	require.NoError(t, err)
	words := strings.Split(sql, " ")
	found := 0
	for i, w := range words {
		if !reserved[w] {
			continue
		}
		swapped := append([]string{}, words...)
		swapped[i] = w[1:2] + w[:1] + w[2:]
		_, err := Parse(strings.Join(swapped, " "))
		var r *Refusal
		require.True(t, errors.As(err, &r), swapped)
		require.Equal(t, len(strings.Join(append(append([]string{}, words[:i]...), ""), " ")), r.Pos.offset, "%s: %v", swapped[i], err)
		require.Equal(t, "write "+strings.ToUpper(w)+" if that is meant", r.Remedy)
		found++
	}
	require.Equal(t, 17, found)
}
