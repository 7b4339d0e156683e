package carnettest

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	pb "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/client"
	"github.com/carnet-network/carnet/pkg/flow"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/keyholder"
	"github.com/carnet-network/carnet/pkg/share"
)

// What kz exported by its books, and the prices that uz paid, both by chapter and month.
const (
	tonnageYAML = `
name: tonnage
version: 1
dimensions:
  - {name: chapter, codes: ["01", "02", "84", "97"]}
  - {name: month, codes: ["1", "2", "3"]}
measures:
  - {name: tons, scale: 1, min: "0", max: "900.0", squares: true}
  - {name: value, min: "-500", max: "5000", squares: true}
partitions: [{name: year}]
aligned: true
limits: {rows: 100, datasets: 2}
layouts: [records]
`
	pricesYAML = `
name: prices
version: 1
dimensions:
  - {name: chapter, codes: ["01", "02", "84", "97"]}
  - {name: month, codes: ["1", "2", "3"]}
measures:
  - {name: price, scale: 2, min: "0", max: "99.99", nullable: true}
  - {name: value, min: "0", max: "6000", squares: true}
partitions: [{name: year}]
aligned: true
limits: {rows: 50, datasets: 2}
layouts: [records]
`
)

// alignedRows is the rows of both sides, and SQLite's tables of them.
func alignedRows(t *testing.T) (tonnage, prices string, ref truth) {
	ref = newTruth(t)
	ref.exec(t, "CREATE TABLE tonnage (chapter TEXT, month INTEGER, year TEXT, tons INTEGER, value INTEGER)")
	ref.exec(t, "CREATE TABLE prices (chapter TEXT, month INTEGER, year TEXT, price INTEGER, value INTEGER)")
	var left, right strings.Builder
	left.WriteString("year,month,chapter,tons,value\n")
	right.WriteString("chapter,month,year,price,value\n")
	for r := range 24 {
		chapter, month, year := []string{"97", "84", "02", "01"}[r%4], r/4%3+1, fmt.Sprint(2024+r/12)
		if r%7 != 3 {
			fmt.Fprintf(&left, "%s,%d,%s,%d.%d,%d\n", year, month, chapter, r, r%10, 100*r-300)
			ref.exec(t, fmt.Sprintf("INSERT INTO tonnage VALUES ('%s', %d, '%s', %d, %d)", chapter, month, year, 10*r+r%10, 100*r-300))
		}
		if r%5 != 1 {
			price, text := fmt.Sprint(101*r), fmt.Sprintf("%d.%02d", 101*r/100, 101*r%100)
			if r%6 == 2 {
				price, text = "NULL", ""
			}
			fmt.Fprintf(&right, "%s,%d,%s,%s,%d\n", chapter, month, year, text, 90*r)
			ref.exec(t, fmt.Sprintf("INSERT INTO prices VALUES ('%s', %d, '%s', %s, %d)", chapter, month, year, price, 90*r))
		}
	}
	return left.String(), right.String(), ref
}

// listing are terms that name the owners whose numbers may be multiplied with.
func listing(owners ...carnet.PartyID) *carnet.Terms {
	terms := OpenTerms()
	terms.ProductsWith = owners
	return &terms
}

// publishAligned publishes both sides under the given terms.
func publishAligned(t *testing.T, n *Network, kzTerms, uzTerms *carnet.Terms) (kz, uz *Dataset, ref truth) {
	t.Helper()
	tonnage, prices, ref := alignedRows(t)
	kz = n.Publish(t, Publication{Owner: "kz", Name: "tonnage", Schema: ParseSchema(t, tonnageYAML), CSV: tonnage, Terms: kzTerms})
	uz = n.Publish(t, Publication{Owner: "uz", Name: "prices", Schema: ParseSchema(t, pricesYAML), CSV: prices, Terms: uzTerms})
	n.Product(t, "tonnage", kz)
	n.Product(t, "prices", uz)
	return kz, uz, ref
}

