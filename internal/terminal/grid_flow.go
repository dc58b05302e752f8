package terminal

import (
	"fmt"
	"io"
	"math"
	"strings"

	"cosim/grid"
)

// Tables are those of a power flow that are wanted whole; with none wanted, a
// person sees the rows that matter of each, a CSV reader the buses.
type Tables struct{ Buses, Gens, Branches bool }

// Count says how many tables are wanted.
func (t Tables) Count() int {
	n := 0
	for _, wanted := range []bool{t.Buses, t.Gens, t.Branches} {
		if wanted {
			n++
		}
	}
	return n
}

// Tables of at most shortTable rows are shown whole, of others a few rows.
const (
	shortTable = 12
	fewRows    = 6
)

// limitSlackPU keeps a value that stands at its limit from being called beyond.
const limitSlackPU = 1e-6

// Flow prints a power flow.
func Flow(w io.Writer, f *grid.Flow, tables Tables, format Format) error {
	buses, gens, branches := busSheet(f), genSheet(f), branchSheet(f)
	switch format {
	case JSON:
		return writeJSON(w, struct {
			Case        string  `json:"case"`
			Iterations  int     `json:"iterations"`
			MismatchPU  float64 `json:"mismatch_pu"`
			MismatchBus string  `json:"mismatch_bus"`
			GenMW       float64 `json:"generation_mw"`
			LoadMW      float64 `json:"load_mw"`
			LossMW      float64 `json:"loss_mw"`
			LossMVAr    float64 `json:"series_loss_mvar"`
			Buses       *sheet  `json:"buses"`
			Gens        *sheet  `json:"generators"`
			Branches    *sheet  `json:"branches"`
		}{
			f.Case.Name, f.Iterations, f.MismatchPU, f.MismatchBus, f.GenMW, f.LoadMW, f.LossMW, f.LossMVAr,
			buses, gens, branches,
		})
	case CSV:
		return tables.pick(buses, gens, branches).writeCSV(w)
	}
	flowSummary(w, f, [3]*sheet{buses, gens, branches})
	lossy, measure := func(r int) float64 { return f.Branches[r].LossMW }, "greatest losses"
	if hasRatings(f.Case) {
		lossy, measure = func(r int) float64 { return f.Branches[r].LoadingPU }, "greatest loadings"
	}
	tables.print(w, []section{
		{"buses", "lowest and highest voltages", buses, voltageExtremes(f)},
		{"generators", "greatest outputs", gens, greatest(len(f.Gens), fewRows, func(r int) float64 { return f.Gens[r].PowerMW })},
		{"branches", measure, branches, greatest(len(f.Branches), fewRows, lossy)},
	})
	return nil
}

func (t Tables) pick(buses, gens, branches *sheet) *sheet {
	switch {
	case t.Gens:
		return gens
	case t.Branches:
		return branches
	}
	return buses
}

// section is one table of a power flow with the rows that matter most.
type section struct {
	name, measure string
	sheet         *sheet
	few           []int
}

func (t Tables) print(w io.Writer, sections []section) {
	wanted := map[string]bool{"buses": t.Buses, "generators": t.Gens, "branches": t.Branches}
	cut := false
	var flags []string
	for _, s := range sections {
		flags = append(flags, "--"+s.name)
		if t.Count() > 0 && !wanted[s.name] {
			continue
		}
		n := len(s.sheet.rows)
		rows, title := all(n), fmt.Sprintf("%s (%d)", s.name, n)
		if !wanted[s.name] && n > shortTable {
			rows, cut = s.few, true
			title = fmt.Sprintf("%s: %s (%d of %d)", s.name, s.measure, len(rows), n)
		}
		fmt.Fprintf(w, "\n%s\n", title)
		s.sheet.print(w, rows, func(r int) bool { return remark(s.sheet, r) != "" })
	}
	if cut {
		fmt.Fprintf(w, "\nwhole tables: %s\n", strings.Join(flags, ", "))
	}
}

