// Package server is the gateway's edge: it turns gRPC and REST calls into use cases
// of package flow and their results back into messages.
//
// The life of a call: TLS 1.3 checks the client certificate; identify reads the
// party from it; the table in methods.go says who may call the method and how long
// it may take; the handler converts the message, calls one use case and converts
// the result; an error becomes a status in one place, and a fault of our own becomes
// an incident number whose cause is in the log. Unary and streaming calls go through
// the same function (call in interceptors.go), and so do REST calls: the REST
// listener checks the client's certificate itself and dials the gRPC port with a
// certificate that exists in this process's memory only; nobody else may say in
// whose name it calls.
//
// A separate plain listener, meant for the loopback interface, serves metrics and
// health to machines without a certificate.
package server
