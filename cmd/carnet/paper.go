package main

import (
	"fmt"
	"html/template"
	"os"
	"strings"

	"rsc.io/qr"

	"github.com/carnet-network/carnet/pkg/bundle"
	"github.com/carnet-network/carnet/pkg/carnet"
)

// paper is a document for printing: facts, tables and the digest that proves it, also as
// a QR code.
type paper struct {
	Title  string
	Lead   string // what it is, in a sentence or two
	Facts  [][2]string
	Tables []paperTable
	Notes  []string
	Digest carnet.Hash
	Of     string // what the digest is of
	Proof  *paperProof
}

// paperProof is the state of the log that proves a document.
type paperProof struct {
	Entry int64  // of the statement; -1: it is not in the log
	Note  string // the checkpoint with its signatures
}

// provedBy adds the checkpoint of a document; nil adds nothing.
func (p *paper) provedBy(d *bundle.Document) *paper {
	if d != nil {
		if note, err := d.Proof.Checkpoint.MarshalText(); err == nil {
			p.Proof = &paperProof{d.Entry, string(note)}
		}
	}
	return p
}

type paperTable struct {
	Title string
	Head  []string
	Rows  [][]string
}

var paperPage = template.Must(template.New("paper").Parse(`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{{.Title}}</title>
<style>
body { font: 11pt/1.4 serif; max-width: 46em; margin: 2em auto; padding: 0 1em; color: #000; background: #fff }
h1 { font-size: 1.6em; margin: 0 0 .3em } h2 { font-size: 1.1em; margin: 1.6em 0 .3em; border-bottom: 1px solid #000 }
table { border-collapse: collapse; width: 100%; font-size: .9em } th, td { text-align: left; vertical-align: top; padding: .25em .8em .25em 0; border-bottom: 1px solid #bbb; overflow-wrap: anywhere }
.facts th { width: 14em; font-weight: normal; font-style: italic }
.small { font-size: .85em } code, pre { font-size: .85em; overflow-wrap: anywhere } pre { white-space: pre-wrap }
.seal { display: flex; gap: 1.5em; align-items: center; margin-top: 2em; border-top: 2px solid #000; padding-top: 1em } .seal svg { width: 8em; height: 8em; flex: none }
@media print { body { margin: 0; max-width: none } h2 { break-after: avoid } tr, .seal { break-inside: avoid } }
</style>
</head>
<body>
<h1>{{.Title}}</h1>
<p>{{.Lead}}</p>
<table class="facts">{{range .Facts}}<tr><th>{{index . 0}}</th><td>{{index . 1}}</td></tr>
{{end}}</table>
{{range .Tables}}<h2>{{.Title}}</h2>
<table><tr>{{range .Head}}<th>{{.}}</th>{{end}}</tr>
{{range .Rows}}<tr>{{range .}}<td>{{.}}</td>{{end}}</tr>
{{end}}</table>
{{end}}
{{range .Notes}}<p class="small">{{.}}</p>
{{end}}
<div class="seal">
<svg viewBox="0 0 {{.Side}} {{.Side}}" shape-rendering="crispEdges" role="img" aria-label="QR code of the digest"><path d="{{.Modules}}"/></svg>
<div><p class="small">SHA-256 of {{.Of}}:</p><code>{{.Digest}}</code></div>
</div>
{{with .Proof}}<h2>State of the log</h2>
<p class="small">{{if ge .Entry 0}}The statement is entry {{.Entry}} of the log{{else}}It was worked out from the log{{end}} of which the operator and keyholders signed this state. carnet verify checks it from the file that belongs to this page.</p>
<pre class="small">{{.Note}}</pre>
{{end}}</body>
</html>
`))

// write writes the page to a file.
func (p *paper) write(file string) error {
	code, err := qr.Encode("carnet:sha256:"+p.Digest.String(), qr.M)
	if err != nil {
		return err
	}
	const quiet = 4 // modules around the code, as its standard asks
	var path strings.Builder
	for y := range code.Size {
		for x := range code.Size {
			if code.Black(x, y) {
				fmt.Fprintf(&path, "M%d %dh1v1h-1z", x+quiet, y+quiet)
			}
		}
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	err = paperPage.Execute(f, struct {
		*paper
		Side    int
		Modules string
	}{p, code.Size + 2*quiet, path.String()})
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}
