package carnettest

import (
	"errors"
	"io"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	pb "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/apiconv"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/client"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/he/wire"
	"github.com/carnet-network/carnet/pkg/ident"
	"github.com/carnet-network/carnet/pkg/seal"
	"github.com/carnet-network/carnet/pkg/share"
)

// Scalars is an answer as the buyer sees it before it is combined.
type Scalars struct {
	Public  []he.Scalar         // z, one for each opening
	Shares  map[int][]he.Scalar // by keyholder number, home scalars cut off
	Answers map[int]carnet.Answer
	asked   *client.Asked
}

// AnswerInfo is the context an answer is sealed under.
func AnswerInfo(query carnet.Hash, number int) []byte {
	return append(append([]byte("carnet/answer/1"), query[:]...), byte(number))
}

// RecipientKey is the key that answers to a query are sealed to.
func RecipientKey(t testing.TB, buyer *ident.Identity, query carnet.Hash) *seal.PrivateKey {
	t.Helper()
	seed, err := buyer.RecipientSeed(query)
	require.NoError(t, err)
	k, err := seal.DeriveKey(seed)
	require.NoError(t, err)
	return k
}

// Scalars fetches an answer and unseals it, trusting everybody.
func (n *Network) Scalars(t testing.TB, a *client.Asked) *Scalars {
	t.Helper()
	stream, err := pb.NewQueryServiceClient(n.Conn(t, a.Query.Buyer)).FetchAnswer(Context(t), &pb.FetchAnswerRequest{Id: a.Hash.String()})
	require.NoError(t, err)
	out := &Scalars{Shares: map[int][]he.Scalar{}, Answers: map[int]carnet.Answer{}, asked: a}
	var public []byte
	var body carnet.Answer
	sealed := map[int][]byte{}
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		switch p := m.GetPart().(type) {
		case *pb.FetchAnswerResponse_PublicValues:
			public = append(public, p.PublicValues...)
		case *pb.FetchAnswerResponse_Answer:
			env, err := apiconv.FromEnvelope("statement", p.Answer.GetStatement())
			require.NoError(t, err)
			body = carnet.Answer{}
			require.NoError(t, env.Decode(carnet.TypeAnswer, &body))
			out.Answers[body.Number] = body
		case *pb.FetchAnswerResponse_Sealed:
			sealed[body.Number] = append(sealed[body.Number], p.Sealed.GetData()...)
		}
	}
	profile, count := a.Product.Profile, len(a.Plan.Openings)
	out.Public, err = wire.ReadScalars(profile, public, count)
	require.NoError(t, err)
	key := RecipientKey(t, n.identities[a.Query.Buyer], a.Query.ID)
	for number, b := range sealed {
		plain, err := key.Open(AnswerInfo(a.Hash, number), b)
		require.NoError(t, err)
		out.Shares[number], err = wire.ReadScalars(profile, plain[:count*profile.ScalarBytes()], count)
		require.NoError(t, err)
	}
	return out
}

// Combine reconstructs the opened numbers modulo Q from the shares of the given
// keyholders; all that answered if none is named.
func (s *Scalars) Combine(t testing.TB, numbers ...int) []he.Scalar {
	t.Helper()
	if len(numbers) == 0 {
		for i := range s.Shares {
			numbers = append(numbers, i)
		}
		slices.Sort(numbers)
	}
	var values [][]he.Scalar
	for _, i := range numbers {
		require.Contains(t, s.Shares, i)
		values = append(values, s.Shares[i])
	}
	r := he.NewRing(s.asked.Product.Profile)
	sums, liars, _, _, err := share.CombineAll(r, s.asked.Product.Product.Committee, numbers, values)
	require.NoError(t, err)
	require.Empty(t, liars)
	for i := range sums {
		sums[i] = r.ScalarAdd(sums[i], s.Public[i])
	}
	return sums
}