const (
	alignedJoin = " FROM tonnage a JOIN prices b USING (chapter, month, year)"
	worth       = "SELECT SUM(a.tons * b.price) AS worth, COUNT(*) AS n" + alignedJoin
	distance    = "SELECT SUM((a.value - b.value) * (a.value - b.value)) AS d" + alignedJoin
	byYear      = "SELECT year, SUM(tons * price) AS worth, COUNT(price) AS n" + alignedJoin + " WHERE a.year >= '2024' GROUP BY year ORDER BY year"
)

// Rule (scheme §5, §8): rows of two owners, encrypted under their own keys, are multiplied
// and added up, and the answer is that of SQLite over both plaintexts. Every number takes
// both keys, the keyholders re-execute it, and it is charged to both keys apart.
func TestProductsAcrossOwners(t *testing.T) {
	t.Parallel()
	n := Start(t, Options{})
	kz, uz, ref := publishAligned(t, n, listing("uz"), listing("kg", "kz"))
	thousandths := scaled(3)
	for _, x := range []struct {
		sql   string
		items []item
	}{
		{worth, []item{{"worth", "", thousandths}, {"n", "", scaled(0)}}},
		{distance, []item{{"d", "", scaled(0)}}},
		{byYear, []item{{"year", "", nil}, {"worth", "", thousandths}, {"n", "", scaled(0)}}},
	} {
		a := n.Submit(t, "buyer", "tonnage", x.sql)
		require.True(t, a.Plan.Across)
		require.Equal(t, []carnet.ProductID{"prices"}, a.Query.With)
		got, err := n.Open(t, a)
		require.NoError(t, err)
		same(t, x.items, got.Result, ref.rows(t, x.sql), x.sql)
		require.Equal(t, 3, got.Attested)
		require.False(t, got.Unattested)
		require.Equal(t, []int{0, 0}, []int{got.Detectable, got.Correctable}, "3 answers fix a polynomial of degree 2")
		again, err := n.Client(t, "buyer").Reopen(Context(t), n.Identity("buyer"), a.Hash, nil)
		require.NoError(t, err)
		require.Equal(t, Rows(got.Result), Rows(again.Result))
	}
	before := n.Keyholders[0].Charged(t, kz.Key.Key)
	require.Positive(t, before)
	require.Equal(t, before, n.Keyholders[0].Charged(t, uz.Key.Key))
	n.Keyholders[0].Read(t, func(l *keyholder.Ledger) {
		across, err := l.ChargedAcross(t.Context(), kz.Key.Key, 1<<40)
		require.NoError(t, err)
		require.Equal(t, before, across)
	})
	n.Ask(t, "second", "tonnage", worth) // the same functionals: nothing new is released
	n.Ask(t, "buyer", "tonnage", "SELECT SUM(tons) FROM tonnage")
	require.Equal(t, before+2, n.Keyholders[0].Charged(t, kz.Key.Key))
	n.Keyholders[0].Read(t, func(l *keyholder.Ledger) {
		across, err := l.ChargedAcross(t.Context(), kz.Key.Key, 1<<40)
		require.NoError(t, err)
		require.Equal(t, before, across, "sums of one owner are not among them")
	})
}

// nothingAsked is a keyholder's policy that asks nobody's terms.
type nothingAsked struct{}

func (nothingAsked) Check(context.Context, keyholder.Request) (keyholder.Verdict, error) {
	return keyholder.Verdict{}, nil
}

