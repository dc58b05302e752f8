package web

import (
	"math"
	"strings"
	"sync"

	"cosim/internal/record/alert"
	cosync "cosim/sync"
)

// How much of a run a feed keeps.
const (
	rowEvery   = 100 * cosync.Millisecond
	rowRoom    = 8192
	seldomRoom = 400
	oftenRoom  = 200
)

// Feed is an observer that keeps what a page shows of a run. It may be read
// from other goroutines.
type Feed struct {
	scene  Scene
	chains map[string]int
	links  map[string]int

	at       map[string]int // of outputs in the frame
	events   []int          // outputs whose events are entries as they are
	pools    []source       // by scene.Pools
	states   []source       // of links, by scene.Links; output -1 for none
	rates    []source
	row      []float32
	plans    gathering
	failures gathering
	late     lateness
	gathered cosync.Time // when they end
	watch    *alert.Watch
	told     []alert.Alert // in the frame at hand

	mu      sync.Mutex
	now     cosync.Time
	history *history
	journal journal
	planned []planned
	changes int64 // of planned
	figures figures
	current []LinkNow
}

// source is an element of an output.
type source struct{ output, element int }

// planned is how a chain travels.
type planned struct {
	Route  int     `json:"route"`
	Mode   string  `json:"mode"`
	Off    bool    `json:"off"`
	Failed int64   `json:"failed"`          // tasks so far
	Cause  string  `json:"cause,omitempty"` // of the last one
	AtS    float64 `json:"failed_at_s"`
	change int64
}

// LinkNow is a link as it is.
type LinkNow struct {
	State   int     `json:"state"` // 0 yields key, 1 broken, 2 error rate above the bound
	RateBPS float64 `json:"rate_bps"`
	Bits    float64 `json:"bits"` // of key that chains can draw
}

// NewFeed makes the feed of a run; the frequencies and pools of its scene are
// filled in with the first frame.
func NewFeed(s Scene) *Feed {
	f := &Feed{scene: s, chains: map[string]int{}, links: map[string]int{}, at: map[string]int{}}
	f.journal.seldom.room, f.journal.often.room = seldomRoom, oftenRoom
	for i, c := range s.Chains {
		f.chains[c.ID] = i
		f.planned = append(f.planned, planned{Mode: c.Mode, Off: c.Off})
	}
	for i, l := range s.Links {
		f.links[l.Name] = i
	}
	f.current = make([]LinkNow, len(s.Links))
	f.watch = newWatch(f)
	return f
}

// silent are outputs of events that the page does not show as they are.
var silent = map[string]bool{"quantum.blocks": true, "ieds.orders": true, "scada.tasks": true, "scada.plan": true}

// Begin implements sync.Observer.
func (f *Feed) Begin(fr *cosync.Frame) error {
	f.mu.Lock()
	for i, o := range fr.Outputs {
		f.at[o.Name] = i
		if o.Port.Kind == cosync.Events && !silent[o.Name] {
			f.events = append(f.events, i)
		}
	}
	if i, ok := f.at["grid.frequency"]; ok {
		f.scene.Frequencies = fr.Outputs[i].Port.Elements
	}
	f.find(fr)
	f.history = newHistory(len(f.scene.Frequencies), len(f.scene.Pools), rowRoom)
	f.row = make([]float32, f.history.width)
	f.figures.begin(f)
	err := f.watch.Begin(fr)
	f.mu.Unlock()
	if err != nil {
		return err
	}
	return f.Observe(fr)
}

// find says where a frame tells of pools and links.
func (f *Feed) find(fr *cosync.Frame) {
	for range f.scene.Links {
		f.states, f.rates = append(f.states, source{-1, 0}), append(f.rates, source{-1, 0})
	}
	each := func(output string, do func(link, i, j int)) {
		i, ok := f.at[output]
		if !ok {
			return
		}
		for j, e := range fr.Outputs[i].Port.Elements {
			_, name, _ := strings.Cut(e, "/")
			if link, known := f.links[name]; known {
				do(link, i, j)
			}
		}
	}
	each("quantum.state", func(link, i, j int) { f.states[link] = source{i, j} })
	each("quantum.rate", func(link, i, j int) { f.rates[link] = source{i, j} })
	each("scada.pool", func(link, i, j int) {
		if store, ok := f.at["scada.store"]; ok && f.scene.Links[link].Store {
			i = store
		}
		f.scene.Pools = append(f.scene.Pools, f.scene.Links[link].Name)
		f.pools = append(f.pools, source{i, j})
	})
}

