package share

import (
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/scan"
)

var update = flag.Bool("update", false, "rewrite the test vectors in docs/formats/vectors")

const vectorDir = "../../docs/formats/vectors"

// The shapes below are the JSON of shares.json: bytes in hexadecimal, integers and
// scalars (in [0, Q), or signed) in decimal.
type vectors struct {
	Comment      string             `json:"comment"`
	Params       vectorParams       `json:"params"`
	Commitments  []vectorCommitment `json:"commitments"`
	PartKeys     []vectorPartKey    `json:"part_keys"`
	MaskKeys     []vectorMaskKey    `json:"mask_keys"`
	Functionals  []vectorFunctional `json:"functionals"`
	Floods       []vectorFlood      `json:"floods"`
	Coefficients []vectorFactor     `json:"coefficients"`
	Bundles      []vectorBundle     `json:"bundles"`
	Answers      []vectorAnswer     `json:"answers"`
	Combined     []vectorCombined   `json:"combined"`
	Certificates []vectorBound      `json:"certificates"`
	Selections   []vectorSelection  `json:"selections"`
	Crosses      []vectorCross      `json:"crosses"`
	Reshares     []vectorReshare    `json:"reshares"`
}

type (
	vectorParams struct {
		Name   string      `json:"name"`
		ID     carnet.Hash `json:"id"`
		N      int         `json:"n"`
		T      string      `json:"t"`
		Primes []string    `json:"primes"`
	}
	vectorCommitment struct {
		Nonce      carnet.Hash `json:"nonce"`
		Subset     int         `json:"subset"`
		Seed       carnet.Hash `json:"seed"`
		Commitment carnet.Hash `json:"commitment"`
	}
	vectorPartKey struct {
		Seed  carnet.Hash `json:"seed"`
		Power int         `json:"power"`
		Key   carnet.Hash `json:"key"`
	}
	vectorMaskKey struct {
		Keys   []carnet.Hash `json:"keys"`
		Subset int           `json:"subset"`
		Seeds  []carnet.Hash `json:"seeds"`
		Mask   carnet.Hash   `json:"mask"`
	}
	vectorFunctional struct {
		Op       string        `json:"op"`
		Encoding string        `json:"encoding"`
		Degree   int           `json:"degree"`
		Level    int           `json:"level"`
		K        int           `json:"k"`
		Noise    string        `json:"noise"`
		Variance string        `json:"variance"`
		Keys     []carnet.Hash `json:"keys"`
		Contents []carnet.Hash `json:"contents"`
		Private  carnet.Hash   `json:"private"`
		ID       carnet.Hash   `json:"id"`
	}
	vectorFlood struct {
		Mask  carnet.Hash `json:"mask"`
		ID    carnet.Hash `json:"id"`
		K     int         `json:"k"`
		Flood string      `json:"flood"`
	}
	vectorFactor struct {
		Subset int    `json:"subset"`
		Number int    `json:"number"`
		Value  string `json:"value"`
	}
	vectorBundle struct {
		Number  int           `json:"number"`
		Subsets []int         `json:"subsets"`
		Seeds   []carnet.Hash `json:"seeds"`
		Home    *carnet.Hash  `json:"home,omitempty"`
		Bytes   string        `json:"bytes"`
	}
	vectorAnswer struct {
		N       int           `json:"n"`
		T       int           `json:"t"`
		Number  int           `json:"number"`
		Keys    []carnet.Hash `json:"keys"`
		Bundles []string      `json:"bundles"` // one per key
		ID      carnet.Hash   `json:"id"`
		Degree  int           `json:"degree"`
		K       int           `json:"k"`
		Value   string        `json:"value"`
		Answer  string        `json:"answer"`
		Home    string        `json:"home,omitempty"` // for the same value
	}
	vectorCombined struct {
		N       int      `json:"n"`
		T       int      `json:"t"`
		Numbers []int    `json:"numbers"`
		Answers []string `json:"answers"`
		Value   string   `json:"value,omitempty"`
		Liars   []int    `json:"liars,omitempty"`
		Reason  string   `json:"reason,omitempty"` // instead of a value
	}
	// vectorSelection is one keyholder's part in a request with a selection.
	vectorSelection struct {
		N           int           `json:"n"`
		T           int           `json:"t"`
		Number      int           `json:"number"`
		Request     carnet.Hash   `json:"request"`
		Weight      int           `json:"weight"`
		Spare       int           `json:"spare,omitempty"` // entries after those of the codes
		Deltas      string        `json:"deltas"`
		Commitments []carnet.Hash `json:"commitments"` // of all parts
		Bundle      string        `json:"bundle"`      // of the buyer's seeds
		Hash        carnet.Hash   `json:"hash"`        // H_w
		View        []string      `json:"view"`        // W of every code
		Logged      carnet.Hash   `json:"logged"`      // hash of the logged request
		Rho         []string      `json:"rho"`         // of the first codes
		Keys        []carnet.Hash `json:"keys"`
		Bundles     []string      `json:"bundles"` // of the owners' seeds, one per key
		Checks      []string      `json:"checks"`
		Contents    []carnet.Hash `json:"contents"` // one per code, of one key
		Content     carnet.Hash   `json:"content"`  // of the key in the opening
		ID          carnet.Hash   `json:"id"`
		Degree      int           `json:"degree"`
		K           int           `json:"k"`
		Values      []string      `json:"values"` // one per code
		Answer      string        `json:"answer"`
	}
	// vectorCross is one keyholder's answer across keys. In the polynomials that contents
	// are of, all residues are one number.
	vectorCross struct {
		N        int           `json:"n"`
		T        int           `json:"t"`
		Number   int           `json:"number"`
		Keys     []carnet.Hash `json:"keys"`
		Own      []uint64      `json:"own"`   // of each key
		Pairs    [][3]uint64   `json:"pairs"` // places of two keys, and their polynomial
		Contents []carnet.Hash `json:"contents"`
		K        int           `json:"k"`
		ID       carnet.Hash   `json:"id"`
		Bundles  []string      `json:"bundles"` // one per key
		Value    string        `json:"value"`
		Answer   string        `json:"answer"`
	}
	vectorBound struct {
		Profile     string `json:"profile,omitempty"` // with its Q and modulus, if it is not that of params
		Q           string `json:"q,omitempty"`
		Modulus     string `json:"modulus,omitempty"`
		N           int    `json:"n"`
		T           int    `json:"t"`
		Homes       int    `json:"homes"`
		Degree      int    `json:"degree"`
		Terms       int64  `json:"terms"`
		NoiseBound  string `json:"noise_bound"`
		K           int    `json:"k"`
		ReleaseBits int    `json:"release_bits"`
	}
)

