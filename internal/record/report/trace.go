package report

import (
	"fmt"
	"io"
	"strings"

	"cosim/internal/metrics"
	"cosim/internal/record"
)

// trace is what a report takes from a run's log.
type trace struct {
	ending record.Ending
	summed *metrics.Summary // figures computed from the log

	latency  map[string]*metrics.Histogram // by class, of tasks that succeeded
	gaps     metrics.Histogram             // of decisions, in units of 1e-9
	keys     []linkKeys
	index    thinned // F_K: time, value
	shares   map[string]*thinned
	rounds   thinned // of a decision: rounds, F_K as planned
	operator []string

	// Of a run that is drawn:
	frequency *envelope
	windows   []*window
	steps     []interval
	breaks    []interval
	pools     []pool
	operators []operatorTrace
	strips    *strips
	forecast  *forecast // nil without forecasts
}

// linkKeys are a link's books at the end, in bits.
type linkKeys struct {
	link                                    string
	generated, consumed, discarded, expired float64
}

// interval is a time in which something was the case; To is the end of the log
// where that hides it.
type interval struct {
	what     string
	from, to float64
}

// pool is the key of a link over time, as far as it can be drawn.
type pool struct {
	link   string
	column int
	level  *envelope
}

// window is the frequency around a fault.
type window struct {
	at    float64
	what  string
	trace *envelope
}

// Seconds before and after a fault, and how many faults are drawn.
const (
	beforeS     = 5.0
	afterS      = 40.0
	mostWindows = 6
)

// scanner reads a log into a trace.
type scanner struct {
	*trace
	about   *about
	drawn   bool
	columns map[string]int
	recent  []point // of the frequency, the last seconds
	broken  map[string]int
	stepped map[string]int
	meter   *meter
	period  int64
	fair    []string // columns of shares
	now     float64
	latest  []float64      // row
	ofChain map[string]int // operator
}

// readTrace reads the log of a run; drawn says whether its traces are wanted.
func readTrace(dir string, a *about, drawn bool) (*trace, error) {
	log, err := record.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	defer log.Close()
	s := newScanner(log.Columns(), a, drawn)
	for {
		r, err := log.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("report: %s: %w", dir, err)
		}
		s.now = float64(r.TimeNS) / 1e9
		if r.Kind == record.KindRow {
			s.row(r.TimeNS, r.Values)
		} else {
			s.event(&r.Event)
		}
	}
	s.ending = log.Ending()
	s.close()
	s.summed = s.meter.summary(s.trace)
	return s.trace, nil
}

const (
	columnFrequency = "grid.frequency/coi"
	columnIndex     = "scada.fairness/index"
	columnGap       = "scada.decision/gap"
	columnRounds    = "scada.decision/rounds"
	columnPlanned   = "scada.decision/fairness"
	prefixShare     = "scada.fairness/"
)

func newScanner(columns []record.Column, a *about, drawn bool) *scanner {
	s := &scanner{
		trace: &trace{latency: map[string]*metrics.Histogram{}, shares: map[string]*thinned{}},
		about: a, drawn: drawn, columns: map[string]int{}, broken: map[string]int{}, stepped: map[string]int{},
		period: max(1, a.Experiment.Reconfiguration.Period.Nanoseconds()),
	}
	for i, c := range columns {
		s.columns[c.Name] = i
		if link, ok := strings.CutPrefix(c.Name, "scada.generated/pool/"); ok {
			s.keys = append(s.keys, linkKeys{link: link})
		}
		if name, ok := strings.CutPrefix(c.Name, prefixShare); ok && c.Name != columnIndex {
			s.operator = append(s.operator, name)
			s.fair = append(s.fair, c.Name)
			s.shares[name] = &thinned{}
		}
	}
	s.meter = newMeter(a, s.columns)
	if drawn {
		s.draw()
	}
	return s
}

// draw prepares the traces of a run that is drawn.
func (s *scanner) draw() {
	s.frequency = newEnvelope(fullPieces)
	store := s.about.Experiment.Keys.Supply == "store"
	for _, link := range s.about.centreLinks() {
		if i, ok := s.columns[poolColumn(link, store)]; ok {
			s.pools = append(s.pools, pool{link, i, newEnvelope(fullPieces)})
		}
	}
	s.strips = newStrips(s.about)
	s.operators, s.ofChain = s.operatorTraces(), map[string]int{}
	for _, c := range s.about.Experiment.Chains {
		if i := s.about.ofChain(c, s.operators); i >= 0 {
			s.ofChain[c.ID] = i
		}
	}
}

func poolColumn(link string, store bool) string {
	if store {
		return "scada.store/pool/" + link
	}
	return "scada.pool/pool/" + link
}

