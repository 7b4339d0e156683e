package keyholder

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

type allowAll struct{}

func (allowAll) Check(context.Context, Request) (Verdict, error) { return Verdict{}, nil }

// permissive is a keyholder's own policy that refuses nothing.
func permissive(c *Config) { c.Policy = allowAll{} }

// TestAttackSubtraction: two buyers who share what they open can't subtract, although every
// question by itself combines enough owners, whatever the gateway journals and whatever a
// keyholder's policy says. Refused queries count as never asked, and a restart changes
// nothing.
func TestAttackSubtraction(t *testing.T) {
	w := theWorld(t, options{layout: carnet.LayoutCube, owners: 3, company: 2})
	all := w.ask(t, "SELECT SUM(value) FROM trade")
	others := w.ask(t, "SELECT SUM(value) FROM trade WHERE owner <> 'owner1'")
	again := w.ask(t, "SELECT SUM(value) FROM trade")
	month := w.ask(t, "SELECT SUM(value) FROM trade WHERE month = '01' AND owner <> 'owner1'")
	g := newGateway(t, w)
	h := g.run(t, 1, permissive)
	g.journal(t, all, others, again, month)
	g.answered(t, all, 1)
	require.Equal(t, "OVERLAPS_RELEASED", g.refused(t, others).Reason)
	g.answered(t, again, 1)
	g.answered(t, month, 1)
	require.NotContains(t, g.refused(t, others).Message, "owner2", "what others asked is not told")

	// After a restart the journal is judged anew.
	require.NoError(t, h.stop())
	h.again(t, permissive).start(t)
	rest := w.ask(t, "SELECT SUM(value) FROM trade WHERE month = '01'")
	g.journal(t, rest)
	require.Equal(t, "OVERLAPS_RELEASED", g.refused(t, rest).Reason)
	wide := w.ask(t, "SELECT SUM(value) FROM trade WHERE month = '02'")
	g.journal(t, wide)
	g.answered(t, wide, 1)

	// Without the owner's terms both are released, and their difference is the owner's.
	w = theWorld(t, options{layout: carnet.LayoutCube, owners: 3})
	free := newGateway(t, w)
	free.run(t, 1)
	all, others = w.ask(t, "SELECT SUM(value) FROM trade"), w.ask(t, "SELECT SUM(value) FROM trade WHERE owner <> 'owner1'")
	free.journal(t, all, others)
	free.answered(t, all, 1)
	free.answered(t, others, 1)
}

// TestAttackGroups: no policy of a keyholder's own releases a number that tells apart what
// its owner keeps together, and what is refused for that is not held against later ones.
func TestAttackGroups(t *testing.T) {
	w := theWorld(t, options{layout: carnet.LayoutRecords, owners: 2, company: 2, grouped: true})
	g := newGateway(t, w)
	g.run(t, 1, permissive)
	for sql, ok := range map[string]bool{
		"SELECT COUNT(*) FROM trade WHERE month = '01'":                   true,
		"SELECT COUNT(*) FROM trade WHERE month <> '01'":                  true,
		"SELECT partner, COUNT(*) FROM trade GROUP BY partner":            true,
		"SELECT COUNT(*) FROM trade WHERE month = '02'":                   false,
		"SELECT month, COUNT(*) FROM trade GROUP BY month":                false,
		"SELECT COUNT(*) FROM trade WHERE month = '03' OR partner = 'XA'": false,
		"SELECT SUM(value) FROM trade WHERE month <> '03'":                false,
	} {
		q := w.ask(t, sql)
		g.journal(t, q)
		if ok {
			g.answered(t, q, 1)
			continue
		}
		d := g.refused(t, q)
		require.Equal(t, "GROUPS_TOLD_APART", d.Reason, sql)
		require.Contains(t, d.Remedy, "02 and 03 together")
	}
}