// remark returns the last cell of a row.
func remark(s *sheet, row int) string {
	words, _ := s.rows[row][len(s.columns)-1].(string)
	return words
}

func flowSummary(w io.Writer, f *grid.Flow, sheets [3]*sheet) {
	c := f.Case
	head(w, c.Name+"  AC power flow", fmt.Sprintf("%s, mismatch %.1e pu at bus %s",
		count(f.Iterations, "iteration"), f.MismatchPU, f.MismatchBus))
	size(w, c)
	genMVAr, loadMVAr := 0.0, 0.0
	for _, g := range f.Gens {
		genMVAr += g.ReactiveMVAr
	}
	for _, b := range c.Buses {
		loadMVAr += b.LoadMVAr
	}
	figure(w, "generation", "%s MW   %s MVAr", decimal(f.GenMW, powerDecimals(c)), decimal(genMVAr, powerDecimals(c)))
	figure(w, "load", "%s MW   %s MVAr", decimal(f.LoadMW, powerDecimals(c)), decimal(loadMVAr, powerDecimals(c)))
	figure(w, "losses", "%s MW (%s %% of the load)   %s MVAr in series reactances",
		decimal(f.LossMW, powerDecimals(c)+1), decimal(100*f.LossMW/f.LoadMW, 2), decimal(f.LossMVAr, powerDecimals(c)))
	low, high := f.Buses[0], f.Buses[0]
	back, ahead := low, low
	for i, b := range f.Buses {
		if c.Buses[i].Kind == grid.Isolated {
			continue
		}
		if b.VoltagePU < low.VoltagePU {
			low = b
		}
		if b.VoltagePU > high.VoltagePU {
			high = b
		}
		if b.AngleDeg < back.AngleDeg {
			back = b
		}
		if b.AngleDeg > ahead.AngleDeg {
			ahead = b
		}
	}
	figure(w, "voltage", "%.4f pu at bus %s to %.4f pu at bus %s", low.VoltagePU, low.Bus, high.VoltagePU, high.Bus)
	figure(w, "angle", "%s° at bus %s to %s° at bus %s", decimal(back.AngleDeg, 2), back.Bus, decimal(ahead.AngleDeg, 2), ahead.Bus)
	loadings(w, f)
	lookAt(w, sheets)
}

// loadings names the branch nearest to or farthest beyond its rating.
func loadings(w io.Writer, f *grid.Flow) {
	if !hasRatings(f.Case) {
		return
	}
	top := greatest(len(f.Branches), 1, func(r int) float64 { return f.Branches[r].LoadingPU })[0]
	figure(w, "loading", "at most %.1f %% of the rating, branch %s", 100*f.Branches[top].LoadingPU, f.Branches[top].Branch)
}

func size(w io.Writer, c *grid.Case) {
	figure(w, "size", "%d buses, %s, %d branches, base %g MVA", len(c.Buses), count(len(c.Gens), "generator"), len(c.Branches), c.BaseMVA)
}

// lookAt lists what is beyond its limits, the elements of one remark together.
func lookAt(w io.Writer, sheets [3]*sheet) {
	const most = 4
	for i, kind := range []string{"bus", "generator", "branch"} {
		s := sheets[i]
		var order []string
		names := map[string][]string{}
		for r := range s.rows {
			words := remark(s, r)
			if words == "" || words == outOfService {
				continue
			}
			if names[words] == nil {
				order = append(order, words)
			}
			names[words] = append(names[words], fmt.Sprint(s.rows[r][0]))
		}
		for _, words := range order {
			who, more := names[words], ""
			if len(who) > most {
				more = fmt.Sprintf(" and %d more", len(who)-most)
				who = who[:most]
			}
			figure(w, "look at", "%s %s%s: %s", kind, strings.Join(who, ", "), more, words)
		}
	}
}

const outOfService = "out of service"

