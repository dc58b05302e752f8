package web

import (
	"time"

	"cosim/internal/record/alert"
	cosync "cosim/sync"
)

// The page says what the alerts of a run say, by the same rules: its log has a
// watch of its own.

func newWatch(f *Feed) *alert.Watch {
	limits := alert.Limits{SafeHz: f.scene.SafeHz, Period: time.Duration(f.scene.DecisionNS)}
	for _, l := range f.scene.Links {
		if l.Store {
			limits.Stores.Links = append(limits.Stores.Links, l.Name)
			limits.Stores.SafeBits = l.SafeBits
		}
	}
	limits.Stores.Period = time.Duration(f.scene.RefillNS)
	return alert.NewWatch(f.scene.Run, limits, func(a alert.Alert) { f.told = append(f.told, a) })
}

// Meet tells the feed of the run's federates, before the first step; without
// it no decision is late.
func (f *Feed) Meet(federates []cosync.Federate) { f.watch.Meet(federates) }

// alert notes what the watch has to say of a frame.
func (f *Feed) alert(fr *cosync.Frame) error {
	f.told = f.told[:0]
	err := f.watch.Observe(fr)
	for _, a := range f.told {
		if a.Rule == alert.RuleDecision {
			f.late.late++
			f.late.last = fr.To
			f.late.longestS = max(f.late.longestS, a.Value)
			f.figures.Late++
			continue
		}
		f.journal.add(Entry{
			AtS: a.At.Seconds(), Type: a.Rule, Element: a.Element, Value: a.Value, Detail: a.Detail, Alert: true, Over: a.Over, Limit: a.Limit,
		})
	}
	return err
}

// isTold says that an alert has told an event of this frame.
func (f *Feed) isTold(e cosync.Event) bool {
	for _, a := range f.told {
		if a.Rule == alert.RulePool && a.Element == e.Element && a.At == e.At {
			return true
		}
	}
	return false
}

// decidedLate says that the decision of this frame took longer than its period.
func (f *Feed) decidedLate() bool {
	for _, a := range f.told {
		if a.Rule == alert.RuleDecision {
			return true
		}
	}
	return false
}

// calm is how long no decision may be late before late ones are over; so does
// the frequency return.
const calm = 5 * cosync.Second

// lateness gathers late decisions: in a run that the machine cannot follow
// there are ten of them a second.
type lateness struct {
	late, cut int // longer than the period; ended by the clock before
	longestS  float64
	last      cosync.Time
	raised    bool
}

// entry is raised by the first late decisions, and over when there was none for
// a while.
func (l *lateness) entry(now cosync.Time, periodNS int64) (Entry, bool) {
	over := l.raised && now-l.last >= calm
	if l.late+l.cut == 0 || l.raised && !over {
		return Entry{}, false
	}
	e := Entry{
		AtS: now.Seconds(), Type: EntryLate, Value: l.longestS, Limit: time.Duration(periodNS).Seconds(), Alert: true, Over: over,
		Counts: map[string]int{"late": l.late, "cut": l.cut},
	}
	if l.raised = !over; over {
		*l = lateness{}
	}
	return e, true
}
