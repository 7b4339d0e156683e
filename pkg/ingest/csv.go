package ingest

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/schema"
)

// maxRecord bounds the bytes of one record, so that a missing quote does not read the
// whole file into memory.
const maxRecord = 1 << 20

// csvReader reads RFC 4180 files: UTF-8 with or without a byte order mark, any line
// ends, separated by commas, semicolons, tabs or pipes, whichever the first line has
// most.
type csvReader struct {
	name   string
	size   int64
	closer io.Closer
	limit  *limited
	csv    *csv.Reader
	header []string
	line   int // of the last record read
}

func newCSV(name string, r io.Reader, size int64, closer io.Closer) (*csvReader, error) {
	c := &csvReader{name: name, size: size, closer: closer, limit: &limited{r: r}}
	buf := bufio.NewReaderSize(c.limit, 1<<16)
	c.limit.reset()
	head, err := buf.Peek(1 << 16)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fileError(name, err)
	}
	if bytes.HasPrefix(head, []byte{0xff, 0xfe}) || bytes.HasPrefix(head, []byte{0xfe, 0xff}) {
		return nil, badCSV(name).With(name+":1:1", "the file is UTF-16; save it as UTF-8")
	}
	if bom := []byte("\ufeff"); bytes.HasPrefix(head, bom) {
		_, _ = buf.Discard(len(bom)) // it is in the buffer
		head = head[len(bom):]
	}
	c.csv = csv.NewReader(buf)
	c.csv.Comma = separator(head)
	c.csv.FieldsPerRecord = -1 // the Binder counts, and can say what to do
	c.csv.ReuseRecord = true
	var rec schema.Record
	if err := c.Read(&rec); errors.Is(err, io.EOF) {
		return nil, badCSV(name).With(name+":1:1", "the file is empty; the first line names the columns")
	} else if err != nil {
		return nil, err
	}
	c.header = slices.Clone(rec.Fields)
	for i, h := range c.header {
		c.header[i] = strings.TrimSpace(h)
	}
	return c, nil
}

// separator is the one of comma, semicolon, tab and pipe that the first line has most of,
// outside quotes; a comma in doubt.
func separator(head []byte) rune {
	counts := map[byte]int{}
	quoted := false
	for _, b := range head {
		if b == '"' {
			quoted = !quoted
		}
		if !quoted {
			if b == '\n' || b == '\r' {
				break
			}
			counts[b]++
		}
	}
	best := byte(',')
	for _, b := range []byte{';', '\t', '|'} {
		if counts[b] > counts[best] {
			best = b
		}
	}
	return rune(best)
}

func (c *csvReader) Name() string     { return c.name }
func (c *csvReader) Header() []string { return c.header }
func (c *csvReader) Progress() (done, total int64) {
	return c.csv.InputOffset(), max(c.size, c.csv.InputOffset())
}

func (c *csvReader) Close() error {
	if c.closer == nil {
		return nil
	}
	return c.closer.Close()
}

func (c *csvReader) Read(rec *schema.Record) error {
	c.limit.reset()
	fields, err := c.csv.Read()
	if err != nil {
		return c.explain(err)
	}
	rec.Fields, rec.Null = fields, nil
	rec.At = slices.Grow(rec.At[:0], len(fields))
	for i, f := range fields {
		line, column := c.csv.FieldPos(i)
		rec.At = append(rec.At, schema.Position{Line: line, Column: column})
		if !utf8.ValidString(f) {
			return badCSV(c.name).With(fmt.Sprintf("%s:%d:%d", c.name, line, column), "the field is not UTF-8; save the file as UTF-8, for instance with iconv -f cp1251 -t utf-8")
		}
	}
	rec.Line = rec.At[0].Line // every record has a field
	c.line = rec.At[len(fields)-1].Line
	return nil
}

func (c *csvReader) explain(err error) error {
	var p *csv.ParseError
	switch {
	case errors.Is(err, io.EOF):
		return err
	case errors.Is(err, errTooLong):
		return badCSV(c.name).With(fmt.Sprintf("%s:%d", c.name, c.line+1), "the record is longer than %d bytes; is a closing quote missing?", maxRecord)
	case !errors.As(err, &p):
		return fileError(c.name, err)
	}
	msg := "a quote inside a field that is not quoted; enclose the field in quotes and double the quotes inside"
	if errors.Is(p.Err, csv.ErrQuote) {
		msg = "a quoted field does not end here, or never; double the quotes inside, and close it (it begins in line " + fmt.Sprint(p.StartLine) + ")"
	}
	return badCSV(c.name).With(fmt.Sprintf("%s:%d:%d", c.name, p.Line, p.Column), "%s", msg)
}

func badCSV(name string) *carnet.Error {
	return carnet.E(carnet.Invalid, "BAD_CSV", "%s is not a well-formed CSV file", name)
}

var errTooLong = errors.New("record too long")

// limited fails when more than maxRecord bytes are read between two resets.
type limited struct {
	r    io.Reader
	left int
}

func (l *limited) reset() { l.left = maxRecord }

func (l *limited) Read(b []byte) (int, error) {
	if l.left <= 0 {
		return 0, errTooLong
	}
	n, err := l.r.Read(b)
	l.left -= n
	return n, err
}