func TestVectors(t *testing.T) {
	got, err := json.MarshalIndent(makeVectors(t), "", "  ")
	require.NoError(t, err)
	got = append(got, '\n')
	path := filepath.Join(vectorDir, "shares.json")
	if *update {
		require.NoError(t, os.WriteFile(path, got, 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got), "run go test ./pkg/share -run TestVectors -update, and say why the format changed")
}

// TestVectorsIndependently runs a program that shares no code with this module and
// recomputes everything from the documents alone.
func TestVectorsIndependently(t *testing.T) {
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("there is no go command to run the program with")
	}
	program := filepath.Join(vectorDir, "shares")
	deps, err := exec.Command(goTool, "list", "-deps", "-f", "{{if not .Standard}}{{.Name}}{{end}}", "./"+program).Output()
	require.NoError(t, err)
	require.Equal(t, "main", strings.TrimSpace(string(deps)), "it must import the standard library only")
	out, err := exec.Command(goTool, "run", "./"+program, filepath.Join(vectorDir, "shares.json")).CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.True(t, strings.HasSuffix(strings.TrimSpace(string(out)), " vectors agree"), "%s", out)
}

func makeVectors(t *testing.T) *vectors {
	p := must(he.Lookup("records"))
	r := he.NewRing(p)
	rng := stream("vectors")
	draw := func() (h carnet.Hash) { rng.Read(h[:]); return h }
	decimal := func(s he.Scalar) string { return r.ScalarBig(s).String() }
	v := &vectors{
		Comment: "Made by go test ./pkg/share -update; recomputed by the program in shares/. See ../dealing.md and ../shares.md.",
		Params:  vectorParams{Name: p.Name(), ID: p.ID(), N: p.N(), T: new(big.Int).SetUint64(p.T()).String()},
	}
	for _, q := range p.Primes() {
		v.Params.Primes = append(v.Params.Primes, new(big.Int).SetUint64(q).String())
	}
	for _, a := range []Subset{0, 0b1, 0b110, 1<<11 | 1, HomeLabel} {
		nonce, seed := draw(), draw()
		v.Commitments = append(v.Commitments, vectorCommitment{nonce, int(a), seed, Commit(carnet.Nonce(nonce), a, seed)})
	}
	for j := 1; j <= 2; j++ {
		seed := draw()
		v.PartKeys = append(v.PartKeys, vectorPartKey{seed, j, partKey(p, seed, j)})
	}
	for m := 1; m <= 3; m++ {
		keys, seeds := sortedHashes(draw, m), []carnet.Hash{}
		var raw [][32]byte
		for range m {
			seeds = append(seeds, draw())
			raw = append(raw, seeds[len(seeds)-1])
		}
		a := []Subset{0b11, 0b101, HomeLabel}[m-1]
		v.MaskKeys = append(v.MaskKeys, vectorMaskKey{keys, int(a), seeds, maskKey(keyIDs(keys), a, raw)})
	}
	for m := 1; m <= 2; m++ {
		keys, contents := sortedHashes(draw, m), sortedHashes(draw, m)
		id := identity{params: p.ID(), op: "linear", encoding: "slots", degree: m, level: 3, k: 171 - m, noise: "none", variance: "0"}
		if m == 2 {
			id.op = "product"
		}
		for i, key := range keyIDs(keys) {
			id.keys = append(id.keys, keyContent{key, contents[i]})
		}
		v.Functionals = append(v.Functionals, vectorFunctional{id.op, id.encoding, m, 3, id.k, "none", "0", keys, contents, carnet.Hash{}, id.hash()})
	}
	for _, k := range []int{1, 6, 7, 8, 170, 255, 256, 285} {
		mask, id := draw(), draw()
		v.Floods = append(v.Floods, vectorFlood{mask, id, k, Flood(mask, id, k).String()})
	}
	for _, x := range []struct {
		a Subset
		i int
	}{{0, 1}, {0b001, 1}, {0b110, 1}, {0b110, 5}, {1<<11 | 1<<4, 3}} {
		v.Coefficients = append(v.Coefficients, vectorFactor{int(x.a), x.i, decimal(coefficient(r, x.a, x.i))})
	}
	v.addAnswers(t, r, draw)
	v.addCombined(t, r)
	for _, x := range []vectorBound{
		{N: 3, T: 2, Degree: 1, Terms: 1}, {N: 5, T: 3, Degree: 2, Terms: 1024}, {N: 5, T: 3, Homes: 1, Degree: 2, Terms: 1024},
		{N: 7, T: 3, Homes: 3, Degree: 2, Terms: 5000}, {N: 10, T: 6, Degree: 1, Terms: 1 << 24},
		{Profile: "records-3", N: 5, T: 3, Degree: 3, Terms: 1024}, {Profile: "records-4", N: 5, T: 3, Homes: 1, Degree: 4, Terms: 6 * 1024},
	} {
		p := p
		if x.Profile != "" {
			p = must(he.Lookup(x.Profile))
			x.Q, x.Modulus = p.Q().String(), new(big.Int).SetUint64(p.T()).String()
		}
		b := NoiseBound(p, x.Degree, x.Terms)
		var err error
		x.NoiseBound = b.String()
		x.K, x.ReleaseBits, err = FloodBits(p, must(NewCommittee(x.N, x.T)), x.Homes, b)
		require.NoError(t, err)
		v.Certificates = append(v.Certificates, x)
	}
	v.addSelections(t, r, draw)
	v.addCrosses(t, r)
	v.Reshares = reshareVectors()
	return v
}

