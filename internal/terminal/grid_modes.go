package terminal

import (
	"fmt"
	"io"
	"sort"
	"strings"

	"cosim/grid"
)

// badDamping is the damping ratio below which an oscillation is called badly
// damped, as planning rules of transmission operators do.
const badDamping = 0.05

// Modes prints the modes of a case with the model of opt: for people its
// oscillations, the least damped first, and with all every mode and state.
func Modes(w io.Writer, m *grid.Modes, opt grid.Options, all bool, format Format) error {
	s := modeSheet(m)
	switch format {
	case JSON:
		return writeJSON(w, struct {
			Case  string `json:"case"`
			Model string `json:"model"`
			Modes *sheet `json:"modes"`
		}{m.Case.Name, model(opt), s})
	case CSV:
		return s.writeCSV(w)
	}
	oscillations := leastDamped(m)
	modesSummary(w, m, opt, oscillations)
	bad := func(r int) bool { return m.Modes[r].DampingRatio < badDamping }
	rows := oscillations
	if !all && len(rows) > shortTable {
		rows = rows[:shortTable]
	}
	if len(oscillations) > 0 {
		fmt.Fprintf(w, "\noscillations: least damped first (%d of %d)\n", len(rows), len(oscillations))
		oscillationSheet(m, all).print(w, rows, bad)
	}
	if all {
		fmt.Fprintf(w, "\nwithout oscillation: slowest first (%d)\n", len(m.Modes)-len(oscillations))
		decaySheet(m).print(w, decaying(m), bad)
		return nil
	}
	fmt.Fprintf(w, "\n! damping ratio below %.0f %%; %d real modes and single states: --all\n", 100*badDamping, len(m.Modes)-len(oscillations))
	return nil
}

func modesSummary(w io.Writer, m *grid.Modes, opt grid.Options, oscillations []int) {
	bad, unstable := 0, 0
	for i := range m.Modes {
		if m.Modes[i].Real > 0 {
			unstable++
		}
	}
	for _, r := range oscillations {
		if m.Modes[r].DampingRatio < badDamping {
			bad++
		}
	}
	head(w, fmt.Sprintf("%s  modes  %s", m.Case.Name, count(len(m.Modes), "mode")), model(opt))
	verdict := "stable"
	if unstable > 0 {
		verdict = "UNSTABLE: " + count(unstable, "mode") + " with an eigenvalue right of the axis"
	}
	figure(w, "verdict", "%s", verdict)
	figure(w, "damping", "%d of %s below %.0f %%", bad, count(len(oscillations), "oscillation"), 100*badDamping)
	if len(oscillations) > 0 {
		worst := &m.Modes[oscillations[0]]
		figure(w, "least damped", "%.2f %% at %.3f Hz, generators %s", 100*worst.DampingRatio, worst.FreqHz,
			strings.ReplaceAll(generators(worst), ")", " %)"))
	}
}

// model says in words what opt builds.
func model(opt grid.Options) string {
	words := "classical machines"
	if opt.AVR {
		words = "machines with field circuit and AVR"
	}
	if !opt.NoGovernors {
		words += ", governors"
	}
	if opt.AGC != nil {
		words += fmt.Sprintf(", AGC %g 1/s", opt.AGC.GainPerS)
	}
	return words
}

// leastDamped returns the places of the oscillations by damping ratio.
func leastDamped(m *grid.Modes) []int {
	var rows []int
	for i := range m.Modes {
		if m.Modes[i].Oscillatory() {
			rows = append(rows, i)
		}
	}
	sort.SliceStable(rows, func(i, j int) bool {
		return m.Modes[rows[i]].DampingRatio < m.Modes[rows[j]].DampingRatio
	})
	return rows
}

func decaying(m *grid.Modes) []int {
	var rows []int
	for i := range m.Modes {
		if !m.Modes[i].Oscillatory() {
			rows = append(rows, i)
		}
	}
	return rows
}

