// Package parquet builds series.parquet and events.parquet of a run from its
// run.log.
//
// series.parquet has the columns t_s (seconds, float64), t_ns (nanoseconds,
// int64) and then the recorded columns (float64) in their recorded order.
// events.parquet has t_s, t_ns, type, element, class, mode, cause, value, unit
// and detail; all strings but detail are dictionary-encoded.
//
// Parquet has no place for a column's unit, so that the file's own key-value
// metadata hold it: "unit:<column>" and "description:<column>". pyarrow shows
// them as parquet_file.metadata.metadata, DuckDB as
// parquet_kv_metadata('series.parquet').
//
// A row group covers 60 s of simulated time, so that the memory of writing
// holds one row group whatever the length of the run. Only what the footer
// needs, some 1.3 kB a column and row group, is kept to the end, as the format
// demands. The same log gives the same bytes.
package parquet
