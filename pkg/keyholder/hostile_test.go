package keyholder

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/columnfile"
	"github.com/carnet-network/carnet/pkg/evidence"
)

func cubeWorld(t *testing.T) *world {
	return theWorld(t, options{layout: carnet.LayoutCube, owners: 2})
}

func recordsWorld(t *testing.T) *world {
	return theWorld(t, options{layout: carnet.LayoutRecords, owners: 2})
}

// resign is a query changed before the buyer signs it.
func (w *world) resign(t *testing.T, change func(*carnet.Query), signer evidence.Signer) *evidence.Envelope {
	t.Helper()
	q := w.query(t, monthly)
	change(&q)
	return sign(t, carnet.TypeQuery, q, signer)
}

// tamper is a query changed after the buyer signed it.
func (w *world) tamper(t *testing.T, change func(*carnet.Query)) *evidence.Envelope {
	t.Helper()
	env := w.ask(t, monthly)
	var q carnet.Query
	require.NoError(t, json.Unmarshal(env.Payload, &q))
	change(&q)
	var err error
	env.Payload, err = json.Marshal(q)
	require.NoError(t, err)
	return env
}

// TestWrongQueriesAreRefused: each query breaks one rule of scheme §6; the refusal
// names it.
func TestWrongQueriesAreRefused(t *testing.T) {
	w := cubeWorld(t)
	other := newIdentity("mallory")
	for _, c := range []struct {
		name, reason string
		query        *evidence.Envelope
	}{
		{"answers go to another key", "BAD_SIGNATURE", w.tamper(t, func(q *carnet.Query) { q.Recipient[5] ^= 1 })},
		{"another SQL text", "BAD_SIGNATURE", w.tamper(t, func(q *carnet.Query) { q.SQL = "SELECT COUNT(*) FROM trade" })},
		{"signed by a stranger", "BAD_SIGNATURE", w.resign(t, func(*carnet.Query) {}, other)},
		{"unknown buyer", "UNKNOWN_PARTY", w.resign(t, func(q *carnet.Query) { q.Buyer = "mallory" }, other)},
		{"an owner asks", "WRONG_ROLE", w.resign(t, func(q *carnet.Query) { q.Buyer = "owner1" }, w.owners[0])},
		{"malformed recipient", "BAD_RECIPIENT", w.resign(t, func(q *carnet.Query) { q.Recipient = q.Recipient[:100] }, w.buyer)},
		{"expired", "QUERY_EXPIRED", w.resign(t, func(q *carnet.Query) { q.Expires = testTime }, w.buyer)},
		{"purpose outside the terms", "PURPOSE_NOT_ALLOWED", w.resign(t, func(q *carnet.Query) { q.Purpose = "marketing" }, w.buyer)},
		{"an input left out", "INPUTS_DIFFER", w.resign(t, func(q *carnet.Query) { q.Inputs = q.Inputs[:1] }, w.buyer)},
		{"an input twice", "INPUTS_DIFFER", w.resign(t, func(q *carnet.Query) { q.Inputs = append(q.Inputs, q.Inputs[1]) }, w.buyer)},
		{"a foreign input", "INPUTS_DIFFER", w.resign(t, func(q *carnet.Query) { q.Inputs[0][0] ^= 1 }, w.buyer)},
		{"another plan", "PLAN_DIFFERS", w.resign(t, func(q *carnet.Query) { q.Plan[0] ^= 1 }, w.buyer)},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newGateway(t, w)
			g.run(t, 1)
			g.journal(t, c.query)
			d := g.refused(t, c.query)
			require.Equal(t, c.reason, d.Reason)
			require.False(t, d.Allow)
			require.NotEmpty(t, d.Message)
			require.NotEmpty(t, d.Remedy)
			require.Equal(t, carnet.PartyID("kh1"), d.By)
		})
	}
}

