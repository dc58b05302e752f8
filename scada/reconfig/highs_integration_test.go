//go:build integration

package reconfig

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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
	rows      []byte
	count     int
	atMost1   []string
	free      []string
	binary    []string
}

// one is the variable that is always 1.
const one = "one"

func (p *programme) clone() *programme {
	c := *p
	c.rows, c.binary = slices.Clone(p.rows), slices.Clone(p.binary)
	return &c
}

// atMost adds the row s ≤ limit.
func (p *programme) atMost(s sum, limit float64) { p.row(s, "<=", limit) }

func (p *programme) equal(s sum, value float64) { p.row(s, "=", value) }

// row is scaled so that its largest factor is 1.
func (p *programme) row(s sum, relation string, limit float64) {
	s = s.merged()
	most := 0.0
	for _, x := range s {
		most = math.Max(most, math.Abs(x.factor))
	}
	if most == 0 {
		s, most = sum{{1, one}}, 1
		limit++
	}
	p.count++
	p.rows = fmt.Appendf(p.rows, " r%d:", p.count)
	p.rows = s.write(p.rows, 1/most)
	p.rows = fmt.Appendf(p.rows, " %s %.17g\n", relation, limit/most)
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

// write appends s times scale. Readers of the format limit the length of a line.
func (s sum) write(b []byte, scale float64) []byte {
	for i, x := range s {
		if i%6 == 5 {
			b = append(b, '\n')
		}
		b = fmt.Appendf(b, " %+.17g %s", x.factor*scale, x.variable)
	}
	return b
}

// text in LP format; relaxed: binaries are between 0 and 1.
func (p *programme) text(relaxed bool) string {
	b := p.objective.merged().write([]byte("Minimize\n cost:"), 1)
	b = append(append(b, "\nSubject To\n"...), p.rows...)
	b = fmt.Appendf(b, "Bounds\n %s = 1\n", one)
	for _, x := range p.free {
		b = fmt.Appendf(b, " %s free\n", x)
	}
	atMost1 := p.atMost1
	if relaxed {
		atMost1 = slices.Concat(atMost1, p.binary)
	}
	for _, x := range atMost1 {
		b = fmt.Appendf(b, " 0 <= %s <= 1\n", x)
	}
	if !relaxed {
		b = append(b, "Binary\n"...)
		for _, x := range p.binary {
			b = fmt.Appendf(b, " %s\n", x)
		}
	}
	return string(append(b, "End\n"...))
}
