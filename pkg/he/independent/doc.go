// Package independent holds a second implementation of the encryption format, as a
// test.
//
// It is written from docs/formats/encryption.md with the standard library only,
// imports nothing of this project and reproduces the published vectors. It exists
// to show that the description is complete.
package independent
