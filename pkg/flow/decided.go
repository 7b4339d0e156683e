package flow

import (
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// Decided says by which policy bundle a party let a query pass, as it signed it.
type Decided struct {
	By     carnet.PartyID
	Number int                  // keyholder number; 0: the gateway
	Policy *carnet.PolicyBundle // nil: owners' terms alone
}

// decidedBy lists by which bundles a query passed the gateway and the keyholders that
// answered it.
func decidedBy(tx Tx, q *QueryRecord) (out []Decided, err error) {
	_, d, err := allowing(tx, q)
	if err != nil {
		return nil, err
	}
	if d != nil {
		out = append(out, Decided{By: d.By, Policy: d.Judged[0].By()}) // one bundle judges all flows
	}
	answers, err := tx.Answers(q.Statement.Hash)
	if err != nil {
		return nil, err
	}
	for i := range answers {
		var a carnet.Answer
		if err := answers[i].Statement.Envelope.Decode(carnet.TypeAnswer, &a); err != nil {
			return nil, err
		}
		out = append(out, Decided{a.By, a.Number, a.Policy})
	}
	return out, nil
}

// allowing is the signed decision by which the gateway's bundle let a query pass, nil if
// owners' terms alone did. The transaction that takes a query journals it (see allowed), as
// the next entry.
func allowing(tx Tx, q *QueryRecord) (*evidence.Envelope, *carnet.Decision, error) {
	next, err := tx.Entries(q.Statement.Seq+1, 1)
	if err != nil || len(next) == 0 || next[0].Envelope.PayloadType != carnet.TypeDecision {
		return nil, nil, err
	}
	d := &carnet.Decision{}
	if err := next[0].Envelope.Decode(carnet.TypeDecision, d); err != nil {
		return nil, nil, err
	}
	if d.Query != q.Statement.Hash || !d.Allow || len(d.Judged) == 0 {
		return nil, nil, nil
	}
	return next[0].Envelope, d, nil
}
