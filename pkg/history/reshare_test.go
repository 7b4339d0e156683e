package history_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/history/historytest"
	"github.com/carnet-network/carnet/pkg/share"
)

// A key that its holders handed on is opened by the new committee, as its owner let them
// beforehand; without the owner's word, or without enough holders, nothing changes.
func TestAKeyHandedOn(t *testing.T) {
	w := historytest.New(t)
	key := carnet.KeyID(w.Dealings["acme"].Hash())
	members := []carnet.PartyID{"k1", "k2", "k3", "k4"}
	w.Party("k4", "CH", carnet.RoleKeyholder)
	next := w.Append(carnet.TypeCommittee, carnet.Committee{ID: "next", Members: members, Threshold: 2, Quorum: 3, Created: w.Now()}, historytest.Registrar).Hash()
	s := w.State()
	d := s.Opened(key)
	m, err := share.NewMove(key, d.Committee.Scheme, next, s.Committee(next).Scheme)
	require.NoError(t, err)
	contribution := func(number int) carnet.Contribution {
		c := carnet.Contribution{Key: key, From: key, Committee: next, By: historytest.Keyholders[number-1], Number: number, Sealed: make([]carnet.Hash, len(members)), Created: w.Now()}
		for _, a := range m.Old.Subsets() {
			if m.Old.Holds(number, a) {
				c.Parts = append(c.Parts, carnet.HandedPart{Part: int(a), Commitments: make([]carnet.Hash, m.New.Parts()), Corrections: make([]carnet.Hash, d.Profile.MaxDegree())})
			}
		}
		return c
	}
	reason := func(t carnet.StatementType, body any, by ...carnet.PartyID) string {
		_, err := apply(w, w.Seal(t, body, by...))
		return carnet.ReasonOf(err)
	}
	require.Equal(t, "SUCCESSION_MISSING", reason(carnet.TypeContribution, contribution(1), "k1"))
	require.Equal(t, "BAD_SUCCESSION", reason(carnet.TypeSuccession, carnet.Succession{Key: key, Owner: "bolt"}, "bolt"))
	w.Append(carnet.TypeSuccession, carnet.Succession{Key: key, Owner: "acme", Committees: []carnet.Hash{next}, Created: w.Now()}, "acme")
	require.Equal(t, "OLDER_STATEMENT", reason(carnet.TypeSuccession, carnet.Succession{Key: key, Owner: "acme"}, "acme"))
	another := contribution(1)
	another.Number = 2
	require.Equal(t, "BAD_CONTRIBUTION", reason(carnet.TypeContribution, another, "k1"))

	made := carnet.Resharing{Key: key, From: key, Owner: "acme", Committee: next, Profile: d.Body.Profile, Params: d.Body.Params, Nonce: m.Nonce(),
		Corrections: make([]carnet.Hash, d.Profile.MaxDegree())}
	require.Equal(t, "RESHARE_INCOMPLETE", reason(carnet.TypeResharing, made, members...))
	said := map[int]*carnet.Contribution{}
	for i := range historytest.Keyholders {
		c := contribution(i + 1)
		w.Append(carnet.TypeContribution, c, c.By)
		said[i+1] = &c
	}
	made.Commitments = m.Commitments(m.Agree(said).Parts)
	require.Equal(t, "BAD_SIGNATURE", reason(carnet.TypeResharing, made, members[:3]...), "every new member signs")
	other := made
	other.Nonce = carnet.Nonce{1}
	require.Equal(t, "BAD_RESHARING", reason(carnet.TypeResharing, other, members...))
	env := w.Append(carnet.TypeResharing, made, members...)
	require.Equal(t, "RESHARE_OVER", reason(carnet.TypeContribution, contribution(1), "k1"))
	opened := w.State().Opened(key)
	require.Equal(t, carnet.KeyID(env.Hash()), opened.ID)
	require.Equal(t, key, opened.Key)
	require.Equal(t, next, opened.Committee.Hash)
}

// Rule (revocation): keyholders give nothing effect that hands a key to a committee of which
// a member was revoked; neither does the auditor's replay.
func TestAKeyForACommitteeWithARevokedMember(t *testing.T) {
	w := historytest.New(t)
	key := carnet.KeyID(w.Dealings["acme"].Hash())
	w.Party("k4", "CH", carnet.RoleKeyholder)
	next := w.Append(carnet.TypeCommittee, carnet.Committee{ID: "next", Members: []carnet.PartyID{"k1", "k2", "k3", "k4"}, Threshold: 2, Quorum: 3, Created: w.Now()}, historytest.Registrar).Hash()
	w.Append(carnet.TypeSuccession, carnet.Succession{Key: key, Owner: "acme", Committees: []carnet.Hash{next}, Created: w.Now()}, "acme")
	said := w.Seal(carnet.TypeContribution, carnet.Contribution{Key: key, From: key, Committee: next, By: "k1", Number: 1, Created: w.Now()}, "k1")
	_, err := apply(w, said)
	require.NotEqual(t, "BAD_MEMBER", carnet.ReasonOf(err))
	w.Append(carnet.TypePartyRevocation, carnet.PartyRevocation{Party: "k4", Created: w.Now()}, historytest.Registrar)
	_, err = apply(w, said)
	require.Equal(t, "BAD_MEMBER", carnet.ReasonOf(err))
}
