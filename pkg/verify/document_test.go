package verify_test

import (
	"crypto/sha256"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/bundle"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/history"
	"github.com/carnet-network/carnet/pkg/history/historytest"
	"github.com/carnet-network/carnet/pkg/meter"
	"github.com/carnet-network/carnet/pkg/verify"
)

// document makes the document of a statement at the log's end. at is the size of the state
// that it names, 0 for none.
func document(w *historytest.World, kind string, env *evidence.Envelope, says json.RawMessage, at int64) *bundle.Document {
	w.T.Helper()
	entry, wanted := int64(-1), carnet.Hash{}
	for _, e := range w.Entries {
		if e.Envelope.Hash() == env.Hash() {
			entry, wanted = e.Seq, env.Hash()
		}
	}
	s := history.NewSelector(historytest.KeyOf(historytest.Registrar).Public(), wanted)
	for _, e := range w.Entries {
		s.Take(e)
	}
	list, err := s.Proving(w.Committee)
	require.NoError(w.T, err)
	size := int64(len(w.Entries))
	all := w.Leaves(size)
	b := &bundle.Bundle{Checkpoint: w.Checkpoint(size, historytest.Keyholders...)}
	for _, e := range list {
		proof, err := evidence.ProveInclusion(all, e.Seq)
		require.NoError(w.T, err)
		b.Entries = append(b.Entries, bundle.Entry{Seq: e.Seq, Salt: e.Salt, Envelope: e.Envelope, Proof: proof})
	}
	if at > 0 && at < size {
		proof, err := evidence.ProveConsistency(all, at)
		require.NoError(w.T, err)
		b.Older = []bundle.Older{{Proof: proof}}
	}
	return bundle.NewDocument(kind, env, entry, says, b)
}

func check(t *testing.T, d *bundle.Document, o verify.Options) *verify.Report {
	t.Helper()
	data, err := d.Encode()
	require.NoError(t, err)
	r, err := verify.Document(t.Context(), data, o)
	require.NoError(t, err)
	return r
}

// certified is the certificate of acme's dataset, changed, signed and logged.
func certified(w *historytest.World, change func(*carnet.Certificate), by carnet.PartyID) *bundle.Document {
	var d carnet.Dataset
	env := w.Manifests["acme"]
	require.NoError(w.T, env.Decode(carnet.TypeDataset, &d))
	rows, bytes, err := meter.Size(&d)
	require.NoError(w.T, err)
	c := carnet.Certificate{Subject: string(d.ID), Kind: "dataset", Statement: env.Hash(), By: d.Owner, Title: d.Title, Schema: d.Schema, SchemaID: "trade@1",
		Jurisdiction: d.Jurisdiction, Layout: d.Layout, Rows: rows, Files: len(d.Files), Bytes: bytes, Roots: []carnet.Hash{d.Files[0].Root}, Terms: &d.Terms,
		Registered: d.Created, Operator: historytest.Operator}
	c.Entry = int64(slices.IndexFunc(w.Entries, func(e *evidence.Entry) bool { return e.Envelope == env }))
	if change != nil {
		change(&c)
	}
	return document(w, bundle.Certificate, w.Append(carnet.TypeCertificate, c, by), nil, 0)
}

// used is a usage statement of acme's dataset.
func used(w *historytest.World, change func(*carnet.Usage)) *bundle.Document {
	w.Release(historytest.SQL, 2)
	size := int64(len(w.Entries))
	u := carnet.Usage{Dataset: "acme/trade", Owner: "acme", From: historytest.Start, Until: historytest.Start.Add(time.Hour), Size: size, Head: w.Checkpoint(size).Head,
		Queries: 1, Groups: 2, Numbers: 2, Rows: 10, Buyers: []carnet.BuyerUsage{{Buyer: historytest.Buyer, Queries: 1, Groups: 2, Numbers: 2}},
		Operator: historytest.Operator, Created: historytest.Start.Add(2 * time.Hour)}
	if change != nil {
		change(&u)
	}
	return document(w, bundle.Usage, w.Append(carnet.TypeUsage, u, historytest.Operator), nil, size)
}

// sheetOf signs the figures of a sheet about a state.
func sheetOf(w *historytest.World, kind string, sheet any, at carnet.Checkpoint, by carnet.PartyID) *bundle.Document {
	says, err := json.Marshal(sheet)
	require.NoError(w.T, err)
	f := carnet.Figures{Kind: kind, Sheet: sha256.Sum256(says), Size: at.Size, Head: at.Head, Operator: carnet.PartyID(strings.TrimSuffix(string(by), "#1"))}
	return document(w, kind, w.Seal(carnet.TypeFigures, f, by), says, at.Size)
}

