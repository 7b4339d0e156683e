package doctest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"unicode"
)

// Page is a Markdown file taken apart, as far as the tests need it.
type Page struct {
	File   string // relative to the root
	Blocks []Block
	Links  []Link
	// Anchors are the fragments that links may name: one for each heading.
	Anchors map[string]bool
	// Pause is the number of blocks before the line where other pages continue;
	// -1 if there is none.
	Pause int
}

// Block is a fenced block.
type Block struct {
	Lang string
	Text string
	Line int // of the opening fence, from 1
	// Follows is true if only blank lines are between this block and the one before.
	Follows bool
}

// Link is the target of a link or picture.
type Link struct {
	Target string
	Line   int
}

const pauseMark = "<!-- doctest: the how-to pages continue here -->"

var (
	linkForm    = regexp.MustCompile(`!?\[[^\]]*\]\(([^)\s]+)\)`)
	codeForm    = regexp.MustCompile("`[^`]*`")
	headingForm = regexp.MustCompile(`^#{1,6}\s+(.*?)\s*#*$`)
)

// ReadPage reads a Markdown file below root.
func ReadPage(root, file string) (*Page, error) {
	data, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		return nil, err
	}
	return parsePage(file, string(data)), nil
}

func parsePage(file, text string) *Page {
	p := &Page{File: file, Anchors: map[string]bool{}, Pause: -1}
	fence := ""
	adjacent := false
	for i, line := range strings.Split(text, "\n") {
		trimmed := strings.TrimSpace(line)
		if fence != "" {
			if trimmed == fence {
				fence, adjacent = "", true
				continue
			}
			b := &p.Blocks[len(p.Blocks)-1]
			b.Text += line + "\n"
			continue
		}
		if strings.HasPrefix(trimmed, "```") {
			fence = trimmed[:len(trimmed)-len(strings.TrimLeft(trimmed, "`"))]
			p.Blocks = append(p.Blocks, Block{Lang: strings.TrimPrefix(trimmed, fence), Line: i + 1, Follows: adjacent})
			continue
		}
		if trimmed == "" {
			continue
		}
		adjacent = false
		if trimmed == pauseMark {
			p.Pause = len(p.Blocks)
		}
		if m := headingForm.FindStringSubmatch(line); m != nil {
			p.addAnchor(m[1])
		}
		for _, m := range linkForm.FindAllStringSubmatch(codeForm.ReplaceAllString(line, "code"), -1) {
			p.Links = append(p.Links, Link{m[1], i + 1})
		}
	}
	return p
}

// addAnchor makes the fragment of a heading as GitHub does: lower case, punctuation
// dropped, blanks to dashes, a number after a repetition.
func (p *Page) addAnchor(heading string) {
	heading = linkForm.ReplaceAllStringFunc(heading, func(s string) string {
		s, _, _ = strings.Cut(strings.TrimLeft(s, "!["), "](")
		return s
	})
	var b strings.Builder
	for _, r := range strings.ToLower(heading) {
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
			b.WriteRune(r)
		case r == ' ':
			b.WriteByte('-')
		}
	}
	a := b.String()
	for n := 1; p.Anchors[a]; n++ {
		a = b.String() + "-" + string(rune('0'+n%10))
	}
	p.Anchors[a] = true
}

// Step is a block to run and the lines its output must contain.
type Step struct {
	Page *Page
	Block
	Want []string
}

// steps are the page's sh blocks from number from to number to of its blocks.
func (p *Page) steps(from, to int) (out []Step) {
	for i := from; i < to; i++ {
		b := p.Blocks[i]
		if b.Lang != "sh" {
			continue
		}
		s := Step{Page: p, Block: b}
		if i+1 < len(p.Blocks) && p.Blocks[i+1].Lang == "text" && p.Blocks[i+1].Follows {
			for _, l := range strings.Split(p.Blocks[i+1].Text, "\n") {
				if l = squeeze(l); l != "" && l != "…" {
					s.Want = append(s.Want, l)
				}
			}
		}
		out = append(out, s)
	}
	return out
}

func squeeze(s string) string { return strings.Join(strings.Fields(s), " ") }

// missing returns the first wanted line that the output does not contain after the
// ones before it, "" if there is none.
func missing(want []string, output string) string {
	lines := strings.Split(output, "\n")
	at := 0
	for _, w := range want {
		parts := strings.Split(w, "…")
		for i := range parts {
			parts[i] = regexp.QuoteMeta(parts[i])
		}
		form := regexp.MustCompile("^" + strings.Join(parts, ".*") + "$")
		found := false
		for ; at < len(lines) && !found; at++ {
			found = form.MatchString(squeeze(lines[at]))
		}
		if !found {
			return w
		}
	}
	return ""
}
