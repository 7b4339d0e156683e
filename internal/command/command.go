// Package command holds what the three programs' command lines have in common: no
// core dumps, because memory holds seeds, and defaults that help never hides.
package command

import "github.com/alecthomas/kong"

// WithDefault is a kong.ValueFormatter that adds the default of flags whose
// placeholder would hide it.
func WithDefault(v *kong.Value) string {
	text := kong.DefaultHelpValueFormatter(v)
	if v.Default != "" && v.Flag != nil && v.Flag.PlaceHolder != "" {
		text += " Default: " + v.Default + "."
	}
	return text
}
