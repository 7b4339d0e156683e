package carnettest

import (
	"crypto/sha256"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	pb "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/apiconv"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/client"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/flow"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/he/wire"
	"github.com/carnet-network/carnet/pkg/seal"
)

// lie says what a keyholder sends instead of its share of an opening.
type lie func(number, opening int, share he.Scalar) he.Scalar

// liars makes keyholders send wrong shares, properly sealed and signed with their
// real keys, as a dishonest operator can. The test knows the buyer's key and thereby
// the true share, which the liar knows as well.
func liars(t *testing.T, n *Network, profile *he.Profile, numbers []int, tell lie) {
	n.Rewrite(func(party carnet.PartyID, method string, sent []proto.Message) ([]proto.Message, error) {
		i := slices.IndexFunc(n.Keyholders, func(k *Keyholder) bool { return k.Party == party })
		if method != submitAnswer || i < 0 || !slices.Contains(numbers, i+1) {
			return nil, nil
		}
		k := n.Keyholders[i]
		var body carnet.Answer
		var sealed []byte
		var rest []proto.Message
		for _, m := range sent {
			switch p := m.(*pb.SubmitAnswerRequest).Part.(type) {
			case *pb.SubmitAnswerRequest_Statement:
				env, err := apiconv.FromEnvelope("statement", p.Statement)
				require.NoError(t, err)
				require.NoError(t, env.Decode(carnet.TypeAnswer, &body))
			case *pb.SubmitAnswerRequest_Sealed:
				sealed = append(sealed, p.Sealed...)
			default:
				rest = append(rest, m)
			}
		}
		var query carnet.Query
		require.NoError(t, n.Gateway.Store.View(t.Context(), func(tx flow.Tx) error {
			q, err := tx.GetQuery(body.Query)
			if err != nil {
				return err
			}
			return q.Statement.Envelope.Decode(carnet.TypeQuery, &query)
		}))
		plain, err := RecipientKey(t, n.Identity(query.Buyer), query.ID).Open(AnswerInfo(body.Query, k.Number), sealed)
		require.NoError(t, err)
		shares, err := wire.ReadScalars(profile, plain, body.Openings)
		require.NoError(t, err)
		for o := range shares {
			shares[o] = tell(k.Number, o, shares[o])
		}
		if sealed, err = seal.Seal(query.Recipient, AnswerInfo(body.Query, k.Number), wire.AppendScalars(nil, profile, shares)); err != nil {
			return nil, err
		}
		body.Sealed = sha256.Sum256(sealed)
		env, err := evidence.Seal(carnet.TypeAnswer, body, k.Keys.Signer())
		require.NoError(t, err)
		return append([]proto.Message{
			&pb.SubmitAnswerRequest{Part: &pb.SubmitAnswerRequest_Statement{Statement: apiconv.ToEnvelope(env)}},
			&pb.SubmitAnswerRequest{Part: &pb.SubmitAnswerRequest_Sealed{Sealed: sealed}},
		}, rest...), nil
	})
}

// conspiracy is the best that t-1 = 2 liars can do: errors on a polynomial of degree
// t-1 that vanishes at two honest keyholders, so that only a third one sees anything.
// It moves one opened number, by 12 if those two are 3 and 4.
func conspiracy(r *he.Ring, at, degree, a, b int) lie {
	return func(number, opening int, share he.Scalar) he.Scalar {
		if opening != at {
			return share
		}
		e := r.ScalarFromBig(big.NewInt(int64((number - a) * (number - b))))
		return r.ScalarAdd(share, r.ScalarMul(e, r.TInv(degree)))
	}
}

func numbers(ms []client.Member) (out []int) {
	for _, m := range ms {
		out = append(out, m.Number)
	}
	return out
}

// Rule (scheme §5): t-1 lying keyholders are detected with 2t-1 answers. Liars 1 and 2
// of 5/3 collude; the buyer gets an error and no number, as with one liar alone:
// correcting it would let two go unnoticed. With one answer fewer than 2t-1 the same
// conspiracy does, which is why the answer says how many liars it would have shown.
func TestLyingKeyholdersAreDetected(t *testing.T) {
	t.Parallel()
	n := Start(t, Options{Keyholders: 5, Threshold: 3})
	publishTrade(t, n, carnet.LayoutCube)
	honest := n.Ask(t, "buyer", "cube", linearQuery)
	require.Equal(t, 2, honest.Detectable)
	require.Zero(t, honest.Correctable)
	_, p, err := n.Client(t, "buyer").Explain(Context(t), "cube", linearQuery)
	require.NoError(t, err)
	profile, r := p.Profile, he.NewRing(p.Profile)

	liars(t, n, profile, []int{1, 2}, conspiracy(r, 0, 1, 3, 4))
	_, err = n.Open(t, n.Submit(t, "buyer", "cube", linearQuery))
	require.Equal(t, "INCONSISTENT_ANSWERS", carnet.ReasonOf(err), "%v", err)

	liars(t, n, profile, []int{4}, func(_, _ int, s he.Scalar) he.Scalar { return r.ScalarAdd(s, r.TInv(1)) })
	_, err = n.Open(t, n.Submit(t, "buyer", "cube", linearQuery))
	require.Equal(t, "INCONSISTENT_ANSWERS", carnet.ReasonOf(err), "%v", err)

	// Without keyholder 5's answer nobody is left who would notice.
	liars(t, n, profile, []int{1, 2}, conspiracy(r, 1, 1, 3, 4))
	n.Meddle(func(m *Message) error {
		if m.Party == "kh5" && m.Method == submitAnswer {
			return status.Error(codes.Unavailable, "down")
		}
		return nil
	})
	const total = "SELECT SUM(value) FROM cube"
	asked := n.Submit(t, "buyer", "cube", total)
	Eventually(t, "four answers", 2*time.Minute, func() bool {
		s, err := n.Client(t, "buyer").Status(Context(t), asked.Hash)
		require.NoError(t, err)
		return s.Answers == 4
	})
	moved, err := n.Client(t, "buyer").Open(Context(t), n.Identity("buyer"), asked)
	require.NoError(t, err)
	require.Equal(t, 1, moved.Detectable, "says that two liars can't be seen")
	require.Empty(t, moved.Liars)
	n.Rewrite(nil)
	n.Meddle(nil)
	right := n.Ask(t, "buyer", "cube", total)
	shift := new(big.Rat).Sub(moved.Result.Rows[0][0].Rat(), right.Result.Rows[0][0].Rat())
	require.Equal(t, "0.12", shift.FloatString(2), "the total moved by 12 cents")
}

