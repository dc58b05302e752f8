package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"cosim/internal/plot"
)

// pictures are the files into which a command draws.
type pictures struct{ png, svg string }

func (p *pictures) register(flags *pflag.FlagSet, what string) {
	flags.StringVar(&p.png, "png", "", "write a picture of "+what+" to this `FILE`, as PNG")
	flags.StringVar(&p.svg, "svg", "", "write it to this `FILE`, as SVG")
}

// check refuses names that say something else than their flag.
func (p *pictures) check() error {
	var errs []error
	for _, picture := range [][2]string{{"png", p.png}, {"svg", p.svg}} {
		flag, file := picture[0], picture[1]
		if file != "" && !strings.EqualFold(filepath.Ext(file), "."+flag) {
			errs = append(errs, fmt.Errorf("--%s %s: expected a name that ends in .%s", flag, file, flag))
		}
	}
	return errors.Join(errs...)
}

// write draws f into the files that are asked for, and names them.
func (p *pictures) write(f *plot.Figure) ([]string, error) {
	var files []string
	for _, file := range []string{p.png, p.svg} {
		if file == "" {
			continue
		}
		if err := f.WriteFile(file); err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	return files, nil
}

// draw writes them and says so.
func (p *pictures) draw(to io.Writer, f *plot.Figure) error {
	files, err := p.write(f)
	for _, file := range files {
		fmt.Fprintln(to, "written to", file)
	}
	return err
}
