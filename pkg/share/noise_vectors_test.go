package share

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/privacy"
)

// The shapes below are the JSON of noise.json, which package privacy/independent reproduces
// from the description alone. Integers are decimal.
type noiseVectors struct {
	Comment string        `json:"comment"`
	Samples []noiseSample `json:"samples"`
	Parts   []noisePart   `json:"parts"`
	Amounts []noiseAmount `json:"amounts"`
}

type noiseSample struct {
	Key      string `json:"key"`
	Variance string `json:"variance"`
	Value    string `json:"value"`
}

type noisePart struct {
	Mask     string `json:"mask"`
	F        string `json:"f"`
	Variance string `json:"variance"`
	Noise    string `json:"noise"`
	T        string `json:"t"`
	N        int    `json:"n"`     // 0 in coefficient encoding
	Added    string `json:"added"` // before T^-d, in [0, T)
}

type noiseAmount struct {
	Sensitivity string `json:"sensitivity"`
	Rho         string `json:"rho"`
	Variance    string `json:"variance"`
	Cost        string `json:"cost"`
	Tail        string `json:"tail"`
	Epsilon     string `json:"epsilon"` // of the cost, at delta 10^-9, in millionths
}

func TestNoiseVectors(t *testing.T) {
	got := noiseVectors{Comment: "docs/formats/noise.md; written by pkg/share"}
	variances := []*big.Int{big.NewInt(1), big.NewInt(2), big.NewInt(3), big.NewInt(99), big.NewInt(100), big.NewInt(123_456_789),
		new(big.Int).Lsh(big.NewInt(1), 64), new(big.Int).Exp(big.NewInt(10), big.NewInt(30), nil)}
	for i, v := range variances {
		for j := range 6 {
			key := carnet.Digest("carnet/test/key", fmt.Append(nil, i, j))
			got.Samples = append(got.Samples, noiseSample{hex.EncodeToString(key[:]), v.String(), privacy.Sample(privacy.NewStream(key), v).String()})
		}
	}
	for i, p := range []*he.Profile{smallRecords, smallCube} {
		mask, f, v := carnet.Digest("carnet/test/mask", []byte{byte(i)}), carnet.Digest("carnet/test/F", []byte{byte(i)}), big.NewInt(1_000_003)
		r := he.NewRing(p)
		x := noisePart{Mask: hex.EncodeToString(mask[:]), F: f.String(), Variance: v.String(), Noise: Noise(mask, f, v).String(), T: fmt.Sprint(p.T())}
		if p.Encoding() == he.Slots {
			x.N = p.N()
		}
		added := noise(r, mask, f, 2, v)
		scale := new(big.Int).Exp(new(big.Int).SetUint64(p.T()), big.NewInt(2), nil)
		plain := r.ScalarBig(r.ScalarMul(added, r.ScalarFromBig(scale)))
		if half := new(big.Int).Rsh(p.Q(), 1); plain.Cmp(half) > 0 {
			plain.Sub(plain, p.Q())
		}
		x.Added = plain.Mod(plain, new(big.Int).SetUint64(p.T())).String()
		got.Parts = append(got.Parts, x)
	}
	for _, x := range [][2]int64{{1, 500_000}, {1, 10_000}, {200, 1}, {65_535, 12_345}, {1_000_000_007, 1_000_000}, {0, 7}} {
		d := big.NewInt(x[0])
		v := privacy.Variance(d, x[1])
		cost := privacy.Cost(d, v)
		got.Amounts = append(got.Amounts, noiseAmount{d.String(), fmt.Sprint(x[1]), v.String(), fmt.Sprint(cost), privacy.Tail(v).String(), privacy.Epsilon(cost, 9).String()})
	}
	path := filepath.Join(vectorDir, "noise.json")
	if *update {
		b, err := json.MarshalIndent(got, "", " ")
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path, append(b, '\n'), 0o644))
	}
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	var want noiseVectors
	require.NoError(t, json.Unmarshal(b, &want))
	require.Equal(t, want, got)
}
