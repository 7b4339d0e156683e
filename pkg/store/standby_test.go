package store_test

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/internal/postgres"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/store"
)

// TestStandbysAreNotAsked: an address can't ask for a server that may be behind.
func TestStandbysAreNotAsked(t *testing.T) {
	const base = "postgres://u@127.0.0.1:5432,localhost:5433/carnet?sslmode=disable"
	for attrs, ok := range map[string]bool{"": true, "read-write": true, "primary": true, "any": false, "read-only": false, "standby": false, "prefer-standby": false} {
		address := base
		if attrs != "" {
			address += "&target_session_attrs=" + attrs
		}
		want := "BAD_STORE"
		if ok {
			want = ""
		}
		require.Equal(t, want, carnet.ReasonOf(store.CheckAddress(address)), attrs)
	}
	t.Setenv("PGTARGETSESSIONATTRS", "standby")
	require.Equal(t, "BAD_STORE", carnet.ReasonOf(store.CheckAddress(base)))
	require.NoError(t, store.CheckAddress(base+"&target_session_attrs=read-write"))
}

// TestWritableOfSeveral: of several hosts that which can be written to is used, also for reading.
func TestWritableOfSeveral(t *testing.T) {
	behind := postgres.New(t)
	address, err := behind.Database(t.Context())
	require.NoError(t, err)
	standby, err := url.Parse(address)
	require.NoError(t, err)
	primary, err := url.Parse(postgres.Fresh(t))
	require.NoError(t, err)
	_, err = admin(t, primary.String()).Exec(`CREATE DATABASE several`)
	require.NoError(t, err)
	db := admin(t, standby.String())
	_, err = db.Exec(`CREATE DATABASE several`)
	require.NoError(t, err)
	_, err = db.Exec(`ALTER DATABASE several SET default_transaction_read_only = on`)
	require.NoError(t, err)

	primary.Path = "/several"
	of := func(hosts string) string {
		u := *primary
		u.RawQuery = url.Values{"host": {hosts}}.Encode()
		return u.String()
	}
	_, err = store.Open(t.Context(), of(standby.Query().Get("host")))
	require.Equal(t, "STORE_UNUSABLE", carnet.ReasonOf(err), "%v", err)
	s := openAt(t, of(standby.Query().Get("host")+","+primary.Query().Get("host")))
	require.NoError(t, journal(s, 0))
	require.Len(t, entries(t, s), 1)
}
