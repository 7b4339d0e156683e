package server

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"

	"github.com/carnet-network/carnet/pkg/apiconv"
	"github.com/carnet-network/carnet/pkg/carnet"
)

func (s *Server) unary(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (resp any, err error) {
	err = s.call(ctx, info.FullMethod, func(ctx context.Context) (err error) {
		resp, err = handler(ctx, req)
		return err
	})
	return resp, err
}

func (s *Server) stream(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	return s.call(ss.Context(), info.FullMethod, func(ctx context.Context) error {
		p, ok := peer.FromContext(ctx)
		if !ok {
			return unauthenticated("the call has no peer")
		}
		if of, ok := p.AuthInfo.(credentials.TLSInfo); ok {
			var end context.CancelFunc
			ctx, end = s.whileTrusted(ctx, &of.State)
			defer end()
		}
		err := handler(srv, &serverStream{ss, ctx, idle})
		if cause := context.Cause(ctx); err != nil && carnet.KindOf(cause) == carnet.Forbidden {
			return cause
		}
		return err
	})
}

// guard runs a call: faults become statuses, panics included, and every call is
// counted and logged, without its contents.
func (s *Server) guard(ctx context.Context, method string, who *caller, handle func() error) (err error) {
	began := time.Now()
	s.metrics.begin(method)
	defer func() {
		if r := recover(); r != nil {
			err = carnet.E(carnet.Internal, "PANIC", "panic: %v\n%s", r, debug.Stack())
		}
		st, incident := apiconv.Status(err)
		took := time.Since(began)
		s.metrics.end(method, st.Code(), took)
		level := slog.LevelDebug
		attrs := []slog.Attr{slog.String("method", method), slog.String("party", string(who.id)),
			slog.String("code", st.Code().String()), slog.Duration("took", took)}
		if err != nil {
			level = slog.LevelInfo
			attrs = append(attrs, slog.String("reason", carnet.ReasonOf(err)))
		}
		var e *carnet.Error
		if errors.As(err, &e) && e.Reason == "STORE_UNAVAILABLE" { // callers are not told the cause
			level = slog.LevelWarn
			attrs = append(attrs, slog.String("error", err.Error()))
		}
		if incident != "" {
			level = slog.LevelError
			attrs = append(attrs, slog.String("incident", incident), slog.String("error", err.Error()))
		}
		s.log.LogAttrs(ctx, level, "call", attrs...)
		err = st.Err()
	}()
	return handle()
}

// call is what happens around every handler, unary or streaming.
func (s *Server) call(ctx context.Context, method string, handle func(context.Context) error) error {
	var who caller
	return s.guard(ctx, method, &who, func() (err error) {
		who, err = s.admit(ctx, method)
		if err != nil {
			return err
		}
		return s.serve(ctx, who, method, handle)
	})
}

// admit finds out who calls and whether it may.
func (s *Server) admit(ctx context.Context, method string) (caller, error) {
	r, ok := rules[method]
	if !ok {
		return caller{}, carnet.E(carnet.Forbidden, "UNKNOWN_METHOD", "there is no such method")
	}
	who, err := s.identify(ctx)
	if err != nil {
		return who, err
	}
	return who, r.admit(who)
}

// serve runs the handler within the party's limit and the method's deadline.
func (s *Server) serve(ctx context.Context, who caller, method string, handle func(context.Context) error) error {
	r := rules[method]
	leave, err := s.limit.enter(who.id)
	if err != nil {
		return err
	}
	defer leave()
	ctx = context.WithValue(ctx, callerKey{}, who)
	var cancel context.CancelFunc
	if r.within > 0 {
		ctx, cancel = context.WithTimeout(ctx, r.within)
	} else {
		ctx, cancel = context.WithCancel(ctx)
	}
	defer cancel()
	if r.waits {
		go func() {
			select {
			case <-s.stopping:
				cancel()
			case <-ctx.Done():
			}
		}()
	}
	err = handle(ctx)
	if err != nil && r.waits && s.isStopping() {
		return carnet.E(carnet.Unavailable, "SHUTTING_DOWN", "the gateway is shutting down").Fix("connect again in a moment")
	}
	return err
}

func (s *Server) isStopping() bool {
	select {
	case <-s.stopping:
		return true
	default:
		return false
	}
}

// admit applies a rule.
func (r *rule) admit(who caller) error {
	switch {
	case r.stranger:
		return nil
	case who.party == nil:
		return carnet.E(carnet.Forbidden, "UNKNOWN_PARTY", "party %q is not registered", who.id).
			Fix("have the registrar sign your party statement and register it")
	case len(r.roles) > 0 && !slices.ContainsFunc(r.roles, who.party.HasRole):
		return carnet.E(carnet.Forbidden, "WRONG_ROLE", "party %q is not registered as %s", who.id, carnet.RoleNames(r.roles)).
			Fix("connect as a party with that role, or ask the registrar for it")
	}
	return nil
}

// idle is how long a client may leave a stream that it writes to without a message.
const idle = 2 * time.Minute

// serverStream has its own context, and gives up on a client that sends nothing.
type serverStream struct {
	grpc.ServerStream
	ctx  context.Context
	idle time.Duration
}

func (s *serverStream) Context() context.Context { return s.ctx }

func (s *serverStream) RecvMsg(m any) error {
	got := make(chan error, 1)
	// After an early return the stream ends, and with it this goroutine; the handler
	// does not touch m again.
	go func() { got <- s.ServerStream.RecvMsg(m) }()
	timer := time.NewTimer(s.idle)
	defer timer.Stop()
	select {
	case err := <-got:
		return err
	case <-s.ctx.Done():
		return s.ctx.Err()
	case <-timer.C:
		return carnet.E(carnet.Canceled, "STREAM_IDLE", "nothing was sent for %s", s.idle).Fix("continue in a new stream")
	}
}

// limiter bounds the calls a party has open at a time.
type limiter struct {
	max  int
	mu   sync.Mutex
	open map[carnet.PartyID]int
}

func newLimiter(n int) *limiter { return &limiter{max: n, open: map[carnet.PartyID]int{}} }

func (l *limiter) enter(id carnet.PartyID) (leave func(), err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[id] >= l.max {
		return nil, carnet.E(carnet.Exhausted, "TOO_MANY_CALLS", "%d calls of yours are open", l.max).Fix("wait until some end")
	}
	l.open[id]++
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.open[id]--; l.open[id] == 0 {
			delete(l.open, id)
		}
	}, nil
}
