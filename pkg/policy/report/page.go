package report

import (
	"html/template"
	"io"
)

// page is an assessment for printing: one file without scripts and without anything that
// is loaded from elsewhere.
var page = template.Must(template.New("page").Parse(`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{{.Title}}</title>
<style>
body { font: 11pt/1.4 serif; max-width: 46em; margin: 2em auto; padding: 0 1em; color: #000; background: #fff }
h1 { font-size: 1.5em } h2 { font-size: 1.15em; margin: 2em 0 .3em; border-bottom: 1px solid #000 } h3 { font-size: 1em; margin: 1em 0 .3em }
table { border-collapse: collapse; width: 100%; font-size: .9em } th, td { text-align: left; vertical-align: top; padding: .25em .6em .25em 0; border-bottom: 1px solid #bbb }
.small { font-size: .85em } .deny, .ruling { font-weight: bold }
@media print { body { margin: 0; max-width: none } h2 { break-after: avoid } tr { break-inside: avoid } }
</style>
</head>
<body>
<h1>{{.Title}}</h1>
<p class="small">{{.Notice}}</p>
{{range .All}}
<h2>{{.Title}}: {{if .Allow}}would be accepted{{else}}would be refused{{end}}</h2>
{{if not .Rules}}<p>The gateway decides by owners' terms alone.</p>{{end}}
{{with .Others}}<ul>{{range .}}<li>{{.By}}: {{.Message}} <em>Remedy: {{.Remedy}}</em></li>{{end}}</ul>{{end}}
{{range .Rules}}
<h3>{{.Flow}}: {{if .Allow}}allowed{{else}}refused{{end}}</h3>
<table>
<tr><th>Rule</th><th>Border</th><th>Finding</th><th>Law</th></tr>
{{range .Said}}<tr><td class="{{.Effect}}">{{.Rule}}<br>{{.Effect}}</td><td>{{.Border}}</td><td>{{.Message}}{{range .Remedies}}<br><em>Remedy: {{.}}</em>{{end}}</td><td class="small">{{.Law}}<br>since {{.InForce}}{{if .Until}} until {{.Until}}{{end}}, {{.Status}}, confidence {{.Confidence}}<br>{{.Source}}</td></tr>
{{end}}</table>
<p class="small">{{if .Allow}}Obligations: {{.Decision.Obligations.Words}}. {{end}}Bundle {{.Name}} version {{.Version}}, digest {{.Bundle}}.</p>
{{end}}
{{end}}
</body>
</html>
`))

// Page writes the page. Everything that is not ours is escaped by the template.
func Page(w io.Writer, title string, all []Assessed) error {
	return page.Execute(w, map[string]any{"Title": title, "Notice": NotAdvice, "All": all})
}
