package plot

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gonum.org/v1/plot/vg"
	"pgregory.net/rapid"
)

// Example draws a decaying oscillation with the time in which it was watched.
func Example() {
	var t, y []float64
	for i := range 501 {
		t = append(t, float64(i)*0.02)
		y = append(y, math.Exp(-t[i]/3)*math.Cos(2*math.Pi*t[i]))
	}
	f := Figure{
		Title: "A decaying oscillation",
		Panels: []Panel{{
			X:     Axis{Quantity: "time", Unit: "s"},
			Y:     Axis{Quantity: "voltage", Unit: "V"},
			Lines: []Line{{Label: "capacitor", X: t, Y: y}},
			Spans: []Span{{From: 2, To: 4, Label: "watched"}},
			Marks: []Mark{{X: 0.5, Y: y[25], Text: "least"}},
		}},
	}
	dir, err := os.MkdirTemp("", "plot")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	fmt.Println(f.WriteFile(filepath.Join(dir, "oscillation.svg")))
	fmt.Println(strings.Contains(f.WriteFile("oscillation.bmp").Error(), ".png or .svg"))
	// Output:
	// <nil>
	// true
}

func wave(lines int) *Figure {
	p := Panel{X: Axis{Quantity: "time", Unit: "s"}, Y: Axis{Quantity: "Δf", Unit: "Hz"}}
	for k := range lines {
		l := Line{Label: fmt.Sprintf("generator %d", k), Role: Role(k % 3)}
		for i := range 1000 {
			l.X = append(l.X, float64(i)/100)
			l.Y = append(l.Y, math.Sin(float64(i*(k+1))/100))
		}
		p.Lines = append(p.Lines, l)
	}
	p.Spans = []Span{{2, 3, "link down"}}
	p.Levels = []Level{{0.5, "limit"}}
	p.Marks = []Mark{{4.71, -1, "nadir"}, {9, 0.4, "end"}}
	return &Figure{Title: "Waves", Note: "sines", Panels: []Panel{p, {Lines: p.Lines, X: Axis{To: 2}}}}
}

func TestSameFigureSameBytes(t *testing.T) {
	for _, write := range []func(*Figure, io.Writer) error{(*Figure).WritePNG, (*Figure).WriteSVG} {
		var a, b bytes.Buffer
		if err := errors.Join(write(wave(9), &a), write(wave(9), &b)); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(a.Bytes(), b.Bytes()) {
			t.Error("two writings differ")
		}
	}
}

func TestPNGIsSharpEnoughForPrint(t *testing.T) {
	var b bytes.Buffer
	if err := wave(3).WritePNG(&b); err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	// 17 cm at 200 dots an inch.
	if w := img.Bounds().Dx(); w < 1330 || w > 1345 {
		t.Errorf("%d pixels wide", w)
	}
}

func TestSVGHoldsEveryWordOnce(t *testing.T) {
	var b bytes.Buffer
	if err := wave(9).WriteSVG(&b); err != nil {
		t.Fatal(err)
	}
	if err := xml.Unmarshal(b.Bytes(), new(struct{})); err != nil {
		t.Error(err)
	}
	words := []string{"Waves", "sines", "time / s", "Δf / Hz", "link down", "limit", "nadir", "end"}
	for k := range 9 {
		words = append(words, fmt.Sprintf("generator %d", k))
	}
	for _, w := range words {
		if n := strings.Count(b.String(), ">"+w+"<"); n != 1 {
			t.Errorf("%q appears %d times", w, n)
		}
	}
}

func TestLongTraceIsASmallSVG(t *testing.T) {
	l := Line{Label: "slow"}
	for i := range 100_000 {
		l.X, l.Y = append(l.X, float64(i)), append(l.Y, math.Exp(-float64(i)/20_000))
	}
	var b bytes.Buffer
	if err := (&Figure{Panels: []Panel{{Lines: []Line{l}}}}).WriteSVG(&b); err != nil {
		t.Fatal(err)
	}
	if b.Len() > 20_000 {
		t.Errorf("%d bytes", b.Len())
	}
}

