package carnettest

import (
	pb "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/apiconv"
	"github.com/carnet-network/carnet/pkg/evidence"
)

func toProto(e *evidence.Envelope) *pb.Envelope { return apiconv.ToEnvelope(e) }
