// Package grafana describes what Grafana shows of runs in InfluxDB: a data
// source, dashboards, alert rules and contact points, and a compose file that
// starts both programs with them.
//
// The files in this folder are made from the Go beside them by go generate, and
// a test holds them together. What a query asks for is named by the recorder's
// own columns, "grid.frequency/coi" for example, and translated by package
// influx, which also writes the points: a column that is renamed is renamed in
// the dashboards, and one that is gone fails a test.
//
// Queries are in InfluxQL, which InfluxDB 1.8, 2 (by its mapping of databases to
// buckets) and 3 understand.
package grafana

//go:generate go run ./generate
