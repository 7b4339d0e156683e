package server

import (
	"context"

	carnetv1 "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/apiconv"
	"github.com/carnet-network/carnet/pkg/carnet"
)

type catalogueService struct {
	carnetv1.UnimplementedCatalogueServiceServer
	s *Server
}

func (c catalogueService) RegisterProduct(ctx context.Context, m *carnetv1.RegisterProductRequest) (*carnetv1.RegisterProductResponse, error) {
	env, err := apiconv.FromEnvelope("statement", m.Statement)
	if err != nil {
		return nil, err
	}
	got, err := c.s.g.RegisterProduct(ctx, as(ctx), env)
	if err != nil {
		return nil, err
	}
	return &carnetv1.RegisterProductResponse{Ref: ref(got)}, nil
}

func (c catalogueService) GetProduct(ctx context.Context, m *carnetv1.GetProductRequest) (*carnetv1.GetProductResponse, error) {
	p, err := c.s.g.Product(ctx, carnet.ProductID(m.Id))
	if err != nil {
		return nil, err
	}
	resp := &carnetv1.GetProductResponse{
		Product: apiconv.ToEnvelope(p.Statement.Envelope), Ref: ref(p.Statement.Ref),
		Schema: apiconv.ToEnvelope(p.Schema.Envelope), Committee: apiconv.ToEnvelope(p.Committee.Envelope),
	}
	for i := range p.Datasets {
		resp.Datasets = append(resp.Datasets, toDatasetEntry(&p.Datasets[i]))
	}
	for _, d := range p.Dealings {
		resp.Dealings = append(resp.Dealings, apiconv.ToEnvelope(d.Envelope))
	}
	for _, st := range p.Redealt {
		resp.Redealings = append(resp.Redealings, apiconv.ToEnvelope(st.Envelope))
	}
	for _, st := range p.Parties {
		resp.Parties = append(resp.Parties, apiconv.ToEnvelope(st.Envelope))
	}
	return resp, nil
}

func (c catalogueService) SearchProducts(ctx context.Context, m *carnetv1.SearchProductsRequest) (*carnetv1.SearchProductsResponse, error) {
	limit, err := pageSize(m.PageSize)
	if err != nil {
		return nil, err
	}
	after, err := fromToken(m.PageToken)
	if err != nil {
		return nil, err
	}
	list, next, err := c.s.g.SearchProducts(ctx, m.Text, carnet.ProductID(after), limit)
	if err != nil {
		return nil, err
	}
	resp := &carnetv1.SearchProductsResponse{}
	for _, p := range list {
		resp.Products = append(resp.Products, &carnetv1.ProductSummary{
			Id: string(p.Body.ID), Title: p.Body.Title, Description: p.Body.Description, Publisher: string(p.Body.Publisher),
			Schema: p.Schema, Layout: string(p.Layout), Rows: p.Rows, Jurisdictions: p.Jurisdictions, Columns: p.Columns,
			Retired: p.Retired,
		})
	}
	if next != "" {
		resp.NextPageToken = toToken(string(next))
	}
	return resp, nil
}
