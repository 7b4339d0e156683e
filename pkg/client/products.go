package client

import (
	"bytes"
	"context"
	"slices"
	"strings"

	"google.golang.org/protobuf/encoding/protodelim"

	pb "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/query"
)

// productsOf lists the products that a query is about: the one that is given and those
// that the text joins it with, which it calls by their whole names.
func productsOf(product carnet.ProductID, sql string) []carnet.ProductID {
	out := []carnet.ProductID{product}
	sel, err := query.Parse(sql)
	if err != nil {
		return out // compiling says why
	}
	short := string(product[strings.LastIndexByte(string(product), '/')+1:])
	for i, t := range sel.Tables() {
		id := carnet.ProductID(t.Name)
		if i > 0 && t.Name != short && !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out
}

// loadProducts fetches and checks the products of a query.
func (c *Client) loadProducts(ctx context.Context, ids []carnet.ProductID) ([]*Product, error) {
	var out []*Product
	for _, id := range ids {
		p, err := c.LoadProduct(ctx, id)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// compile plans a query over checked products.
func compile(sql string, products []*Product) (*plan.Plan, error) {
	var ps []*plan.Product
	for _, p := range products {
		ps = append(ps, &p.Product)
	}
	return plan.Compile(sql, ps...)
}

// prepare loads the products of a query and compiles it.
func (c *Client) prepare(ctx context.Context, product carnet.ProductID, sql string) ([]*Product, *plan.Plan, error) {
	products, err := c.loadProducts(ctx, productsOf(product, sql))
	if err != nil {
		return nil, nil, err
	}
	p, err := compile(sql, products)
	return products, p, err
}

// all are the products that the query is about.
func (a *Asked) all() []*Product { return append([]*Product{a.Product}, a.With...) }

// home returns the number of the keyholder that a key does not open without.
func (a *Asked) home(key carnet.KeyID) (member int, ok bool) {
	for _, p := range a.all() {
		if member, ok = p.Homes[key]; ok {
			return member, true
		}
	}
	return 0, false
}

// isHome reports whether a keyholder is the home of some key.
func (a *Asked) isHome(member int) bool {
	for _, p := range a.all() {
		for _, m := range p.Homes {
			if m == member {
				return true
			}
		}
	}
	return false
}

// Snapshot is everything that the query's products were made from. Kept beside the query,
// it opens the answer again after they have changed.
func (a *Asked) Snapshot() ([]byte, error) {
	var out bytes.Buffer
	for _, p := range a.all() {
		if _, err := protodelim.MarshalTo(&out, p.source); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), nil
}

// loadSnapshot checks a snapshot exactly as if the gateway had just sent it.
func (c *Client) loadSnapshot(ctx context.Context, ids []carnet.ProductID, snapshot []byte) ([]*Product, error) {
	in := bytes.NewReader(snapshot)
	var out []*Product
	for _, id := range ids {
		resp := &pb.GetProductResponse{}
		if err := (protodelim.UnmarshalOptions{MaxSize: -1}).UnmarshalFrom(in, resp); err != nil {
			return nil, carnet.E(carnet.Invalid, "BAD_SNAPSHOT", "this is not the snapshot of a query's products").Because(err)
		}
		p, err := c.verified(ctx, id, resp)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}
