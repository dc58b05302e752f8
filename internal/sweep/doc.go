// Package sweep makes many runs of experiments: every combination of values of
// some of their keys, with many seeds, on this machine or on several.
//
//	file.go, axis.go    a sweep's YAML, and its mistakes
//	expand.go           grid, pairs and samples
//	sweep.go            the points: definitions, and the names of their runs
//	rule.go, plan.go    which runs are made, also where their results decide it
//	journal.go          what was found, a line a run: an interrupted sweep goes on
//	run.go              hands runs out and collects what they found
//	bus.go, access.go   the queue between the two (NATS JetStream)
//	worker.go           makes the runs
//	table.go, outcome.go  what the sweep leaves
//
// Runs are named after the hash of their definition and their seed. Whoever
// makes a run, in whatever order, and however often: the tables are the same.
package sweep
