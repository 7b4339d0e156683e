package command

import (
	"encoding/json"
	"fmt"
	"io"
	"reflect"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// Output is how a command that does something prints what it did. Programs get every identifier,
// hash and key in full.
type Output struct {
	JSON bool `name:"json" help:"Print JSON."`
}

// Report prints what was done: v if JSON is wanted, the text for people otherwise.
func (o Output) Report(w io.Writer, v any, format string, args ...any) error {
	if o.JSON {
		return JSON(w, v)
	}
	_, err := fmt.Fprintf(w, format, args...)
	return err
}

// JSON prints v indented, for programs. A list without entries is [], not null.
func JSON(w io.Writer, v any) error {
	if r := reflect.ValueOf(v); r.Kind() == reflect.Slice && r.IsNil() {
		v = []any{}
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// About is what the version commands print for programs.
type About struct {
	Program string `json:"program"`
	Version string `json:"version"`
}

// States of a Rotation.
const (
	Prepared  = "prepared"  // the new key waits for the registrar
	InUse     = "in_use"    // the registered key is the new one, and what is signed from now on is signed with it
	Discarded = "discarded" // the new key is destroyed
)

// Rotation is what the rotate commands print for programs. Keys are Base64, as in statements.
type Rotation struct {
	State         string         `json:"state"`
	Party         carnet.PartyID `json:"party"`
	File          string         `json:"file,omitempty"` // statement for the registrar
	SigningKey    []byte         `json:"signing_key"`
	SealingKey    []byte         `json:"sealing_key,omitempty"`
	OldSigningKey []byte         `json:"old_signing_key,omitempty"`
	OldSealingKey []byte         `json:"old_sealing_key,omitempty"`
	Lost          bool           `json:"lost,omitempty"` // the old key, which signed nothing about this
}
