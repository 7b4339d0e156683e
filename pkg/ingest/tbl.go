package ingest

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/schema"
)

// tblColumns names the columns of the files that TPC-H's dbgen writes: they have no
// header, their name says which table they are.
var tblColumns = map[string][]string{
	"customer": strings.Fields("c_custkey c_name c_address c_nationkey c_phone c_acctbal c_mktsegment c_comment"),
	"lineitem": strings.Fields(`l_orderkey l_partkey l_suppkey l_linenumber l_quantity l_extendedprice l_discount l_tax
		l_returnflag l_linestatus l_shipdate l_commitdate l_receiptdate l_shipinstruct l_shipmode l_comment`),
	"nation":   strings.Fields("n_nationkey n_name n_regionkey n_comment"),
	"orders":   strings.Fields("o_orderkey o_custkey o_orderstatus o_totalprice o_orderdate o_orderpriority o_clerk o_shippriority o_comment"),
	"part":     strings.Fields("p_partkey p_name p_mfgr p_brand p_type p_size p_container p_retailprice p_comment"),
	"partsupp": strings.Fields("ps_partkey ps_suppkey ps_availqty ps_supplycost ps_comment"),
	"region":   strings.Fields("r_regionkey r_name r_comment"),
	"supplier": strings.Fields("s_suppkey s_name s_address s_nationkey s_phone s_acctbal s_comment"),
}

// tblTable returns the table that a file name stands for: lineitem.tbl and its parts
// lineitem.tbl.1 and so on. ok is false if the name is not that of a .tbl file.
func tblTable(path string) (table string, ok bool) {
	name, part, ok := strings.Cut(strings.ToLower(filepath.Base(path)), ".tbl")
	return name, ok && (part == "" || part[0] == '.' && strings.Trim(part[1:], "0123456789") == "" && len(part) > 1)
}

// tblReader reads the files of dbgen: lines of fields that each end in a pipe, without
// quotes and without a header.
type tblReader struct {
	name   string
	size   int64
	read   int64
	closer io.Closer
	lines  *bufio.Reader
	header []string
	line   int
}

// NewTbl reads a file of dbgen from r. size is for Progress; 0 if unknown. The error
// is BAD_TBL if the name does not tell which table it is.
func NewTbl(name string, r io.Reader, size int64) (Reader, error) { return newTbl(name, r, size, nil) }

func newTbl(name string, r io.Reader, size int64, closer io.Closer) (*tblReader, error) {
	table, _ := tblTable(name)
	header, ok := tblColumns[table]
	if !ok {
		return nil, badTbl(name).With(name+":1", "a .tbl file has no header; it has to be named like a table of TPC-H, such as lineitem.tbl")
	}
	return &tblReader{name: name, size: size, closer: closer, lines: bufio.NewReaderSize(r, 1<<16), header: header}, nil
}

func badTbl(name string) *carnet.Error {
	return carnet.E(carnet.Invalid, "BAD_TBL", "%s is not a file as TPC-H's dbgen writes it", name).
		Fix("for other files with pipes, write the names of the columns into a first line and let the name end in .csv")
}

func (t *tblReader) Name() string                  { return t.name }
func (t *tblReader) Header() []string              { return t.header }
func (t *tblReader) Progress() (done, total int64) { return t.read, max(t.size, t.read) }

func (t *tblReader) Close() error {
	if t.closer == nil {
		return nil
	}
	return t.closer.Close()
}

func (t *tblReader) Read(rec *schema.Record) error {
	line, err := t.next()
	if err != nil {
		return err
	}
	if !utf8.Valid(line) {
		return badTbl(t.name).With(fmt.Sprintf("%s:%d", t.name, t.line), "the line is not UTF-8")
	}
	rec.Fields, rec.Null, rec.At, rec.Line = rec.Fields[:0], nil, rec.At[:0], t.line
	column := 1
	for text := string(line); text != ""; {
		field, rest, ended := strings.Cut(text, "|")
		rec.Fields = append(rec.Fields, field)
		rec.At = append(rec.At, schema.Position{Line: t.line, Column: column})
		if !ended {
			break // tolerated: some tools leave the last pipe out
		}
		column += len(field) + 1
		text = rest
	}
	return nil
}

// next returns the next line that is not empty, without its end.
func (t *tblReader) next() ([]byte, error) {
	for {
		var line []byte
		for {
			part, err := t.lines.ReadSlice('\n')
			t.read += int64(len(part))
			line = append(line, part...)
			if len(line) > maxRecord {
				return nil, badTbl(t.name).With(fmt.Sprintf("%s:%d", t.name, t.line+1), "the line is longer than %d bytes", maxRecord)
			}
			if errors.Is(err, bufio.ErrBufferFull) {
				continue
			}
			if err != nil && !errors.Is(err, io.EOF) {
				return nil, fileError(t.name, err)
			}
			if err != nil && len(line) == 0 {
				return nil, io.EOF
			}
			break
		}
		t.line++
		if line = bytes.TrimRight(line, "\r\n"); len(line) > 0 {
			return line, nil
		}
	}
}
