package command

import (
	"encoding/json"
	"os"

	"github.com/carnet-network/carnet/pkg/evidence"
)

// WriteStatement writes a statement that people hand on. It is written beside its place first:
// a crash of the program leaves no half of one.
func WriteStatement(path string, env *evidence.Envelope) error {
	data, err := json.MarshalIndent(env, "", "  ")
	if err != nil {
		return err
	}
	tmp := path + ".new"
	if err := os.WriteFile(tmp, append(data, '\n'), 0o644); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}
