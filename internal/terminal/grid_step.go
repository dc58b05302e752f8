package terminal

import (
	"fmt"
	"io"
	"math"
	"strings"

	"cosim/grid"
)

// Step is the answer of a case to an event.
type Step struct {
	*grid.StepResponse
	Event   grid.Event
	Options grid.Options
	// Pictures are the files that show the answer.
	Pictures []string
}

// Print prints the answer: figures and governors for people and as JSON, the
// series as CSV.
func (s *Step) Print(w io.Writer, format Format) error {
	switch format {
	case JSON:
		return s.json(w)
	case CSV:
		return s.series().writeCSV(w)
	}
	last := s.endS()
	head(w, fmt.Sprintf("%s  step  %s", s.Case.Name, s.what()), fmt.Sprintf("%g s, %s", last, model(s.Options)))
	figure(w, s.extreme(), "%s Hz at %.2f s", signed(s.NadirHz, 4), s.NadirAtS)
	figure(w, "RoCoF", "%s Hz/s, mean of the first 500 ms", signed(s.RoCoF500msHzS, 4))
	figure(w, "end", "%s Hz at %g s", signed(s.EndHz, 4), last)
	if s.MaxGenBus != "" {
		figure(w, "widest swing", "%s Hz, generator %s", signed(s.MaxGenHz, 4), s.MaxGenBus)
	}
	figure(w, "voltage", "least %.4f pu at bus %s   lasting change at most %.4f pu at bus %s",
		s.MinVoltagePU, s.MinVoltageBus, s.MaxVoltageStepPU, s.MaxVoltageBus)
	governors, total := s.governors()
	figure(w, "governors", "%s MW together at %g s", signed(total, 1), last)
	if s.BeyondLinear() {
		figure(w, "caution", "%.2f Hz, %.2f pu: beyond %g Hz or %g pu a linear model tells direction, not size",
			math.Abs(s.MaxGenHz), s.PeakVoltageChangePU, grid.LinearRangeHz, grid.LinearRangePU)
	}
	if len(s.Pictures) > 0 {
		figure(w, "picture", "%s", strings.Join(s.Pictures, ", "))
	}
	if len(governors.rows) == 0 {
		return nil
	}
	n, title := len(governors.rows), "governors: mechanical power"
	rows := all(n)
	if n > shortTable {
		rows = greatest(n, shortTable, func(r int) float64 { return math.Abs(governors.rows[r][3].(float64)) })
		title = fmt.Sprintf("governors: mechanical power, greatest changes (%d of %d)", len(rows), n)
	}
	fmt.Fprintf(w, "\n%s\n", title)
	governors.print(w, rows, func(int) bool { return false })
	return nil
}

// endS is the time of the last sample.
func (s *Step) endS() float64 { return milliseconds(s.TimeS[len(s.TimeS)-1]) }

// milliseconds takes the rounding errors off a sample's time.
func milliseconds(s float64) float64 { return math.Round(1000*s) / 1000 }

func (s *Step) extreme() string {
	if s.NadirHz > 0 {
		return "peak"
	}
	return "nadir"
}

// what says what happens.
func (s *Step) what() string {
	var parts []string
	e := s.Event
	if e.LoadBus != "" {
		powers := fmt.Sprintf("%+g MW", e.LoadMW)
		if e.LoadMVAr != 0 {
			powers += fmt.Sprintf(" %+g MVAr", e.LoadMVAr)
		}
		parts = append(parts, fmt.Sprintf("load %s at bus %s", powers, e.LoadBus))
	}
	if e.TripGen != "" {
		g, _ := s.Case.GenIndex(e.TripGen)
		parts = append(parts, fmt.Sprintf("trip of generator %s (%s MW)", e.TripGen, decimal(s.BeforeMechanicalMW[g], 0)))
	}
	if e.TripBranch != "" {
		parts = append(parts, "trip of branch "+e.TripBranch)
	}
	return strings.Join(parts, ", ")
}

// tripped tells whether the event takes the generator out.
func (s *Step) tripped(gen int) bool {
	trip, ok := s.Case.GenIndex(s.Event.TripGen)
	return ok && trip == gen
}

