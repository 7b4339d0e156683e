package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"os"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/carnet-network/carnet/internal/command/commandtest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"carnet": func() {
			os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
		},
	})
}

// TestScripts runs the commands that need no network as a user would.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"fields": commandtest.Fields,
			// windows FROM TO writes a text as some programs there do.
			"windows": func(ts *testscript.TestScript, _ bool, args []string) {
				text := "\ufeff" + strings.ReplaceAll(ts.ReadFile(args[0]), "\n", "\r\n")
				ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text), 0o600))
			},
			// parquet FROM TO writes a CSV file as Parquet, every column a string.
			"parquet": func(ts *testscript.TestScript, _ bool, args []string) {
				records, err := csv.NewReader(strings.NewReader(ts.ReadFile(args[0]))).ReadAll()
				ts.Check(err)
				columns := parquet.Group{}
				for _, name := range records[0] {
					columns[name] = parquet.String()
				}
				var file bytes.Buffer
				w := parquet.NewGenericWriter[map[string]any](&file, parquet.NewSchema("table", columns))
				for _, r := range records[1:] {
					row := map[string]any{}
					for i, name := range records[0] {
						row[name] = r[i]
					}
					_, err := w.Write([]map[string]any{row})
					ts.Check(err)
				}
				ts.Check(w.Close())
				ts.Check(os.WriteFile(ts.MkAbs(args[1]), file.Bytes(), 0o600))
			},
		},
	})
}
