package client

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	pb "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/apiconv"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// Ref names a registered statement and its place in the journal.
type Ref struct {
	Hash carnet.Hash
	Seq  int64
}

// refTo reads a statement reference and insists that the gateway registered the
// statement that was sent.
func refTo(env *evidence.Envelope, r *pb.StatementRef) (Ref, error) {
	h, err := carnet.ParseHash(r.GetHash())
	if err != nil || h != env.Hash() {
		return Ref{}, wrong("the gateway confirmed another statement than the one sent")
	}
	return Ref{Hash: h, Seq: r.GetSeq()}, nil
}

// wrong is what a gateway says that can't be true.
func wrong(format string, args ...any) *carnet.Error {
	return carnet.E(carnet.Internal, "GATEWAY_WRONG", format, args...).
		Fix("don't rely on this gateway until its operator has explained it; nothing was accepted from it")
}

func toProto(e *evidence.Envelope) *pb.Envelope { return apiconv.ToEnvelope(e) }

// fromProto returns nil for an envelope that is absent or malformed; a client refuses
// both alike.
func fromProto(e *pb.Envelope) *evidence.Envelope {
	env, err := apiconv.FromEnvelope("statement", e)
	if err != nil {
		return nil
	}
	return env
}

// fault turns the error of a call into a *carnet.Error. What gRPC says about a
// connection that was not made is said in plain words.
func fault(err error) error {
	err = apiconv.FromStatus(err)
	var e *carnet.Error
	if !errors.As(err, &e) || e.Remedy != "" {
		return err
	}
	cause := plainCause(e.Msg)
	switch {
	case e.Reason == "UNAVAILABLE" && strings.Contains(cause, "tls: "):
		c := *e
		c.Msg = "no secure connection to the gateway: " + cause
		return c.Fix("check that the address is the gateway's --listen address, spelled as in its certificate,\n" +
			"and that ca.pem is the CA that issued both certificates; they may have expired, too")
	case e.Reason == "UNAVAILABLE" && (strings.Contains(cause, "broken pipe") || strings.Contains(cause, "connection reset")):
		c := *e
		c.Msg = "the gateway, or something on the way, cut the connection: " + cause
		return c.Fix("repeat the command; if it happens again, the gateway does not accept your certificate: check that it was issued by\n" +
			"an authority that the gateway trusts (carnet-gateway --tls-ca), and was not revoked")
	case e.Reason == "UNAVAILABLE":
		c := *e
		c.Msg = "the gateway can't be reached: " + cause
		return c.Fix("check the address (HOST:PORT in config.yaml or CARNET_GATEWAY) and that the gateway runs; then repeat the command")
	case e.Reason == "UNIMPLEMENTED":
		c := *e
		c.Msg = "what answers at this address is not the gRPC port of a gateway of this version"
		return c.Fix("use the address of carnet-gateway --listen, not that of --rest-listen, and compare versions")
	}
	return err
}

// plainCause is the innermost part of gRPC's `connection error: desc = "transport:
// Error while dialing: …"`.
func plainCause(msg string) string {
	if _, quoted, ok := strings.Cut(msg, "desc = "); ok {
		if text, err := strconv.Unquote(quoted); err == nil {
			msg = text
		}
	}
	for _, prefix := range []string{"transport: ", "Error while dialing: ", "authentication handshake failed: ", "name resolver error: "} {
		msg = strings.TrimPrefix(msg, prefix)
	}
	if msg == "produced zero addresses" {
		return "its name has no address"
	}
	return msg
}

// named says which thing it is that the gateway does not have, and where to find
// those that it has; other errors stay as they are.
func named(err error, what, id, fix string) error {
	var e *carnet.Error
	if err = fault(err); !errors.As(err, &e) || e.Reason != "NOT_FOUND" {
		return err
	}
	c := *e
	c.Msg = fmt.Sprintf("there is no %s %q", what, id)
	return c.Fix("%s", fix)
}
