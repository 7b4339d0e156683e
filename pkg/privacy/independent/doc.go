// Package independent holds a second implementation of docs/formats/noise.md, as a test.
//
// It is written from the description with the standard library only, imports nothing of
// this project and reproduces the published vectors. It exists to show that the description
// is complete.
package independent
