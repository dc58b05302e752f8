package report

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"cosim/internal/plot"
	"cosim/internal/record"
)

// Options say what is reported and where it goes.
type Options struct {
	// Runs are runs' folders, folders of runs, patterns, or folders with a
	// sweep's results.parquet.
	Runs []string
	// Out is a folder, or the name of the HTML file (ending in .html), beside
	// which the pictures get a folder of their own. Empty: "report" in the run's
	// folder, or of several runs in the present one.
	Out         string
	Paper       bool     // the paper's figures beside
	FiguresOnly bool     // no HTML
	Formats     []string // of the picture files: png, svg
	Seed        *uint64  // of the runs that are drawn; nil: the least that all experiments have
}

// Written says what was made.
type Written struct {
	HTML    string   // file, or empty
	Figures []string // files, in the order of the report
	Notes   []string // what was left out, and why
}

// UsageError is a mistake in the options.
type UsageError struct{ error }

func (e UsageError) Unwrap() error { return e.error }

// Formats are the kinds of picture files.
var Formats = []string{"png", "svg"}

// picture is one figure of a report.
type picture struct {
	name    string // of its files
	caption string
	figure  *plot.Figure
}

// Write makes the report.
func Write(ctx context.Context, o Options) (*Written, error) {
	for _, f := range o.Formats {
		if !slices.Contains(Formats, f) {
			return nil, UsageError{fmt.Errorf("report: no pictures are made as %q, expected %s", f, strings.Join(Formats, " or "))}
		}
	}
	s, err := newStudy(ctx, o)
	if err != nil {
		return nil, err
	}
	w := &Written{Notes: s.notes}
	pictures := s.pictures()
	html, folder := o.places(s)
	drawn, err := drawAll(pictures, o.Formats, !o.FiguresOnly)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	for _, d := range drawn {
		for i, format := range o.Formats {
			file := filepath.Join(folder, d.name+"."+format)
			if err := os.WriteFile(file, d.files[i], 0o644); err != nil {
				return nil, fmt.Errorf("report: %w", err)
			}
			w.Figures = append(w.Figures, file)
		}
	}
	if o.FiguresOnly {
		return w, nil
	}
	page, err := s.page(drawn)
	if err != nil {
		return nil, err
	}
	err = record.ReplaceFile(html, func(out io.Writer) error {
		_, err := out.Write(page)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	w.HTML = html
	return w, nil
}

// places are the HTML file's and the folder of the pictures.
func (o Options) places(s *study) (html, folder string) {
	if base, ok := strings.CutSuffix(o.Out, ".html"); ok {
		return o.Out, base + "-figures"
	}
	folder = o.Out
	if folder == "" {
		folder = "report"
		if len(s.groups) > 0 && s.single() {
			folder = filepath.Join(s.one().dir, "report")
		}
	}
	return filepath.Join(folder, "report.html"), folder
}

// drawing is a picture and its files, by format; inline is the SVG within the
// page.
type drawing struct {
	picture
	files  [][]byte
	inline []byte
}

// drawAll draws the pictures, some at a time.
func drawAll(pictures []picture, formats []string, inline bool) ([]drawing, error) {
	out := make([]drawing, len(pictures))
	errs := make([]error, len(pictures))
	var all sync.WaitGroup
	for i, p := range pictures {
		all.Go(func() { out[i], errs[i] = p.draw(formats, inline) })
	}
	all.Wait()
	return out, errors.Join(errs...)
}

func (p picture) draw(formats []string, inline bool) (drawing, error) {
	d := drawing{picture: p}
	for _, format := range formats {
		write := p.figure.WritePNG
		if format == "svg" {
			write = p.figure.WriteSVG
		}
		var b bytes.Buffer
		if err := write(&b); err != nil {
			return d, fmt.Errorf("report: figure %s: %w", p.name, err)
		}
		d.files = append(d.files, b.Bytes())
	}
	if !inline {
		return d, nil
	}
	var b bytes.Buffer
	if err := p.figure.WriteSVG(&b); err != nil {
		return d, fmt.Errorf("report: figure %s: %w", p.name, err)
	}
	d.inline = b.Bytes()
	return d, nil
}

// pictures draws every figure whose data exist.
func (s *study) pictures() []picture {
	var list []picture
	if len(s.groups) > 0 {
		for _, make := range []func() *picture{
			s.beside, s.recovery, s.contingencies, s.frequency, s.pools, s.keyUse, s.failures, s.latency,
			s.forecasts, s.decisions, s.fairness, s.operatorsOverTime, s.roundsAndFairness, s.plans,
		} {
			if p := make(); p != nil {
				list = append(list, *p)
			}
		}
	}
	return append(list, s.swept...)
}

// looks gives the experiments their colours and markers in all figures.
func (s *study) looks() []plot.Look {
	var list []plot.Look
	for _, g := range s.groups {
		list = append(list, plot.Look{Label: g.label})
	}
	return append(list, plot.Look{Label: inertia, RGB: 0x0072B2}, plot.Look{Label: stepped, RGB: 0xFBEBDD}, brokenLook)
}

// lineLooks tells the lines of a panel over time, and breaks of fibres, apart.
func lineLooks(p plot.Panel) []plot.Look {
	var list []plot.Look
	for _, l := range p.Lines {
		list = append(list, plot.Look{Label: l.Label})
	}
	return append(list, brokenLook)
}

// shareTheAxis names the axis of panels below one another at the last only.
func shareTheAxis(panels []plot.Panel) {
	for i := range panels[:len(panels)-1] {
		panels[i].X.Quantity, panels[i].X.Unit = "", ""
	}
}

// Labels of what has one look in all figures.
const (
	inertia = "centre of inertia"
	stepped = "load step"
	broken  = "QKD fibre broken"
)

var brokenLook = plot.Look{Label: broken, RGB: 0xCFCFCF}

func compareText(a, b string) int { return strings.Compare(a, b) }
