//go:build ignore

// Terminal draws what a terminal shows of a run, while it goes on and when it is
// done: make pictures. The run takes place on a terminal of its own, which
// script(1) makes.
package main

import (
	"bytes"
	"fmt"
	"html"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	command = "cosim run S-3"
	columns = 92
	halfway = 40 // percent at which the bar is drawn

	cell, line, margin = 8.4, 20.0, 22.0 // of a letter, pixels
)

func main() {
	log.SetFlags(0)
	dir, err := os.MkdirTemp("", "terminal")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if out, err := exec.Command("go", "build", "-o", filepath.Join(dir, "cosim"), "./cmd/cosim").CombinedOutput(); err != nil {
		log.Fatalf("%s%v", out, err)
	}
	run := exec.Command("script", "-qec", fmt.Sprintf("stty cols %d; ./%s", columns, command), os.DevNull)
	run.Dir = dir
	shown, err := run.Output()
	if err != nil {
		log.Fatalf("%s: %v", command, err)
	}
	during, after := screens(string(shown))
	if err := os.WriteFile("docs/pictures/terminal.svg", draw(during, after), 0o644); err != nil {
		log.Fatal(err)
	}
}

var percent = regexp.MustCompile(`(\d+)% [█░]`)

// screens are the line of the bar near the middle of the run, and the lines that
// stand there in the end. A carriage return begins a line anew.
func screens(shown string) (during string, after []string) {
	for _, l := range strings.Split(strings.ReplaceAll(strings.TrimSpace(shown), "\r\n", "\n"), "\n") {
		drawn := strings.Split(l, "\r")
		for _, d := range drawn {
			if m := percent.FindStringSubmatch(d); m != nil && during == "" {
				if share, _ := strconv.Atoi(m[1]); share >= halfway {
					during = strings.TrimRight(d, " ")
				}
			}
		}
		after = append(after, strings.TrimRight(drawn[len(drawn)-1], " "))
	}
	if during == "" {
		log.Fatalf("%s drew no bar", command)
	}
	return during, after
}

func draw(during string, after []string) []byte {
	var b bytes.Buffer
	width, height := 2*margin+columns*cell, 2*margin+line*float64(len(after)+5)
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %g %g" width="%g" height="%g" role="img" aria-label="A terminal with a run of S-3">
<style>
.window { fill: #16181a; stroke: #3a3a3a; }
text { font: 14px ui-monospace, "DejaVu Sans Mono", "Liberation Mono", Menlo, Consolas, monospace; fill: #e8e8e8; }
.typed { font-weight: bold; fill: #ffffff; } .said { fill: #a8a8a8; font-style: italic; }
.done { fill: #56b4e9; } .left { fill: #4a4e52; }
</style>
<rect class="window" x="0.5" y="0.5" width="%g" height="%g" rx="8"/>
`, width, height, width, height, width-1, height-1)
	y := margin + 0.7*line
	write := func(class, text string) {
		place(&b, class, text, y)
		y += line
	}
	write("typed", "$ "+command)
	write("", during)
	y += line / 2
	write("said", "a few seconds later, in its place:")
	y += line / 2
	for _, l := range after {
		write("", l)
	}
	write("typed", "$ ▁")
	b.WriteString("</svg>\n")
	return b.Bytes()
}

// words are what stands between gaps, and the parts of a bar.
var words = regexp.MustCompile(`█+|░+|[^ █░]+(?: [^ █░]+)*`)

// place writes a line; each word begins at its column, whatever the font.
func place(b *bytes.Buffer, class, text string, y float64) {
	for _, at := range words.FindAllStringIndex(text, -1) {
		word := text[at[0]:at[1]]
		x, w := margin+cell*float64(utf8.RuneCountInString(text[:at[0]])), cell*float64(utf8.RuneCountInString(word))
		switch first, _ := utf8.DecodeRuneInString(word); first {
		case '█':
			fmt.Fprintf(b, "<rect class=\"done\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"15\"/>\n", x, y-12, w)
		case '░':
			fmt.Fprintf(b, "<rect class=\"left\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"15\"/>\n", x, y-12, w)
		default:
			fmt.Fprintf(b, "<text class=%q x=\"%.1f\" y=\"%.1f\" textLength=\"%.1f\" lengthAdjust=\"spacingAndGlyphs\">%s</text>\n", class, x, y, w, html.EscapeString(word))
		}
	}
}
