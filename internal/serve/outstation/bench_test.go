package outstation

import (
	"testing"
	"time"

	"cosim/scada/iec104"
)

// BenchmarkUpdate is what a run pays each 100 ms for its image, and a master's
// report of it.
func BenchmarkUpdate(b *testing.B) {
	var points []Point
	for i := range 300 {
		points = append(points, Point{IOA: uint32(i + 1), Type: iec104.MMeNc1, Name: "frequency"})
	}
	image, err := NewImage(points)
	if err != nil {
		b.Fatal(err)
	}
	c, values := image.cursor(), make([]float64, len(points))
	var a iec104.ASDU
	at := time.Now()
	b.ReportAllocs()
	for b.Loop() {
		for i := range values {
			values[i]++
		}
		image.Update(at, values, 0)
		for image.report(&c, &a) {
		}
	}
}
