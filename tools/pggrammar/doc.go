// Package pggrammar checks what package query accepts against the grammar of
// PostgreSQL. It is a module of its own, so that the grammar, several megabytes of
// WebAssembly, is no dependency of anything else.
package pggrammar
