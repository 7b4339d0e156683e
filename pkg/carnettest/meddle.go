package carnettest

import (
	"cmp"
	"context"
	"io"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/protobuf/proto"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// Message is one message between a party and the gateway.
type Message struct {
	Party       carnet.PartyID
	Method      string // full gRPC method
	FromGateway bool
	Body        proto.Message // changing it changes what is delivered
}

// Meddle sees every message of a party other than the gateway, after it was sent by
// one side and before the other side reads it. An error ends the call instead.
type Meddle func(m *Message) error

// Rewrite replaces everything a party sends in one call. It returns nil to leave it.
type Rewrite func(party carnet.PartyID, method string, sent []proto.Message) ([]proto.Message, error)

// meddling holds what is presently done to messages.
type meddling struct {
	mu      sync.RWMutex
	meddle  Meddle
	rewrite Rewrite
	watch   []Meddle
}

// Meddle sets what is done to every message from now on; nil stops it. With it a
// test plays a hostile gateway or a bad network: TLS protects against neither the
// gateway itself.
func (n *Network) Meddle(do Meddle) {
	n.meddling.mu.Lock()
	defer n.meddling.mu.Unlock()
	n.meddling.meddle = do
}

// Rewrite sets what is done to everything parties send, call by call; nil stops it.
func (n *Network) Rewrite(do Rewrite) {
	n.meddling.mu.Lock()
	defer n.meddling.mu.Unlock()
	n.meddling.rewrite = do
}

// Watch calls do with every message for good, after Meddle.
func (n *Network) Watch(do Meddle) {
	n.meddling.mu.Lock()
	defer n.meddling.mu.Unlock()
	n.meddling.watch = append(n.meddling.watch, do)
}

func (m *meddling) see(party carnet.PartyID, method string, fromGateway bool, body any) error {
	m.mu.RLock()
	meddle, watch := m.meddle, slices.Clone(m.watch)
	m.mu.RUnlock()
	msg, ok := body.(proto.Message)
	if !ok {
		return nil
	}
	if meddle != nil {
		if err := meddle(&Message{party, method, fromGateway, msg}); err != nil {
			return err
		}
	}
	for _, w := range watch {
		if err := w(&Message{party, method, fromGateway, msg}); err != nil {
			return err
		}
	}
	return nil
}

func (m *meddling) rewriter() Rewrite {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.rewrite
}

// dialOptions put the meddling between a party and its connection.
func (n *Network) dialOptions(id carnet.PartyID) []grpc.DialOption {
	m := &n.meddling
	return []grpc.DialOption{
		grpc.WithChainUnaryInterceptor(func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
			out := proto.Clone(req.(proto.Message))
			if err := m.see(id, method, false, out); err != nil {
				return err
			}
			if err := invoke(ctx, method, out, reply, cc, opts...); err != nil {
				return err
			}
			return m.see(id, method, true, reply)
		}),
		grpc.WithChainStreamInterceptor(func(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, open grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
			ctx, cancel := context.WithCancel(ctx)
			s, err := open(ctx, desc, cc, method, opts...)
			if err != nil {
				cancel()
				return nil, err
			}
			return &stream{ClientStream: s, m: m, party: id, method: method, rewrite: m.rewriter(), cancel: cancel}, nil
		}),
		// A gateway that restarts is found again at once.
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: backoff.Config{BaseDelay: 50 * time.Millisecond, Multiplier: 1.2, MaxDelay: 300 * time.Millisecond}, MinConnectTimeout: time.Second}),
	}
}

// stream is a client's stream with the meddling in it.
type stream struct {
	grpc.ClientStream
	m       *meddling
	party   carnet.PartyID
	method  string
	rewrite Rewrite
	held    []proto.Message // not sent yet, if it may be rewritten
	cancel  context.CancelFunc
	broken  error // why the stream was broken off
}

// cut breaks the stream off, as a connection that is lost does: the gateway sees no
// end of the messages, and the party learns why when it asks.
func (s *stream) cut(why error) {
	s.broken = why
	s.cancel()
}

func (s *stream) SendMsg(m any) error {
	out := proto.Clone(m.(proto.Message))
	if s.rewrite != nil {
		s.held = append(s.held, out)
		return nil
	}
	return s.pass(out)
}

func (s *stream) pass(m proto.Message) error {
	if err := s.m.see(s.party, s.method, false, m); err != nil {
		s.cut(err)
		return io.EOF
	}
	return s.ClientStream.SendMsg(m)
}

func (s *stream) CloseSend() error {
	if s.rewrite != nil {
		changed, err := s.rewrite(s.party, s.method, s.held)
		if changed == nil {
			changed = s.held
		}
		for i := 0; err == nil && i < len(changed); i++ {
			err = s.pass(changed[i])
		}
		if err != nil {
			s.cut(cmp.Or(s.broken, err))
			return nil // RecvMsg tells
		}
	}
	return s.ClientStream.CloseSend()
}

func (s *stream) RecvMsg(m any) error {
	if err := s.ClientStream.RecvMsg(m); err != nil {
		s.cancel()
		return cmp.Or(s.broken, err)
	}
	if err := s.m.see(s.party, s.method, true, m); err != nil {
		s.cancel()
		return err
	}
	return nil
}

// dial makes a raw connection of a party; the caller closes it.
func (n *Network) dial(t testing.TB, id carnet.PartyID) *grpc.ClientConn {
	opts := append(n.dialOptions(id),
		grpc.WithTransportCredentials(credentials.NewTLS(n.certs.client(t, id))),
		grpc.WithDisableRetry(),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(64<<20)))
	conn, err := grpc.NewClient(n.Gateway.Address(), opts...)
	require.NoError(t, err)
	return conn
}
