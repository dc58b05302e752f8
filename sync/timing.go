package sync

import "time"

// Timing is where a run's wall time went. It is no part of its results.
type Timing struct {
	Wall      time.Duration
	WorstLag  time.Duration // behind the pace asked for; 0 without pacing
	Federates []FederateTiming
}

// FederateTiming is the wall time of one federate's steps.
type FederateTiming struct {
	Name       string
	Steps      int64
	Total, Max time.Duration
}

// Timing returns the timings of a run that has ended, federates in the order
// given.
func (m *Master) Timing() Timing {
	_, worst := m.Lag()
	t := Timing{Wall: m.wall, WorstLag: worst}
	for _, f := range m.members {
		t.Federates = append(t.Federates, FederateTiming{f.about.Name, f.steps, f.total, f.max})
	}
	return t
}

// Lag returns how far a paced run is behind its pace, now and at worst. It
// may be called from any goroutine, also during the run.
func (m *Master) Lag() (now, worst time.Duration) {
	return time.Duration(m.pacer.lag.Load()), time.Duration(m.pacer.worst.Load())
}