// Rule (scheme §8): numbers of two owners are multiplied if each lists the other. One that
// lists is not enough, whichever it is; a gateway that lets such a query pass gets a refusal
// of every keyholder, whatever their own policies are, and no release is charged.
func TestAttackUnlistedProducts(t *testing.T) {
	t.Parallel()
	for what, terms := range map[string][2]*carnet.Terms{
		"nobody": {listing(), listing()}, "only kz": {listing("uz", "kg"), listing("kg")}, "only uz": {listing("kg"), listing("kz")}, "anyone": {listing("*"), listing("*")},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			honest := Start(t, Options{})
			publishAligned(t, honest, terms[0], terms[1])
			_, err := honest.Client(t, "buyer").Ask(Context(t), honest.Identity("buyer"), "tonnage", worth, Purpose, 0)
			require.Equal(t, "PRODUCTS_NOT_ALLOWED", carnet.ReasonOf(err), "%v", err)

			n := Start(t, Options{Policy: anything{}, Release: nothingAsked{}})
			kz, uz, _ := publishAligned(t, n, terms[0], terms[1])
			a := n.Submit(t, "buyer", "tonnage", worth)
			n.refusedBy(t, a.Hash, "PRODUCTS_NOT_ALLOWED")
			require.Zero(t, n.Keyholders[1].Charged(t, kz.Key.Key))
			require.Zero(t, n.Keyholders[1].Charged(t, uz.Key.Key))
		})
	}
}

// Rule (scheme §8): a key is opened across keys 4,096 times, counted from the journal.
func TestAttackReleasesAcrossKeys(t *testing.T) {
	t.Parallel()
	n := Start(t, Options{})
	kz, _, _ := publishAligned(t, n, listing("uz"), listing("kz"))
	_, plan, err := n.Client(t, "buyer").Explain(Context(t), "tonnage", worth)
	require.NoError(t, err)
	fill := func(rows int) {
		for _, k := range n.Keyholders {
			require.NoError(t, k.Stop(t))
			db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: k.LedgerFile()}).EscapedPath())
			require.NoError(t, err)
			tx, err := db.Begin()
			require.NoError(t, err)
			for i := range rows {
				f := sha256.Sum256(fmt.Appendf(nil, "functional %d", i))
				_, err := tx.Exec("INSERT INTO charge (key, functional, seq, across) VALUES ($1, $2, 0, 1) ON CONFLICT DO NOTHING", kz.Key.Key[:], f[:])
				require.NoError(t, err)
			}
			require.NoError(t, tx.Commit())
			require.NoError(t, db.Close())
			k.Start(t)
		}
	}
	n.Ask(t, "buyer", "tonnage", worth)
	n.Ask(t, "buyer", "tonnage", worth) // opens nothing new
	fill(share.MaxCrossReleases - len(plan.Openings))
	n.Ask(t, "second", "tonnage", worth) // opened before
	a := n.Submit(t, "buyer", "tonnage", distance)
	n.refusedBy(t, a.Hash, "RELEASES_EXHAUSTED")
	n.Ask(t, "buyer", "tonnage", "SELECT SUM(tons) FROM tonnage") // of the owner alone

	// The gateway counts alike, and does not journal what would be refused.
	require.NoError(t, n.Gateway.Store.Update(Context(t), func(tx flow.Tx) error {
		key := carnet.KeyID(carnet.Digest("carnet/charges/across/1", kz.Key.Key[:]))
		var list []carnet.Hash
		for i := range share.MaxCrossReleases {
			list = append(list, sha256.Sum256(fmt.Appendf(nil, "functional %d", i)))
		}
		return tx.PutCharges(key, list)
	}))
	_, err = n.Client(t, "buyer").Ask(Context(t), n.Identity("buyer"), "tonnage", byYear, Purpose, 0)
	require.Equal(t, "RELEASES_EXHAUSTED", carnet.ReasonOf(err))
	require.ErrorContains(t, err, "across the key of kz/tonnage")
}

