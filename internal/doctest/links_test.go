package doctest

import (
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// markdownFiles are all pages of the repository, relative to root.
func markdownFiles(t *testing.T, root string) (files []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := e.Name()
		switch {
		case e.IsDir() && path != root && (strings.HasPrefix(name, ".") || name == "bin" || name == "testdata"):
			return filepath.SkipDir
		case !e.IsDir() && strings.HasSuffix(name, ".md"):
			rel, err := filepath.Rel(root, path)
			files = append(files, rel)
			return err
		}
		return nil
	}))
	return files
}

// TestLinksResolve follows every relative link of every page, to files and headings.
func TestLinksResolve(t *testing.T) {
	root := filepath.Join("..", "..")
	files := markdownFiles(t, root)
	require.Greater(t, len(files), 20)
	pages := map[string]*Page{}
	for _, f := range files {
		p, err := ReadPage(root, f)
		require.NoError(t, err)
		pages[f] = p
	}
	for _, f := range files {
		for _, l := range pages[f].Links {
			u, err := url.Parse(l.Target)
			if err != nil {
				t.Errorf("%s:%d: %s: %v", f, l.Line, l.Target, err)
				continue
			}
			if u.Scheme != "" {
				continue // elsewhere
			}
			to := f
			if u.Path != "" {
				to = filepath.Join(filepath.Dir(f), filepath.FromSlash(u.Path))
			}
			if _, err := os.Stat(filepath.Join(root, to)); err != nil {
				t.Errorf("%s:%d: %s does not exist", f, l.Line, to)
				continue
			}
			if u.Fragment != "" && pages[to] != nil && !pages[to].Anchors[u.Fragment] {
				t.Errorf("%s:%d: %s has no heading #%s", f, l.Line, to, u.Fragment)
			}
		}
	}
}

// TestEveryPageIsReachable finds pages that no other page links to.
func TestEveryPageIsReachable(t *testing.T) {
	root := filepath.Join("..", "..")
	seen := map[string]bool{}
	queue := []string{"README.md"}
	for len(queue) > 0 {
		f := queue[0]
		queue = queue[1:]
		if seen[f] || !strings.HasSuffix(f, ".md") {
			continue
		}
		seen[f] = true
		p, err := ReadPage(root, f)
		if err != nil {
			continue // TestLinksResolve reports it
		}
		for _, l := range p.Links {
			target, _, _ := strings.Cut(l.Target, "#")
			to := filepath.Join(filepath.Dir(f), filepath.FromSlash(target))
			if info, err := os.Stat(filepath.Join(root, to)); err == nil && info.IsDir() {
				inside, err := filepath.Glob(filepath.Join(root, to, "*.md"))
				require.NoError(t, err)
				for _, x := range inside {
					rel, err := filepath.Rel(root, x)
					require.NoError(t, err)
					queue = append(queue, rel)
				}
				continue
			}
			queue = append(queue, to)
		}
	}
	for _, f := range markdownFiles(t, root) {
		if strings.HasPrefix(f, "docs") && !seen[f] {
			t.Errorf("%s is linked from no page", f)
		}
	}
}
