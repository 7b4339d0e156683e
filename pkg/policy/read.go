package policy

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/ed25519"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/policies"
)

// Builtin is the name that stands for the bundle that comes with the programs.
const Builtin = "builtin"

// Default is the bundle that comes with the programs. It is as trusted as they are, so
// nobody else has signed it.
func Default() (*Bundle, error) {
	files, err := readFS(policies.Files)
	if err != nil {
		return nil, err
	}
	return NewBundle(files)
}

// Read reads a bundle from a folder or from a tar archive, compressed or not, without
// asking who signed it. The envelope is what lies beside it, nil if there is none.
func Read(name string) (*Bundle, *evidence.Envelope, error) {
	files, err := readFiles(name)
	if err != nil {
		return nil, nil, err
	}
	b, err := NewBundle(files)
	if err != nil {
		return nil, nil, err
	}
	s, ok := files[SignatureName]
	if !ok {
		return b, nil, nil
	}
	env := &evidence.Envelope{}
	if err := decode(s, env); err != nil {
		return nil, nil, badBundle(b, "%s is not a signed statement", SignatureName).Because(err)
	}
	return b, env, nil
}

// Open reads a bundle as a judge does: "builtin", or a folder or archive that a holder
// of one of the keys signed.
func Open(name string, keys ...ed25519.PublicKey) (*Bundle, error) {
	if name == Builtin {
		return Default()
	}
	b, env, err := Read(name)
	if err != nil {
		return nil, err
	}
	return b, b.Verify(env, keys...)
}

func readFiles(name string) (map[string][]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, noBundle(name, err)
	}
	if info.IsDir() {
		return readFS(os.DirFS(name))
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, noBundle(name, err)
	}
	defer f.Close()
	return readTar(f)
}

func noBundle(name string, err error) error {
	return carnet.E(carnet.NotFound, "NO_POLICY", "the policy bundle %s can't be read", name).Because(err).
		Fix("name a folder with a bundle.yaml, a tar archive of one, or builtin")
}

// collector takes files up to the limits.
type collector struct {
	files map[string][]byte
	total int
}

func (c *collector) add(name string, r io.Reader) error {
	content, err := io.ReadAll(io.LimitReader(r, maxFileBytes+1))
	if err != nil {
		return err
	}
	c.total += len(content)
	switch {
	case !fs.ValidPath(name) || strings.ContainsAny(name, "\\:\x00"):
		return errors.New("a file's name is malformed")
	case len(content) > maxFileBytes || c.total > maxTotalBytes || len(c.files) >= maxFiles:
		return errors.New("it is too large")
	case c.files[name] != nil:
		return errors.New(name + " is there twice")
	}
	c.files[name] = content
	return nil
}

// hidden files are an editor's or a version control's.
func hidden(name string) bool { return strings.HasPrefix(path.Base(name), ".") && name != "." }

func readFS(f fs.FS) (map[string][]byte, error) {
	c := &collector{files: map[string][]byte{}}
	err := fs.WalkDir(f, ".", func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case hidden(p) && d.IsDir():
			return fs.SkipDir
		case hidden(p) || d.IsDir():
			return nil
		case !d.Type().IsRegular():
			return errors.New(p + " is not a plain file")
		}
		r, err := f.Open(p)
		if err != nil {
			return err
		}
		defer r.Close()
		return c.add(p, r)
	})
	if err != nil {
		return nil, badBundle(&Bundle{}, "its files can't be read").Because(err)
	}
	return c.files, nil
}

func readTar(r io.Reader) (map[string][]byte, error) {
	c := &collector{files: map[string][]byte{}}
	err := func() error {
		all, err := io.ReadAll(io.LimitReader(r, 2*maxTotalBytes))
		if err != nil {
			return err
		}
		r := io.Reader(bytes.NewReader(all))
		if bytes.HasPrefix(all, []byte{0x1f, 0x8b}) {
			if r, err = gzip.NewReader(r); err != nil {
				return err
			}
		}
		// Of what is skipped, such as long headers and the contents of folders, there is no end
		// either.
		r = &bounded{r, 2 * maxTotalBytes}
		for t := tar.NewReader(r); ; {
			h, err := t.Next()
			switch {
			case errors.Is(err, io.EOF):
				return nil
			case err != nil:
				return err
			case h.Typeflag == tar.TypeDir:
			case h.Typeflag != tar.TypeReg:
				return errors.New(h.Name + " is not a plain file")
			default:
				if err := c.add(strings.TrimPrefix(h.Name, "./"), t); err != nil {
					return err
				}
			}
		}
	}()
	if err != nil {
		return nil, badBundle(&Bundle{}, "the archive can't be read").Because(err)
	}
	return c.files, nil
}

// bounded reads at most so many bytes. More is an error, not an end.
type bounded struct {
	io.Reader
	left int
}

func (b *bounded) Read(p []byte) (n int, err error) {
	if b.left <= 0 {
		return 0, errors.New("it unpacks to more than a bundle may have")
	}
	n, err = b.Reader.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

// DefaultManifest is the file bundle.yaml of the bundle that comes with the programs.
func DefaultManifest() []byte {
	content, err := policies.Files.ReadFile(ManifestName)
	if err != nil {
		panic(err) // it is part of the program
	}
	return content
}
