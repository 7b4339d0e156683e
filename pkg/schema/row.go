package schema

// Row is one row of a table in terms of the schema: positions follow its
// Partitions, Dimensions and Measures.
type Row struct {
	Partition []string // one public value per partition column
	Dims      []int    // code index; -1 is NULL
	Measures  []int64  // scaled integer; ignored where Null
	Null      []bool   // per measure
	Unit      string   // whom the row is about, if the schema says where that is; valid until the next row is read
}

// Record is one record of an input, as the readers of package ingest deliver it.
type Record struct {
	Fields []string
	Null   []bool     // fields that are NULL whatever their text; nil if the format cannot tell
	Line   int        // line of a text file, row of a binary one; from 1
	At     []Position // where each field begins; nil if the format has no lines and columns
}

// Position is a place in a text file. Both count from 1; columns count bytes in CSV
// files and characters in YAML files.
type Position struct{ Line, Column int }
