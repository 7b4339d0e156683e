package server_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/flow/flowtest"
)

// What goes wrong before a method is reached has a reason and a remedy like everything else.
func TestRESTErrorsSayWhatToDo(t *testing.T) {
	e := serve(t, flowtest.New(t))
	for _, c := range []struct {
		what         string
		party        carnet.PartyID
		method, path string
		body         string
		code         int
		reason       string
	}{
		{"no certificate", "", "GET", "/v1/products", "", http.StatusUnauthorized, "UNAUTHENTICATED"},
		{"no such path", "buyer", "GET", "/v1/nothing", "", http.StatusNotFound, "NO_SUCH_PATH"},
		{"no such path at all", "", "GET", "/index.html", "", http.StatusNotFound, "NO_SUCH_PATH"},
		{"no such method", "buyer", "DELETE", "/v1/products", "", http.StatusMethodNotAllowed, "NO_SUCH_PATH"},
		{"half of a body", "buyer", "POST", "/v1/queries", "{", http.StatusBadRequest, "BAD_REQUEST"},
		{"an unknown field", "buyer", "POST", "/v1/queries", `{"foo": 1}`, http.StatusBadRequest, "BAD_REQUEST"},
		{"no number", "buyer", "GET", "/v1/products?pageSize=abc", "", http.StatusBadRequest, "BAD_REQUEST"},
	} {
		code, body := e.raw(c.party, c.method, c.path, []byte(c.body), nil)
		require.Equal(t, c.code, code, "%s: %s", c.what, body)
		var got struct {
			Message string
			Details []struct{ Reason, Locale, Message string }
		}
		require.NoError(t, json.Unmarshal(body, &got), "%s: %s", c.what, body)
		require.NotEmpty(t, got.Message, c.what)
		require.Len(t, got.Details, 2, "%s: %s", c.what, body)
		require.Equal(t, c.reason, got.Details[0].Reason, c.what)
		require.NotEmpty(t, got.Details[1].Message, c.what)
	}
}
