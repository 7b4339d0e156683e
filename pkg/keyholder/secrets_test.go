package keyholder

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/plan"
)

// secretForms are the ways a secret might be printed; bundles are cut to seeds.
func secretForms(s []byte) []string {
	if len(s) > 32 {
		s = s[len(s)-32:]
	}
	return []string{
		string(s), hex.EncodeToString(s), strings.ToUpper(hex.EncodeToString(s)), fmt.Sprint(s), fmt.Sprint(s[:8]),
		base64.StdEncoding.EncodeToString(s)[:40], base64.RawURLEncoding.EncodeToString(s)[:40],
	}
}

func allFiles(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		require.NoError(t, err)
		out[e.Name()] = b
	}
	return out
}

func (w *world) compile(sql string) (*plan.Plan, error) { return plan.Compile(sql, &w.product) }
