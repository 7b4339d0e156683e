package keyholder

import (
	"context"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	apiv1 "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/apiconv"
	"github.com/carnet-network/carnet/pkg/carnet"
)

// callLimit is how long one call to the gateway may take, an answer's upload
// included, so that a gateway that stalls holds up nothing for ever.
const callLimit = 2 * time.Minute

// pieceBytes is the most one message of a stream carries.
const pieceBytes = 1 << 20

// send delivers what the ledger holds and the gateway has not acknowledged:
// co-signatures first, since answers wait for them, then checks of private parameters,
// for which others wait, then answers and refusals, the oldest first. Everything is sent as it was persisted, however often;
// only its signature is made again after the key was replaced.
func (k *Keyholder) send(ctx context.Context) error {
	wait := backoff{least: k.retry}
	for {
		err := k.sendAll(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		d := longestWait
		if err != nil {
			d = wait.next()
			k.log.Warn("the gateway did not take a message; trying again", "in", d, "error", offWire(err))
		} else {
			wait.reset()
		}
		if err := k.outbox.wait(ctx, d); err != nil {
			return err
		}
	}
}

func (k *Keyholder) sendAll(ctx context.Context) error {
	sigs, err := k.ledger.unsentCosignatures(ctx)
	if err != nil {
		return err
	}
	for _, c := range sigs {
		call, done := context.WithTimeout(ctx, callLimit)
		_, err := k.api.release.Cosign(call, &apiv1.CosignRequest{Note: c.note})
		done()
		if err != nil && !takenForGood(err) {
			return err
		}
		if err != nil {
			k.log.Error("the gateway refused a co-signature", "size", c.size, "error", offWire(err))
		}
		if err := k.ledger.setCosignatureSent(ctx, c.size); err != nil {
			return err
		}
	}
	for {
		c, err := k.ledger.unsentCheck(ctx)
		if err != nil {
			return err
		}
		if c == nil {
			break
		}
		env, err := k.renew(ctx, c.statement)
		if err != nil {
			return err
		}
		call, done := context.WithTimeout(ctx, callLimit)
		_, err = k.api.release.SubmitCheck(call, &apiv1.SubmitCheckRequest{Statement: apiconv.ToEnvelope(env)})
		done()
		if err != nil && !takenForGood(err) {
			return err
		}
		if err != nil {
			k.refused("a check of a private parameter", c.query, err)
		}
		if err := k.crash("check sent"); err != nil {
			return err
		}
		if err := k.ledger.setCheckSent(ctx, c.query); err != nil {
			return err
		}
	}
	if err := k.sendDeferrals(ctx); err != nil {
		return err
	}
	for after := int64(-1); ; {
		o, err := k.ledger.unsent(ctx, after)
		if err != nil || o == nil {
			return err
		}
		after = o.Seq
		if err := k.sendOutcome(ctx, o); err != nil {
			return err
		}
	}
}

// sendDeferrals tells the gateway which queries wait for people. It changes nothing, so one
// that the gateway does not take is let go.
func (k *Keyholder) sendDeferrals(ctx context.Context) error {
	for {
		c, err := k.ledger.unsentDeferral(ctx)
		if err != nil || c == nil {
			return err
		}
		env, err := k.renew(ctx, c.statement)
		if err != nil {
			return err
		}
		call, done := context.WithTimeout(ctx, callLimit)
		_, err = k.api.approval.SubmitDeferral(call, &apiv1.SubmitDeferralRequest{Statement: apiconv.ToEnvelope(env)})
		done()
		switch {
		case status.Code(err) == codes.Unimplemented:
		case err != nil && !takenForGood(err):
			return err
		case err != nil:
			k.log.Warn("the gateway did not take that a query waits for people", "query", c.Query, "error", offWire(err))
		}
		if err := k.crash("deferral sent"); err != nil {
			return err
		}
		if err := k.ledger.setDeferralSent(ctx, c.Query); err != nil {
			return err
		}
	}
}

func (k *Keyholder) sendOutcome(ctx context.Context, o *Outcome) error {
	err := k.deliver(ctx, o)
	note := ""
	if err != nil {
		if !takenForGood(err) {
			return err
		}
		note = offWire(err).Error()
		k.refused("an outcome", o.Query, err, "kind", o.Kind)
	} else {
		k.log.Info("outcome delivered", "query", o.Query, "kind", o.Kind, "reason", o.Reason)
	}
	if err := k.crash("sent"); err != nil {
		return err
	}
	return k.ledger.setSent(ctx, o.Query, true, note)
}

// refused logs that the gateway did not take something about a query. What came after the
// query was decided is nobody's fault: enough keyholders were faster, or it expired.
func (k *Keyholder) refused(what string, query carnet.Hash, err error, more ...any) {
	err = offWire(err)
	more = append([]any{"query", query, "error", err}, more...)
	if carnet.ReasonOf(err) == "QUERY_CLOSED" {
		k.log.Info("the query was decided before the gateway got "+what, more...)
		return
	}
	k.log.Error("the gateway refused "+what, more...)
}

func (k *Keyholder) deliver(ctx context.Context, o *Outcome) error {
	ctx, done := context.WithTimeout(ctx, callLimit)
	defer done()
	env, err := k.renew(ctx, o.Statement)
	if err != nil {
		return err
	}
	if o.Kind == kindRefusal {
		_, err := k.api.release.SubmitDecision(ctx, &apiv1.SubmitDecisionRequest{Statement: apiconv.ToEnvelope(env)})
		return err
	}
	stream, err := k.api.release.SubmitAnswer(ctx)
	if err != nil {
		return err
	}
	parts := []*apiv1.SubmitAnswerRequest{{Part: &apiv1.SubmitAnswerRequest_Statement{Statement: apiconv.ToEnvelope(env)}}}
	for b := range pieces(o.Sealed) {
		parts = append(parts, &apiv1.SubmitAnswerRequest{Part: &apiv1.SubmitAnswerRequest_Sealed{Sealed: b}})
	}
	for b := range pieces(o.Public) {
		parts = append(parts, &apiv1.SubmitAnswerRequest{Part: &apiv1.SubmitAnswerRequest_PublicValues{PublicValues: b}})
	}
	for _, p := range parts {
		if stream.Send(p) != nil {
			break // the reason comes with CloseAndRecv
		}
	}
	_, err = stream.CloseAndRecv()
	return err
}

func pieces(b []byte) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for len(b) > 0 {
			n := min(len(b), pieceBytes)
			if !yield(b[:n]) {
				return
			}
			b = b[n:]
		}
	}
}

// takenForGood reports whether sending the same message again is pointless.
func takenForGood(err error) bool {
	switch status.Code(err) {
	case codes.InvalidArgument, codes.NotFound, codes.AlreadyExists, codes.FailedPrecondition, codes.OutOfRange:
		return true
	}
	return false
}

// repeat sends an outcome again when the gateway lists its query again. The bytes
// are those sent before.
func (k *Keyholder) repeat(ctx context.Context, c *Case) error {
	if c.Query.Private != nil {
		if err := k.ledger.repeatCheck(ctx, c.Hash, c.Seq); err != nil {
			return err
		}
		k.outbox.raise()
	}
	o, err := k.ledger.Outcome(ctx, c.Hash)
	if err != nil || o == nil || !o.Sent || o.Kind == kindLapsed || c.Seq == o.Seq {
		return err
	}
	if o.Kind == kindAnswer && len(o.Sealed) == 0 {
		return nil // made before the ledger was restored; the gateway has it
	}
	if err := k.ledger.setSent(ctx, c.Hash, false, ""); err != nil {
		return err
	}
	k.outbox.raise() // only now: a sender that looked before would find nothing to do
	return nil
}
