package plot

import (
	"fmt"
	"image/color"
	"math"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Heat is a map of values over two axes of names: Z[i][j] stands in row i from
// below and column j; NaN is an empty cell. Cells carry their values; dark is
// much, in grey too.
type Heat struct {
	Z      [][]float64
	Format string // of a value, for example "%.3f"
}

// HeatAxis names the places of the columns or rows of a Heat.
func HeatAxis(quantity, unit string, values []float64) Axis {
	a := Axis{Quantity: quantity, Unit: unit, Names: []Name{}}
	for i, v := range values {
		a.Names = append(a.Names, Name{float64(i), fmt.Sprintf("%g", v)})
	}
	a.From, a.To = -0.5, float64(len(values))-0.5
	return a
}

func (h Heat) extent(see func(x, y float64)) {
	for i, row := range h.Z {
		for j := range row {
			see(float64(j), float64(i))
		}
	}
}

func (h Heat) entries() []entry { return nil }

func (h Heat) plot(k pen) {
	least, greatest := extent(func(see func(float64)) {
		for _, row := range h.Z {
			for _, z := range row {
				see(z)
			}
		}
	})
	style := letters(smallSize, ink, false)
	style.XAlign, style.YAlign = draw.XCenter, draw.YCenter
	for i, row := range h.Z {
		for j, z := range row {
			if !finite(z) {
				continue
			}
			x, y := float64(j), float64(i)
			share := 0.5
			if greatest > least {
				share = (z - least) / (greatest - least)
			}
			k.FillPolygon(heatColor(share), box(k.x(x-0.5)+0.5, k.y(y-0.5)+0.5, k.x(x+0.5)-0.5, k.y(y+0.5)-0.5))
			style.Color = ink
			if share > 0.55 {
				style.Color = rgb(0xFFFFFF)
			}
			if words := fmt.Sprintf(h.Format, z); style.Width(words) < k.x(1)-k.x(0)-2 {
				k.FillText(style, vg.Point{X: k.x(x), Y: k.y(y) + 1}, words)
			}
		}
	}
}

// heatColor goes from nearly white over orange to dark brown; lightness falls
// evenly.
func heatColor(share float64) color.Color {
	stops := [][3]float64{{0xFD, 0xF3, 0xE3}, {0xF2, 0xB7, 0x5C}, {0xD5, 0x5E, 0x00}, {0x5A, 0x1E, 0x0A}}
	place := math.Max(0, math.Min(1, share)) * float64(len(stops)-1)
	i := min(int(place), len(stops)-2)
	mix := func(c int) uint8 { return uint8(stops[i][c] + (place-float64(i))*(stops[i+1][c]-stops[i][c]) + 0.5) }
	return color.NRGBA{mix(0), mix(1), mix(2), 0xFF}
}