// modeSheet is the whole for machines.
func modeSheet(m *grid.Modes) *sheet {
	s := &sheet{columns: []column{
		{key: "freq_hz"},
		{key: "damping_ratio"},
		{key: "real_per_s"},
		{key: "imag_rad_per_s"},
		{key: "kind"},
		{key: "participation"},
	}}
	for i := range m.Modes {
		mode := &m.Modes[i]
		s.add(mode.FreqHz, mode.DampingRatio, mode.Real, mode.Imag, kind(mode), participation(mode.Participation))
	}
	return s
}

// participation prints as "speed 39 0.25; angle 39 0.24" in a cell and is a
// list of objects in JSON.
type participation []grid.Participation

func (p participation) String() string {
	var parts []string
	for _, s := range p {
		parts = append(parts, fmt.Sprintf("%s %.4f", s.State, s.Share))
	}
	return strings.Join(parts, "; ")
}

// MarshalJSON writes state and share of each.
func (p participation) MarshalJSON() ([]byte, error) {
	s := &sheet{columns: []column{{key: "state"}, {key: "share"}}}
	for _, x := range p {
		s.add(x.State, x.Share)
	}
	return s.MarshalJSON()
}

func oscillationSheet(m *grid.Modes, all bool) *sheet {
	decay, who, describe := "time constant / s", "generators (share / %)", generators
	if all {
		decay, who, describe = "τ / s", "states (share / %)", states
	}
	s := &sheet{columns: []column{
		{head: " "},
		{head: "frequency / Hz", decimals: 3},
		{head: "damping / %", decimals: 2},
		{head: decay, decimals: 2},
		{head: "kind"},
		{head: who},
	}}
	for i := range m.Modes {
		mode := &m.Modes[i]
		flag := ""
		if mode.DampingRatio < badDamping {
			flag = "!"
		}
		if mode.Real > 0 {
			flag = "!!"
		}
		s.add(flag, mode.FreqHz, 100*mode.DampingRatio, settling(mode), kind(mode), describe(mode))
	}
	return s
}

func decaySheet(m *grid.Modes) *sheet {
	s := &sheet{columns: []column{
		{head: "eigenvalue / 1/s", decimals: 4},
		{head: "time constant / s", decimals: 3},
		{head: "kind"},
		{head: "states (share / %)"},
	}}
	for i := range m.Modes {
		mode := &m.Modes[i]
		s.add(mode.Real, settling(mode), kind(mode), states(mode))
	}
	return s
}

// kinds tells which part of the model a state belongs to.
var kinds = map[string]string{
	"angle": "swing", "speed": "swing",
	"valve": "governor", "reheat": "governor",
	"E'q": "voltage", "lead-lag": "voltage", "Efd": "voltage",
}

// kind names what makes more than half of a mode.
func kind(m *grid.Mode) string {
	share, total := map[string]float64{}, 0.0
	for _, p := range m.Participation {
		state, _, _ := strings.Cut(p.State, " ")
		share[kinds[state]] += p.Share
		total += p.Share
	}
	for _, k := range []string{"swing", "governor", "voltage"} {
		if share[k] > total/2 {
			return k
		}
	}
	return "mixed"
}

// generators lists those with the greatest shares in a mode.
func generators(m *grid.Mode) string {
	const most, least = 4, 0.05
	var parts []string
	for i, g := range m.Generators() {
		if i > 0 && (i >= most || g.Share < least) {
			break
		}
		parts = append(parts, fmt.Sprintf("%s (%.0f)", g.Bus, 100*g.Share))
	}
	return strings.Join(parts, ", ")
}

// states lists the states with the greatest shares in a mode, as many as fit
// on a line of 100 letters.
func states(m *grid.Mode) string {
	const most = 3
	var parts []string
	for _, p := range m.Participation[:min(most, len(m.Participation))] {
		parts = append(parts, fmt.Sprintf("%s (%.0f)", p.State, 100*p.Share))
	}
	return strings.Join(parts, ", ")
}

// settling is the time in which a mode falls to 1/e, as far as it matters.
func settling(m *grid.Mode) any {
	const longest = 1000
	switch {
	case m.Real >= 0:
		return "never"
	case m.Real > -1.0/longest:
		return fmt.Sprintf("> %d", longest)
	}
	return -1 / m.Real
}
