// Package carnettest is a whole Carnet network in one process, for tests.
//
// Start gives a gateway on loopback sockets (gRPC and REST, mutual TLS 1.3, SQLite
// and a blob folder under the test's temporary directory), keyholders that dial out
// to it, owners, buyers, an auditor and the registrar. Everything goes through the
// same code and the same sockets as in production; only the keyholders' keystores
// are in memory, unless a test gives others. Whatever was started stops with the test.
//
//	net := carnettest.Start(t, carnettest.Options{Keyholders: 5, Threshold: 3})
//	kz := net.Publish(t, carnettest.Publication{Owner: "kz", Schema: s, CSV: text})
//	net.Product(t, "trade", kz)
//	answer := net.Ask(t, "buyer", "trade", "SELECT SUM(value) FROM trade")
//
// The gateway is not trusted, so a test may be the gateway: it sees and changes
// every message between it and a party (Meddle), rewrites what a party sends
// (Rewrite), and writes to the gateway's own store (Gateway.Inject).
//
// The package is imported by tests only.
package carnettest
