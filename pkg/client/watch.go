package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	pb "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/carnet"
)

// State is how far a query has come.
type State string

const (
	Waiting   State = "waiting" // for people
	Computing State = "computing"
	Releasing State = "releasing"
	Ready     State = "ready"
	RefusedBy State = "refused"
	Failed    State = "failed"
	Expired   State = "expired"
)

// Status is the gateway's word about a query.
type Status struct {
	ID         carnet.Hash  `json:"id"` // statement hash
	Query      carnet.Query `json:"query"`
	State      State        `json:"state"`
	BlocksDone int64        `json:"blocks_done"`
	Blocks     int64        `json:"blocks_total"`
	Answers    int          `json:"answers"`
	Threshold  int          `json:"threshold"`
	Keyholders int          `json:"keyholders"`
	Checks     int          `json:"checks,omitempty"`        // of a private parameter, that keyholders published
	Needed     int          `json:"checks_needed,omitempty"` // that must agree before any keyholder answers
	Pending    []Pending    `json:"waiting_for,omitempty"`   // whose approval has not come
	Refusals   []Refusal    `json:"refusals,omitempty"`
	Error      string       `json:"error,omitempty"`
	Updated    time.Time    `json:"updated"`
}

// Pending is a party whose people have not decided about a query yet.
type Pending struct {
	Of    carnet.PartyID `json:"of"`
	Until time.Time      `json:"until"`
}

// WaitsFor says whose approval a query waits for, and until when; empty if nobody's.
func (s *Status) WaitsFor() string {
	var out []string
	for _, p := range s.Pending {
		out = append(out, fmt.Sprintf("%s until %s", p.Of, p.Until.UTC().Format("2006-01-02 15:04 MST")))
	}
	return strings.Join(out, ", ")
}

func toStatus(m *pb.QueryStatus) (*Status, error) {
	s := &Status{
		BlocksDone: m.GetBlocksDone(), Blocks: m.GetBlocksTotal(), Answers: int(m.GetAnswers()), Threshold: int(m.GetThreshold()),
		Keyholders: int(m.GetKeyholders()), Checks: int(m.GetChecks()), Needed: int(m.GetChecksNeeded()), Refusals: refusals(m.GetRefusals()), Error: m.GetError(), Updated: m.GetUpdated().AsTime(),
		State: State(strings.ToLower(strings.TrimPrefix(m.GetState().String(), "QUERY_STATE_"))),
	}
	for _, p := range m.GetWaitingFor() {
		s.Pending = append(s.Pending, Pending{carnet.PartyID(p.GetOf()), p.GetUntil().AsTime()})
	}
	env := fromProto(m.GetStatement())
	if env == nil {
		return nil, wrong("the gateway sent a query status without the query")
	}
	if err := env.Decode(carnet.TypeQuery, &s.Query); err != nil {
		return nil, err
	}
	if s.ID = env.Hash(); s.ID.String() != m.GetId() {
		return nil, wrong("the gateway sent another query than it names")
	}
	return s, nil
}

// Status returns how far a query has come.
func (c *Client) Status(ctx context.Context, query carnet.Hash) (*Status, error) {
	resp, err := c.queries.GetQuery(ctx, &pb.GetQueryRequest{Id: query.String()})
	if err != nil {
		return nil, fault(err)
	}
	return toStatus(resp.GetStatus())
}

// Queries lists the caller's queries, newest first.
func (c *Client) Queries(ctx context.Context) ([]*Status, error) {
	var out []*Status
	for token := ""; ; {
		resp, err := c.queries.ListQueries(ctx, &pb.ListQueriesRequest{PageSize: pageSize, PageToken: token})
		if err != nil {
			return nil, fault(err)
		}
		for _, m := range resp.GetQueries() {
			s, err := toStatus(m)
			if err != nil {
				return nil, err
			}
			out = append(out, s)
		}
		if token = resp.GetNextPageToken(); token == "" {
			return out, nil
		}
	}
}

// watchRetries is how often a broken stream is taken up again.
const watchRetries = 10

// Wait follows a query until every keyholder has answered or refused, or until grace
// has passed since enough have answered. More answers than the threshold cost
// nothing and let lying keyholders be detected and named. progress may be nil.
//
// Errors: the refusal if too many keyholders refused, QUERY_FAILED, QUERY_EXPIRED.
func (c *Client) Wait(ctx context.Context, query carnet.Hash, grace time.Duration, progress func(*Status)) (*Status, error) {
	for attempt := 0; ; attempt++ {
		s, err := c.follow(ctx, query, grace, progress)
		if carnet.KindOf(err) != carnet.Unavailable || carnet.ReasonOf(err) == "QUERY_EXPIRED" || carnet.ReasonOf(err) == "APPROVAL_EXPIRED" || attempt == watchRetries {
			return s, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(time.Second):
		}
	}
}

