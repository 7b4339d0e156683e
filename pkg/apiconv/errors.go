package apiconv

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"strings"
	"unicode/utf8"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// Domain marks the project's own error details.
const Domain = "carnet"

// Statuses travel in HTTP/2 headers, which clients bound, often at 8 KiB. More than
// this is cut off.
const (
	maxText       = 800
	maxViolations = 10
	maxViolation  = 250
)

// Kinds that share a gRPC code are told apart by the kind in the error details.
var kindCodes = map[carnet.Kind]codes.Code{
	carnet.Internal:     codes.Internal,
	carnet.Invalid:      codes.InvalidArgument,
	carnet.NotFound:     codes.NotFound,
	carnet.Forbidden:    codes.PermissionDenied,
	carnet.Exists:       codes.AlreadyExists,
	carnet.Precondition: codes.FailedPrecondition,
	carnet.Exhausted:    codes.ResourceExhausted,
	carnet.Unavailable:  codes.Unavailable,
	carnet.Refused:      codes.FailedPrecondition,
	carnet.Canceled:     codes.Canceled,
}

// codeKinds is for statuses without our details, from gRPC itself or a proxy.
var codeKinds = map[codes.Code]carnet.Kind{
	codes.InvalidArgument:    carnet.Invalid,
	codes.OutOfRange:         carnet.Invalid,
	codes.NotFound:           carnet.NotFound,
	codes.PermissionDenied:   carnet.Forbidden,
	codes.Unauthenticated:    carnet.Forbidden,
	codes.AlreadyExists:      carnet.Exists,
	codes.FailedPrecondition: carnet.Precondition,
	codes.Aborted:            carnet.Unavailable,
	codes.ResourceExhausted:  carnet.Exhausted,
	codes.Unavailable:        carnet.Unavailable,
	codes.Canceled:           carnet.Canceled,
	codes.DeadlineExceeded:   carnet.Canceled,
	codes.Unimplemented:      carnet.Precondition,
}

// Status is what the caller is told about an error. For a fault of our own it says
// nothing but an incident number, which is returned as well, to be logged with the
// cause; for every other error incident is empty.
func Status(err error) (st *status.Status, incident string) {
	if err == nil {
		return status.New(codes.OK, ""), ""
	}
	var e *carnet.Error
	switch {
	case errors.As(err, &e) && e.Kind != carnet.Internal:
	case errors.Is(err, context.DeadlineExceeded):
		return status.New(codes.DeadlineExceeded, "the deadline passed"), ""
	case errors.Is(err, context.Canceled):
		return status.New(codes.Canceled, "the call was given up"), ""
	default:
		if st, ok := status.FromError(err); ok && st.Code() != codes.Unknown && st.Code() != codes.Internal {
			return st, "" // already a status, from gRPC itself
		}
		incident = newIncident()
		e = carnet.E(carnet.Internal, "INTERNAL", "internal error, incident %s", incident).
			Fix("tell the operator the incident number; the cause is in the gateway's log")
	}
	code, ok := kindCodes[e.Kind]
	if !ok {
		code = codes.Unknown
	}
	st = status.New(code, cut(e.Msg, maxText))
	details := []protoadapt.MessageV1{&errdetails.ErrorInfo{Reason: cut(e.Reason, 100), Domain: Domain, Metadata: map[string]string{"kind": e.Kind.String()}}}
	if len(e.Violations) > 0 {
		bad := &errdetails.BadRequest{}
		for _, v := range e.Violations[:min(len(e.Violations), maxViolations)] {
			bad.FieldViolations = append(bad.FieldViolations, &errdetails.BadRequest_FieldViolation{Field: cut(v.Field, maxViolation), Description: cut(v.Msg, maxViolation)})
		}
		details = append(details, bad)
	}
	if e.Remedy != "" {
		details = append(details, &errdetails.LocalizedMessage{Locale: "en", Message: cut(e.Remedy, maxText)})
	}
	if with, err := st.WithDetails(details...); err == nil {
		st = with
	}
	return st, incident
}

// FromStatus turns an error of a gRPC call into a *carnet.Error; nil stays nil.
func FromStatus(err error) error {
	if err == nil {
		return nil
	}
	var known *carnet.Error
	if errors.As(err, &known) {
		return err
	}
	st, ok := status.FromError(err)
	if !ok {
		return err
	}
	e := &carnet.Error{Kind: carnet.Internal, Reason: strings.ToUpper(snake(st.Code().String())), Msg: st.Message()}
	if k, ok := codeKinds[st.Code()]; ok {
		e.Kind = k
	}
	for _, d := range st.Details() {
		switch d := d.(type) {
		case *errdetails.ErrorInfo:
			if d.Domain != Domain {
				continue
			}
			e.Reason = d.Reason
			for k := range kindCodes {
				if k.String() == d.Metadata["kind"] {
					e.Kind = k
				}
			}
		case *errdetails.BadRequest:
			for _, v := range d.FieldViolations {
				e.Violations = append(e.Violations, carnet.Violation{Field: v.Field, Msg: v.Description})
			}
		case *errdetails.LocalizedMessage:
			e.Remedy = d.Message
		}
	}
	return e
}

func newIncident() string {
	var b [6]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// cut shortens text to at most n bytes of whole characters; gRPC needs valid UTF-8.
func cut(s string, n int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= n {
		return s
	}
	s = s[:n-len("…")]
	for !utf8.ValidString(s) {
		s = s[:len(s)-1]
	}
	return s + "…"
}

// snake turns "DeadlineExceeded" into "Deadline_Exceeded".
func snake(s string) string {
	var b strings.Builder
	for i, c := range s {
		if i > 0 && c >= 'A' && c <= 'Z' {
			b.WriteByte('_')
		}
		b.WriteRune(c)
	}
	return b.String()
}