// TestManipulatedDataIsRefused: products are re-executed only from what the owner
// signed.
func TestManipulatedDataIsRefused(t *testing.T) {
	w := recordsWorld(t)
	first := w.product.Datasets[0].Manifest.Files[0].Nonce
	for name, change := range map[string]func(*sentPiece){
		"one residue changed": func(p *sentPiece) {
			if p.file.Nonce() == first {
				p.data[1000] ^= 1
			}
		},
		"truncated":      func(p *sentPiece) { p.data = p.data[:len(p.data)-1] },
		"longer":         func(p *sentPiece) { p.data = append(p.data, make([]byte, 55)...) },
		"empty":          func(p *sentPiece) { p.data = p.data[:0] },
		"stream cut":     func(p *sentPiece) { p.data = nil },
		"a huge residue": func(p *sentPiece) { copy(p.data, bytes.Repeat([]byte{255}, 55)) },
		"another column": func(p *sentPiece) { p.data = p.file.Pack(w.pieces[p.file.Nonce()][columnfile.Piece{Limb: p.at.Limb}]) },
		"another limb": func(p *sentPiece) {
			p.data = p.file.Pack(w.pieces[p.file.Nonce()][columnfile.Piece{Column: p.at.Column, Limb: p.at.Limb ^ 1}])
		},
		"another file": func(p *sentPiece) {
			p.data = p.file.Pack(w.pieces[w.product.Datasets[1].Manifest.Files[0].Nonce][p.at])
		},
		"a proof changed":  func(p *sentPiece) { p.proof[5] ^= 1 },
		"a proof too long": func(p *sentPiece) { p.proof = append(p.proof, make([]byte, 32)...) },
		"no proof":         func(p *sentPiece) { p.proof = nil },
		"a changed piece with a proof of its own": func(p *sentPiece) {
			p.data[3] ^= 1
			words := make([]uint64, p.file.PieceWords(0))
			require.NoError(t, p.file.Unpack(p.at, p.data, words))
			h := columnfile.HashPiece(words)
			copy(p.proof, h[:])
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGateway(t, w)
			g.piece = change
			g.run(t, 1)
			query := w.ask(t, monthly)
			g.journal(t, query)
			require.Equal(t, "BLOCKS_DIFFER", g.refused(t, query).Reason)
		})
	}
	for name, change := range map[string]func(*gateway){
		"other corrections": func(g *gateway) {
			g.deltas = func(b []byte) []byte { b[0] ^= 1; return b }
		},
		"short corrections": func(g *gateway) { g.deltas = func(b []byte) []byte { return b[:len(b)-8] } },
		"long corrections":  func(g *gateway) { g.deltas = func(b []byte) []byte { return append(b, b...) } },
	} {
		t.Run(name, func(t *testing.T) {
			g := newGateway(t, w)
			change(g)
			g.run(t, 1)
			query := w.ask(t, monthly)
			g.journal(t, query)
			d := g.refused(t, query)
			require.Equal(t, "CORRECTIONS_DIFFER", d.Reason)
		})
	}
}

// TestNonCanonicalPiece: a piece that its owner committed to but that has a residue
// above its prime is not read.
func TestNonCanonicalPiece(t *testing.T) {
	p := recordsWorld(t).profile
	f, err := columnfile.NewFile(p, carnet.Nonce{1}, 1, 1)
	require.NoError(t, err)
	words := make([]uint64, f.PieceWords(0))
	words[7] = p.Primes()[0]
	hashes := make([]carnet.Hash, f.Leaves())
	hashes[0] = columnfile.HashPiece(words)
	root := f.RootOf(hashes)
	col, err := f.ReadTrailer(f.AppendTrailer(nil, 0, hashes, f.ColumnTree(hashes)), 0, root)
	require.NoError(t, err)

	w := recordsWorld(t)
	g := newGateway(t, w)
	h := g.prepare(t, 1, t.TempDir())
	g.piece = func(s *sentPiece) { s.data, s.proof = f.Pack(words), col.AppendProof(nil, 0, 1) }
	some := w.product.Datasets[0].Manifest.Files[0]
	source, err := h.newChunkSource(p, []*carnet.File{&some})
	require.NoError(t, err)
	source.files[some.Nonce].root = root
	_, err = source.fetch(t.Context(), limbKey{file: some.Nonce})
	require.Equal(t, "BLOCKS_DIFFER", carnet.ReasonOf(err))
	require.ErrorContains(t, err, "not below its prime")
}

// TestDamageOnTheWireIsReadAgain: a piece that arrives right the second time is used.
func TestDamageOnTheWireIsReadAgain(t *testing.T) {
	w := recordsWorld(t)
	g := newGateway(t, w)
	once := true
	g.piece = func(p *sentPiece) {
		if once {
			once = false
			p.data[0] ^= 1
		}
	}
	g.run(t, 1)
	query := w.ask(t, monthly)
	g.journal(t, query)
	g.answered(t, query, 1)
}

// TestSmallCache: whatever the bound of its memory is, a keyholder computes the same,
// and it reads again what it could not keep.
func TestSmallCache(t *testing.T) {
	w := recordsWorld(t)
	g := newGateway(t, w)
	h := g.run(t, 1, func(c *Config) { c.CacheBytes = 1 })
	for range 2 {
		query := w.ask(t, monthly)
		before := g.piecesRead()
		g.journal(t, query)
		g.answered(t, query, 1)
		require.NotEqual(t, before, g.piecesRead())
	}
	require.Zero(t, h.chunks.limbs.Used())
}

// refusedAfter is why a query is refused that comes after an entry.
func (w *world) refusedAfter(t *testing.T, env *evidence.Envelope) string {
	t.Helper()
	g := newGateway(t, w)
	g.run(t, 1)
	query := w.ask(t, monthly)
	g.journal(t, env, query)
	return g.refused(t, query).Reason
}