func (v *vectors) addCrosses(t *testing.T, r *he.Ring) {
	p := r.Profile()
	rng := stream("vectors across keys")
	draw := func() (h carnet.Hash) { rng.Read(h[:]); return h }
	secret := r.DeriveSecret(he.Seed(draw()))
	constant := func(word uint64) he.Poly {
		e := r.NewPoly()
		for l := range e {
			for i := range e[l] {
				e[l][i] = word
			}
		}
		return e
	}
	for m, nt := range [][2]int{{5, 3}, {4, 2}} {
		c := must(NewCommittee(nt[0], nt[1]))
		x := vectorCross{N: c.N, T: c.T, Number: 4, Keys: sortedHashes(draw, 2+m), K: 160}
		x.Pairs = [][3]uint64{{0, 1, 100}, {1, 2, 101}}[:1+m]
		f := &functional.Functional{Degree: 2, Cross: make([]functional.Cross, 1)}
		parts := &scan.CrossParts{Keys: keyIDs(x.Keys)}
		var shares []*KeyShare
		for i, key := range parts.Keys {
			f.Keys = append(f.Keys, functional.KeyTerms{Key: key})
			x.Own = append(x.Own, uint64(10+i))
			parts.Own = append(parts.Own, constant(x.Own[i]))
			d := must(NewDeal(r, secret, c, carnet.Nonce(draw()), 1, false, stream(key.String())))
			b := d.Bundle(c, x.Number, 0)
			x.Bundles = append(x.Bundles, hex.EncodeToString(b.Append(nil)))
			shares = append(shares, must(NewKeyShare(r, c, key, b, 1)))
		}
		for _, pair := range x.Pairs {
			parts.Pairs = append(parts.Pairs, scan.CrossPair{A: int(pair[0]), B: int(pair[1]), E: constant(pair[2])})
		}
		x.Contents = parts.Contents(r)
		x.ID = FunctionalID(p, f, x.K, nil, x.Contents)
		value := r.ScalarFromBig(new(big.Int).SetBytes(x.ID[:]))
		x.Value = r.ScalarBig(value).String()
		rs, err := NewCrossResponder(r, c, x.Number, shares)
		require.NoError(t, err)
		x.Answer = r.ScalarBig(rs.Respond(x.ID, x.K, nil, value)).String()
		v.Crosses = append(v.Crosses, x)
	}
}