// settled is a settlement of a month with one line.
func settled(w *historytest.World, change func(*meter.Settlement), by carnet.PartyID) *bundle.Document {
	lines := []meter.Line{{Query: carnet.Hash{1}, At: historytest.Start, Buyer: historytest.Buyer, Payee: "acme", Dataset: "acme/trade", Item: meter.PerQuery, Quantity: 1, Price: 5, Currency: "KZT", Amount: 5}}
	s, err := meter.Settle("2026-05", lines)
	require.NoError(w.T, err)
	cp := w.Checkpoint(int64(len(w.Entries))).Checkpoint
	s.Size, s.Head = cp.Size, cp.Head
	if change != nil {
		change(s)
	}
	w.Release(historytest.SQL, 1) // the log goes on
	return sheetOf(w, bundle.Settlement, s, cp, by)
}

// valued is a valuation of acme's dataset.
func valued(w *historytest.World, change func(*meter.Valuation)) *bundle.Document {
	lines := []meter.Line{{At: historytest.Start, Dataset: "acme/trade", Currency: "KZT", Amount: 10_000_000}}
	releases := []meter.Release{{Buyer: historytest.Buyer, At: historytest.Start, Uses: []meter.Use{{Dataset: "acme/trade", Groups: 2}}}}
	v, err := meter.Value("acme/trade", 1<<30, "2026-05", meter.Assumptions{Currency: "KZT", Rate: 1200, Years: 5, Cost: 7, Storage: 3}, releases, lines)
	require.NoError(w.T, err)
	cp := w.Checkpoint(int64(len(w.Entries))).Checkpoint
	v.Size, v.Head = cp.Size, cp.Head
	if change != nil {
		change(v)
	}
	return sheetOf(w, bundle.Valuation, v, cp, historytest.Operator)
}

func TestHonestDocumentsAreVerified(t *testing.T) {
	for kind, make := range map[string]func(*historytest.World) *bundle.Document{
		"certificate": func(w *historytest.World) *bundle.Document { return certified(w, nil, historytest.Operator) },
		"usage":       func(w *historytest.World) *bundle.Document { return used(w, nil) },
		"settlement":  func(w *historytest.World) *bundle.Document { return settled(w, nil, historytest.Operator) },
		"valuation":   func(w *historytest.World) *bundle.Document { return valued(w, nil) },
		"certificate of a product": func(w *historytest.World) *bundle.Document {
			c := carnet.Certificate{Subject: "trade", Kind: "product", Entry: int64(len(w.Entries)) - 1, By: "acme", Title: "Trade", Schema: w.Schema, SchemaID: "trade@1",
				Datasets: []carnet.DatasetID{"acme/trade", "bolt/trade"}, Operator: historytest.Operator}
			env := w.Entries[c.Entry].Envelope
			var p carnet.Product
			require.NoError(t, env.Decode(carnet.TypeProduct, &p))
			w.Append(carnet.TypeRevocation, carnet.Revocation{Dataset: "bolt/trade", Owner: "bolt", Created: w.Now()}, "bolt")
			var d carnet.Dataset
			require.NoError(t, w.Manifests["acme"].Decode(carnet.TypeDataset, &d))
			var err error
			c.Rows, c.Bytes, err = meter.Size(&d) // of what is in use
			require.NoError(t, err)
			c.Statement, c.Files, c.Registered = env.Hash(), len(d.Files), p.Created
			return document(w, bundle.Certificate, w.Append(carnet.TypeCertificate, c, historytest.Operator), nil, 0)
		},
	} {
		t.Run(kind, func(t *testing.T) {
			w := historytest.New(t)
			d := make(w)
			o := options()
			o.Pinned = []carnet.Checkpoint{d.Proof.Checkpoint.Checkpoint}
			r := check(t, d, o)
			require.Empty(t, r.Failures())
			for _, c := range r.Checks {
				want := verify.Passed
				if c.ID == verify.CheckRead {
					want = verify.NotNeeded
					if !strings.HasPrefix(kind, "certificate") {
						want = verify.NotChecked
					}
				}
				require.Equal(t, want, c.Status, "%s: %s", c.ID, c.Why)
			}
			require.Equal(t, "corridor", r.Document.Committee, "it says whose quorum it is")
		})
	}
}