// What nobody answers for what it tells together with others costs no privacy budget, also
// where gateway and buyer have it journaled.
func TestRefusedOverlapsCostNothing(t *testing.T) {
	w := theWorld(t, options{layout: carnet.LayoutCube, owners: 3, company: 2, budget: 1 * unit})
	all, two := w.ask(t, "SELECT SUM(value) FROM trade"), w.ask(t, "SELECT SUM(value) FROM trade WHERE owner IN ('owner1', 'owner2')")
	others := w.ask(t, "SELECT SUM(value) FROM trade WHERE owner IN ('owner1', 'owner3')") // with both, less all, owner1's
	g := newGateway(t, w)
	h := g.run(t, 1, permissive)
	g.journal(t, all, two)
	g.answered(t, two, 1)
	spent := h.spentOf(t, w)
	require.Positive(t, spent)
	g.journal(t, others)
	require.Equal(t, "OVERLAPS_RELEASED", g.refused(t, others).Reason)
	require.Equal(t, spent, h.spentOf(t, w))
	again := w.ask(t, "SELECT SUM(value) FROM trade WHERE month = '01'")
	g.journal(t, again)
	g.answered(t, again, 1)
	require.Greater(t, h.spentOf(t, w), spent)
}

// TestAttackRepeatedQuery: a query that the gateway has journaled before, while its product
// was another one that this keyholder guards no key of, is judged by what it opens now.
func TestAttackRepeatedQuery(t *testing.T) {
	w := theWorld(t, options{layout: carnet.LayoutCube, owners: 3, company: 2})
	g := newGateway(t, w)
	h := g.run(t, 1, permissive)

	// A product of the operator's, of one dataset that another committee opens.
	var members []carnet.PartyID
	for _, id := range []carnet.PartyID{"kh7", "kh8", "kh9"} {
		m := newIdentity(id)
		members = append(members, id)
		g.journal(t, sign(t, carnet.TypeParty, carnet.Party{ID: id, Name: string(id), Jurisdiction: "CH", Roles: []carnet.Role{carnet.RoleKeyholder},
			SigningKey: m.Public(), SealingKey: w.recipient.Public(), Created: testTime}, w.registrar, m))
	}
	com := sign(t, carnet.TypeCommittee, carnet.Committee{ID: "elsewhere", Members: members, Threshold: threshold, Quorum: 3, Attestations: 1, Created: testTime}, w.registrar)
	var d carnet.Dealing
	require.NoError(t, w.dealings[2].Decode(carnet.TypeDealing, &d))
	d.Committee, d.Nonce = com.Hash(), carnet.Nonce{7}
	dealing := sign(t, carnet.TypeDealing, d, w.owners[2])
	var m carnet.Dataset
	require.NoError(t, w.manifests[2].Decode(carnet.TypeDataset, &m))
	m.ID, m.Key, m.Files[0].Nonce = "owner3/elsewhere", carnet.KeyID(dealing.Hash()), carnet.Nonce{7}
	product := func(ids ...carnet.DatasetID) *evidence.Envelope {
		return sign(t, carnet.TypeProduct, carnet.Product{ID: "mine", Publisher: "operator", Title: "Mine", Schema: m.Schema, Datasets: ids, Created: testTime}, w.operator)
	}
	mine := *w
	mine.product.ID = "mine"
	ask := func(sql string) *evidence.Envelope {
		q := mine.query(t, sql)
		q.Product = "mine"
		return sign(t, carnet.TypeQuery, q, w.buyer)
	}
	all, others := ask("SELECT SUM(value) FROM mine"), ask("SELECT SUM(value) FROM mine WHERE owner <> 'owner1'")
	g.journal(t, com, dealing, sign(t, carnet.TypeDataset, m, w.owners[2]), product(m.ID), all, others)
	g.journal(t, product("owner1/trade", "owner2/trade", "owner3/trade"), all, others)
	g.answered(t, all, 1)
	require.Equal(t, "OVERLAPS_RELEASED", g.refused(t, others).Reason)
	require.NoError(t, h.stop())
}
