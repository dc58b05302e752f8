// Package report tells what runs found: one HTML file that needs nothing
// beside it, and a picture file a figure.
//
// Of one run it shows the run; of several the experiments side by side, with
// the intervals and paired differences of cosim compare, and where a figure is
// of one run, the runs of one seed that all experiments have. Figures are drawn
// where their data exist. What a killed run has no summary of is computed from
// its log.
//
// Logs are read once, from start to end, in memory that does not grow with
// their length: traces are thinned so that every peak survives (see envelope),
// latencies and gaps are counted in histograms. The same runs give the same
// bytes.
package report
