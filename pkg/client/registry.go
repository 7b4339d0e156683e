package client

import (
	"context"
	"encoding/json"

	pb "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/schema"
)

// pageSize is how many statements a listing asks for at a time.
const pageSize = 100

// RegisterParty sends a party statement that carries the party's and the
// registrar's signature.
func (c *Client) RegisterParty(ctx context.Context, env *evidence.Envelope) (Ref, error) {
	resp, err := c.registry.RegisterParty(ctx, &pb.RegisterPartyRequest{Statement: toProto(env)})
	if err != nil {
		return Ref{}, fault(err)
	}
	return refTo(env, resp.GetRef())
}

// RevokeParty ends a party for good; only the registrar may.
func (c *Client) RevokeParty(ctx context.Context, registrar Signer, id carnet.PartyID, reason string) (Ref, error) {
	env, err := evidence.Seal(carnet.TypePartyRevocation, carnet.PartyRevocation{Party: id, Reason: reason, Created: c.timestamp()}, registrar)
	if err != nil {
		return Ref{}, err
	}
	resp, err := c.registry.RevokeParty(ctx, &pb.RevokePartyRequest{Statement: toProto(env)})
	if err != nil {
		return Ref{}, fault(err)
	}
	return refTo(env, resp.GetRef())
}

// Party returns one party's checked statement, the present one. The error is PARTY_REVOKED
// if the registrar revoked it.
func (c *Client) Party(ctx context.Context, id carnet.PartyID) (*carnet.Party, error) {
	r, err := c.registered(ctx, id)
	if err != nil {
		return nil, err
	}
	if r.revoked != nil {
		return nil, evidence.PartyRevoked(id)
	}
	return r.Party, nil
}

// PartyStatement is Party with the hash of the statement, for the one that is to replace it.
func (c *Client) PartyStatement(ctx context.Context, id carnet.PartyID) (*carnet.Party, carnet.Hash, error) {
	r, err := c.registered(ctx, id)
	if err != nil {
		return nil, carnet.Hash{}, err
	}
	if r.revoked != nil {
		return nil, carnet.Hash{}, evidence.PartyRevoked(id)
	}
	list := r.chain.Versions()
	return r.Party, list[len(list)-1].Hash, nil
}

// PartyVersions lists a party's checked statements, the present one last.
func (c *Client) PartyVersions(ctx context.Context, id carnet.PartyID) ([]evidence.PartyVersion, error) {
	r, err := c.registered(ctx, id)
	if err != nil {
		return nil, err
	}
	if r.revoked != nil {
		return nil, evidence.PartyRevoked(id)
	}
	return r.chain.Versions(), nil
}

// RegisteredParty is a party's present statement, and what revoked it, nil if nothing did.
type RegisteredParty struct {
	*carnet.Party
	Revoked *carnet.PartyRevocation `json:"revoked,omitempty"`
}

// Parties returns every party's present statement, checked for the registrar's signature and
// its own, those of revoked ones included.
func (c *Client) Parties(ctx context.Context) ([]*RegisteredParty, error) {
	var out []*RegisteredParty
	for token := ""; ; {
		resp, err := c.registry.ListParties(ctx, &pb.ListPartiesRequest{PageSize: pageSize, PageToken: token})
		if err != nil {
			return nil, fault(err)
		}
		revoked := map[carnet.PartyID]*carnet.PartyRevocation{}
		for _, e := range resp.GetRevocations() {
			r := &carnet.PartyRevocation{}
			if err := fromProto(e).Verify(carnet.TypePartyRevocation, c.registrar, r); err != nil {
				return nil, byRegistrar(err, "a revocation of a party", c.registrar)
			}
			revoked[r.Party] = r
		}
		for _, e := range resp.GetStatements() {
			p, err := verifyParty(fromProto(e), c.registrar)
			if err != nil {
				return nil, err
			}
			out = append(out, &RegisteredParty{p, revoked[p.ID]})
		}
		if token = resp.GetNextPageToken(); token == "" {
			return out, nil
		}
	}
}

// RegisterCommittee signs and sends a committee statement; only the registrar may.
func (c *Client) RegisterCommittee(ctx context.Context, registrar Signer, body carnet.Committee) (Ref, error) {
	if body.Created.IsZero() {
		body.Created = c.timestamp()
	}
	env, err := evidence.Seal(carnet.TypeCommittee, body, registrar)
	if err != nil {
		return Ref{}, err
	}
	resp, err := c.registry.RegisterCommittee(ctx, &pb.RegisterCommitteeRequest{Statement: toProto(env)})
	if err != nil {
		return Ref{}, fault(err)
	}
	return refTo(env, resp.GetRef())
}

