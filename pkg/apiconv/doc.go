// Package apiconv translates between the generated API messages and the project's
// own types, in both directions and in one place.
//
// Messages arrive from strangers: From* functions check form and size and report
// every fault as a field violation. Errors cross the wire as gRPC statuses with
// details: Status makes one, FromStatus reads it, and kind, reason, message, remedy
// and violations survive the trip. Internal errors don't: the caller gets an
// incident number and the log gets the cause.
package apiconv
