// Package policies has the policy bundle that comes with the programs.
package policies

import "embed"

// Files are the files of the bundle: its manifest, configuration, rules and packs.
//
//go:embed bundle.yaml config.yaml rules packs
var Files embed.FS
