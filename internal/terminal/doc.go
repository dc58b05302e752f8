// Package terminal shows runs to a person: progress while they go on, the
// figures of one run, tables of several.
package terminal

import (
	"io"
	"os"

	"golang.org/x/term"
)

// IsTerminal says whether w is a terminal, and how wide.
func IsTerminal(w io.Writer) (width int, ok bool) {
	f, isFile := w.(*os.File)
	if !isFile || !term.IsTerminal(int(f.Fd())) {
		return 0, false
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil || width <= 0 {
		width = 80
	}
	return width, true
}

// widest is how wide text for people may be where no terminal says it.
const widest = 100

// columns is how wide what is printed on w may be.
func columns(w io.Writer) int {
	if width, ok := IsTerminal(w); ok {
		return width
	}
	return widest
}