func (v *vectors) addSelections(t *testing.T, r *he.Ring, draw func() carnet.Hash) {
	secret := r.DeriveSecret(he.Seed(draw()))
	for m, nt := range [][2]int{{5, 2}, {7, 3}, {5, 2}} {
		if m == 2 { // added later: what is drawn after these selections stays as it was
			rng := stream("a selection with spare entries")
			draw = func() (h carnet.Hash) { rng.Read(h[:]); return h }
		}
		c := must(NewCommittee(nt[0], nt[1]))
		x := vectorSelection{N: c.N, T: c.T, Number: 4, Keys: sortedHashes(draw, min(m, 1)+1), Logged: draw(), ID: draw(), Degree: min(m, 1) + 1, K: 150}
		var sel *Selection
		var seeds SelectionSeeds
		var err error
		if m < 2 {
			sel, seeds, err = NewSelection(c, draw(), 5, []int{3, 1}[m:], stream(fmt.Sprint("selection", m)))
		} else {
			sel, seeds, err = NewBoundedSelection(c, draw(), 3, 2, []int{1}, stream("selection with spare entries"))
		}
		require.NoError(t, err)
		x.Request, x.Weight, x.Spare, x.Deltas, x.Commitments, x.Hash = sel.Request, sel.Weight, sel.Spare, hex.EncodeToString(sel.Deltas), sel.Commitments, sel.Hash()
		b := seeds.Bundle(c, x.Number)
		x.Bundle = hex.EncodeToString(b.Append(nil))
		view := must(NewSelectionView(r, c, sel, b))
		rho := newRho(r, x.Logged)
		for g, w := range view.w {
			x.View = append(x.View, r.ScalarBig(w).String())
			x.Rho = append(x.Rho, r.ScalarBig(rho.at(g)).String())
		}
		var shares []*KeyShare
		for _, key := range keyIDs(x.Keys) {
			d := must(NewDeal(r, secret, c, carnet.Nonce(draw()), 1, false, stream(key.String())))
			b := d.Bundle(c, x.Number, 0)
			x.Bundles = append(x.Bundles, hex.EncodeToString(b.Append(nil)))
			shares = append(shares, must(NewKeyShare(r, c, key, b, 1)))
		}
		rs := must(NewSelectedResponder(r, c, view, shares))
		for _, s := range rs.Check(x.Logged) {
			x.Checks = append(x.Checks, r.ScalarBig(s).String())
		}
		var values []he.Scalar
		var contents [][]byte
		for range sel.Choices() {
			h := draw()
			x.Contents, contents = append(x.Contents, h), append(contents, h[:])
			values = append(values, r.ScalarFromBig(new(big.Int).SetBytes(h[:])))
			x.Values = append(x.Values, r.ScalarBig(values[len(values)-1]).String())
		}
		x.Content = carnet.Digest(tagSelectContent, contents...)
		x.Answer = r.ScalarBig(rs.Respond(x.ID, x.Degree, x.K, nil, values)).String()
		v.Selections = append(v.Selections, x)
	}
}

