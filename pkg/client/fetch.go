package client

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"

	pb "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// maxAnswer bounds what one answer may weigh: 65,536 openings of six limbs, twice
// for a home keyholder, and room to spare.
const maxAnswer = 16 << 20

// fetched is an answer as the gateway delivers it, unchecked.
type fetched struct {
	public   []byte             // canonical scalars z, one for each functional of the plan
	decision *evidence.Envelope // the gateway's own; nil if it sent none
	answers  []sealedAnswer
	bytes    int64
}

type sealedAnswer struct {
	statement *evidence.Envelope
	sealed    []byte
}

// fetch downloads the public values and every sealed answer there is.
func (c *Client) fetch(ctx context.Context, query carnet.Hash) (*fetched, error) {
	stream, err := c.queries.FetchAnswer(ctx, &pb.FetchAnswerRequest{Id: query.String()})
	if err != nil {
		return nil, fault(err)
	}
	f := &fetched{}
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return f, nil
		}
		if err != nil {
			return nil, fault(err)
		}
		switch part := m.GetPart().(type) {
		case *pb.FetchAnswerResponse_PublicValues:
			f.public = append(f.public, part.PublicValues...)
			f.bytes += int64(len(part.PublicValues))
		case *pb.FetchAnswerResponse_Decision:
			if f.decision = fromProto(part.Decision); f.decision == nil {
				return nil, wrong("the gateway sent a malformed decision")
			}
			f.bytes += int64(len(f.decision.Payload))
		case *pb.FetchAnswerResponse_Answer:
			env := fromProto(part.Answer.GetStatement())
			if env == nil {
				return nil, wrong("the gateway sent a malformed answer")
			}
			f.answers = append(f.answers, sealedAnswer{statement: env})
			f.bytes += int64(len(env.Payload))
		case *pb.FetchAnswerResponse_Sealed:
			if len(f.answers) == 0 {
				return nil, wrong("the gateway sent shares without the answer they belong to")
			}
			a := &f.answers[len(f.answers)-1]
			a.sealed = append(a.sealed, part.Sealed.GetData()...)
			f.bytes += int64(len(part.Sealed.GetData()))
			if len(a.sealed) > maxAnswer {
				return nil, wrong("the gateway sent shares of more than %d bytes", maxAnswer)
			}
		}
		if len(f.public) > maxAnswer || len(f.answers) > 64 {
			return nil, wrong("the gateway sent more than an answer can hold")
		}
	}
}

// verifyAnswer checks that a statement is a keyholder's word about this query and
// about exactly these sealed bytes.
func (p *Product) verifyAnswer(ctx context.Context, query carnet.Hash, openings int, a *sealedAnswer) (*carnet.Answer, error) {
	var body carnet.Answer
	if err := a.statement.Decode(carnet.TypeAnswer, &body); err != nil {
		return nil, err
	}
	bad := carnet.E(carnet.Invalid, "BAD_ANSWER", "an answer in the name of %s is not what it claims to be", body.By)
	if body.Number < 1 || body.Number > len(p.Committee.Members) || p.Committee.Members[body.Number-1] != body.By {
		return nil, bad.With("number", "%d is not the number of %s", body.Number, body.By)
	}
	if err := p.parties.signed(ctx, a.statement, body.By, carnet.RoleKeyholder); err != nil {
		return nil, err
	}
	switch {
	case body.Query != query:
		return nil, bad.With("query", "is another one")
	case body.Openings != openings:
		return nil, bad.With("openings", "there are %d, the plan has %d", body.Openings, openings)
	case body.Sealed != sha256.Sum256(a.sealed):
		return nil, bad.With("sealed", "the bytes are not those that were signed")
	}
	return &body, nil
}