// powerDecimals shows a distribution feeder's kilowatts, and no more than
// hundreds of them where there are thousands of megawatts.
func powerDecimals(c *grid.Case) int {
	if c.LoadMW() < 100 {
		return 3
	}
	return 1
}

func hasRatings(c *grid.Case) bool {
	for i := range c.Branches {
		if c.Branches[i].RateMVA > 0 {
			return true
		}
	}
	return false
}

// voltageExtremes are the buses of the lowest and the highest voltages.
func voltageExtremes(f *grid.Flow) []int {
	order := greatest(len(f.Buses), len(f.Buses), func(r int) float64 { return -f.Buses[r].VoltagePU })
	if len(order) <= fewRows {
		return order
	}
	return append(order[:fewRows/2:fewRows/2], order[len(order)-fewRows/2:]...)
}

func busSheet(f *grid.Flow) *sheet {
	d := powerDecimals(f.Case)
	s := &sheet{columns: []column{
		{"bus", "bus", 0},
		{"voltage_pu", "voltage / pu", 4},
		{"angle_deg", "angle / °", 2},
		{"load_mw", "load / MW", d},
		{"load_mvar", "load / MVAr", d},
		{"remark", "remark", 0},
	}}
	for i, b := range f.Buses {
		given := &f.Case.Buses[i]
		words := ""
		switch {
		case given.Kind == grid.Isolated:
			words = outOfService
		case given.MaxVoltagePU > 0 && b.VoltagePU > given.MaxVoltagePU+limitSlackPU:
			words = fmt.Sprintf("above %g pu", given.MaxVoltagePU)
		case b.VoltagePU < given.MinVoltagePU-limitSlackPU:
			words = fmt.Sprintf("below %g pu", given.MinVoltagePU)
		}
		s.add(b.Bus, b.VoltagePU, b.AngleDeg, given.LoadMW, given.LoadMVAr, words)
	}
	return s
}

func genSheet(f *grid.Flow) *sheet {
	d := powerDecimals(f.Case)
	s := &sheet{columns: []column{
		{"bus", "bus", 0},
		{"power_mw", "P / MW", d},
		{"max_mw", "Pmax / MW", d},
		{"reactive_mvar", "Q / MVAr", d},
		{"min_mvar", "Qmin / MVAr", d},
		{"max_mvar", "Qmax / MVAr", d},
		{"remark", "remark", 0},
	}}
	for i, g := range f.Gens {
		given := &f.Case.Gens[i]
		slack := limitSlackPU * f.Case.BaseMVA
		words := ""
		switch {
		case !given.InService:
			words = outOfService
		case g.AtLimit:
			words = "held at reactive limit"
		case g.ReactiveMVAr > given.MaxMVAr+slack:
			words = "above reactive limit"
		case g.ReactiveMVAr < given.MinMVAr-slack:
			words = "below reactive limit"
		case given.MaxMW > 0 && g.PowerMW > given.MaxMW+slack:
			words = "above greatest power"
		}
		s.add(g.Bus, g.PowerMW, given.MaxMW, g.ReactiveMVAr, given.MinMVAr, given.MaxMVAr, words)
	}
	return s
}

func branchSheet(f *grid.Flow) *sheet {
	d := powerDecimals(f.Case)
	s := &sheet{columns: []column{
		{"branch", "branch", 0},
		{"from", "", 0},
		{"to", "", 0},
		{"from_mw", "P from / MW", d},
		{"from_mvar", "Q from / MVAr", d},
		{"to_mw", "P to / MW", d},
		{"to_mvar", "Q to / MVAr", d},
		{"loss_mw", "loss / MW", d + 1},
		{"rating_mva", "", 0},
		{"loading_percent", "loading / %", 1},
		{"remark", "remark", 0},
	}}
	for i, b := range f.Branches {
		given := &f.Case.Branches[i]
		rating, loading := ratingCells(given.RateMVA, b.LoadingPU)
		s.add(b.Branch, b.From, b.To, b.FromMW, b.FromMVAr, b.ToMW, b.ToMVAr, b.LossMW, rating, loading,
			branchRemark(given, b.LoadingPU))
	}
	return s
}

