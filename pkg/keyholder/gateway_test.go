package keyholder

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	apiv1 "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/apiconv"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/columnfile"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// gateway is a gateway in memory that does whatever a test tells it to.
type gateway struct {
	w *world

	mu         sync.Mutex
	changed    chan struct{} // closed and replaced at every change
	entries    []*evidence.Entry
	tree       evidence.Tree
	published  []*evidence.SignedCheckpoint          // every state that was, with the log's signature only
	cosigned   map[string]*evidence.SignedCheckpoint // by body
	newest     *evidence.SignedCheckpoint
	silent     map[int]bool // keyholders played by the test that do not co-sign
	confirmed  map[string]string
	answers    map[carnet.Hash][]*received // by query, every delivery
	decisions  map[carnet.Hash][]carnet.Decision
	checks     map[carnet.Hash][]*evidence.Envelope // of private parameters, by query, every delivery
	destroyed  map[string]*evidence.Envelope        // by keyholder and key
	deferrals  []carnet.Deferral                    // every delivery
	speechless []string                             // refusals that tell nobody what to do
	withheld   bool                                 // checks are not journaled
	live       map[int]bool                         // keyholders that run for real
	reads      int

	// Hostility.
	piece    func(*sentPiece)
	deltas   func(data []byte) []byte
	refuse   func() error  // of answers and decisions
	stall    chan struct{} // pieces are not sent before it is closed
	followed func(from int64) error

	handed handedOn
}

// sentPiece is a piece before it is sent; one without data ends the stream.
type sentPiece struct {
	file        *signedFile
	at          columnfile.Piece
	data, proof []byte
}

type received struct {
	number int
	answer carnet.Answer
	env    *evidence.Envelope
	sealed []byte
	public []byte
}

func newGateway(t *testing.T, w *world) *gateway {
	g := &gateway{w: w, changed: make(chan struct{}), cosigned: map[string]*evidence.SignedCheckpoint{}, silent: map[int]bool{}, live: map[int]bool{},
		confirmed: map[string]string{}, answers: map[carnet.Hash][]*received{}, decisions: map[carnet.Hash][]carnet.Decision{}, checks: map[carnet.Hash][]*evidence.Envelope{},
		destroyed: map[string]*evidence.Envelope{}, handed: newHandedOn()}
	g.journal(t, w.base...)
	t.Cleanup(func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		require.Empty(t, g.speechless, "refusals without a remedy")
	})
	return g
}

func (g *gateway) touch() {
	close(g.changed)
	g.changed = make(chan struct{})
}

// journal appends statements and returns the sequence number of the last.
func (g *gateway) journal(t *testing.T, envs ...*evidence.Envelope) int64 {
	t.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, env := range envs {
		require.NoError(t, g.add(env))
	}
	require.NoError(t, g.publish())
	return g.tree.Size() - 1
}

// add appends a statement, under the lock.
func (g *gateway) add(env *evidence.Envelope) error {
	e := &evidence.Entry{Seq: g.tree.Size(), Salt: carnet.Digest("salt", fmt.Append(nil, g.tree.Size())), Envelope: env}
	g.entries = append(g.entries, e)
	return g.tree.Append(e)
}

// publish signs the present state in the log's name, under the lock.
func (g *gateway) publish() error {
	c, err := evidence.SignCheckpoint(g.origin(), g.tree.Checkpoint(), g.w.operator)
	g.published = append(g.published, c)
	g.touch()
	return err
}

func (g *gateway) origin() string { return evidence.Origin(g.w.registrar.Public()) }

// rootAt is the root that the log had at a size.
func (g *gateway) rootAt(t *testing.T, size int64) carnet.Hash {
	t.Helper()
	var tree evidence.Tree
	for _, e := range g.entries[:size] {
		require.NoError(t, tree.Append(e))
	}
	return tree.Root()
}

// note is a checkpoint that keyholders have co-signed, without the log's signature.
func (g *gateway) note(t *testing.T, cp carnet.Checkpoint, by ...int) *evidence.SignedCheckpoint {
	t.Helper()
	c := &evidence.SignedCheckpoint{Origin: g.origin(), Checkpoint: cp}
	for _, n := range by {
		require.NoError(t, c.Cosign(holderName(n), testTime, g.w.stores()[n-1].Signer()))
	}
	return c
}

func holderName(number int) carnet.PartyID { return carnet.PartyID(fmt.Sprintf("kh%d", number)) }

// rewrite makes the journal another one from entry seq on.
func (g *gateway) rewrite(t *testing.T, seq int64, envs ...*evidence.Envelope) {
	t.Helper()
	g.mu.Lock()
	kept := g.entries[:seq]
	g.entries, g.tree, g.published = nil, evidence.Tree{}, nil
	for _, e := range kept {
		require.NoError(t, g.tree.Append(e))
		g.entries = append(g.entries, e)
	}
	g.mu.Unlock()
	g.journal(t, envs...)
}

// wait calls done under the lock until it returns true.
func (g *gateway) wait(t *testing.T, what string, done func() bool) {
	t.Helper()
	limit := time.After(2 * time.Minute)
	for {
		g.mu.Lock()
		ok, changed := done(), g.changed
		g.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-changed:
		case <-limit:
			t.Fatalf("no %s in time", what)
		}
	}
}

// member is the gateway as one keyholder sees it through its certificate.
type member struct {
	apiv1.UnimplementedJournalServiceServer
	apiv1.UnimplementedReleaseServiceServer
	apiv1.UnimplementedDealingServiceServer
	apiv1.UnimplementedDatasetServiceServer
	apiv1.UnimplementedApprovalServiceServer
	apiv1.UnimplementedReshareServiceServer
	*gateway
	number int
}

