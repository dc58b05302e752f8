package plot

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	gonum "gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// rowsFigure has every shape that stands in rows, and panels side by side.
func rowsFigure() *Figure {
	names := []Name{{Row(0), "first"}, {Row(1), "second"}, {Row(2), "third one"}}
	var values []float64
	for i := range 30 {
		values = append(values, math.Sin(float64(i))+2)
	}
	spread := func(row int, violin bool) Shape {
		return Spread{Row: Row(row), Label: names[row].Text, Values: values, Violin: violin, Text: "median"}
	}
	interval := func(row int) Shape {
		return Interval{
			Row: Row(row), Label: names[row].Text, Values: values, Mean: 2, Low: 1.9, High: 2.1, From: 1.5, To: 1.5,
			Other: "elsewhere", Text: "2.0 ± 0.1",
		}
	}
	bar := func(row int) Shape {
		return Bar{Row: Row(row), Parts: []Part{{"good", 3}, {"bad", 2}, {"ugly", 1}, {"none", 0}}, Limit: 7, Text: "6 in all"}
	}
	strip := Strip{Row: Row(0), States: []string{"on", "off"}, Pieces: []Piece{
		{0, 1, []float64{1, 0}}, {1, 2, []float64{1, 0}}, {2, 3, []float64{0.25, 0.75}},
	}}
	return &Figure{
		Title: "Shapes in rows", Note: "of every kind", Columns: 2, Legend: Above, Looks: []Look{{Label: "first"}, {Label: "off", RGB: 0x010101, Plain: true}},
		Panels: []Panel{
			{Title: "boxes", X: Axis{Quantity: "value", Unit: "s"}, Y: Axis{Names: names}, Shapes: []Shape{spread(0, false), spread(1, true), spread(2, false)}},
			{Title: "means", X: Axis{Quantity: "value"}, Y: Axis{Names: names, Bare: true}, Shapes: []Shape{interval(0), interval(1), interval(2)}},
			{Title: "parts", X: Axis{Quantity: "part", Unit: "%", To: 9}, Y: Axis{Names: names}, Shapes: []Shape{bar(0), bar(2)}, HeightCM: 5},
			{
				Title: "states", X: Axis{Quantity: "time", Unit: "s", From: 0, To: 3}, Y: Axis{Names: names}, HeightCM: 5,
				Shapes: []Shape{strip}, Levels: []Level{{Row(1), "here"}, {Row(1) + 0.01, "there"}},
			},
			{
				X: Axis{Quantity: "latency", Unit: "ms", Log: true}, Y: Axis{Names: names}, Shapes: []Shape{
					Range{Row: Row(0), Label: "first", Min: 1, Low: 2, Middle: 3, High: 20, Max: 2000, Limit: 3000},
				},
			},
			{X: Axis{Quantity: "x"}, Y: Axis{Quantity: "y"}, Shapes: []Shape{
				Band{"around it", []float64{1, 2, 3, 4, 5, 6}, []float64{0, 3, 8, math.NaN(), 1, 2}, []float64{2, 5, 10, math.NaN(), 3, 3}},
				Points{"first", []float64{1, 2, 3}, []float64{1, 4, 9}},
				Estimates{"first", []float64{1, 2}, []float64{3, 5}, []float64{2, 4}, []float64{4, 6}, 2},
			}},
		},
	}
}

func heatFigure() *Figure {
	return &Figure{Title: "A map", Panels: []Panel{{
		X: HeatAxis("rounds", "", []float64{5, 20, 80}), Y: HeatAxis("breaks", "1/s", []float64{0.001, 0.01}),
		Shapes: []Shape{Heat{Z: [][]float64{{1, 2, math.NaN()}, {4, 5, 6}}, Format: "%.1f"}},
	}}}
}

func TestShapesMakeTheSameBytes(t *testing.T) {
	for _, make := range []func() *Figure{rowsFigure, heatFigure} {
		var a, b, c, d bytes.Buffer
		if err := errors.Join(make().WriteSVG(&a), make().WriteSVG(&b), make().WritePNG(&c), make().WritePNG(&d)); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(a.Bytes(), b.Bytes()) || !bytes.Equal(c.Bytes(), d.Bytes()) {
			t.Error("two writings differ")
		}
		if err := xml.Unmarshal(a.Bytes(), new(struct{})); err != nil {
			t.Error(err)
		}
	}
}

// word is a text of a picture and the rectangle that it fills, y upwards.
type word struct {
	text                     string
	left, bottom, right, top float64
}

var (
	canvasSize = regexp.MustCompile(`viewBox="0 0 ([\d.]+) ([\d.]+)"`)
	wordPlace  = regexp.MustCompile(`(?s)<text x="([^"]+)" y="([^"]+)" transform="scale\(1, -1\)"\s*style="[^"]*font-weight:(\w+);[^"]*font-size:([\d.]+)px[^"]*">([^<]*)<`)
)

