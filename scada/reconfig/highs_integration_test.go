//go:build integration

package reconfig

import (
	"bufio"
	"encoding/json"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// highs is the solver HiGHS in a process of its own, see highs.mjs.
type highs struct {
	t       testing.TB
	in      io.WriteCloser
	answers *bufio.Reader
	solves  int
}

// startHighs runs HiGHS until the test ends. Where it is not installed the test
// is skipped, but never in CI.
func startHighs(t testing.TB) *highs {
	t.Helper()
	missing := t.Skipf
	if os.Getenv("CI") == "true" {
		missing = t.Fatalf
	}
	folder, err := filepath.Abs(filepath.Join("..", "..", "internal", "tools", "node"))
	if err != nil {
		t.Fatal(err)
	}
	node, err := exec.LookPath("node")
	if err != nil {
		missing("node is missing (apt-get install nodejs): %v", err)
	}
	if _, err := os.Stat(filepath.Join(folder, "node_modules", "highs")); err != nil {
		missing("HiGHS is missing (make setup): %v", err)
	}
	h := &highs{t: t}
	cmd := exec.Command(node, "highs.mjs")
	cmd.Dir, cmd.Stderr = folder, os.Stderr
	if h.in, err = cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	h.answers = bufio.NewReader(out)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		h.in.Close()
		cmd.Wait()
	})
	return h
}

// answer of highs.mjs.
type answer struct {
	Status    string
	Objective float64
	Bound     float64 // no solution of a mixed-integer programme costs less
	Values    map[string]float64
	Error     string
}

// solve fails the test unless there is an optimum, to within a relative gap.
func (h *highs) solve(lp string, gap float64) *answer {
	h.t.Helper()
	h.solves++
	question, err := json.Marshal(map[string]any{"lp": lp, "options": map[string]any{
		"mip_rel_gap": gap, "mip_abs_gap": 0, "mip_feasibility_tolerance": 1e-9, "primal_feasibility_tolerance": 1e-9,
		"random_seed": 1, "time_limit": 60,
	}})
	if err != nil {
		h.t.Fatal(err)
	}
	if _, err := h.in.Write(append(question, '\n')); err != nil {
		h.t.Fatalf("HiGHS: %v", err)
	}
	line, err := h.answers.ReadBytes('\n')
	if err != nil {
		h.t.Fatalf("HiGHS has ended: %v", err)
	}
	a := &answer{Bound: math.Inf(-1)}
	if err := json.Unmarshal(line, a); err != nil {
		h.t.Fatalf("HiGHS: %v in %q", err, line)
	}
	if a.Error != "" || a.Status != "optimal" {
		h.t.Fatalf("HiGHS: %s %s", a.Status, a.Error)
	}
	return a
}

// sum is a linear expression.
type sum []term

type term struct {
	factor   float64
	variable string
}

func (s *sum) add(factor float64, variable string) {
	if factor != 0 {
		*s = append(*s, term{factor, variable})
	}
}

// programme is a linear or mixed-integer programme that grows by rows.
// Variables are not negative unless they are free.
type programme struct {
	objective sum
	rows      strings.Builder
	count     int
	upper1    []string // at most 1
	free      []string
	binary    []string
}

// one is the variable that is always 1.
const one = "one"

// atMost adds the row s ≤ limit, multiplied by scale.
func (p *programme) atMost(s sum, limit, scale float64) { p.row(s, "<=", limit, scale) }

func (p *programme) equal(s sum, value float64) { p.row(s, "=", value, 1) }

func (p *programme) row(s sum, relation string, limit, scale float64) {
	if len(s) == 0 {
		s = sum{{0, one}}
	}
	p.count++
	p.rows.WriteString(" r" + strconv.Itoa(p.count) + ":")
	s.write(&p.rows, scale)
	p.rows.WriteString(" " + relation + " " + number(limit*scale) + "\n")
}

// merged has each variable once: what readers make of repeated ones differs.
func (s sum) merged() sum {
	var m sum
	at := map[string]int{}
	for _, x := range s {
		i, ok := at[x.variable]
		if !ok {
			i = len(m)
			at[x.variable] = i
			m = append(m, term{0, x.variable})
		}
		m[i].factor += x.factor
	}
	return m
}

func (s sum) write(b *strings.Builder, scale float64) {
	for i, x := range s.merged() {
		if i%6 == 5 {
			b.WriteString("\n") // readers of the format limit the length of a line
		}
		factor := x.factor * scale
		sign := " + "
		if factor < 0 {
			sign, factor = " - ", -factor
		}
		b.WriteString(sign + number(factor) + " " + x.variable)
	}
}

func number(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

// text in LP format; relaxed: binaries are between 0 and 1.
func (p *programme) text(relaxed bool) string {
	var b strings.Builder
	b.WriteString("Minimize\n cost:")
	p.objective.write(&b, 1)
	b.WriteString("\nSubject To\n")
	b.WriteString(p.rows.String())
	b.WriteString("Bounds\n " + one + " = 1\n")
	for _, x := range p.free {
		b.WriteString(" " + x + " free\n")
	}
	upper1 := p.upper1
	if relaxed {
		upper1 = append(append([]string(nil), upper1...), p.binary...)
	}
	for _, x := range upper1 {
		b.WriteString(" 0 <= " + x + " <= 1\n")
	}
	if !relaxed {
		b.WriteString("Binary\n")
		for _, x := range p.binary {
			b.WriteString(" " + x + "\n")
		}
	}
	b.WriteString("End\n")
	return b.String()
}
