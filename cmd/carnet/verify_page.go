package main

import (
	"html/template"
	"os"
	"path/filepath"

	"github.com/carnet-network/carnet/pkg/verify"
)

// reportPage is a report for printing: one file without scripts and without anything that
// is loaded from elsewhere.
var reportPage = template.Must(template.New("report").Parse(`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Verification of {{.File}}</title>
<style>
body { font: 11pt/1.4 serif; max-width: 46em; margin: 2em auto; padding: 0 1em; color: #000; background: #fff }
h1 { font-size: 1.5em } h2 { font-size: 1.15em; margin: 2em 0 .3em; border-bottom: 1px solid #000 }
table { border-collapse: collapse; width: 100%; font-size: .9em } th, td { text-align: left; vertical-align: top; padding: .25em .6em .25em 0; border-bottom: 1px solid #bbb }
pre, code { font-size: .85em; white-space: pre-wrap; overflow-wrap: anywhere } .small { font-size: .85em } .failed { font-weight: bold } .verdict { border: 1px solid #000; padding: .5em 1em; font-weight: bold }
ul { margin: .2em 0; padding-left: 1.2em }
@media print { body { margin: 0; max-width: none } h2 { break-after: avoid } tr { break-inside: avoid } }
</style>
</head>
<body>
<h1>Verification of {{.File}}</h1>
<p class="verdict">{{.Verdict}}</p>
<p class="small">SHA-256 of the file: <code>{{.Report.Bundle}}</code></p>
{{with .Report.Registrar}}
<p class="verdict">The registrar's key is probably not the right one for this file: {{.Message}}.</p>
<table><tr><th>Key given</th><td><code>{{.Given}}</code></td></tr><tr><th>Key named by the file</th><td><code>{{.Named}}</code></td></tr><tr><th>What to do</th><td>{{.Remedy}}.</td></tr></table>
{{end}}
{{with .Report.Query}}
<h2>The query</h2>
<table>
<tr><th>Query</th><td><code>{{.Hash}}</code>, entry {{.Entry}} of the log</td></tr>
<tr><th>Asked by</th><td>{{.Buyer}} ({{.From}}), {{.Created.UTC.Format "2006-01-02 15:04:05 MST"}}</td></tr>
<tr><th>Purpose</th><td>{{.Purpose}}</td></tr>
<tr><th>Datasets</th><td>{{range $i, $d := .Datasets}}{{if $i}}, {{end}}{{$d}}{{end}}</td></tr>
<tr><th>Text</th><td><pre>{{.SQL}}</pre></td></tr>
<tr><th>Released</th><td>{{if .Released}}yes: the buyer could open the answer{{else}}no: too few keyholders answered{{end}}</td></tr>
</table>
{{end}}
{{with .Report.Document}}
<h2>The document</h2>
<table>
<tr><th>Kind</th><td>{{.Kind}} of {{.Subject}}</td></tr>
<tr><th>Signed by</th><td>{{.By}}</td></tr>
<tr><th>Statement</th><td><code>{{.Statement}}</code>{{if ge .Entry 0}}, entry {{.Entry}} of the log{{end}}</td></tr>
<tr><th>Committee</th><td>{{.Committee}}</td></tr>
</table>
{{end}}
<h2>What was checked</h2>
<table>
<tr><th>Claim</th><th>Result</th><th>What it means, and what was found</th></tr>
{{range .Report.Checks}}<tr><td>{{.Title}}</td><td class="{{.Status}}">{{.Status}}</td><td>{{if eq .Status "passed"}}{{.Meaning}}{{end}}{{.Why}}
{{if .Faults}}<ul>{{range .Faults}}<li class="failed">{{.Part}}: {{.Message}} [{{.Reason}}]</li>{{end}}</ul>{{end}}
{{if .Found}}<ul class="small">{{range .Found}}<li>{{.}}</li>{{end}}</ul>{{end}}</td></tr>
{{end}}</table>
{{with .Report.Log}}<p class="small">Log {{.Origin}}, {{.Size}} entries, root <code>{{.Root}}</code>; co-signed by {{range $i, $d := .Cosigned}}{{if $i}}, {{end}}{{$d}}{{end}}.</p>{{end}}
</body>
</html>
`))

// writeReport writes the page. Everything that is not ours is escaped by the template.
func writeReport(file, bundle string, r *verify.Report) error {
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	if err := reportPage.Execute(out, map[string]any{"File": filepath.Base(bundle), "Verdict": verdicts[r.Verdict], "Report": r}); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}