// What somebody could forge of a document, each found by its check.
func TestForgedDocuments(t *testing.T) {
	type forgery struct {
		check, reason string
		make          func(w *historytest.World) *bundle.Document
	}
	honest := func(w *historytest.World) *bundle.Document { return certified(w, nil, historytest.Operator) }
	with := func(change func(w *historytest.World, d *bundle.Document)) func(*historytest.World) *bundle.Document {
		return func(w *historytest.World) *bundle.Document {
			d := honest(w)
			change(w, d)
			return d
		}
	}
	for name, f := range map[string]forgery{
		"more rows than the owner signed": {verify.CheckSays, "DOCUMENT_DIFFERS", func(w *historytest.World) *bundle.Document {
			return certified(w, func(c *carnet.Certificate) { c.Rows++ }, historytest.Operator)
		}},
		"other terms": {verify.CheckSays, "DOCUMENT_DIFFERS", func(w *historytest.World) *bundle.Document {
			return certified(w, func(c *carnet.Certificate) { c.Terms = nil }, historytest.Operator)
		}},
		"a manifest that was replaced": {verify.CheckSays, "DOCUMENT_DIFFERS", func(w *historytest.World) *bundle.Document {
			old := w.Manifests["acme"]
			w.Publish("acme", nil)
			w.Manifests["acme"] = old
			return certified(w, nil, historytest.Operator)
		}},
		"signed by no operator": {verify.CheckSignatures, "BAD_SIGNATURE", func(w *historytest.World) *bundle.Document { return certified(w, nil, "acme") }},
		"another operator's name": {verify.CheckSignatures, "BAD_SIGNATURE", func(w *historytest.World) *bundle.Document {
			return certified(w, func(c *carnet.Certificate) { c.Operator = "k1" }, historytest.Operator)
		}},
		"not in the log": {verify.CheckSignatures, "NO_STATEMENT", with(func(_ *historytest.World, d *bundle.Document) {
			d.Proof.Entries = d.Proof.Entries[:len(d.Proof.Entries)-1]
		})},
		"in the log elsewhere": {verify.CheckSignatures, "NO_STATEMENT", with(func(_ *historytest.World, d *bundle.Document) { d.Entry-- })},
		"without parties": {verify.CheckSignatures, "UNKNOWN_COMMITTEE", with(func(_ *historytest.World, d *bundle.Document) {
			d.Proof.Entries = d.Proof.Entries[len(d.Proof.Entries)-1:]
		})},
		"another salt":  {verify.CheckInclusion, "BAD_INCLUSION_PROOF", with(func(_ *historytest.World, d *bundle.Document) { d.Proof.Entries[0].Salt[0] ^= 1 })},
		"shows another": {verify.CheckForm, "DOCUMENT_DIFFERS", with(func(_ *historytest.World, d *bundle.Document) { d.Says = json.RawMessage(`{"rows":5}`) })},
		"another hash":  {verify.CheckForm, "DOCUMENT_DIFFERS", with(func(_ *historytest.World, d *bundle.Document) { d.Hash[0] ^= 1 })},
		"no quorum": {verify.CheckCosigned, "NO_QUORUM", with(func(w *historytest.World, d *bundle.Document) {
			d.Proof.Checkpoint = w.Checkpoint(d.Proof.Checkpoint.Size, "k1", "k2")
		})},
		"a forged co-signature": {verify.CheckCosigned, "BAD_SIGNATURE", with(func(w *historytest.World, d *bundle.Document) {
			d.Proof.Checkpoint = w.Checkpoint(d.Proof.Checkpoint.Size, "k1", "k2")
			require.NoError(w.T, d.Proof.Checkpoint.Cosign("k3", historytest.Start, historytest.KeyOf("k1")))
		})},
		"a state that it does not name": {verify.CheckConsistency, "BAD_CONSISTENCY_PROOF", with(func(_ *historytest.World, d *bundle.Document) {
			d.Proof.Consistency = []carnet.Hash{{1}}
		})},
		"figures of another log": {verify.CheckConsistency, "BAD_CONSISTENCY_PROOF", func(w *historytest.World) *bundle.Document {
			return used(w, func(u *carnet.Usage) { u.Head = carnet.Hash{1} })
		}},
		"use of another's dataset": {verify.CheckSays, "DOCUMENT_DIFFERS", func(w *historytest.World) *bundle.Document {
			return used(w, func(u *carnet.Usage) { u.Owner = "bolt" })
		}},
		"use that does not add up": {verify.CheckSays, "DOCUMENT_DIFFERS", func(w *historytest.World) *bundle.Document {
			return used(w, func(u *carnet.Usage) { u.Queries = 9 })
		}},
		"a period that is not over": {verify.CheckSays, "DOCUMENT_DIFFERS", func(w *historytest.World) *bundle.Document {
			return used(w, func(u *carnet.Usage) { u.Until = u.Created.Add(time.Hour) })
		}},
		"a balance that does not follow": {verify.CheckSays, "DOCUMENT_DIFFERS", func(w *historytest.World) *bundle.Document {
			return settled(w, func(s *meter.Settlement) { s.Balances[0].Amount++ }, historytest.Operator)
		}},
		"a line of another month": {verify.CheckSays, "DOCUMENT_DIFFERS", func(w *historytest.World) *bundle.Document {
			return settled(w, func(s *meter.Settlement) { s.Lines[0].At = s.Lines[0].At.AddDate(0, 1, 0) }, historytest.Operator)
		}},
		"another state than was signed": {verify.CheckSays, "DOCUMENT_DIFFERS", func(w *historytest.World) *bundle.Document {
			return settled(w, func(s *meter.Settlement) { s.Size++ }, historytest.Operator)
		}},
		"a sheet that nobody signed": {verify.CheckSignatures, "BAD_SIGNATURE", func(w *historytest.World) *bundle.Document { return settled(w, nil, "k1") }},
		"a sheet under a key that was replaced": {verify.CheckSignatures, "BAD_SIGNATURE", func(w *historytest.World) *bundle.Document {
			w.Rotate(historytest.Operator)
			return settled(w, nil, historytest.Operator+"#1")
		}},
		"a sheet of an operator that was revoked": {verify.CheckSignatures, "BAD_SIGNATURE", func(w *historytest.World) *bundle.Document {
			w.RevokeParty(historytest.Operator)
			return settled(w, nil, historytest.Operator)
		}},
		"another sheet": {verify.CheckForm, "DOCUMENT_DIFFERS", func(w *historytest.World) *bundle.Document {
			d := settled(w, nil, historytest.Operator)
			d.Says = json.RawMessage(strings.Replace(string(d.Says), `"2026-05"`, `"2026-06"`, 1))
			return d
		}},
		"a figure that does not follow": {verify.CheckSays, "DOCUMENT_DIFFERS", func(w *historytest.World) *bundle.Document {
			return valued(w, func(v *meter.Valuation) { v.Income.Present++ })
		}},
		"a valuation of another state": {verify.CheckSays, "DOCUMENT_DIFFERS", func(w *historytest.World) *bundle.Document {
			return valued(w, func(v *meter.Valuation) { v.Head[0] ^= 1 })
		}},
		"costs that do not follow": {verify.CheckSays, "DOCUMENT_DIFFERS", func(w *historytest.World) *bundle.Document {
			return valued(w, func(v *meter.Valuation) { v.Cost.Total-- })
		}},
	} {
		t.Run(name, func(t *testing.T) {
			r := check(t, f.make(historytest.New(t)), options())
			require.Equal(t, verify.Broken, r.Verdict)
			require.True(t, slices.ContainsFunc(r.Check(f.check).Faults, func(x verify.Fault) bool { return x.Reason == f.reason }), "%v", r.Failures())
		})
	}
}

