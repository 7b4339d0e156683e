package client

import (
	"crypto/ed25519"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// What gRPC says about a connection is said in plain words, with what to do.
func TestFaultsInPlainWords(t *testing.T) {
	for text, want := range map[string]string{
		`connection error: desc = "transport: Error while dialing: dial tcp 127.0.0.1:1: connect: connection refused"`:                     "the gateway can't be reached: dial tcp 127.0.0.1:1: connect: connection refused",
		`connection error: desc = "transport: authentication handshake failed: tls: failed to verify certificate: x509: \"quoted\" cause"`: `no secure connection to the gateway: tls: failed to verify certificate: x509: "quoted" cause`,
		"name resolver error: produced zero addresses":                                      "the gateway can't be reached: its name has no address",
		`connection error: desc = "write tcp 127.0.0.1:5->127.0.0.1:7: write: broken pipe"`: "the gateway, or something on the way, cut the connection: write tcp 127.0.0.1:5->127.0.0.1:7: write: broken pipe",
		"the connection is draining":                                                        "the gateway can't be reached: the connection is draining",
	} {
		err := fault(status.Error(codes.Unavailable, text))
		var e *carnet.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, want, e.Msg)
		require.Equal(t, "UNAVAILABLE", e.Reason)
		require.Equal(t, carnet.Unavailable, e.Kind)
		require.NotEmpty(t, e.Remedy)
	}
	require.Contains(t, fault(status.Error(codes.Unimplemented, "404")).Error(), "not the gRPC port")
	require.NoError(t, fault(nil))
	plain := errors.New("plain")
	require.Equal(t, plain, fault(plain))
}

func TestNamed(t *testing.T) {
	err := named(carnet.E(carnet.NotFound, "NOT_FOUND", "there is no such entry in schemas"), "schema", "x@1", "list them")
	require.Equal(t, `there is no schema "x@1"`, err.Error())
	require.Equal(t, carnet.NotFound, carnet.KindOf(err))
	other := carnet.E(carnet.Forbidden, "WRONG_ROLE", "no")
	require.Equal(t, error(other), named(other, "schema", "x@1", "list them"))
}

// A wrong registrar.pub looks like a wrong gateway; both are said.
func TestByRegistrar(t *testing.T) {
	err := byRegistrar(carnet.E(carnet.Forbidden, "BAD_SIGNATURE", "no"), "a party statement", make(ed25519.PublicKey, ed25519.PublicKeySize))
	var e *carnet.Error
	require.ErrorAs(t, err, &e)
	require.Contains(t, e.Msg, "pinned registrar key")
	require.Contains(t, e.Remedy, "registrar.pub")
	require.Equal(t, "BAD_STATEMENT", carnet.ReasonOf(byRegistrar(carnet.E(carnet.Invalid, "BAD_STATEMENT", "no"), "x", nil)))
}
