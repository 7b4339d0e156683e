package keyholder

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// TestManifestsThatAddFiles: an owner may add files to a published dataset; those it
// names again keep nonce, root, dataset and terms.
func TestManifestsThatAddFiles(t *testing.T) {
	w := cubeWorld(t)
	s := newState(w.registrar.Public(), "kh1")
	for _, env := range w.base {
		require.NoError(t, s.apply(env))
	}
	n := byte(0)
	added := func(of *evidence.Envelope, edit func(*carnet.Dataset)) *evidence.Envelope {
		n++
		return change(t, of, func(d *carnet.Dataset) {
			f := d.Files[0]
			f.Nonce[0], f.Root[0] = f.Nonce[0]^n, f.Root[0]^n
			d.Files = append(d.Files, f)
			d.Created = d.Created.Add(time.Hour)
			edit(d)
		}, w.owners[0])
	}
	first := w.first(carnet.TypeDataset)
	keep := func(*carnet.Dataset) {}
	second := added(first, keep)
	require.NoError(t, s.apply(second))
	require.NoError(t, s.apply(first), "the first one again changes nothing")
	require.Equal(t, second.Hash(), s.datasets["owner1/trade"].hash)
	third := added(added(second, keep), keep) // a version in between that was never journaled
	require.NoError(t, s.apply(third))
	require.Len(t, s.datasets["owner1/trade"].body.Files, 4)

	for name, env := range map[string]*evidence.Envelope{
		"a file dropped":      added(third, func(d *carnet.Dataset) { d.Files = d.Files[1:] }),
		"a root changed":      added(third, func(d *carnet.Dataset) { d.Files[1].Root[0] ^= 1 }),
		"rows changed":        added(third, func(d *carnet.Dataset) { d.Files[1].Rows-- }),
		"a partition changed": added(third, func(d *carnet.Dataset) { d.Files[0].Partition = map[string]string{"year": "1999"} }),
		"other terms":         added(third, func(d *carnet.Dataset) { d.Terms.Purposes = append(d.Terms.Purposes, "marketing") }),
		"another dataset":     added(third, func(d *carnet.Dataset) { d.ID = "owner1/copy" }),
		"nothing added":       added(third, func(d *carnet.Dataset) { d.Files = d.Files[:len(d.Files)-1] }),
		"a file twice":        added(third, func(d *carnet.Dataset) { d.Files = append(d.Files, d.Files[0]) }),
		"an earlier version":  added(first, func(d *carnet.Dataset) { d.Created = d.Created.Add(9 * time.Hour) }),
		"a foreign file": added(third, func(d *carnet.Dataset) {
			d.Files = append(d.Files, w.product.Datasets[1].Manifest.Files[0])
		}),
	} {
		before := counts(s)
		require.Equal(t, "NONCE_REUSED", carnet.ReasonOf(s.apply(env)), name)
		require.Equal(t, before, counts(s), name)
		require.Equal(t, third.Hash(), s.datasets["owner1/trade"].hash, name)
	}
	require.Equal(t, carnet.DatasetID("owner1/trade"), s.fileOwner(w.product.Datasets[0].Manifest.Files[0].Nonce))
}
