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
	// Calm is how long decisions must be in time again, in simulated time, before
	// late ones are over; 0: each late decision is told for itself.
	Calm   time.Duration
	Stores Stores
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
	late    lateness
	at      cosync.Time

	below  map[string]bool // pools that are raised
	stores []store
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
	w.findStores(f)
	return nil
}

// Observe implements sync.Observer.
func (w *Watch) Observe(f *cosync.Frame) error {
	w.at = f.To
	w.band(f)
	w.fill(f)
	for i := range f.Outputs {
		for _, e := range f.Outputs[i].Events {
			w.pool(e)
		}
	}
	for _, l := range f.Lost {
		w.hear(Alert{Run: w.run, At: l.At, Rule: RuleFederate, Element: l.Federate, Detail: l.Err.Error()})
	}
	w.decisions()
	return nil
}

// End implements sync.Observer.
func (w *Watch) End(error) error {
	w.endLate()
	return nil
}

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

// pool hears of the thresholds of pools. One that falls again before it was
// above K_th is raised still.
func (w *Watch) pool(e cosync.Event) {
	if w.hasStore(e.Element) {
		return // what chains draw from is watched instead
	}
	raised := w.below[e.Element]
	switch {
	case e.Type == "pool-protect" && !raised:
		w.below[e.Element] = true
	case e.Type == "pool-recover" && raised:
		delete(w.below, e.Element)
	default:
		return
	}
	w.hear(Alert{Run: w.run, At: e.At, Rule: RulePool, Element: e.Element, Over: raised, Value: e.Value, Unit: "bit"})
}
