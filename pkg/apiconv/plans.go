package apiconv

import (
	"strconv"
	"time"

	carnetv1 "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/plan"
)

// ToPlan is the public description of a plan; nil stays nil.
func ToPlan(p *plan.Plan) *carnetv1.Plan {
	if p == nil {
		return nil
	}
	c := &p.Certificate
	m := &carnetv1.Plan{
		Hash: p.Hash().String(), Profile: p.Profile.Name(), Degree: int32(c.Degree),
		Openings: int32(p.Cost.Openings), Groups: int32(p.Cost.Groups),
		BytesRead: p.Cost.Bytes, BytesGateway: p.Cost.GatewayBytes, BytesAnswer: p.Cost.AnswerBytes,
		Files: int64(p.Cost.Files), Rows: p.Cost.Rows, Blocks: p.Cost.Blocks,
		Certificate: &carnetv1.Certificate{FloodBits: int32(c.FloodBits), NoiseBits: int32(c.NoiseBits), ReleaseBits: int32(c.ReleaseBits)},
		Steps:       p.Describe(),
	}
	if c.Bound != nil && c.MaxResult != nil {
		m.Certificate.Bound, m.Certificate.MaxResult = c.Bound.String(), c.MaxResult.String()
		m.Certificate.PlaintextModulus = strconv.FormatUint(c.T, 10)
	}
	for _, k := range p.Cost.Keys() {
		m.Releases = append(m.Releases, &carnetv1.KeyReleases{Key: k.String(), Used: int64(p.Cost.Releases[k]), Granted: p.Cost.MaxReleases})
	}
	for _, col := range p.Columns {
		m.Columns = append(m.Columns, col.Name)
	}
	for i := range p.Datasets {
		m.Datasets = append(m.Datasets, string(p.Datasets[i].Manifest.ID))
	}
	return m
}

// ToEstimate converts an estimate to seconds.
func ToEstimate(e plan.Estimate) *carnetv1.Estimate {
	return &carnetv1.Estimate{CompileSeconds: e.Compile.Seconds(), GatewaySeconds: e.Gateway.Seconds(), KeyholderSeconds: e.Keyholder.Seconds(), TotalSeconds: e.Total.Seconds(), KeptSeconds: e.Kept.Seconds()}
}

// FromEstimate is the inverse; nil for a plan without one.
func FromEstimate(m *carnetv1.Estimate) *plan.Estimate {
	if m == nil {
		return nil
	}
	d := func(seconds float64) time.Duration { return time.Duration(seconds * float64(time.Second)) }
	return &plan.Estimate{Compile: d(m.CompileSeconds), Gateway: d(m.GatewaySeconds), Keyholder: d(m.KeyholderSeconds), Total: d(m.TotalSeconds), Kept: d(m.KeptSeconds)}
}
