package alert

import (
	"slices"
	"strings"
	"time"

	cosync "cosim/sync"
)

// Stores are the key stores of a run whose chains draw from stores and not from
// the pools themselves: refilled at fixed times, they may be empty while their
// pools are full.
type Stores struct {
	Links    []string
	SafeBits int64         // K_safe
	Period   time.Duration // between two refills
}

// DetailStore is the detail of an alert about a store.
const DetailStore = "store"

// store is one of them. It is over when it has stayed above K_safe from one
// refill to the next: that a refill lifts it for a while is its daily course.
type store struct {
	link    string
	element int         // of scada.pool and scada.store, whose order is one
	raised  bool        // it was below and has not stayed above since
	above   cosync.Time // since when it is above, while it is raised; or -1

	level, pool int // outputs
}

func (w *Watch) findStores(f *cosync.Frame) {
	level, ok := f.Index("scada.store")
	pool, poolOK := f.Index("scada.pool")
	if !ok || !poolOK {
		return
	}
	for i, name := range f.Outputs[level].Port.Elements {
		if link := strings.TrimPrefix(name, "pool/"); slices.Contains(w.limits.Stores.Links, link) {
			w.stores = append(w.stores, store{link: link, element: i, above: -1, level: level, pool: pool})
		}
	}
}

func (w *Watch) hasStore(link string) bool {
	return slices.ContainsFunc(w.stores, func(s store) bool { return s.link == link })
}

// fill looks at what the stores hold, and at what is behind it.
func (w *Watch) fill(f *cosync.Frame) {
	for i := range w.stores {
		s := &w.stores[i]
		bits := min(f.Outputs[s.level].Values[s.element], f.Outputs[s.pool].Values[s.element])
		a := Alert{Run: w.run, At: f.To, Rule: RulePool, Element: s.link, Value: bits, Unit: "bit", Detail: DetailStore}
		switch {
		case bits < float64(w.limits.Stores.SafeBits):
			if !s.raised {
				s.raised = true
				w.hear(a)
			}
			s.above = -1
		case s.raised && s.above < 0:
			s.above = f.To
		case s.raised && f.To-s.above >= cosync.Time(w.limits.Stores.Period):
			s.raised = false
			a.At, a.Over = s.above, true
			w.hear(a)
		}
	}
}
