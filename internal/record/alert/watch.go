package alert

import (
	"math"
	"time"

	cosync "cosim/sync"
)

// Limits of the rules.
type Limits struct {
	SafeHz float64       // Δf_safe
	Period time.Duration // of decisions; 0: none are made
}

// lasting is how long the frequency must stay within its band before that
// counts as its return; so do the metrics.
const lasting = 5 * cosync.Second

// Watch observes one run and tells hear what begins and what is over. Alerts
// about simulated things are the same in each run of one seed; late decisions
// are the machine's.
type Watch struct {
	run    string
	limits Limits
	hear   func(Alert)

	frequency, coi int // output and element, or -1
	outside        bool
	worst          float64
	within         cosync.Time // since when the frequency is back

	decides decider
	decided int
	below   map[string]bool
}

// decider is a federate that decides, and keeps how long it took.
type decider interface{ DecisionTimes() []time.Duration }

var _ cosync.Observer = (*Watch)(nil)

// NewWatch observes the run of the given name.
func NewWatch(run string, limits Limits, hear func(Alert)) *Watch {
	return &Watch{run: run, limits: limits, hear: hear, frequency: -1, below: map[string]bool{}}
}

// Meet looks for the federate that decides.
func (w *Watch) Meet(feds []cosync.Federate) {
	for _, f := range feds {
		if d, ok := f.(decider); ok && w.decides == nil {
			w.decides = d
		}
	}
}

// Begin implements sync.Observer.
func (w *Watch) Begin(f *cosync.Frame) error {
	if i, ok := f.Index("grid.frequency"); ok {
		for j, name := range f.Outputs[i].Port.Elements {
			if name == "coi" {
				w.frequency, w.coi = i, j
			}
		}
	}
	return nil
}

// Observe implements sync.Observer.
func (w *Watch) Observe(f *cosync.Frame) error {
	w.band(f)
	for i := range f.Outputs {
		for _, e := range f.Outputs[i].Events {
			w.pool(e)
		}
	}
	for _, l := range f.Lost {
		w.hear(Alert{Run: w.run, At: l.At, Rule: RuleFederate, Element: l.Federate, Detail: l.Err.Error()})
	}
	w.decision(f.To)
	return nil
}

// End implements sync.Observer.
func (w *Watch) End(error) error { return nil }

func (w *Watch) band(f *cosync.Frame) {
	if w.frequency < 0 || !f.Outputs[w.frequency].Fresh {
		return
	}
	hz := f.Outputs[w.frequency].Values[w.coi]
	a := Alert{Run: w.run, At: f.To, Rule: RuleFrequency, Element: "coi", Value: hz, Limit: w.limits.SafeHz, Unit: "Hz"}
	switch {
	case math.Abs(hz) > w.limits.SafeHz:
		if !w.outside {
			w.outside, w.worst = true, hz
			w.hear(a)
		}
		if math.Abs(hz) > math.Abs(w.worst) {
			w.worst = hz
		}
		w.within = -1
	case w.outside && w.within < 0:
		w.within = f.To
	case w.outside && f.To-w.within >= lasting:
		w.outside = false
		a.At, a.Over, a.Value = w.within, true, w.worst
		w.hear(a)
	}
}

func (w *Watch) pool(e cosync.Event) {
	switch {
	case e.Type == "pool-protect":
		w.below[e.Element] = true
	case e.Type == "pool-recover" && w.below[e.Element]:
		delete(w.below, e.Element)
	default:
		return
	}
	w.hear(Alert{Run: w.run, At: e.At, Rule: RulePool, Element: e.Element, Over: e.Type == "pool-recover", Value: e.Value, Unit: "bit"})
}

func (w *Watch) decision(at cosync.Time) {
	if w.decides == nil {
		return
	}
	times := w.decides.DecisionTimes()
	for ; w.decided < len(times); w.decided++ {
		if took := times[w.decided]; took > w.limits.Period {
			w.hear(Alert{Run: w.run, At: at, Rule: RuleDecision, Value: took.Seconds(), Limit: w.limits.Period.Seconds(), Unit: "s"})
		}
	}
}
