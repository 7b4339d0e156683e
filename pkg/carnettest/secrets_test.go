package carnettest

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/csv"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/columnfile"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/he/wire"
	"github.com/carnet-network/carnet/pkg/ident"
	"github.com/carnet-network/carnet/pkg/share"
)

// needles are things to look for, by what they are.
type needles map[string][]byte

// secret adds bytes in every form in which they could be written down.
func (ns needles) secret(what string, b []byte) {
	ns[what+", raw"] = b
	ns[what+", hex"] = []byte(hex.EncodeToString(b))
	ns[what+", HEX"] = []byte(strings.ToUpper(hex.EncodeToString(b)))
	for name, enc := range map[string]*base64.Encoding{"base64": base64.StdEncoding, "base64url": base64.URLEncoding} {
		for shift := range 3 { // wherever it starts in a longer string
			coded := enc.EncodeToString(append(make([]byte, shift), b...))
			ns[fmt.Sprintf("%s, %s at %d", what, name, shift)] = []byte(coded[4 : len(coded)-4])
		}
	}
}

// poly adds pieces of a polynomial's canonical bytes that do not occur by chance.
func (ns needles) poly(what string, p *he.Profile, a he.Poly) {
	b := wire.AppendPoly(nil, p, a)
	for _, at := range []int{0, len(b) / 2, len(b) - 256} {
		ns[fmt.Sprintf("%s at %d", what, at)] = b[at : at+128]
	}
}

// found lists the needles, of at least 8 bytes each, that are in the hay.
func (ns needles) found(hay map[string][]byte) (out []string) {
	var begins [1 << 16]bool // by the first two bytes
	at := map[[8]byte][]string{}
	for what, n := range ns {
		begins[binary.LittleEndian.Uint16(n)] = true
		at[[8]byte(n)] = append(at[[8]byte(n)], what)
	}
	seen := map[string]bool{}
	for where, data := range hay {
		for i := 0; i+8 <= len(data); i++ {
			if !begins[binary.LittleEndian.Uint16(data[i:])] {
				continue
			}
			for _, what := range at[[8]byte(data[i:])] {
				if bytes.HasPrefix(data[i:], ns[what]) && !seen[what+where] {
					seen[what+where] = true
					out = append(out, what+" in "+where)
				}
			}
		}
	}
	slices.Sort(out)
	return out
}

// secretCSV has amounts that do not occur by chance.
func secretCSV(i int) string {
	var b strings.Builder
	b.WriteString("chapter,month,value,weight\n")
	for r := range 60 {
		fmt.Fprintf(&b, "%s,%s,%d.%02d,%d\n", []string{"01", "02", "84"}[r%3], []string{"01", "02"}[r%2], 612_345+i*1_013+r*5_119, (r*37)%100, 52_341+997*r%40_000)
	}
	return b.String()
}

// plaintext adds an owner's rows: as text, as numbers, and as encoded columns.
func (ns needles) plaintext(t *testing.T, text string, d *Dataset) {
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	require.NoError(t, err)
	for _, row := range rows[1:] {
		ns["text "+row[2]] = []byte(row[2])
		var v int64
		_, err := fmt.Sscan(strings.ReplaceAll(row[2], ".", ""), &v)
		require.NoError(t, err)
		ns["little-endian "+row[2]] = binary.LittleEndian.AppendUint64(nil, uint64(v))
		ns["big-endian "+row[2]] = binary.BigEndian.AppendUint64(nil, uint64(v))
	}
	b := d.Tables.Builders()[0]
	values := make([]uint64, b.Encoding().N)
	for _, c := range b.Encoding().Columns {
		b.Column(int(c.ID), 0, values)
		var block []byte
		for _, v := range values {
			block = binary.LittleEndian.AppendUint64(block, v)
		}
		if piece := block[:256]; len(bytes.Trim(piece, "\x00")) > 64 {
			ns[fmt.Sprintf("column %s of %s", c.Name, d.ID)] = piece
			p, err := he.Lookup(b.Encoding().Profile)
			require.NoError(t, err)
			ns[fmt.Sprintf("packed column %s of %s", c.Name, d.ID)] = columnfile.AppendPacked(nil, p.LimbBits(), values[:32])
		}
	}
}

