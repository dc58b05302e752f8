package plot

import (
	"bytes"
	"fmt"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"

	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// dpi of PNG pictures: sharp in print, and about twice a screen's pixels.
const dpi = 200

// WriteFile writes the figure to a file, as PNG or SVG by the extension of
// its name.
func (f *Figure) WriteFile(name string) error {
	var encode func(io.Writer) error
	switch ext := strings.ToLower(filepath.Ext(name)); ext {
	case ".png":
		encode = f.WritePNG
	case ".svg":
		encode = f.WriteSVG
	default:
		return fmt.Errorf("plot: %s: unknown kind of picture %q, want .png or .svg", name, ext)
	}
	var b bytes.Buffer
	if err := encode(&b); err != nil {
		return err
	}
	if err := os.WriteFile(name, b.Bytes(), 0o644); err != nil {
		return fmt.Errorf("plot: %w", err)
	}
	return nil
}

// WritePNG writes the figure as PNG.
func (f *Figure) WritePNG(w io.Writer) error {
	if err := f.validate(); err != nil {
		return err
	}
	c := vgimg.NewWith(vgimg.UseWH(width, f.height()), vgimg.UseDPI(dpi))
	f.draw(draw.New(c))
	if err := (&png.Encoder{CompressionLevel: png.DefaultCompression}).Encode(w, c.Image()); err != nil {
		return fmt.Errorf("plot: %w", err)
	}
	return nil
}

// WriteSVG writes the figure as SVG. Its letters are Liberation Sans, or where
// that is missing Arial and Helvetica, which have the same widths.
func (f *Figure) WriteSVG(w io.Writer) error {
	if err := f.validate(); err != nil {
		return err
	}
	c := vgsvg.New(width, f.height())
	f.draw(draw.New(c))
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		return fmt.Errorf("plot: %w", err)
	}
	fonts := bytes.ReplaceAll(b.Bytes(), []byte("font-family:Liberation Sans;"),
		[]byte("font-family:Liberation Sans,Arial,Helvetica,sans-serif;"))
	if _, err := w.Write(fonts); err != nil {
		return fmt.Errorf("plot: %w", err)
	}
	return nil
}