func (s *scanner) row(tNS int64, v []float64) {
	s.latest = append(s.latest[:0], v...)
	frequency, _ := s.value(columnFrequency)
	s.meter.row(tNS, frequency, v)
	if gap, ok := s.value(columnGap); ok && tNS > 0 && (tNS%s.period == 0) {
		s.gaps.Add(int64(gap * 1e9))
	}
	if f, ok := s.value(columnIndex); ok && tNS > 0 && tNS%1e9 == 0 {
		s.index.add(s.now, f)
		for i, name := range s.operator {
			share, _ := s.value(s.fair[i])
			s.shares[name].add(s.now, share)
		}
	}
	rounds, played := s.value(columnRounds)
	if planned, ok := s.value(columnPlanned); ok && played && rounds > 0 {
		s.rounds.add(rounds, planned)
	}
	if !s.drawn {
		return
	}
	s.look(frequency)
	for _, p := range s.pools {
		p.level.add(s.now, v[p.column])
	}
	for i := range s.operators {
		o := &s.operators[i]
		o.row(s.now, v[o.column], tNS%1e9 == 0)
	}
}

// value is that of a column in the latest row.
func (s *scanner) value(name string) (float64, bool) {
	i, ok := s.columns[name]
	if !ok || i >= len(s.latest) {
		return 0, false
	}
	return s.latest[i], true
}

// look takes in the frequency: the whole run, and what is around faults.
func (s *scanner) look(frequency float64) {
	s.frequency.add(s.now, frequency)
	for _, w := range s.windows {
		if s.now <= w.at+afterS {
			w.trace.add(s.now-w.at, frequency)
		}
	}
	s.recent = append(s.recent, point{s.now, frequency})
	if s.recent[0].t < s.now-2*beforeS {
		keep := s.recent[:0]
		for _, p := range s.recent {
			if p.t >= s.now-beforeS {
				keep = append(keep, p)
			}
		}
		s.recent = keep
	}
}

func (s *scanner) event(e *record.Event) {
	switch e.Type {
	case "task":
		s.meter.task(e)
		if i, ok := s.ofChain[e.Element]; ok {
			s.operators[i].decide(e.Cause != "")
		}
		if e.Cause == "" {
			h := s.latency[e.Class]
			if h == nil {
				h = &metrics.Histogram{}
				s.latency[strings.Clone(e.Class)] = h
			}
			h.Add(int64(e.Value*1e9 + 0.5))
		}
	case "load-step", "generator-trip", "branch-trip":
		what := describe(e)
		s.meter.fault(e.AtNS, what)
		s.open(what)
		s.stepped[e.Element] = len(s.steps)
		s.steps = append(s.steps, interval{what, s.now, -1})
	case "load-step-end":
		end(s.steps, s.stepped, e.Element, s.now)
	case "link-down":
		s.broken[e.Element] = len(s.breaks)
		s.breaks = append(s.breaks, interval{e.Element, s.now, -1})
	case "link-up":
		end(s.breaks, s.broken, e.Element, s.now)
	case "plan":
		if s.strips != nil {
			s.strips.plan(s.now, e.Element, e.Detail, int(e.Value))
		}
	}
}

func end(list []interval, open map[string]int, what string, at float64) {
	if i, ok := open[what]; ok {
		list[i].to = at
		delete(open, what)
	}
}

func describe(e *record.Event) string {
	switch e.Type {
	case "load-step":
		return fmt.Sprintf("%+.0f MW, %s", e.Value, strings.Replace(e.Element, "/", " ", 1))
	case "generator-trip":
		return "trip of " + strings.Replace(e.Element, "/", " ", 1)
	}
	return "trip of branch " + strings.TrimPrefix(e.Element, "branch/")
}

// open begins a window with what came before the fault.
func (s *scanner) open(what string) {
	if !s.drawn || len(s.windows) == mostWindows {
		return
	}
	w := &window{s.now, what, newEnvelope(fullPieces)}
	for _, p := range s.recent {
		if p.t >= s.now-beforeS {
			w.trace.add(p.t-s.now, p.y)
		}
	}
	s.windows = append(s.windows, w)
}

// close closes the books, and ends what was going on when the log ended.
func (s *scanner) close() {
	for i := range s.keys {
		k := &s.keys[i]
		k.generated, _ = s.value("scada.generated/pool/" + k.link)
		k.consumed, _ = s.value("scada.consumed/pool/" + k.link)
		k.discarded, _ = s.value("scada.discarded/pool/" + k.link)
		k.expired, _ = s.value("scada.expired/pool/" + k.link)
	}
	last := float64(s.ending.LastNS) / 1e9
	for i := range s.steps {
		if s.steps[i].to < 0 {
			s.steps[i].to = last
		}
	}
	for i := range s.breaks {
		if s.breaks[i].to < 0 {
			s.breaks[i].to = last
		}
	}
	if s.strips != nil {
		s.strips.close(last)
	}
}