func (m *member) Follow(r *apiv1.FollowRequest, s grpc.ServerStreamingServer[apiv1.FollowResponse]) error {
	if m.followed != nil {
		if err := m.followed(r.GetFrom()); err != nil {
			return err
		}
	}
	next, sent := r.GetFrom(), map[string]bool{}
	for {
		m.mu.Lock()
		var out []*apiv1.FollowResponse
		for ; next < m.tree.Size(); next++ {
			out = append(out, &apiv1.FollowResponse{Event: &apiv1.FollowResponse_Entry{Entry: apiconv.ToEntry(m.entries[next])}})
		}
		all := slices.Clone(m.published)
		for _, c := range m.cosigned {
			all = append(all, c)
		}
		for _, c := range all {
			if m := message(c); !sent[m.Note] {
				sent[m.Note] = true
				out = append(out, &apiv1.FollowResponse{Event: &apiv1.FollowResponse_Checkpoint{Checkpoint: m}})
			}
		}
		changed := m.changed
		m.mu.Unlock()
		for _, ev := range out {
			if err := s.Send(ev); err != nil {
				return err
			}
		}
		select {
		case <-changed:
		case <-s.Context().Done():
			return nil
		}
	}
}

func (m *member) GetCheckpoint(context.Context, *apiv1.GetCheckpointRequest) (*apiv1.GetCheckpointResponse, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.published[len(m.published)-1]
	r := &apiv1.GetCheckpointResponse{Size: c.Size, Head: bytes.Clone(c.Head[:]), Checkpoint: message(c)}
	if m.newest != nil {
		r.Checkpoint = message(m.newest)
	}
	return r, nil
}

func message(c *evidence.SignedCheckpoint) *apiv1.CosignedCheckpoint {
	m, err := apiconv.ToCheckpoint(c)
	if err != nil {
		panic(err)
	}
	return m
}

// Cosign merges signatures; keyholders that don't run for real sign along.
func (m *member) Cosign(_ context.Context, r *apiv1.CosignRequest) (*apiv1.CosignResponse, error) {
	c, err := evidence.ParseCheckpoint([]byte(r.GetNote()))
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	p := c.Body()
	if have := m.cosigned[p]; have != nil {
		merged := *have
		merged.Signatures = append(slices.Clone(have.Signatures), c.Signatures...)
		c = &merged
	} else {
		for i, s := range m.w.stores() {
			if !m.silent[i+1] && !m.live[i+1] {
				if err := c.Cosign(holderName(i+1), testTime, s.Signer()); err != nil {
					return nil, err
				}
			}
		}
	}
	m.cosigned[p], m.newest = c, c
	m.touch()
	return &apiv1.CosignResponse{}, nil
}

func (m *member) SubmitAnswer(s grpc.ClientStreamingServer[apiv1.SubmitAnswerRequest, apiv1.SubmitAnswerResponse]) error {
	rec := &received{number: m.number}
	for {
		r, err := s.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		switch p := r.GetPart().(type) {
		case *apiv1.SubmitAnswerRequest_Statement:
			if rec.env, err = apiconv.FromEnvelope("statement", p.Statement); err != nil {
				return err
			}
			if err := rec.env.Decode(carnet.TypeAnswer, &rec.answer); err != nil {
				return err
			}
		case *apiv1.SubmitAnswerRequest_Sealed:
			rec.sealed = append(rec.sealed, p.Sealed...)
		case *apiv1.SubmitAnswerRequest_PublicValues:
			rec.public = append(rec.public, p.PublicValues...)
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.refuse != nil {
		if err := m.refuse(); err != nil {
			return err
		}
	}
	m.answers[rec.answer.Query] = append(m.answers[rec.answer.Query], rec)
	m.touch()
	return s.SendAndClose(&apiv1.SubmitAnswerResponse{})
}

func (m *member) SubmitCheck(_ context.Context, r *apiv1.SubmitCheckRequest) (*apiv1.SubmitCheckResponse, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	env, err := apiconv.FromEnvelope("statement", r.GetStatement())
	if err != nil {
		return nil, err
	}
	var c carnet.Check
	if err := env.Verify(carnet.TypeCheck, m.w.stores()[m.number-1].Signer().Public(), &c); err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	known := slices.ContainsFunc(m.checks[c.Query], func(e *evidence.Envelope) bool { return e.Hash() == env.Hash() })
	m.checks[c.Query] = append(m.checks[c.Query], env)
	if !known && !m.withheld {
		if err := errors.Join(m.add(env), m.publish()); err != nil {
			return nil, err
		}
	}
	m.touch()
	return &apiv1.SubmitCheckResponse{}, nil
}

func (m *member) SubmitDecision(_ context.Context, r *apiv1.SubmitDecisionRequest) (*apiv1.SubmitDecisionResponse, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.refuse != nil {
		if err := m.refuse(); err != nil {
			return nil, err
		}
	}
	env, err := apiconv.FromEnvelope("statement", r.GetStatement())
	if err != nil {
		return nil, err
	}
	var d carnet.Decision
	if err := env.Verify(carnet.TypeDecision, m.w.stores()[m.number-1].Signer().Public(), &d); err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	if !d.Allow && d.Remedy == "" {
		m.speechless = append(m.speechless, d.Reason+": "+d.Message)
	}
	m.decisions[d.Query] = append(m.decisions[d.Query], d)
	m.touch()
	return &apiv1.SubmitDecisionResponse{}, nil
}