// A sheet that was signed before its operator's key was replaced stays good.
func TestADocumentFromBeforeARotation(t *testing.T) {
	w := historytest.New(t)
	d := settled(w, func(*meter.Settlement) { w.Rotate(historytest.Operator) }, historytest.Operator+"#1")
	r := check(t, d, options())
	require.Empty(t, r.Failures())
}

// Two states of one size: whoever kept the other one is told.
func TestADocumentOfASplitLog(t *testing.T) {
	w := historytest.New(t)
	d, o := used(w, nil), options()
	o.Pinned = []carnet.Checkpoint{{Size: d.Proof.Checkpoint.Size, Head: carnet.Hash{1}}}
	require.Equal(t, "SPLIT_VIEW", check(t, d, o).Failures()[0].Reason)
	o.Pinned = []carnet.Checkpoint{{Size: 3, Head: w.Checkpoint(3).Head}}
	require.Equal(t, verify.NotChecked, check(t, d, o).Check(verify.CheckConsistency).Status, "nothing is proved of that size")
}

// Every byte of a document is covered.
func TestEveryByteOfADocument(t *testing.T) {
	step := 1
	if testing.Short() {
		step = 61
	}
	for _, d := range []*bundle.Document{
		certified(historytest.NewOf(t, carnet.LayoutCube, "acme"), nil, historytest.Operator),
		settled(historytest.NewOf(t, carnet.LayoutCube, "acme"), nil, historytest.Operator),
	} {
		data, err := d.Encode()
		require.NoError(t, err)
		for i := 0; i < len(data); i += step {
			bad := slices.Clone(data)
			bad[i] ^= 1
			r, err := verify.Document(t.Context(), bad, options())
			require.NoError(t, err)
			require.Equal(t, verify.Broken, r.Verdict, "byte %d of the %s", i, d.Kind)
		}
	}
}

func FuzzDocument(f *testing.F) {
	w := historytest.NewOf(f, carnet.LayoutCube, "acme")
	data, err := certified(w, nil, historytest.Operator).Encode()
	require.NoError(f, err)
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := verify.Document(t.Context(), data, options())
		require.NoError(t, err)
		require.NotEmpty(t, r.Verdict)
	})
}
