package client

import (
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

// fault turns the error of a call into a *carnet.Error.
func fault(err error) error { return apiconv.FromStatus(err) }