func (v *vectors) addAnswers(t *testing.T, r *he.Ring, draw func() carnet.Hash) {
	secret := r.DeriveSecret(he.Seed(draw()))
	for m := 1; m <= 4; m++ {
		if m == 3 { // added later: what is drawn after these answers stays as it was
			rng := stream("vectors of higher degrees")
			draw = func() (h carnet.Hash) { rng.Read(h[:]); return h }
		}
		c := must(NewCommittee(5, 3))
		keys := sortedHashes(draw, m)
		var shares []*KeyShare
		x := vectorAnswer{N: c.N, T: c.T, Number: 2, Keys: keys, ID: draw(), Degree: m, K: 150}
		for i, key := range keyIDs(keys) {
			d := must(NewDeal(r, secret, c, carnet.Nonce(draw()), 1, true, stream(key.String())))
			b := d.Bundle(c, x.Number, x.Number-i) // the second key's home is elsewhere
			data := b.Append(nil)
			x.Bundles = append(x.Bundles, hex.EncodeToString(data))
			shares = append(shares, must(NewKeyShare(r, c, key, b, 1)))
			entry := vectorBundle{Number: b.Number, Bytes: hex.EncodeToString(data)}
			for _, a := range slices.Sorted(maps.Keys(b.Seeds)) {
				entry.Subsets, entry.Seeds = append(entry.Subsets, int(a)), append(entry.Seeds, b.Seeds[a])
			}
			if b.Home != nil {
				home := carnet.Hash(*b.Home)
				entry.Home = &home
			}
			v.Bundles = append(v.Bundles, entry)
		}
		value := r.ScalarFromBig(new(big.Int).SetBytes(x.ID[:]))
		rs := must(NewResponder(r, c, x.Number, shares))
		x.Value = r.ScalarBig(value).String()
		x.Answer = r.ScalarBig(rs.Respond(x.ID, x.Degree, x.K, nil, value)).String()
		x.Home = r.ScalarBig(rs.RespondHome(x.ID, x.Degree, x.K, nil, value)).String()
		v.Answers = append(v.Answers, x)
	}
}

func (v *vectors) addCombined(t *testing.T, r *he.Ring) {
	for _, x := range []struct{ n, t, m, lies int }{{1, 1, 1, 0}, {5, 3, 3, 0}, {5, 3, 5, 0}, {5, 3, 5, 1}, {7, 3, 6, 1}, {7, 3, 7, 2}, {3, 2, 3, 1}} {
		c := must(NewCommittee(x.n, x.t))
		answers := codeword(r, c, r.ScalarFromBig(big.NewInt(int64(1000+x.m))), newRand("combined"))
		slices.Reverse(answers)
		answers = answers[:x.m]
		for i := range x.lies {
			answers[i] = shift(r, answers[i], 1)
		}
		entry := vectorCombined{N: x.n, T: x.t}
		for _, a := range answers {
			entry.Numbers = append(entry.Numbers, a.Number)
			entry.Answers = append(entry.Answers, r.ScalarBig(a.Value).String())
		}
		value, liars, err := Combine(r, c, answers)
		entry.Liars, entry.Reason = liars, carnet.ReasonOf(err)
		if err == nil {
			entry.Value = r.ScalarBig(value).String()
		}
		v.Combined = append(v.Combined, entry)
	}
}

func sortedHashes(draw func() carnet.Hash, n int) []carnet.Hash {
	var hs []carnet.Hash
	for range n {
		hs = append(hs, draw())
	}
	slices.SortFunc(hs, func(a, b carnet.Hash) int { return strings.Compare(a.String(), b.String()) })
	return hs
}

func keyIDs(hs []carnet.Hash) []carnet.KeyID {
	var ids []carnet.KeyID
	for _, h := range hs {
		ids = append(ids, carnet.KeyID(h))
	}
	return ids
}
