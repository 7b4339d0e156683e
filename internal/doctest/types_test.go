package doctest

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// example is one statement of docs/formats/vectors/types.json.
type example struct {
	Type    carnet.StatementType `json:"type"`
	Payload string               `json:"payload"`
	Hash    carnet.Hash          `json:"statement_hash"`
}

// headed are the statement types by the heading that their table has.
func headed(t *testing.T) map[string]carnet.StatementType {
	out, heading := map[string]carnet.StatementType{}, ""
	for line := range strings.Lines(readText(t, "docs", "formats", "statements.md")) {
		if m := headingForm.FindStringSubmatch(strings.TrimSpace(line)); m != nil {
			heading = m[1]
		}
		if rest, ok := strings.CutPrefix(line, "`application/vnd.carnet."); ok {
			name, _, _ := strings.Cut(rest, "`")
			out[heading] = carnet.StatementType("application/vnd.carnet." + name)
		}
	}
	return out
}

// TestVectorsOfTypes: there is an example of every type of statement, with every field, and
// what its signers sign is, byte for byte, what it was. A change of a form is a new type.
func TestVectorsOfTypes(t *testing.T) {
	file := filepath.Join("..", "..", "docs", "formats", "vectors", "types.json")
	types := headed(t)
	var want []example
	for _, name := range slices.Sorted(maps.Keys(types)) {
		body := described[name]
		if body == nil {
			require.Equal(t, "Policy bundle", name, "the type has no struct in the list of described ones")
			continue
		}
		v := reflect.New(reflect.TypeOf(body))
		n := 0
		fill(t, v.Elem(), &n)
		env, err := evidence.Seal(types[name], v.Interface())
		require.NoError(t, err)
		require.NoError(t, env.Decode(types[name], reflect.New(reflect.TypeOf(body)).Interface()), "%s is not read as it is written", name)
		want = append(want, example{types[name], string(env.Payload), env.Hash()})
	}
	require.NotEmpty(t, want)
	if *update {
		data, err := json.MarshalIndent(want, "", "  ")
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(file, append(data, '\n'), 0o600))
	}
	var have []example
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &have))
	require.Equal(t, have, want)
}

// fill sets every field to something that is not empty.
func fill(t *testing.T, v reflect.Value, n *int) {
	*n++
	switch x := v.Addr().Interface().(type) {
	case *time.Time:
		*x = time.Date(2026, 1, 1, 0, 0, *n, 0, time.UTC)
		return
	case *carnet.Amount:
		*x = carnet.Amount(*n) * 500_000
		return
	case *carnet.Price: // one that its decoder accepts
		*x = carnet.Price{Currency: "CHF", Query: 1_000_000, Group: 2_500_000, Budget: 3_000_000, Month: 4_000_000, Subscribers: []carnet.PartyID{"bank"},
			Shares: []carnet.PriceShare{{Party: "keyholder", PerTenThousand: 1_000}}}
		return
	case *json.RawMessage:
		*x = json.RawMessage(`{}`)
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprintf("text %d", *n))
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(*n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Uint8:
		v.SetUint(uint64(*n % 256))
	case reflect.Array:
		for i := range v.Len() {
			fill(t, v.Index(i), n)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			fill(t, v.Index(i), n)
		}
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(t, key, n)
		fill(t, value, n)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem(), n)
	case reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Field(i), n)
		}
	default:
		t.Fatalf("no example of a %s", v.Kind())
	}
}
