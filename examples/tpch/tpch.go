// Package tpch is the TPC-H example for programs: its schemas, its questions, and the
// same table for PostgreSQL.
package tpch

import (
	"embed"

	"github.com/carnet-network/carnet/pkg/schema"
)

//go:embed *.yaml *.sql
var files embed.FS

// Schema reads one of the schemas pricing, revenue and records.
func Schema(name string) (*schema.Schema, error) {
	text, err := files.ReadFile(name + ".yaml")
	if err != nil {
		return nil, err
	}
	return schema.Parse("examples/tpch/"+name+".yaml", text)
}

// Query returns one of the questions q1, q6, q1-records and q6-records.
func Query(name string) (string, error) {
	text, err := files.ReadFile(name + ".sql")
	return string(text), err
}

// Table makes the table lineitem in PostgreSQL, and views of it by the names of the
// products, so that the questions run there as they are.
const Table = `
CREATE TABLE lineitem (
	l_orderkey bigint NOT NULL, l_partkey int NOT NULL, l_suppkey int NOT NULL, l_linenumber int NOT NULL,
	l_quantity decimal(15,2) NOT NULL, l_extendedprice decimal(15,2) NOT NULL, l_discount decimal(15,2) NOT NULL, l_tax decimal(15,2) NOT NULL,
	l_returnflag char(1) NOT NULL, l_linestatus char(1) NOT NULL, l_shipdate date NOT NULL, l_commitdate date NOT NULL, l_receiptdate date NOT NULL,
	l_shipinstruct char(25) NOT NULL, l_shipmode char(10) NOT NULL, l_comment varchar(44) NOT NULL);
CREATE VIEW pricing AS SELECT * FROM lineitem;
CREATE VIEW revenue AS SELECT * FROM lineitem;
CREATE VIEW lines AS SELECT *, to_char(l_shipdate, 'YYYY') AS l_shipyear FROM lineitem;
`