// ratingCells are empty for a branch without rating.
func ratingCells(ratingMVA, loadingPU float64) (rating, loading any) {
	if ratingMVA == 0 {
		return nil, nil
	}
	return ratingMVA, 100 * loadingPU
}

func branchRemark(b *grid.Branch, loadingPU float64) string {
	switch {
	case !b.InService:
		return outOfService
	case loadingPU > 1+limitSlackPU:
		return "above rating"
	}
	return ""
}

// DCFlow prints a linear power flow; there are no tables of generators, whose
// powers are given but for the slack's.
func DCFlow(w io.Writer, f *grid.DCFlow, tables Tables, format Format) error {
	buses, branches := dcBusSheet(f), dcBranchSheet(f)
	switch format {
	case JSON:
		return writeJSON(w, struct {
			Case     string  `json:"case"`
			SlackMW  float64 `json:"slack_mw"`
			LoadMW   float64 `json:"load_mw"`
			Buses    *sheet  `json:"buses"`
			Branches *sheet  `json:"branches"`
		}{f.Case.Name, f.SlackMW, f.Case.LoadMW(), buses, branches})
	case CSV:
		return tables.pick(buses, nil, branches).writeCSV(w)
	}
	c := f.Case
	head(w, c.Name+"  DC power flow", "voltages 1 pu, no losses")
	size(w, c)
	figure(w, "load", "%s MW", decimal(c.LoadMW(), powerDecimals(c)))
	figure(w, "slack", "%s MW at bus %s", decimal(f.SlackMW, powerDecimals(c)), slackBus(c))
	angles := func(r int) float64 { return math.Abs(f.AngleDeg[r]) }
	flows := func(r int) float64 { return math.Abs(f.BranchMW[r]) }
	tables.print(w, []section{
		{"buses", "greatest angles", buses, greatest(len(c.Buses), fewRows, angles)},
		{"branches", "greatest flows", branches, greatest(len(c.Branches), fewRows, flows)},
	})
	return nil
}

func slackBus(c *grid.Case) string {
	for i := range c.Buses {
		if c.Buses[i].Kind == grid.Slack {
			return c.Buses[i].ID
		}
	}
	return ""
}

func dcBusSheet(f *grid.DCFlow) *sheet {
	s := &sheet{columns: []column{
		{"bus", "bus", 0},
		{"angle_deg", "angle / °", 2},
		{"load_mw", "load / MW", powerDecimals(f.Case)},
		{"remark", "remark", 0},
	}}
	for i, angle := range f.AngleDeg {
		words := ""
		if f.Case.Buses[i].Kind == grid.Isolated {
			words = outOfService
		}
		s.add(f.Case.Buses[i].ID, angle, f.Case.Buses[i].LoadMW, words)
	}
	return s
}

func dcBranchSheet(f *grid.DCFlow) *sheet {
	s := &sheet{columns: []column{
		{"branch", "branch", 0},
		{"from", "", 0},
		{"to", "", 0},
		{"power_mw", "P / MW", powerDecimals(f.Case)},
		{"rating_mva", "rating / MVA", powerDecimals(f.Case)},
		{"loading_percent", "loading / %", 1},
		{"remark", "remark", 0},
	}}
	for i, mw := range f.BranchMW {
		b := &f.Case.Branches[i]
		loadingPU := 0.0
		if b.RateMVA > 0 {
			loadingPU = math.Abs(mw) / b.RateMVA
		}
		rating, loading := ratingCells(b.RateMVA, loadingPU)
		s.add(b.ID, b.From, b.To, mw, rating, loading, branchRemark(b, loadingPU))
	}
	return s
}