// Observe implements sync.Observer.
func (f *Feed) Observe(fr *cosync.Frame) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.alert(fr); err != nil {
		return err
	}
	for _, i := range f.events {
		for _, e := range fr.Outputs[i].Events {
			if !f.isTold(e) {
				f.journal.add(Entry{AtS: e.At.Seconds(), Type: e.Type, Element: e.Element, Value: e.Value, Detail: e.Detail})
			}
		}
	}
	if i, ok := f.at["scada.plan"]; ok {
		for _, e := range fr.Outputs[i].Events {
			f.plan(e)
		}
	}
	if i, ok := f.at["scada.tasks"]; ok {
		for _, e := range fr.Outputs[i].Events {
			f.task(e)
		}
	}
	f.figures.observe(f, fr)
	if fr.To >= f.gathered || fr.To >= fr.Stop {
		f.gather(fr.To)
	}
	f.peak(fr)
	f.now = fr.To
	if fr.To%rowEvery == 0 || fr.To >= fr.Stop {
		f.sample(fr)
	}
	return nil
}

// plan follows a change of the plan.
func (f *Feed) plan(e cosync.Event) {
	i, ok := f.chains[e.Element]
	if !ok {
		return
	}
	p := &f.planned[i]
	before := *p
	p.Route, p.Off = int(e.Value), e.Detail == "off"
	if !p.Off {
		p.Mode = e.Detail
	}
	f.changes++
	p.change = f.changes
	switch {
	case p.Off != before.Off && p.Off:
		f.plans.count("off", e.Element)
	case p.Off != before.Off:
		f.plans.count("on", e.Element)
	case p.Route != before.Route:
		f.plans.count("route", e.Element)
	case p.Mode != before.Mode:
		f.plans.count(p.Mode, e.Element)
	}
	if strings.HasPrefix(e.Type, "operator-") {
		f.journal.add(Entry{AtS: e.At.Seconds(), Type: e.Type, Element: e.Element, Value: e.Value, Detail: e.Detail})
	}
}

// task follows the end of a task: its detail is "class mode cause", the cause
// only of a failure.
func (f *Feed) task(e cosync.Event) {
	_, rest, _ := strings.Cut(e.Detail, " ")
	mode, cause, _ := strings.Cut(rest, " ")
	i, ok := f.chains[e.Element]
	f.figures.task(f, i, ok, mode, cause)
	if cause == "" {
		return
	}
	f.failures.count(cause, e.Element)
	if ok {
		p := &f.planned[i]
		f.changes++
		p.Failed, p.Cause, p.AtS, p.change = p.Failed+1, cause, e.At.Seconds(), f.changes
	}
}

// gather ends the second that entries gather.
func (f *Feed) gather(now cosync.Time) {
	f.gathered = now - now%cosync.Second + cosync.Second
	if e, ok := f.plans.entry(EntryPlan, now.Seconds()); ok {
		f.journal.add(e)
	}
	if e, ok := f.failures.entry(EntryFailures, now.Seconds()); ok {
		f.journal.add(e)
	}
	if e, ok := f.late.entry(now, f.scene.DecisionNS); ok {
		f.journal.add(e)
	}
}

// peak keeps the largest deviations since the last row.
func (f *Feed) peak(fr *cosync.Frame) {
	i, ok := f.at["grid.frequency"]
	if !ok {
		return
	}
	for j, hz := range fr.Outputs[i].Values {
		if math.Abs(hz) >= math.Abs(float64(f.row[j])) {
			f.row[j] = float32(hz)
		}
	}
}

// sample adds a row and looks at the links.
func (f *Feed) sample(fr *cosync.Frame) {
	n := len(f.scene.Frequencies)
	for i, p := range f.pools {
		f.row[n+i] = float32(fr.Outputs[p.output].Values[p.element])
		f.current[f.links[f.scene.Pools[i]]].Bits = float64(f.row[n+i])
	}
	f.history.add(int64(fr.To), f.row)
	clear(f.row[:n])
	for i := range f.current {
		if s := f.states[i]; s.output >= 0 {
			f.current[i].State = int(fr.Outputs[s.output].Values[s.element])
		}
		if r := f.rates[i]; r.output >= 0 {
			f.current[i].RateBPS = math.Round(fr.Outputs[r.output].Values[r.element])
		}
	}
}

// End implements sync.Observer.
func (f *Feed) End(error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.gather(f.now)
	return nil
}