// Rule (scheme §5): with n >= 3t-2 answers t-1 colluding liars are corrected and
// named. 7/3, linear and degree 2.
func TestLyingKeyholdersAreNamed(t *testing.T) {
	t.Parallel()
	n := Start(t, Options{Keyholders: 7, Threshold: 3, Owners: []Owner{{"kz", "KZ"}, {"uz", "UZ"}}})
	for layout, sql := range layoutQueries {
		if testing.Short() && layout == carnet.LayoutRecords {
			continue
		}
		publishTrade(t, n, layout)
		n.Rewrite(nil)
		product := carnet.ProductID(layout)
		honest := n.Ask(t, "buyer", product, sql)
		_, p, err := n.Client(t, "buyer").Explain(Context(t), product, sql)
		require.NoError(t, err)
		r := he.NewRing(p.Profile)
		for _, pair := range [][4]int{{1, 2, 3, 4}, {2, 6, 1, 7}, {5, 7, 2, 3}} {
			liars(t, n, p.Profile, pair[:2], conspiracy(r, 0, p.Openings[0].Degree, pair[2], pair[3]))
			a := n.Ask(t, "buyer", product, sql)
			require.Equal(t, pair[:2], numbers(a.Liars), layout)
			require.Len(t, a.Used, 5)
			require.Equal(t, 2, a.Correctable)
			require.Equal(t, Rows(honest.Result), Rows(a.Result), "%s: liars %v", layout, pair[:2])
		}
	}
}

// Rule: an answer that is not well-formed, or attests other public values than the
// gateway's, is set aside or named, and does not spoil the others.
func TestMalformedAnswers(t *testing.T) {
	t.Parallel()
	n := Start(t, Options{Keyholders: 5, Threshold: 3, Owners: []Owner{{"kz", "KZ"}, {"uz", "UZ"}}})
	publishTrade(t, n, carnet.LayoutCube)
	want := Rows(n.Ask(t, "buyer", "cube", linearQuery).Result)
	// Keyholder 2 seals to somebody else, keyholder 4 attests something else.
	n.Rewrite(func(party carnet.PartyID, method string, sent []proto.Message) ([]proto.Message, error) {
		if method != submitAnswer || party != "kh2" && party != "kh4" {
			return nil, nil
		}
		first, sealed := sent[0].(*pb.SubmitAnswerRequest), sent[1].(*pb.SubmitAnswerRequest)
		env, err := apiconv.FromEnvelope("statement", first.GetStatement())
		require.NoError(t, err)
		var body carnet.Answer
		require.NoError(t, env.Decode(carnet.TypeAnswer, &body))
		k := n.Keyholders[body.Number-1]
		out := sealed.GetSealed()
		if party == "kh2" {
			out, err = seal.Seal(k.Keys.SealingKey(), AnswerInfo(body.Query, body.Number), []byte("not for you"))
			require.NoError(t, err)
			body.Sealed = sha256.Sum256(out)
		} else {
			body.Attested = &carnet.Hash{1}
		}
		env, err = evidence.Seal(carnet.TypeAnswer, body, k.Keys.Signer())
		require.NoError(t, err)
		return []proto.Message{
			&pb.SubmitAnswerRequest{Part: &pb.SubmitAnswerRequest_Statement{Statement: apiconv.ToEnvelope(env)}},
			&pb.SubmitAnswerRequest{Part: &pb.SubmitAnswerRequest_Sealed{Sealed: out}},
		}, nil
	})
	a := n.Ask(t, "buyer", "cube", linearQuery)
	require.Equal(t, want, Rows(a.Result))
	require.Equal(t, []int{2}, numbers(a.Rejected))
	require.Equal(t, []int{4}, numbers(a.Disagreed))
	require.Equal(t, []int{1, 3, 4, 5}, numbers(a.Used))
	require.Equal(t, 3, a.Attested)
}
