package flow

import (
	"context"
	"crypto/sha256"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// Fetched is what a buyer needs to open an answer.
type Fetched struct {
	Values   []byte             // public values, one canonical scalar per opening
	Decision *evidence.Envelope // the gateway's own, by its policy bundle; nil: owners' terms alone decided
	Answers  []AnswerRecord
	g        *Gateway
	query    carnet.Hash
}

// FetchAnswer returns public values and answers of a ready query to its buyer, and
// to auditors, who can check everything but open nothing.
func (g *Gateway) FetchAnswer(ctx context.Context, as *carnet.Party, id carnet.Hash) (*Fetched, error) {
	f := &Fetched{g: g, query: id}
	var q QueryRecord
	err := g.Store.View(ctx, func(tx Tx) (err error) {
		if q, err = tx.GetQuery(id); err != nil {
			return err
		}
		if q.Buyer != as.ID && !as.HasRole(carnet.RoleAuditor) {
			return carnet.E(carnet.NotFound, "NOT_FOUND", "there is no such query")
		}
		if q.State != QueryReady {
			return carnet.E(carnet.Precondition, "NOT_READY", "the query is %s", q.State).
				Fix("watch the query; only a ready one has an answer")
		}
		if f.Decision, _, err = allowing(tx, &q); err != nil {
			return err
		}
		f.Answers, err = tx.Answers(id)
		return err
	})
	if err != nil {
		return nil, err
	}
	// Hashes of the shares are public before anybody can use the shares.
	for _, a := range f.Answers {
		if err := g.awaitPublished(ctx, a.Statement.Seq); err != nil {
			return nil, err
		}
	}
	f.Values, err = g.values(ctx, &q)
	return f, err
}

// Sealed returns the sealed shares of one of the answers.
func (f *Fetched) Sealed(ctx context.Context, a AnswerRecord) ([]byte, error) {
	b, err := f.g.Blobs.Get(ctx, sealedKey(f.query, a.Number, a.Sealed))
	if err == nil && sha256.Sum256(b) != a.Sealed {
		err = damaged("answer %d of query %s", a.Number, f.query)
	}
	return b, err
}

// values reads a query's stored public values.
func (g *Gateway) values(ctx context.Context, q *QueryRecord) ([]byte, error) {
	b, err := g.Blobs.Get(ctx, valuesKey(q.Statement.Hash, q.Values))
	if err == nil && sha256.Sum256(b) != q.Values {
		err = damaged("public values of query %s", q.Statement.Hash)
	}
	return b, err
}