// Rule: the gateway never holds a seed, a secret polynomial or a plaintext. Every byte
// that anybody sends to it and every byte it stores or logs in the life of two datasets
// and their queries is searched for all of them.
func TestTheGatewayHoldsNoSecret(t *testing.T) {
	t.Parallel()
	n := Start(t, Options{})
	var mu sync.Mutex
	var sent bytes.Buffer
	methods := map[string]int{}
	n.Watch(func(m *Message) error {
		if m.FromGateway {
			return nil
		}
		b, err := proto.Marshal(m.Body)
		mu.Lock()
		defer mu.Unlock()
		methods[m.Method]++
		sent.Write(b)
		return err
	})
	secrets, plain := needles{}, needles{}
	s := ParseSchema(t, tradeYAML)
	for _, layout := range []carnet.Layout{carnet.LayoutCube, carnet.LayoutRecords} {
		var sets []*Dataset
		for i, o := range n.Owners[:2] {
			home := carnet.PartyID("")
			if i == 0 {
				home = "kh1"
			}
			text := secretCSV(i)
			d := n.Publish(t, Publication{Owner: o.ID, Name: string(layout), Schema: s, Layout: layout, CSV: text, Home: home})
			sets = append(sets, d)
			plain.plaintext(t, text, d)
			n.keySecrets(t, secrets, d.Key)
		}
		n.Product(t, carnet.ProductID(layout), sets...)
		n.Ask(t, "buyer", carnet.ProductID(layout), layoutQueries[layout])
	}
	for _, id := range []carnet.PartyID{"kz", "uz", "buyer", Registrar} {
		n.identitySecrets(t, secrets, id)
	}
	for _, k := range n.Keyholders {
		held, err := k.Keys.List(Context(t))
		require.NoError(t, err)
		require.Len(t, held, 4)
		for _, key := range held {
			b, err := k.Keys.Get(Context(t), key)
			require.NoError(t, err)
			bundle, err := share.ParseBundle(b)
			require.NoError(t, err)
			for a, seed := range bundle.Seeds {
				secrets.secret(fmt.Sprintf("part %d of key %s", a, key), seed[:])
			}
			if bundle.Home != nil {
				secrets.secret(fmt.Sprintf("home part of key %s", key), bundle.Home[:])
			}
		}
	}
	n.Gateway.Stop(t)
	hay := map[string][]byte{"messages to the gateway": sent.Bytes(), "the log": []byte(n.Log())}
	require.NoError(t, filepath.WalkDir(n.Gateway.Dir, func(p string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			hay[p], err = os.ReadFile(p)
		}
		return err
	}))
	for _, m := range []string{"UploadPieces", "SubmitDealing", "CommitDataset", "SubmitQuery", "SubmitAnswer", "Cosign"} {
		require.True(t, slices.ContainsFunc(slices.Collect(keysOf(methods)), func(s string) bool { return strings.HasSuffix(s, m) }), "%s was not recorded", m)
	}
	size := 0
	for _, b := range hay {
		size += len(b)
	}
	t.Logf("%d secrets and %d pieces of plaintext in %d MB of %d files and messages", len(secrets), len(plain), size>>20, len(hay))
	require.Greater(t, len(secrets), 200)
	require.Greater(t, len(plain), 300)
	require.Empty(t, secrets.found(hay))
	require.Empty(t, plain.found(hay))

	// The search finds what is there: the owners' own files.
	own := map[string][]byte{}
	for i := range 2 {
		own[fmt.Sprint("rows of owner ", i)] = []byte(secretCSV(i))
	}
	require.GreaterOrEqual(t, len(plain.found(own)), 120)
	file := filepath.Join(t.TempDir(), "identity")
	require.NoError(t, n.Identity("kz").Save(file, ""))
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NotEmpty(t, secrets.found(map[string][]byte{"identity file": data}))
	for _, k := range n.Keyholders[:1] {
		held, _ := k.Keys.List(Context(t))
		b, err := k.Keys.Get(Context(t), held[0])
		require.NoError(t, err)
		require.NotEmpty(t, secrets.found(map[string][]byte{"bundle": b}))
	}
}

func keysOf[K comparable, V any](m map[K]V) func(func(K) bool) {
	return func(yield func(K) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// keySecrets adds a dataset key: the seed, and the secret's powers in both domains.
func (n *Network) keySecrets(t *testing.T, ns needles, k *ident.DatasetKey) {
	t.Helper()
	ns.secret("seed of key "+k.Key.String(), k.Seed[:])
	p, err := he.Lookup(k.Profile)
	require.NoError(t, err)
	r := he.NewRing(p)
	s := r.DeriveSecret(he.Seed(k.Seed))
	for j := 1; j <= p.MaxDegree(); j++ {
		power := s.Power(j)
		ns.poly(fmt.Sprintf("s^%d of key %s", j, k.Key), p, power)
		r.INTT(power)
		ns.poly(fmt.Sprintf("coefficients of s^%d of key %s", j, k.Key), p, power)
	}
}

// identitySecrets adds what a party derives its keys from.
func (n *Network) identitySecrets(t *testing.T, ns needles, id carnet.PartyID) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "identity")
	require.NoError(t, n.Identity(id).Save(file, ""))
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	_, rest, ok := strings.Cut(string(data), `"seed": "`)
	require.True(t, ok)
	coded, _, _ := strings.Cut(rest, `"`)
	seed, err := base64.StdEncoding.DecodeString(coded)
	require.NoError(t, err)
	require.Len(t, seed, 32)
	ns.secret("identity of "+string(id), seed)
	sealing, err := n.Identity(id).SealingSeed()
	require.NoError(t, err)
	ns.secret("sealing seed of "+string(id), sealing)
}
