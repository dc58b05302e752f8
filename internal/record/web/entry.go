package web

import (
	"maps"
	"slices"
)

// Entry is a line of the page's log: an event of the run, or several of one
// second that a person reads as one.
type Entry struct {
	N       int64          `json:"n"` // place among all entries
	AtS     float64        `json:"t"`
	Type    string         `json:"type"`
	Element string         `json:"element,omitempty"`
	Value   float64        `json:"value,omitempty"`
	Detail  string         `json:"detail,omitempty"`
	Counts  map[string]int `json:"counts,omitempty"` // of failures by cause, of changes of plan by kind
	Names   []string       `json:"names,omitempty"`  // the chains concerned, the first few
	// Alert says that a rule of package alert has raised it; Type is that rule.
	// Over: what had raised one is over. Limit is the rule's.
	Alert bool    `json:"alert,omitempty"`
	Over  bool    `json:"over,omitempty"`
	Limit float64 `json:"limit,omitempty"`
}

// Types of entries that gather what happened within a second.
const (
	EntryPlan     = "plan"     // chains whose route, mode or state changed
	EntryFailures = "failures" // tasks that failed
	EntryLate     = "late"     // decisions that took too long or were ended by the clock
)

// mostNames is how many chains an entry names.
const mostNames = 4

// journal keeps the newest entries. What happens all the time has a room of its
// own, so that it never drives out what happens seldom.
type journal struct {
	seldom, often ring
	next          int64
}

type ring struct {
	room    int
	entries []Entry
}

func (j *journal) add(e Entry) {
	e.N = j.next
	j.next++
	r := &j.seldom
	if e.Type == EntryPlan || e.Type == EntryFailures {
		r = &j.often
	}
	if len(r.entries) == r.room {
		r.entries = slices.Delete(r.entries, 0, r.room/4)
	}
	r.entries = append(r.entries, e)
}

// since are the entries from the n-th on, in order.
func (j *journal) since(n int64) []Entry {
	var all []Entry
	for _, r := range []*ring{&j.seldom, &j.often} {
		i, _ := slices.BinarySearchFunc(r.entries, n, func(e Entry, n int64) int { return int(e.N - n) })
		all = append(all, r.entries[i:]...)
	}
	slices.SortFunc(all, func(a, b Entry) int { return int(a.N - b.N) })
	return all
}

// gathering is an entry in the making.
type gathering struct {
	counts map[string]int
	names  []string
}

func (g *gathering) count(what, chain string) {
	if g.counts == nil {
		g.counts = map[string]int{}
	}
	g.counts[what]++
	if len(g.names) < mostNames && !slices.Contains(g.names, chain) {
		g.names = append(g.names, chain)
	}
}

// entry is what was gathered, if anything was.
func (g *gathering) entry(typ string, atS float64) (Entry, bool) {
	if len(g.counts) == 0 {
		return Entry{}, false
	}
	e := Entry{AtS: atS, Type: typ, Counts: maps.Clone(g.counts), Names: slices.Clone(g.names)}
	clear(g.counts)
	g.names = g.names[:0]
	return e, true
}