func TestMissingValuesAreGaps(t *testing.T) {
	nan := math.NaN()
	l := Line{X: []float64{0, 1, 2, 3, 4, 5}, Y: []float64{nan, 1, 2, nan, math.Inf(1), 3}}
	if d := cmp.Diff([][2]int{{1, 3}, {5, 6}}, l.runs()); d != "" {
		t.Error(d)
	}
	for _, y := range [][]float64{l.Y, {nan, nan, nan, nan, nan, nan}, {2, 2, 2, 2, 2, 2}, {0, 0, 0, 0, 0, 0}} {
		l.Y = y
		if err := (&Figure{Panels: []Panel{{Lines: []Line{l}}}}).WriteSVG(io.Discard); err != nil {
			t.Error(err)
		}
	}
}

func TestFigureWithoutSenseIsRefused(t *testing.T) {
	for want, f := range map[string]Figure{
		"needs a panel":            {},
		`line "a" has 2 x and 1 y`: {Panels: []Panel{{Lines: []Line{{Label: "a", X: []float64{1, 2}, Y: []float64{1}}}}}},
		"ends before it begins":    {Panels: []Panel{{X: Axis{From: 1}}}},
		"an axis ends at +Inf":     {Panels: []Panel{{Y: Axis{To: math.Inf(1)}}}},
	} {
		if err := f.WritePNG(io.Discard); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

func TestTicksAreRoundNumbers(t *testing.T) {
	for _, tc := range []struct {
		least, greatest float64
		want            string
	}{
		{0, 60, "0 10 20 30 40 50 60"},
		{-0.0714, 0.0034, "−0.06 −0.04 −0.02 0.00"},
		{59.93, 60.001, "59.94 59.96 59.98 60.00"},
		{-1, 1, "−1.0 −0.5 0.0 0.5 1.0"},
		{0, 100_000, "0 20000 40000 60000 80000 100000"},
		{0, 0.3, "0.00 0.05 0.10 0.15 0.20 0.25 0.30"},
	} {
		var labels []string
		for _, k := range (ticks{about: 6}).Ticks(tc.least, tc.greatest) {
			labels = append(labels, k.Label)
		}
		if got := strings.Join(labels, " "); got != tc.want {
			t.Errorf("%g to %g: %s, want %s", tc.least, tc.greatest, got, tc.want)
		}
	}
}

func TestColoursDifferUntilDashesAreUsedUp(t *testing.T) {
	f := Figure{Panels: make([]Panel, 1)}
	for k := range len(okabeIto) * len(dashes) {
		f.Panels[0].Lines = append(f.Panels[0].Lines, Line{Label: fmt.Sprint(k)})
	}
	seen := map[string]bool{}
	for _, e := range newPalette(&f).legend {
		look := fmt.Sprint(e.line.Color, e.line.Dashes)
		if seen[look] {
			t.Errorf("line %s looks like another", e.label)
		}
		seen[look] = true
	}
}

func TestSimplifiedTraceStaysWithinTolerance(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ys := rapid.SliceOfN(rapid.Float64Range(-10, 10), 2, 60).Draw(t, "y")
		points := make([]vg.Point, len(ys))
		for i, y := range ys {
			points[i] = vg.Point{X: vg.Length(i), Y: vg.Length(y)}
		}
		const tolerance = 1
		short := simplify(points, tolerance)
		if short[0] != points[0] || short[len(short)-1] != points[len(points)-1] {
			t.Fatal("an end is gone")
		}
		for _, p := range points {
			nearest := vg.Length(math.Inf(1))
			for i := 1; i < len(short); i++ {
				nearest = min(nearest, distance(p, short[i-1], short[i]))
			}
			if nearest > tolerance+1e-9 {
				t.Fatalf("%v is %g away", p, nearest)
			}
		}
	})
}
