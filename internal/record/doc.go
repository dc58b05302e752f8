// Package record keeps what happened in a run, in the folder
// DIR/<experiment>-<seed>/.
//
//	manifest.yaml   the fully resolved configuration, written before the first step
//	run.log         all series rows and events, appended while the run goes on
//	chain.log       a digest of all that federates exchanged, for each step
//	boundary.log    what came from outside; only where anything did
//	summary.json    the run's figures, written at the end
//	timing.json     everything of wall-clock time, written last
//	frames/         captures of the network, see the subpackage capture; only where asked for
//
// The files for data tools are built from run.log: series.parquet and
// events.parquet by the subpackage parquet, series.csv and events.csv by
// ExportCSV. Nothing of wall-clock time stands in any file but timing.json, so
// that the same configuration and seed leave the same bytes.
//
// # Format of run.log
//
// The file begins with the eight bytes "cosimlog". Records follow, each
//
//	length   uint32, little-endian: bytes in body, at least 1
//	checksum uint32, little-endian: CRC-32C (Castagnoli) of body
//	body     one byte kind, then the kind's content
//
// The first record is the header: kind 1, content JSON, the format's version
// and the columns. A series row (kind 2) is the time (int64, ns) and one
// float64 a column, as raw little-endian bits. An event (kind 3) is the time
// (int64, ns), the value (float64) and seven strings (type, element, class,
// mode, cause, unit, detail), each a uvarint length and the bytes. The end
// record (kind 4) is one byte, 0 for a run that ended well and 1 for one that
// failed. No record refers to another, so that a log may be cut behind any.
//
// chain.log and boundary.log have the same framing. They begin with "cosimchn"
// and "cosimbnd" and have kinds of their own, see Digest and Crossing.
//
// # A killed run
//
// The writer hands its buffer to the operating system at least once a second
// of wall time while it is written to, so that a killed process loses at most
// the last second. (It does not force the disk: a power cut may lose more.)
// The reader takes every whole record up to the first damaged one and says in
// its Ending what it found there. What is in boundary.log is handed over at
// once, before anything that follows from it is recorded.
//
// Continue and the Create functions with resume write a log again from its
// start, over what stands there: what is made must be what was made, and the
// file never holds less than before. While a log is written its file is locked
// against other processes, where the system can.
package record