// Await waits for a query as Wait does, and opens the answer. If the answers that came
// within grace can't be combined (a home keyholder is missing, or one of few lies), it
// waits for more until the query expires.
func (c *Client) Await(ctx context.Context, buyer Buyer, a *Asked, grace time.Duration, progress func(*Status)) (*Answer, error) {
	if len(a.Plan.Openings) == 0 {
		return c.Open(ctx, buyer, a)
	}
	for {
		st, err := c.Wait(ctx, a.Hash, grace, progress)
		if err != nil {
			return nil, err
		}
		ans, err := c.Open(ctx, buyer, a)
		if err == nil {
			ans.Refusals = st.Refusals
			return ans, nil
		}
		left := a.Query.Expires.Sub(c.now())
		switch carnet.ReasonOf(err) {
		case "HOME_MISSING", "INCONSISTENT_ANSWERS", "TOO_FEW_ANSWERS":
			if st.Answers+len(st.Refusals) < st.Keyholders && left > 0 && grace < left {
				grace = left
				continue
			}
		}
		return nil, err
	}
}

func (c *Client) follow(parent context.Context, query carnet.Hash, grace time.Duration, progress func(*Status)) (*Status, error) {
	ctx, cancel := context.WithCancel(parent)
	defer cancel()
	stream, err := c.queries.WatchQuery(ctx, &pb.WatchQueryRequest{Id: query.String()})
	if err != nil {
		return nil, fault(err)
	}
	var last *Status
	for {
		m, err := stream.Recv()
		switch {
		case last != nil && last.State == Ready && err != nil && (errors.Is(err, io.EOF) || ctx.Err() != nil):
			return last, parent.Err() // the grace period is over, unless the caller gave up
		case errors.Is(err, io.EOF):
			return nil, carnet.E(carnet.Unavailable, "WATCH_ENDED", "the gateway stopped reporting on the query")
		case err != nil:
			return nil, fault(err)
		}
		s, err := toStatus(m.GetStatus())
		if err != nil {
			return nil, err
		}
		if progress != nil {
			progress(s)
		}
		if err := s.failed(); err != nil {
			return s, err
		}
		if s.State == Ready {
			if s.Answers+len(s.Refusals) >= s.Keyholders {
				return s, nil
			}
			if last == nil || last.State != Ready {
				time.AfterFunc(grace, cancel)
			}
		}
		last = s
	}
}

// NotReady says why there is no answer yet, or never will be; otherwise is said if it
// is only being worked on.
func (s *Status) NotReady(otherwise error) error {
	if err := s.failed(); err != nil {
		return err
	}
	if w := s.WaitsFor(); w != "" && s.State != Ready {
		return carnet.E(carnet.Precondition, "NOT_READY", "the query waits for the approval of %s", w).Fix("open it again when they have decided")
	}
	switch until := s.Query.Expires.UTC().Format("2006-01-02 15:04 MST"); s.State {
	case Computing:
		return carnet.E(carnet.Precondition, "NOT_READY", "the query is being computed, %d of %d blocks", s.BlocksDone, s.Blocks).Fix("open it again in a moment")
	case Releasing:
		return carnet.E(carnet.Precondition, "NOT_READY", "%d of the %d answers that are needed have come, of %d keyholders", s.Answers, s.Threshold, s.Keyholders).
			Fix("open it again later: keyholders have until %s; carnet queries shows how far it is", until)
	}
	return otherwise
}

// failed is the error of a final state other than Ready.
func (s *Status) failed() error {
	switch s.State {
	case RefusedBy:
		e := carnet.E(carnet.Refused, "REFUSED", "%d of %d keyholders refused, so the threshold of %d can't be reached", len(s.Refusals), s.Keyholders, s.Threshold)
		if i := slices.IndexFunc(s.Refusals, func(r Refusal) bool { return r.Reason == "APPROVAL_REFUSED" }); i >= 0 {
			e.Msg = fmt.Sprintf("%s was asked to approve the query and refused", s.Refusals[i].By)
		}
		for i, r := range s.Refusals {
			if i == 0 {
				e.Reason, e.Remedy = r.Reason, r.Remedy
			}
			e = e.With(string(r.By), "%s", r.Message)
		}
		return e
	case Failed:
		return carnet.E(carnet.Internal, "QUERY_FAILED", "the gateway could not compute the query: %s", s.Error)
	case Expired:
		if len(s.Pending) > 0 {
			var who []string
			for _, p := range s.Pending {
				who = append(who, string(p.Of))
			}
			return carnet.E(carnet.Unavailable, "APPROVAL_EXPIRED", "the query expired before %s approved it", strings.Join(who, ", ")).
				Fix("ask them to expect it, and ask again with more time, such as --expires 48h")
		}
		if s.Answers == 0 && s.Checks < s.Needed {
			return carnet.E(carnet.Unavailable, "QUERY_EXPIRED", "only %d of the %d checks of the private parameter that are needed came before the query expired", s.Checks, s.Needed).
				Fix("ask again when more keyholders are up, or give them longer")
		}
		return carnet.E(carnet.Unavailable, "QUERY_EXPIRED", "only %d of the %d answers needed came before the query expired", s.Answers, s.Threshold).
			Fix("ask again when more keyholders are up, or give them longer")
	case Waiting, Computing, Releasing, Ready:
		return nil
	}
	return fmt.Errorf("unknown query state %q", s.State)
}
