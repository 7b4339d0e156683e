package client

import (
	"context"
	"encoding/json"

	"google.golang.org/protobuf/encoding/protojson"

	pb "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/carnet"
)

// Verdict is what a gateway says about something that was not done yet.
type Verdict struct {
	Allow    bool           `json:"allow"`
	Refusals []Refusal      `json:"refusals"`
	Flows    []FlowDecision `json:"flows"` // of its policy bundle; empty if owners' terms alone decide
}

// FlowDecision is what the gateway's policy bundle says about one flow.
type FlowDecision struct {
	Flow     string          `json:"flow"` // storage, share or release
	Allow    bool            `json:"allow"`
	Bundle   string          `json:"bundle"` // digest
	Name     string          `json:"name"`
	Version  int64           `json:"version"`
	Decision json.RawMessage `json:"decision"` // findings, changes that would pass, obligations
}

// KindVerdict is a verdict on an example of a kind of data.
type KindVerdict struct {
	Declaration *carnet.Declaration `json:"declaration"` // nil: nothing is declared
	Verdict     *Verdict            `json:"verdict"`
}

func verdictOf(a *pb.Assessment) (*Verdict, error) {
	if a == nil {
		return nil, wrong("the gateway sent no assessment")
	}
	v := &Verdict{Allow: a.GetAllow(), Refusals: append([]Refusal{}, refusals(a.GetRefusals())...), Flows: []FlowDecision{}}
	for _, f := range a.GetFlows() {
		d, err := protojson.Marshal(f.GetDecision())
		if err != nil {
			return nil, wrong("the gateway sent a decision that is no document")
		}
		v.Flows = append(v.Flows, FlowDecision{f.GetFlow(), f.GetAllow(), f.GetBundle(), f.GetName(), f.GetVersion(), d})
	}
	return v, nil
}

// AssessPublication asks whether the gateway would keep a dataset: its manifest as it
// would be signed, files left out.
func (c *Client) AssessPublication(ctx context.Context, d *carnet.Dataset) (*Verdict, error) {
	manifest, err := json.Marshal(d)
	if err != nil {
		return nil, err
	}
	resp, err := c.policies.AssessPublication(ctx, &pb.AssessPublicationRequest{Manifest: manifest})
	if err != nil {
		return nil, fault(err)
	}
	return verdictOf(resp.GetAssessment())
}

// AssessQuery asks what the gateway's rules say about a query. Assess also tells what it
// costs.
func (c *Client) AssessQuery(ctx context.Context, product carnet.ProductID, sql, purpose string) (*Verdict, error) {
	req := &pb.AssessQueryRequest{Product: string(product), Sql: sql, Purpose: purpose}
	for _, id := range productsOf(product, sql)[1:] {
		req.With = append(req.With, string(id))
	}
	resp, err := c.policies.AssessQuery(ctx, req)
	if err != nil {
		return nil, fault(err)
	}
	return verdictOf(resp.GetAssessment())
}

// AssessRegistration asks what data of an owner in a jurisdiction would need here, for
// each kind of data, under keys dealt to the committee. The caller need not be registered.
func (c *Client) AssessRegistration(ctx context.Context, j carnet.Jurisdiction, committee string) (out []KindVerdict, err error) {
	resp, err := c.policies.AssessRegistration(ctx, &pb.AssessRegistrationRequest{Jurisdiction: string(j), Committee: committee})
	if err != nil {
		return nil, named(err, "committee", committee, "carnet committee list shows those that there are")
	}
	for _, k := range resp.GetKinds() {
		var x KindVerdict
		if k.GetDeclaration() != nil {
			b, err := protojson.Marshal(k.GetDeclaration())
			if err == nil {
				x.Declaration = &carnet.Declaration{}
				err = json.Unmarshal(b, x.Declaration)
			}
			if err != nil {
				return nil, wrong("the gateway sent a declaration that is none")
			}
		}
		if x.Verdict, err = verdictOf(k.GetAssessment()); err != nil {
			return nil, err
		}
		out = append(out, x)
	}
	return out, nil
}

// Error is why a verdict refuses, nil if it allows.
func (v *Verdict) Error() error {
	if v.Allow || len(v.Refusals) == 0 {
		return nil
	}
	first := &v.Refusals[0]
	e := carnet.E(carnet.Refused, first.Reason, "%s", first.Message)
	e.Remedy = first.Remedy
	for _, r := range v.Refusals[1:] {
		e = e.With(string(r.By), "%s", r.Message)
	}
	return e
}
