package apiconv

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	carnetv1 "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// overWire is what a status looks like at the other end.
func overWire(t require.TestingT, err error) error {
	st, _ := Status(err)
	b, merr := proto.Marshal(st.Proto())
	require.NoError(t, merr)
	p := status.New(codes.OK, "").Proto()
	require.NoError(t, proto.Unmarshal(b, p))
	return FromStatus(status.ErrorProto(p))
}

func TestErrorsSurviveTheWire(t *testing.T) {
	for k := carnet.Internal + 1; k <= carnet.Canceled; k++ {
		e := carnet.E(k, "SOME_REASON", "it is so").Fix("do that").With("a.b", "is %d", 1).With("file.csv:3:4", "é").Because(errors.New("secret"))
		got := overWire(t, fmt.Errorf("wrapped: %w", e))
		want := *e
		want.Err = nil
		require.Empty(t, cmp.Diff(error(&want), got, cmp.Comparer(func(a, b *carnet.Error) bool { return cmp.Equal(*a, *b) })))
		require.NotContains(t, got.Error(), "secret")
	}
	require.NoError(t, FromStatus(nil))
}

func TestInternalErrorsStayHere(t *testing.T) {
	for _, err := range []error{
		errors.New("open /var/lib/secret"),
		carnet.E(carnet.Internal, "DISK", "secret path"),
		fmt.Errorf("x: %w", status.Error(codes.Internal, "secret")),
	} {
		st, incident := Status(err)
		require.NotEmpty(t, incident)
		require.Contains(t, st.Message(), incident)
		require.NotContains(t, fmt.Sprint(st.Proto()), "secret")
		require.Equal(t, codes.Internal, st.Code())
		require.Equal(t, carnet.Internal, carnet.KindOf(overWire(t, err)))
	}
}

func TestContextAndForeignErrors(t *testing.T) {
	st, incident := Status(fmt.Errorf("x: %w", context.DeadlineExceeded))
	require.Equal(t, codes.DeadlineExceeded, st.Code())
	require.Empty(t, incident)
	require.Equal(t, carnet.Canceled, carnet.KindOf(FromStatus(st.Err())))
	st, _ = Status(context.Canceled)
	require.Equal(t, codes.Canceled, st.Code())
	err := FromStatus(status.Error(codes.Unavailable, "no route"))
	require.Equal(t, carnet.Unavailable, carnet.KindOf(err))
	require.Equal(t, "UNAVAILABLE", carnet.ReasonOf(err))
	require.Equal(t, "DEADLINE_EXCEEDED", carnet.ReasonOf(FromStatus(status.Error(codes.DeadlineExceeded, ""))))
}

func TestStatusIsBounded(t *testing.T) {
	e := carnet.E(carnet.Invalid, "R", "%s", strings.Repeat("é", 5000)).Fix("%s", strings.Repeat("x", 5000))
	for range 1000 {
		e.Violations = append(e.Violations, carnet.Violation{Field: strings.Repeat("f", 1000), Msg: "\xff" + strings.Repeat("ü", 1000)})
	}
	st, _ := Status(e)
	require.Less(t, proto.Size(st.Proto()), 8<<10)
	require.True(t, strings.HasSuffix(st.Message(), "…"))
}

func TestEnvelopesRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := &evidence.Envelope{
			PayloadType: carnet.StatementType(rapid.StringN(1, 20, 100).Draw(t, "type")),
			Payload:     rapid.SliceOfN(rapid.Byte(), 1, 200).Draw(t, "payload"),
		}
		for range rapid.IntRange(1, maxSignatures).Draw(t, "signatures") {
			e.Signatures = append(e.Signatures, evidence.Signature{
				KeyID: rapid.StringN(0, 16, 60).Draw(t, "hint"), Sig: rapid.SliceOfN(rapid.Byte(), 64, 64).Draw(t, "sig")})
		}
		entry := &evidence.Entry{Seq: rapid.Int64Min(0).Draw(t, "seq"), Salt: carnet.Digest("x", e.Payload), Envelope: e}
		got, err := FromEntry(ToEntry(entry))
		require.NoError(t, err)
		require.Equal(t, entry, got)
		require.Equal(t, entry.Leaf(), got.Leaf())
	})
	h, seq, err := FromRef(ToRef(carnet.Hash{7}, 5))
	require.NoError(t, err)
	require.Equal(t, carnet.Hash{7}, h)
	require.EqualValues(t, 5, seq)
}

func TestPaths(t *testing.T) {
	path := []carnet.Hash{{1}, {2}}
	got, err := FromPath("path", ToPath(path))
	require.NoError(t, err)
	require.Equal(t, path, got)
	for _, bad := range [][][]byte{{make([]byte, 31)}, make([][]byte, 65)} {
		_, err := FromPath("path", bad)
		require.Equal(t, carnet.Invalid, carnet.KindOf(err))
	}
	m, err := ToCheckpoint(nil)
	require.NoError(t, err)
	require.Nil(t, m)
}

func TestMalformedMessages(t *testing.T) {
	good := func() *carnetv1.Envelope {
		return &carnetv1.Envelope{PayloadType: "t", Payload: []byte("{}"), Signatures: []*carnetv1.Signature{{Sig: make([]byte, 64)}}}
	}
	_, err := FromEnvelope("statement", good())
	require.NoError(t, err)
	for name, change := range map[string]func(*carnetv1.Envelope){
		"no type":         func(m *carnetv1.Envelope) { m.PayloadType = "" },
		"long type":       func(m *carnetv1.Envelope) { m.PayloadType = strings.Repeat("t", 200) },
		"no payload":      func(m *carnetv1.Envelope) { m.Payload = nil },
		"large payload":   func(m *carnetv1.Envelope) { m.Payload = make([]byte, evidence.MaxPayload+1) },
		"no signature":    func(m *carnetv1.Envelope) { m.Signatures = nil },
		"many signatures": func(m *carnetv1.Envelope) { m.Signatures = make([]*carnetv1.Signature, 17) },
		"nil signature":   func(m *carnetv1.Envelope) { m.Signatures = []*carnetv1.Signature{nil} },
		"short signature": func(m *carnetv1.Envelope) { m.Signatures[0].Sig = make([]byte, 63) },
	} {
		m := good()
		change(m)
		_, err := FromEnvelope("statement", m)
		require.Equal(t, carnet.Invalid, carnet.KindOf(err), name)
		var e *carnet.Error
		require.ErrorAs(t, err, &e)
		require.Len(t, e.Violations, 1, name)
	}
	for _, err := range []error{
		second(FromEnvelope("statement", nil)), second(FromEntry(nil)), second(FromEntry(&carnetv1.JournalEntry{Seq: -1})),
		second(FromEntry(&carnetv1.JournalEntry{Envelope: good(), Salt: []byte{1}})), second(FromHash("h", "xyz")),
		second(FromNonce("n", strings.Repeat("A", 64))), second(FromKeyID("k", "")), second(FromHashBytes("h", nil)),
	} {
		require.Equal(t, carnet.Invalid, carnet.KindOf(err))
	}
}

func second[T any](_ T, err error) error { return err }