// wordsOf measures the texts of a picture that stand upright. It leaves out
// turned ones, which stand in a group of their own.
func wordsOf(t *testing.T, f *Figure) (words []word, width, height float64) {
	t.Helper()
	var b bytes.Buffer
	if err := f.WriteSVG(&b); err != nil {
		t.Fatal(err)
	}
	number := func(s []byte) float64 {
		v, err := strconv.ParseFloat(string(s), 64)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	size := canvasSize.FindSubmatch(b.Bytes())
	width, height = number(size[1]), number(size[2])
	svg := regexp.MustCompile(`(?s)<g transform="rotate.*?</g>`).ReplaceAll(b.Bytes(), nil)
	for _, m := range wordPlace.FindAllSubmatch(svg, -1) {
		text := strings.TrimSpace(string(m[5]))
		if text == "" {
			continue
		}
		style := letters(number(m[4]), ink, string(m[3]) == "bold")
		x, y := number(m[1]), -number(m[2])
		words = append(words, word{text, x, y, x + float64(style.Width(text)), y + 0.7*number(m[4])})
	}
	return words, width, height
}

func TestWordsStandOnTheCanvasApart(t *testing.T) {
	for name, f := range map[string]*Figure{"rows": rowsFigure(), "heat": heatFigure(), "waves": wave(9)} {
		words, width, height := wordsOf(t, f)
		if len(words) < 10 {
			t.Fatalf("%s: only %d words were found", name, len(words))
		}
		for i, a := range words {
			if a.left < 0 || a.right > width+0.5 || a.bottom < 0 || a.top > height {
				t.Errorf("%s: %q leaves the canvas: %+v of %g × %g", name, a.text, a, width, height)
			}
			for _, b := range words[:i] {
				const touch = 0.5
				if a.left < b.right-touch && b.left < a.right-touch && a.bottom < b.top-touch && b.bottom < a.top-touch {
					t.Errorf("%s: %q and %q overlap: %+v, %+v", name, a.text, b.text, a, b)
				}
			}
		}
	}
}

func TestColumnsHaveEquallyWideData(t *testing.T) {
	f := rowsFigure()
	looks := newPalette(f)
	if h := f.legendHeight(looks); h < rowHeight {
		t.Errorf("the legend has a height of %g", h)
	}
	lines := looks.lined(200)
	for _, line := range lines {
		w := vg.Length(0)
		for _, e := range line {
			w += e.width() + 14
		}
		if w-14 > 200 && len(line) > 1 {
			t.Errorf("a line of the legend is %g wide", w)
		}
	}
	if len(lines) < 2 {
		t.Error("the legend is not broken into lines")
	}
}

func TestLegendFollowsTheLooks(t *testing.T) {
	f := &Figure{Looks: []Look{{Label: "a"}, {Label: "b"}, {Label: "c"}}, Panels: []Panel{{
		Y: Axis{Names: []Name{{0, "row"}}}, Shapes: []Shape{Bar{Parts: []Part{{"c", 1}, {"a", 1}}}},
	}}}
	var got []string
	for _, e := range newPalette(f).legend {
		got = append(got, e.label)
	}
	if fmt.Sprint(got) != "[a c]" {
		t.Errorf("legend %v", got)
	}
}

func TestDecadesAreLabelled(t *testing.T) {
	for _, tc := range []struct {
		least, greatest float64
		want            string
	}{
		{1, 1000, "1 10 100 1000"},
		{3, 40, "5 10 20"},
		{0.001, 1, "0.001 0.01 0.1 1"},
		{1e-7, 1e-3, "1e−7 1e−6 1e−5 0.0001 0.001"},
	} {
		var labels []string
		for _, k := range (decades{}).Ticks(tc.least, tc.greatest) {
			if k.Label != "" {
				labels = append(labels, k.Label)
			}
		}
		if got := strings.Join(labels, " "); got != tc.want {
			t.Errorf("%g to %g: %s, want %s", tc.least, tc.greatest, got, tc.want)
		}
	}
}

func TestLogarithmicAxisTakesNoMoreHeight(t *testing.T) {
	top := func(log bool) vg.Length {
		f := &Figure{Panels: []Panel{{
			X: Axis{Quantity: "length", Unit: "km"}, Y: Axis{Quantity: "key rate", Unit: "bit/s", Log: log},
			Lines: []Line{{Label: "model", X: []float64{0, 1, 2}, Y: []float64{1, 1000, 100000}}},
		}}}
		c := draw.New(vgsvg.New(width, f.height()))
		g := f.Panels[0].axes(newPalette(f), true)
		return g.DataCanvas(f.cells(c, []*gonum.Plot{g})[0]).Max.Y
	}
	if linear, log := top(false), top(true); linear-log > smallSize || log-linear > smallSize {
		t.Errorf("the data end at %g of a linear, at %g of a logarithmic axis", linear, log)
	}
}

func TestValuesThatAreMissingAreNotDrawn(t *testing.T) {
	nan := math.NaN()
	f := &Figure{Panels: []Panel{{Y: Axis{Names: []Name{{0, "row"}}}, Shapes: []Shape{
		Spread{Values: []float64{nan}},
		Spread{Values: []float64{1, 1, 1}, Violin: true},
		Interval{Mean: 1, Low: nan, High: nan, From: nan, To: nan},
		Strip{},
		Estimates{X: []float64{0, 1}, Mean: []float64{nan, 1}, Low: []float64{nan, nan}, High: []float64{nan, nan}},
	}}}}
	if err := errors.Join(f.WriteSVG(io.Discard), f.WritePNG(io.Discard)); err != nil {
		t.Error(err)
	}
	var b bytes.Buffer
	if err := f.WriteSVG(&b); err != nil || bytes.Contains(b.Bytes(), []byte("NaN")) {
		t.Errorf("a picture with NaN (%v)", err)
	}
}

func TestLogarithmicAxisBeginsAboveZero(t *testing.T) {
	f := Figure{Panels: []Panel{{X: Axis{Log: true, From: 0, To: 1}}}}
	if err := f.WritePNG(io.Discard); err == nil || !strings.Contains(err.Error(), "logarithmic axis begins at 0") {
		t.Error(err)
	}
}
