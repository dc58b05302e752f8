package sweep

import (
	"fmt"
	"path/filepath"
	"testing"
)

// The queue's own cost, a run: runs that take no time.
func BenchmarkRun(b *testing.B) {
	s := sweepOf(b, "experiment: testdata/pair.yaml\nseeds: 1..1000\n")
	dir := b.TempDir()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		o := options(b)
		o.Out = filepath.Join(dir, fmt.Sprint(i))
		if _, err := Run(b.Context(), s, o); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/1000, "µs/run")
}

// What a point costs before the first run.
func BenchmarkPoint(b *testing.B) {
	p, err := read("s.yaml", []byte("experiment: S-3\nseeds: 1..10\nvary: {reconfiguration.horizon: 1..4}\n"))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, mistakes := p.point(0); len(mistakes) > 0 {
			b.Fatal(mistakes)
		}
	}
}
