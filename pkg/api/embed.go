// Package api holds what is generated from protos/ by tools/gen.sh: the gRPC and
// REST bindings in carnet/v1, and the OpenAPI document of the REST form.
package api

import _ "embed"

// OpenAPI is the OpenAPI 2.0 document of every REST method, as JSON.
//
//go:embed openapi.json
var OpenAPI []byte
