package experiment

import (
	"cosim/internal/metrics"
	"cosim/scada"
	cosync "cosim/sync"
)

// forgeries follows the messages that an adversary tampered with, replayed or
// made, until their receiver refuses them. One that nobody refused has
// succeeded.
type forgeries struct {
	waiting []forgery
	taken   int64
}

type forgery struct {
	at cosync.Time
	id uint64
}

// judgedAfter is by when a receiver has judged a message: gateways and control
// centre act at the next step, IEDs at once.
const judgedAfter = cosync.Second

// observe reads what was delivered with a mark, and what was refused since.
func (g *forgeries) observe(now cosync.Time, marked, refused, applied []cosync.Message) {
	for _, m := range marked {
		switch m.Class {
		case "tampered", "replayed", "injected":
			g.waiting = append(g.waiting, forgery{m.At, m.ID})
		}
	}
	if len(g.waiting) == 0 {
		return
	}
	for _, m := range refused {
		g.refuse(m.ID)
	}
	for _, m := range applied {
		if scada.Verdict(m.Payload[0]) != scada.Valid {
			g.refuse(m.ID)
		}
	}
	for len(g.waiting) > 0 && g.waiting[0].at+judgedAfter < now {
		g.taken++
		g.waiting = g.waiting[1:]
	}
}

func (g *forgeries) refuse(id uint64) {
	for i, f := range g.waiting {
		if f.id == id {
			g.waiting = append(g.waiting[:i], g.waiting[i+1:]...)
			return
		}
	}
}

// summary reads the adversaries' counts as the network publishes them. A run
// that ended before its first frame has none.
func (g *forgeries) summary(counts []float64) metrics.AttackSummary {
	if len(counts) == 0 {
		return metrics.AttackSummary{}
	}
	n := func(i int) int64 { return int64(counts[i]) }
	return metrics.AttackSummary{
		Tampered: n(0), Replayed: n(1), Injected: n(2), Delayed: n(3), Dropped: n(4), Succeeded: g.taken,
	}
}
