package alert

import (
	"time"

	cosync "cosim/sync"
)

// DetailEnded is the detail of late decisions that were not over when the run
// ended.
const DetailEnded = "the run ended"

// lateness gathers late decisions: on a machine that cannot follow each one is.
type lateness struct {
	count   int           // since they were raised; 0: they are not
	slowest time.Duration // of them
	since   cosync.Time   // when decisions are in time again, or -1
}

// decisions looks at those since it was last called.
func (w *Watch) decisions() {
	if w.decides == nil {
		return
	}
	times := w.decides.DecisionTimes()
	for ; w.decided < len(times); w.decided++ {
		if took := times[w.decided]; took > w.limits.Period {
			w.decidedLate(took)
		} else if w.late.count > 0 && w.late.since < 0 {
			w.late.since = w.at
		}
	}
	if l := w.late; l.count > 0 && l.since >= 0 && w.at-l.since >= cosync.Time(w.limits.Calm) {
		w.lateOver(l.since, "")
	}
}

func (w *Watch) decidedLate(took time.Duration) {
	if w.late.count == 0 {
		w.hear(Alert{Run: w.run, At: w.at, Rule: RuleDecision, Value: took.Seconds(), Limit: w.limits.Period.Seconds(), Unit: "s"})
	}
	if w.limits.Calm > 0 {
		w.late = lateness{count: w.late.count + 1, slowest: max(w.late.slowest, took), since: -1}
	}
}

func (w *Watch) lateOver(at cosync.Time, detail string) {
	w.hear(Alert{
		Run: w.run, At: at, Rule: RuleDecision, Over: true, Value: w.late.slowest.Seconds(), Limit: w.limits.Period.Seconds(), Unit: "s",
		Count: w.late.count, Detail: detail,
	})
	w.late = lateness{}
}

// endLate says how many there were when a run ends.
func (w *Watch) endLate() {
	if w.late.count > 0 {
		w.lateOver(w.at, DetailEnded)
	}
}
