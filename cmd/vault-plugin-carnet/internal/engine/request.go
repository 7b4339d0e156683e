package engine

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"

	"github.com/hashicorp/vault/sdk/framework"
	"github.com/hashicorp/vault/sdk/logical"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/keys/vaultplugin"
)

type handler func(ctx context.Context, d *framework.FieldData) (map[string]any, error)

// operations turns handlers into what the framework calls. A fault met in one request
// must not end the process, on which every mount depends; what it was is not told, since
// a trace shows arguments.
func (b *backend) operations(hs map[logical.Operation]handler) map[logical.Operation]framework.OperationHandler {
	out := map[logical.Operation]framework.OperationHandler{}
	for op, h := range hs {
		out[op] = &framework.PathOperation{Callback: func(ctx context.Context, req *logical.Request, d *framework.FieldData) (resp *logical.Response, err error) {
			defer func() {
				if recover() != nil {
					b.Logger().Error("a fault of the engine met a request; report it", "operation", req.Operation)
					resp, err = nil, errors.New("a fault of the engine met the request")
				}
			}()
			data, err := h(ctx, d)
			var e *carnet.Error
			switch {
			case errors.As(err, &e):
				return logical.ErrorResponse(vaultplugin.ErrorText(e)), nil
			case err != nil:
				return nil, err // of storage; Vault knows some of them
			case op == logical.ListOperation:
				return logical.ListResponse(data["keys"].([]string)), nil
			case data == nil:
				return nil, nil
			}
			return &logical.Response{Data: data}, nil
		}}
	}
	return out
}

func invalid(format string, args ...any) error {
	return carnet.E(carnet.Invalid, "BAD_REQUEST", format, args...)
}

// maxField bounds one field of a request, decoded.
const maxField = 16 << 20

// joined decodes the pieces of a field. Each is base64 by itself.
func joined(d *framework.FieldData, name string) ([]byte, error) {
	pieces := d.Get(name).([]string)
	size := 0
	for _, p := range pieces {
		if size += base64.StdEncoding.DecodedLen(len(p)); size > maxField {
			return nil, invalid("%s is longer than %d bytes", name, maxField)
		}
	}
	out := make([]byte, 0, size)
	for _, p := range pieces {
		var err error
		if out, err = base64.StdEncoding.Strict().AppendDecode(out, []byte(p)); err != nil {
			return nil, invalid("%s is not base64", name)
		}
	}
	return out, nil
}

// fixed decodes a field of a known length.
func fixed(d *framework.FieldData, name string, size int) ([]byte, error) {
	b, err := base64.StdEncoding.Strict().DecodeString(d.Get(name).(string))
	if err != nil || len(b) != size {
		return nil, invalid("%s is not the base64 form of %d bytes", name, size)
	}
	return b, nil
}

func keyID(d *framework.FieldData) (carnet.KeyID, error) {
	key, err := carnet.ParseKeyID(d.Get("key").(string))
	if err != nil {
		return key, invalid("key is no key identifier")
	}
	return key, nil
}

// envelope reads a signed statement.
func envelope(d *framework.FieldData, name string) (*evidence.Envelope, error) {
	b, err := joined(d, name)
	if err != nil {
		return nil, err
	}
	var env evidence.Envelope
	if json.Unmarshal(b, &env) != nil {
		return nil, invalid("%s is no signed statement", name)
	}
	return &env, nil
}