// refusedBefore is why a query is refused that comes before it, with no quorum in between.
func (w *world) refusedBefore(t *testing.T, env *evidence.Envelope) string {
	t.Helper()
	g := newGateway(t, w)
	g.silent = map[int]bool{2: true, 3: true}
	g.run(t, 1)
	query := w.ask(t, monthly)
	g.journal(t, query)
	g.mu.Lock()
	g.silent = map[int]bool{}
	g.mu.Unlock()
	g.journal(t, env)
	return g.refused(t, query).Reason
}

// TestRevoked: a revocation before or after the query stops the release.
func TestRevoked(t *testing.T) {
	w := cubeWorld(t)
	revocation := sign(t, carnet.TypeRevocation, carnet.Revocation{Dataset: "owner2/trade", Owner: "owner2", Created: testTime}, w.owners[1])
	t.Run("after", func(t *testing.T) { require.Equal(t, "DATASET_REVOKED", w.refusedBefore(t, revocation)) })
	t.Run("before", func(t *testing.T) { require.Equal(t, "INPUTS_DIFFER", w.refusedAfter(t, revocation)) })
	t.Run("by a stranger", func(t *testing.T) {
		g := newGateway(t, w)
		g.run(t, 1)
		query := w.ask(t, monthly)
		g.journal(t, sign(t, carnet.TypeRevocation, carnet.Revocation{Dataset: "owner2/trade", Owner: "owner2", Created: testTime}, w.owners[0]),
			sign(t, carnet.TypeRevocation, carnet.Revocation{Dataset: "owner2/trade", Owner: "owner1", Created: testTime}, w.owners[0]), query)
		g.answered(t, query, 1)
	})
}

// TestReusedNonce: a file named by two manifests is refused, whoever signed them.
func TestReusedNonce(t *testing.T) {
	w := cubeWorld(t)
	m := w.product.Datasets[0].Manifest
	m.ID, m.Title = "owner1/again", "the same file under other terms"
	m.Terms.Buyers = []carnet.PartyID{"buyer"}
	again := sign(t, carnet.TypeDataset, m, w.owners[0])
	both := sign(t, carnet.TypeProduct, carnet.Product{ID: "trade", Publisher: "owner1", Schema: m.Schema,
		Datasets: []carnet.DatasetID{"owner1/trade", "owner2/trade", "owner1/again"}, Created: testTime}, w.owners[0])
	g := newGateway(t, w)
	g.run(t, 1)
	query := w.resign(t, func(q *carnet.Query) { q.Inputs = append(q.Inputs, again.Hash()) }, w.buyer)
	g.journal(t, again, both, query)
	require.Equal(t, "NONCE_REUSED", g.refused(t, query).Reason)
}

// TestDatasetListedTwice: a product that lists a dataset twice does not count, so
// that the one before it stays.
func TestDatasetListedTwice(t *testing.T) {
	w := cubeWorld(t)
	twice := sign(t, carnet.TypeProduct, carnet.Product{ID: "trade", Publisher: "owner1", Schema: w.product.Datasets[0].Manifest.Schema,
		Datasets: []carnet.DatasetID{"owner1/trade", "owner2/trade", "owner2/trade"}, Created: testTime}, w.owners[0])
	g := newGateway(t, w)
	h := g.run(t, 1)
	query := w.resign(t, func(q *carnet.Query) { q.Inputs = append(q.Inputs, q.Inputs[1]) }, w.buyer)
	g.journal(t, twice, query)
	require.Equal(t, "INPUTS_DIFFER", g.refused(t, query).Reason)
	require.Contains(t, h.logs.String(), "DATASET_TWICE")
}

// TestSecretsStaySecret: neither logs nor refusals nor the ledger contain seeds.
func TestSecretsStaySecret(t *testing.T) {
	w := recordsWorld(t)
	g := newGateway(t, w)
	h := g.run(t, 1)
	good, bad := w.ask(t, monthly), w.resign(t, func(q *carnet.Query) { q.Plan[0] ^= 1 }, w.buyer)
	g.journal(t, good, bad)
	g.answered(t, good, 1)
	d := g.refused(t, bad)
	h.stop()
	files := allFiles(t, h.dir)
	for _, s := range w.secrets {
		for _, form := range secretForms(s) {
			require.NotContains(t, h.logs.String(), form)
			require.NotContains(t, d.Message+d.Remedy, form)
			for name, content := range files {
				require.False(t, bytes.Contains(content, []byte(form)), name)
			}
		}
	}
}

// TestStallingGateway: a gateway that never sends the blocks holds a query up until
// it expires, and others not at all.
func TestStallingGateway(t *testing.T) {
	w := recordsWorld(t)
	g := newGateway(t, w)
	g.stall = make(chan struct{})
	defer close(g.stall)
	h := g.run(t, 1, func(c *Config) { c.Attest = AttestProducts })
	slow := w.ask(t, monthly)
	quick := sign(t, carnet.TypeQuery, w.query(t, `SELECT COUNT(*) FROM trade`), w.buyer)
	g.journal(t, slow, quick)
	g.answered(t, quick, 1)
	require.Empty(t, g.got(slow.Hash()))
	require.NoError(t, h.stop(), "it can be stopped all the same")
}