// governors lists what each one has added to its generator's mechanical power
// at the end, and the sum.
func (s *Step) governors() (sheetOf *sheet, totalMW float64) {
	sheetOf = &sheet{columns: []column{
		{"generator", "bus", 0},
		{"before_mw", "before / MW", 1},
		{"end_mw", "end / MW", 1},
		{"change_mw", "change / MW", 2},
		{"share_percent", "share / %", 1},
	}}
	ratings := map[string]float64{}
	for _, d := range s.Case.Dynamics {
		ratings[d.Bus] += d.GovernorMVA
	}
	for g := range s.Case.Gens {
		gen := &s.Case.Gens[g]
		if !gen.InService || s.tripped(g) || ratings[gen.Bus] == 0 || s.Options.NoGovernors {
			continue
		}
		change := s.EndMechanicalMW[g] - s.BeforeMechanicalMW[g]
		totalMW += change
		sheetOf.add(gen.Bus, s.BeforeMechanicalMW[g], s.EndMechanicalMW[g], change, nil)
	}
	for _, row := range sheetOf.rows {
		if math.Abs(totalMW) > 1e-6 {
			row[4] = 100 * row[3].(float64) / totalMW
		}
	}
	return sheetOf, totalMW
}

func (s *Step) json(w io.Writer) error {
	governors, total := s.governors()
	return writeJSON(w, struct {
		Case          string  `json:"case"`
		Event         string  `json:"event"`
		Model         string  `json:"model"`
		Seconds       float64 `json:"seconds_s"`
		NadirHz       float64 `json:"nadir_hz"`
		NadirAtS      float64 `json:"nadir_at_s"`
		RoCoF         float64 `json:"rocof_500ms_hz_per_s"`
		EndHz         float64 `json:"end_hz"`
		MaxGenHz      float64 `json:"max_generator_hz"`
		MaxGenBus     string  `json:"max_generator"`
		MinVoltagePU  float64 `json:"min_voltage_pu"`
		MinVoltageBus string  `json:"min_voltage_bus"`
		MaxStepPU     float64 `json:"max_voltage_change_pu"`
		MaxStepBus    string  `json:"max_voltage_change_bus"`
		PeakChangePU  float64 `json:"peak_voltage_change_pu"`
		BeyondLinear  bool    `json:"beyond_linear"`
		GovernorMW    float64 `json:"governors_mw"`
		Governors     *sheet  `json:"governors"`
	}{
		s.Case.Name, s.what(), model(s.Options), s.endS(), s.NadirHz, milliseconds(s.NadirAtS), s.RoCoF500msHzS,
		s.EndHz, s.MaxGenHz, s.MaxGenBus, s.MinVoltagePU, s.MinVoltageBus, s.MaxVoltageStepPU, s.MaxVoltageBus,
		s.PeakVoltageChangePU, s.BeyondLinear(), total, governors,
	})
}

// series has a row a sample: deviations of frequency, then voltages.
func (s *Step) series() *sheet {
	out := &sheet{columns: []column{{key: "time_s"}, {key: "coi_hz"}}}
	for _, name := range s.genNames() {
		out.columns = append(out.columns, column{key: "generator_" + name + "_hz"})
	}
	for i := range s.Case.Buses {
		out.columns = append(out.columns, column{key: "bus_" + s.Case.Buses[i].ID + "_pu"})
	}
	for k, t := range s.TimeS {
		row := make([]any, 0, len(out.columns))
		row = append(row, milliseconds(t), s.COIFreqHz[k])
		for _, f := range s.GenFreqHz[k] {
			row = append(row, f)
		}
		for _, v := range s.BusVoltagePU[k] {
			row = append(row, v)
		}
		out.add(row...)
	}
	return out
}

// genNames calls generators by their bus, further ones there by number too.
func (s *Step) genNames() []string {
	seen := map[string]int{}
	names := make([]string, len(s.Case.Gens))
	for g := range s.Case.Gens {
		bus := s.Case.Gens[g].Bus
		names[g] = bus
		if seen[bus]++; seen[bus] > 1 {
			names[g] = fmt.Sprintf("%s#%d", bus, seen[bus])
		}
	}
	return names
}
