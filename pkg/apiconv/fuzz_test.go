package apiconv

import (
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	spb "google.golang.org/genproto/googleapis/rpc/status"

	carnetv1 "github.com/carnet-network/carnet/pkg/api/carnet/v1"
)

func FuzzFromEntry(f *testing.F) {
	good, err := proto.Marshal(&carnetv1.JournalEntry{Seq: 1, Salt: make([]byte, 32), Envelope: &carnetv1.Envelope{
		PayloadType: "t", Payload: []byte("{}"), Signatures: []*carnetv1.Signature{{Keyid: "k", Sig: make([]byte, 64)}}}})
	require.NoError(f, err)
	f.Add(good)
	f.Fuzz(func(t *testing.T, b []byte) {
		m := &carnetv1.JournalEntry{}
		if proto.Unmarshal(b, m) != nil {
			return
		}
		e, err := FromEntry(m)
		if err != nil {
			return
		}
		again, err := FromEntry(ToEntry(e))
		require.NoError(t, err)
		require.Equal(t, e.Leaf(), again.Leaf())
	})
}

func FuzzFromStatus(f *testing.F) {
	f.Add([]byte{8, 3, 18, 1, 'x'})
	f.Fuzz(func(t *testing.T, b []byte) {
		p := &spb.Status{}
		if proto.Unmarshal(b, p) != nil || p.Code == int32(codes.OK) {
			return
		}
		require.Error(t, FromStatus(status.ErrorProto(p)))
	})
}
