package flow

import (
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// sealOverhead bounds what sealing adds to an answer's scalars.
const sealOverhead = 4096

// MaxAnswer bounds the sealed bytes of any answer, before its query is known.
const MaxAnswer = 2*65_536*8*6 + sealOverhead

// SubmitAnswer stores the calling keyholder's answer: the signed statement and the
// sealed shares it announces. values, if not empty, are the public values that the
// statement attests. The same answer again is accepted, another one is refused: a
// keyholder's answer to a query is one.
func (g *Gateway) SubmitAnswer(ctx context.Context, as *carnet.Party, env *evidence.Envelope, sealed, values []byte) (Ref, error) {
	var a carnet.Answer
	if err := env.Decode(carnet.TypeAnswer, &a); err != nil {
		return Ref{}, err
	}
	if err := sameCaller(as, a.By); err != nil {
		return Ref{}, err
	}
	if a.Sealed != sha256.Sum256(sealed) {
		return Ref{}, bad("SEALED_DIFFERS", "the sealed message does not have the hash in the statement")
	}
	if len(values) > 0 && (a.Attested == nil || *a.Attested != attestation(values)) {
		return Ref{}, bad("VALUES_DIFFER", "the public values do not have the digest in the statement")
	}
	var q QueryRecord
	err := g.Store.View(ctx, func(tx Tx) (err error) { q, err = checkAnswer(tx, as, env, &a, len(sealed)); return err })
	if err != nil {
		return Ref{}, err
	}
	if _, err := g.Blobs.Put(ctx, sealedKey(a.Query, a.Number, a.Sealed), sealed); err != nil {
		return Ref{}, err
	}
	if err := g.Blobs.Sync(ctx, answerPrefix(a.Query)); err != nil {
		return Ref{}, err
	}
	g.compareAttested(ctx, &q, &a)
	return g.record(ctx, env, func(tx Tx, st Stored) error {
		q, err := checkAnswer(tx, as, env, &a, len(sealed))
		if err != nil {
			return err
		}
		if !takesAnswers(q.State) || !g.now().Before(q.Expires) {
			return carnet.E(carnet.Precondition, "QUERY_CLOSED", "the query is %s and takes no more answers", q.State)
		}
		old, err := tx.Answers(a.Query)
		if err != nil {
			return err
		}
		for _, o := range old {
			if o.Number == a.Number {
				return known("ANSWER_DIFFERS", "keyholder %d has answered this query with other bytes", a.Number)
			}
		}
		if err := tx.PutAnswer(a.Query, AnswerRecord{a.Number, a.By, st, a.Sealed, int64(len(sealed))}); err != nil {
			return err
		}
		return g.settle(tx, q)
	}, topicQuery(a.Query))
}

// checkAnswer checks an answer against its query and committee.
func checkAnswer(tx Tx, as *carnet.Party, env *evidence.Envelope, a *carnet.Answer, sealed int) (QueryRecord, error) {
	if _, err := signer(tx, env, a.By, carnet.RoleKeyholder); err != nil {
		return QueryRecord{}, err
	}
	q, c, err := memberQuery(tx, as, a.Query)
	if err != nil {
		return q, err
	}
	e := bad("BAD_ANSWER", "the answer does not fit its query")
	switch {
	case a.Number != memberNumber(&c, as.ID):
		return q, e.With("number", "%q is keyholder %d", as.ID, memberNumber(&c, as.ID))
	case a.Openings != q.Openings:
		return q, e.With("openings", "want %d, have %d", q.Openings, a.Openings)
	case sealed > 2*q.Openings*q.ScalarBytes+sealOverhead:
		return q, e.With("sealed", "%d bytes are more than %d openings take", sealed, q.Openings)
	}
	return q, nil
}

// memberQuery returns a query of a committee the caller is a member of.
func memberQuery(tx Tx, as *carnet.Party, id carnet.Hash) (q QueryRecord, c carnet.Committee, err error) {
	if q, err = tx.GetQuery(id); err != nil {
		return q, c, err
	}
	if c, _, err = committee(tx, q.Committee); err == nil && memberNumber(&c, as.ID) == 0 {
		err = carnet.E(carnet.Forbidden, "NOT_A_MEMBER", "%q is not a member of the query's committee", as.ID)
	}
	return q, c, err
}

// attestation is the digest of public values that answers carry.
func attestation(values []byte) carnet.Hash { return carnet.Digest("carnet/answers/z/1", values) }

// compareAttested tells the operator when a keyholder computed other public values
// than the gateway: one of the two is wrong, and buyers will notice.
func (g *Gateway) compareAttested(ctx context.Context, q *QueryRecord, a *carnet.Answer) {
	if a.Attested == nil || q.Values.IsZero() {
		return
	}
	own, err := g.values(ctx, q)
	if err != nil || attestation(own) == *a.Attested {
		return
	}
	g.Logger.Error("a keyholder attests other public values", "query", a.Query.String(), "keyholder", string(a.By))
	if g.Observe.Mismatch != nil {
		g.Observe.Mismatch()
	}
	g.doubt(ctx, q)
}

// doubt has the files of a query read and compared with their hashes anew, and forgets
// what is kept of them: it was made of the words that are in doubt.
func (g *Gateway) doubt(ctx context.Context, q *QueryRecord) {
	var body carnet.Query
	if err := q.Statement.Envelope.Decode(carnet.TypeQuery, &body); err != nil {
		return
	}
	var in *inputs
	if err := g.Store.View(ctx, func(tx Tx) (err error) {
		in, err = g.pinnedInputs(tx, q.Published, body.Inputs, q.Statement.Seq)
		return err
	}); err != nil {
		return
	}
	if source, err := newColumnSource(g.Columns, in); err == nil {
		source.doubt()
		g.cubes.Forget(func(file carnet.Nonce) bool { return source.files[file] != nil })
	}
}

// SubmitDecision stores the calling keyholder's refusal of a query.
func (g *Gateway) SubmitDecision(ctx context.Context, as *carnet.Party, env *evidence.Envelope) (Ref, error) {
	var d carnet.Decision
	if err := env.Decode(carnet.TypeDecision, &d); err != nil {
		return Ref{}, err
	}
	if err := sameCaller(as, d.By); err != nil {
		return Ref{}, err
	}
	if d.Allow || d.Reason == "" || len(d.Reason) > maxReason || len(d.Message) > 2000 || len(d.Remedy) > 2000 {
		return Ref{}, bad("BAD_DECISION", "only refusals with a short reason, message and remedy are submitted; an answer says that a query is allowed")
	}
	return g.record(ctx, env, func(tx Tx, st Stored) error {
		if _, err := signer(tx, env, d.By, carnet.RoleKeyholder); err != nil {
			return err
		}
		q, _, err := memberQuery(tx, as, d.Query)
		if err != nil {
			return err
		}
		if !takesAnswers(q.State) {
			return carnet.E(carnet.Precondition, "QUERY_CLOSED", "the query is %s and takes no more decisions", q.State)
		}
		old, err := tx.Decisions(d.Query)
		if err != nil {
			return err
		}
		for _, o := range old {
			if o.By == d.By {
				return known("DECISION_DIFFERS", "%q has decided about this query before", d.By)
			}
		}
		if err := tx.PutDecision(d.Query, d.By, st.Hash); err != nil {
			return err
		}
		return g.settle(tx, q)
	}, topicQuery(d.Query))
}

func answerPrefix(query carnet.Hash) string { return "answers/" + query.String() }

func sealedKey(query carnet.Hash, number int, h carnet.Hash) string {
	return fmt.Sprintf("%s/%d-%s", answerPrefix(query), number, h)
}

func valuesKey(query, h carnet.Hash) string {
	return fmt.Sprintf("%s/values-%s", answerPrefix(query), h)
}
