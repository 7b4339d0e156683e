package server

import (
	"context"
	"errors"
	"net/http"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/carnet-network/carnet/pkg/apiconv"
	"github.com/carnet-network/carnet/pkg/carnet"
)

// restErrors give what never reaches a method the form that every other error has: a reason and
// what to do. Errors of methods have theirs and pass as they are.
func restErrors() []runtime.ServeMuxOption {
	return []runtime.ServeMuxOption{
		runtime.WithErrorHandler(func(ctx context.Context, mux *runtime.ServeMux, m runtime.Marshaler, w http.ResponseWriter, r *http.Request, err error) {
			if st := status.Convert(err); st.Code() == codes.InvalidArgument && len(st.Details()) == 0 {
				e, _ := apiconv.Status(carnet.E(carnet.Invalid, "BAD_REQUEST", "the request can't be read: %s", st.Message()).
					Fix("compare path, parameters and body with /openapi.json"))
				err = e.Err()
			}
			runtime.DefaultHTTPErrorHandler(ctx, mux, m, w, r, err)
		}),
		runtime.WithRoutingErrorHandler(func(ctx context.Context, mux *runtime.ServeMux, m runtime.Marshaler, w http.ResponseWriter, r *http.Request, code int) {
			e, _ := apiconv.Status(noSuchPath(r))
			runtime.DefaultHTTPErrorHandler(ctx, mux, m, w, r, &runtime.HTTPStatusError{HTTPStatus: code, Err: e.Err()})
		}),
	}
}

func noSuchPath(r *http.Request) error {
	return carnet.E(carnet.NotFound, "NO_SUCH_PATH", "there is nothing at %s %s", r.Method, r.URL.Path).
		Fix("/openapi.json lists paths and their methods")
}

// refuse is the answer to who may not call at all.
func refuse(w http.ResponseWriter, err error) { answer(w, http.StatusUnauthorized, err) }

// answer writes an error in the form that grpc-gateway gives them: a google.rpc.Status.
func answer(w http.ResponseWriter, code int, err error) {
	var known *carnet.Error
	if !errors.As(err, &known) { // of the handshake's checks: it is about the caller's own certificate
		err = unauthenticated("the certificate is not accepted: %v", err)
	}
	st, _ := apiconv.Status(err)
	p := st.Proto()
	if code == http.StatusUnauthorized {
		p.Code = int32(codes.Unauthenticated)
	}
	b, err := protojson.Marshal(p)
	if err != nil {
		code = http.StatusInternalServerError
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_, _ = w.Write(b)
}
