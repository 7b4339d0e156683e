// Package command holds what the three programs' command lines have in common: how
// they fail, their version, no core dumps, because memory holds seeds, and defaults
// that help never hides.
package command

import (
	"runtime/debug"
	"strings"

	"github.com/alecthomas/kong"
)

// WithDefault is a kong.ValueFormatter that adds the default of flags whose
// placeholder would hide it.
func WithDefault(v *kong.Value) string {
	text := kong.DefaultHelpValueFormatter(v)
	if v.Default != "" && v.Flag != nil && v.Flag.PlaceHolder != "" {
		text = strings.TrimSuffix(text, ".") + " [default: " + v.Default + "]."
	}
	return text
}

// version is set by release builds: -ldflags "-X .../internal/command.version=v1.2.3".
var version = ""

// Version is the version of the program, with the commit it was built from if that
// is known.
func Version() string {
	v, revision := version, ""
	if info, ok := debug.ReadBuildInfo(); ok {
		if m := info.Main.Version; v == "" && m != "(devel)" {
			v = m
		}
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" && len(s.Value) >= 12 {
				revision = " (" + s.Value[:12] + ")"
			}
		}
	}
	if v == "" {
		v = "development"
	}
	return v + revision
}