// Committee is a checked committee statement.
type Committee struct {
	Hash carnet.Hash `json:"hash"` // statement hash, which dealings name
	carnet.Committee
}

// Committee returns the committee with that identifier or statement hash.
func (c *Client) Committee(ctx context.Context, id string) (*Committee, error) {
	resp, err := c.registry.GetCommittee(ctx, &pb.GetCommitteeRequest{Id: id})
	if err != nil {
		return nil, named(err, "committee", id, "carnet committee list lists them")
	}
	got, err := verifyCommittee(fromProto(resp.GetStatement()), c.registrar)
	if err != nil {
		return nil, err
	}
	if string(got.ID) != id && got.Hash.String() != id {
		return nil, wrong("asked for committee %s, the gateway sent %s", id, got.ID)
	}
	return got, nil
}

// Committees returns every checked committee statement.
func (c *Client) Committees(ctx context.Context) ([]*Committee, error) {
	var out []*Committee
	for token := ""; ; {
		resp, err := c.registry.ListCommittees(ctx, &pb.ListCommitteesRequest{PageSize: pageSize, PageToken: token})
		if err != nil {
			return nil, fault(err)
		}
		for _, e := range resp.GetStatements() {
			got, err := verifyCommittee(fromProto(e), c.registrar)
			if err != nil {
				return nil, err
			}
			out = append(out, got)
		}
		if token = resp.GetNextPageToken(); token == "" {
			return out, nil
		}
	}
}

// Schema is a schema with the hash of the statement it came in.
type Schema struct {
	Hash carnet.Hash `json:"hash"`
	*schema.Schema
}

// RegisterSchema signs and sends a schema. Registering the same schema again under
// the same key returns the same reference.
func (c *Client) RegisterSchema(ctx context.Context, by Signer, s *schema.Schema) (Ref, error) {
	if err := s.Validate(); err != nil {
		return Ref{}, err
	}
	env, err := evidence.Seal(carnet.TypeSchema, s, by)
	if err != nil {
		return Ref{}, err
	}
	resp, err := c.registry.RegisterSchema(ctx, &pb.RegisterSchemaRequest{Statement: toProto(env)})
	if err != nil {
		return Ref{}, fault(err)
	}
	return refTo(env, resp.GetRef())
}

// SchemaByID returns the schema with that "name@version" or statement hash.
func (c *Client) SchemaByID(ctx context.Context, id string) (*Schema, error) {
	resp, err := c.registry.GetSchema(ctx, &pb.GetSchemaRequest{Id: id})
	if err != nil {
		return nil, named(err, "schema", id, "carnet schema list lists them; name one as name@version")
	}
	s, err := decodeSchema(fromProto(resp.GetStatement()))
	if err != nil {
		return nil, err
	}
	if s.ID() != id && s.Hash.String() != id {
		return nil, wrong("asked for schema %s, the gateway sent %s", id, s.ID())
	}
	return s, nil
}

// Schemas returns every registered schema.
func (c *Client) Schemas(ctx context.Context) ([]*Schema, error) {
	var out []*Schema
	for token := ""; ; {
		resp, err := c.registry.ListSchemas(ctx, &pb.ListSchemasRequest{PageSize: pageSize, PageToken: token})
		if err != nil {
			return nil, fault(err)
		}
		for _, e := range resp.GetStatements() {
			s, err := decodeSchema(fromProto(e))
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

// decodeSchema decodes and validates a schema. Who signed it is checked where a
// product relies on it; its hash is what manifests and products pin.
func decodeSchema(env *evidence.Envelope) (*Schema, error) {
	if env == nil {
		return nil, wrong("the gateway sent no schema")
	}
	s := &schema.Schema{}
	if err := env.Decode(carnet.TypeSchema, s); err != nil {
		return nil, err
	}
	if err := s.Validate(); err != nil {
		return nil, err
	}
	return &Schema{Hash: env.Hash(), Schema: s}, nil
}

// ReadEnvelope decodes an envelope from its DSSE JSON form, as files carry it.
func ReadEnvelope(data []byte) (*evidence.Envelope, error) {
	env := &evidence.Envelope{}
	if len(data) > 2*evidence.MaxPayload || json.Unmarshal(data, env) != nil || env.PayloadType == "" {
		return nil, carnet.E(carnet.Invalid, "BAD_ENVELOPE", "this is not a signed statement").
			Fix("give the JSON file as carnet init or carnet-keyholder init wrote it")
	}
	return env, nil
}
