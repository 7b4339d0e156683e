package apiconv

import (
	"strconv"

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
		BytesRead: p.Cost.Bytes, BytesAnswer: p.Cost.AnswerBytes,
		Certificate: &carnetv1.Certificate{FloodBits: int32(c.FloodBits), NoiseBits: int32(c.NoiseBits), ReleaseBits: int32(c.ReleaseBits)},
		Steps:       p.Describe(),
	}
	if c.Bound != nil && c.MaxResult != nil {
		m.Certificate.Bound, m.Certificate.MaxResult = c.Bound.String(), c.MaxResult.String()
		m.Certificate.PlaintextModulus = strconv.FormatUint(c.T, 10)
	}
	for _, col := range p.Columns {
		m.Columns = append(m.Columns, col.Name)
	}
	for i := range p.Datasets {
		m.Datasets = append(m.Datasets, string(p.Datasets[i].Manifest.ID))
	}
	return m
}
