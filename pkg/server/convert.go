package server

import (
	"google.golang.org/protobuf/types/known/timestamppb"

	carnetv1 "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/apiconv"
	"github.com/carnet-network/carnet/pkg/flow"
	"github.com/carnet-network/carnet/pkg/privacy"
)

// toRefusals is the message form of refusals.
func toRefusals(list []flow.Refusal) (out []*carnetv1.Refusal) {
	for _, r := range list {
		out = append(out, &carnetv1.Refusal{By: string(r.By), Reason: r.Reason, Message: r.Message, Remedy: r.Remedy, Line: int32(r.Line), Column: int32(r.Column)})
	}
	return out
}

var queryStates = map[flow.QueryState]carnetv1.QueryState{
	flow.QueryComputing: carnetv1.QueryState_QUERY_STATE_COMPUTING,
	flow.QueryReleasing: carnetv1.QueryState_QUERY_STATE_RELEASING,
	flow.QueryReady:     carnetv1.QueryState_QUERY_STATE_READY,
	flow.QueryRefused:   carnetv1.QueryState_QUERY_STATE_REFUSED,
	flow.QueryFailed:    carnetv1.QueryState_QUERY_STATE_FAILED,
	flow.QueryWaiting:   carnetv1.QueryState_QUERY_STATE_WAITING,
	flow.QueryExpired:   carnetv1.QueryState_QUERY_STATE_EXPIRED,
}

// toQueryStatus is the message form of a query's status.
func toQueryStatus(s *flow.QueryStatus) *carnetv1.QueryStatus {
	var waits []*carnetv1.PendingApproval
	for _, p := range s.Pending {
		waits = append(waits, &carnetv1.PendingApproval{Of: string(p.Of), Until: timestamppb.New(p.Until)})
	}
	return &carnetv1.QueryStatus{
		WaitingFor: waits,
		Id:         s.Statement.Hash.String(), Statement: apiconv.ToEnvelope(s.Statement.Envelope), State: queryStates[s.State],
		BlocksDone: s.BlocksDone, BlocksTotal: s.BlocksTotal,
		Answers: int32(s.Answers), Threshold: int32(s.Threshold), Keyholders: int32(s.Keyholders),
		Checks: int32(s.Checked), ChecksNeeded: int32(s.Checks),
		Refusals: toRefusals(s.Refusals), Error: s.Failure, Updated: timestamppb.New(s.Updated),
		DecidedBy: toDecidedBy(s.Decided),
	}
}

// toDecidedBy is the message form of who let a query pass.
func toDecidedBy(list []flow.Decided) (out []*carnetv1.DecidedBy) {
	for _, d := range list {
		m := &carnetv1.DecidedBy{By: string(d.By), Number: int32(d.Number)}
		if p := d.Policy; p != nil {
			m.Policy, m.Version, m.Digest = p.Name, p.Version, p.Digest.String()
		}
		out = append(out, m)
	}
	return out
}

// toDatasetEntry is the message form of a dataset.
func toDatasetEntry(d *flow.DatasetRecord) *carnetv1.DatasetEntry {
	m := &carnetv1.DatasetEntry{Manifest: apiconv.ToEnvelope(d.Manifest.Envelope), Ref: apiconv.ToRef(d.Manifest.Hash, d.Manifest.Seq), Bytes: d.Bytes}
	if d.Revocation != nil {
		m.Revoked, m.Revocation = true, apiconv.ToEnvelope(d.Revocation.Envelope)
	}
	if d.Retirement != nil {
		m.Revoked, m.Retirement = true, apiconv.ToEnvelope(d.Retirement.Envelope)
	}
	return m
}

// withBudget adds what was spent of a dataset's privacy budget, if it has one.
func withBudget(m *carnetv1.DatasetEntry, s flow.Spent) *carnetv1.DatasetEntry {
	if s.Budget > 0 {
		m.Privacy = &carnetv1.PrivacyBudget{Spent: privacy.Format(s.Spent), Budget: privacy.Format(s.Budget)}
	}
	return m
}
