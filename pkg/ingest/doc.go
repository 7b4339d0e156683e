// Package ingest reads tables from files: CSV, Parquet and the files of TPC-H's dbgen,
// record by record, with positions that error messages can name.
//
// A Reader delivers the header and then records of text fields; a Binder of package
// schema turns those into rows. Load does it all for several files:
//
//	file --Reader--> schema.Record --schema.Binder--> schema.Row --> schema.Tables
//
// Nothing is guessed and nothing is rounded. Numbers in Parquet files become their
// exact decimal text, so that both formats obey the same rules.
package ingest