// Rule (scheme §6.6): what is multiplied is what the owners committed to. A gateway that
// exchanges ciphertext under the keyholders is refused, and one that sends the buyer other
// public values is found out.
func TestAttackSwappedCiphertextAcrossOwners(t *testing.T) {
	t.Parallel()
	n := Start(t, Options{})
	_, _, ref := publishAligned(t, n, listing("uz"), listing("kz"))
	n.Meddle(func(m *Message) error {
		if r, ok := m.Body.(*pb.ReadPiecesResponse); ok && m.FromGateway && len(r.Data) > 16 {
			r.Data[0], r.Data[8] = r.Data[8]^1, r.Data[0]
		}
		return nil
	})
	a := n.Submit(t, "buyer", "tonnage", worth)
	_, err := n.Wait(t, a)
	require.Equal(t, carnet.Refused, carnet.KindOf(err), "%v", err)
	n.refusedBy(t, a.Hash, "BLOCKS_DIFFER")
	n.Meddle(nil)

	a = n.Submit(t, "buyer", "tonnage", byYear)
	_, err = n.Wait(t, a)
	require.NoError(t, err)
	n.Meddle(func(m *Message) error {
		if r, ok := m.Body.(*pb.FetchAnswerResponse); ok && m.FromGateway && len(r.GetPublicValues()) > 0 {
			r.GetPublicValues()[0] ^= 1
		}
		return nil
	})
	_, err = n.Client(t, "buyer").Open(Context(t), n.Identity("buyer"), a)
	require.Equal(t, "PUBLIC_VALUES_WRONG", carnet.ReasonOf(err))
	n.Meddle(nil)
	got, err := n.Open(t, a)
	require.NoError(t, err)
	same(t, []item{{"year", "", nil}, {"worth", "", scaled(3)}, {"n", "", scaled(0)}}, got.Result, ref.rows(t, byYear), byYear)
}

// A home part and products across owners exclude each other, and so does a committee of
// which fewer than 2t-1 could answer; the question is refused where it is compiled.
func TestProductsAcrossOwnersRefused(t *testing.T) {
	t.Parallel()
	tonnage, prices, _ := alignedRows(t)
	home := Start(t, Options{})
	kz := home.Publish(t, Publication{Owner: "kz", Name: "tonnage", Schema: ParseSchema(t, tonnageYAML), CSV: tonnage, Terms: listing("uz"), Home: "kh1"})
	uz := home.Publish(t, Publication{Owner: "uz", Name: "prices", Schema: ParseSchema(t, pricesYAML), CSV: prices, Terms: listing("kz")})
	home.Product(t, "tonnage", kz)
	home.Product(t, "prices", uz)
	_, err := home.Client(t, "buyer").Ask(Context(t), home.Identity("buyer"), "tonnage", worth, Purpose, 0)
	require.Equal(t, "CROSS_HOME", carnet.ReasonOf(err))
	home.Ask(t, "buyer", "tonnage", "SELECT SUM(tons) FROM tonnage")

	small := Start(t, Options{Keyholders: 4, Threshold: 3})
	publishAligned(t, small, listing("uz"), listing("kz"))
	_, err = small.Client(t, "buyer").Ask(Context(t), small.Identity("buyer"), "tonnage", worth, Purpose, 0)
	require.Equal(t, "CROSS_COMMITTEE", carnet.ReasonOf(err))
}

// With more keyholders than 2t-1, one that lies is found, and with one more, named.
func TestLiarAcrossOwners(t *testing.T) {
	t.Parallel()
	n := Start(t, Options{Keyholders: 5, Threshold: 2})
	_, _, ref := publishAligned(t, n, listing("uz"), listing("kz"))
	_, plan, err := n.Client(t, "buyer").Explain(Context(t), "tonnage", worth)
	require.NoError(t, err)
	r := he.NewRing(plan.Profile)
	liars(t, n, plan.Profile, []int{4}, func(_, _ int, s he.Scalar) he.Scalar { return r.ScalarAdd(s, r.TInv(2)) })
	got, err := n.Open(t, n.Submit(t, "buyer", "tonnage", worth))
	require.NoError(t, err)
	require.Equal(t, []client.Member{{Number: 4, Party: n.Keyholders[3].Party, Reason: "its shares do not fit those of the others"}}, got.Liars)
	require.Equal(t, []int{1, 1}, []int{got.Detectable, got.Correctable})
	same(t, []item{{"worth", "", scaled(3)}, {"n", "", scaled(0)}}, got.Result, ref.rows(t, worth), worth)
}
