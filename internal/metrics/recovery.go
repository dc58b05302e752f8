package metrics

import "math"

// The settings of TRR in the paper's experiments.
const (
	SafeHz = 0.05 // Δf_safe
	CalmNS = 5e9  // how long no exceedance must follow for a return to last
)

// Recovery measures the time to resilience recovery, one value a fault:
//
//	TRR = ∫ 1{|Δf(t)| > Δf_safe} dt  from t_fault to t_reco      (equation 20)
//
// with t_reco the lasting return: the first time at or after the fault from
// which |Δf| stays at or below Δf_safe for the calm time (5 s). The paper
// leaves t_reco open. TRR is thus the time spent outside the band, without the
// moments inside it between two exceedances; it is 0 for a fault that the
// frequency does not notice within the calm time.
//
// Sampling: the sample at t stands for [t, t + step), so that TRR is exact to
// one step a crossing. A missing sample (a gap, or NaN) counts as no
// exceedance.
//
// Faults that overlap: each fault's integral runs from its own time to its own
// lasting return, so that an exceedance after a second fault counts for both
// if the first had not lastingly returned. Each value answers "how long was
// the system unsafe after this fault until it was calm"; they are not meant to
// be summed.
//
// A fault from which the run's end hides the lasting return has Lasting false,
// and its TRR is a lower bound.
type Recovery struct {
	safeHz         float64
	calmNS, stepNS int64
	faults         []FaultRecovery
	open           int // faults before this index have returned lastingly
	last           int64
	lastOver       bool
}

// FaultRecovery is the recovery from one fault.
type FaultRecovery struct {
	AtNS     int64  // time of the fault
	What     string // what happened, for people
	TRRNS    int64  // time above Δf_safe until the lasting return
	ReturnNS int64  // time of the lasting return; AtNS if nothing was exceeded
	Lasting  bool   // the calm time after ReturnNS was seen
}

// NewRecovery begins a measurement with samples every stepNS.
func NewRecovery(safeHz float64, calmNS, stepNS int64) *Recovery {
	return &Recovery{safeHz: safeHz, calmNS: calmNS, stepNS: stepNS, last: -stepNS}
}

// Fault announces a fault, before any sample later than it is added. Faults
// come in the order of their times.
func (r *Recovery) Fault(atNS int64, what string) {
	r.faults = append(r.faults, FaultRecovery{AtNS: atNS, What: what, ReturnNS: atNS})
	r.take(&r.faults[len(r.faults)-1], r.last, r.lastOver)
}

// Add takes one sample of Δf; samples come in the order of their times.
func (r *Recovery) Add(tNS int64, deltaFHz float64) {
	r.last, r.lastOver = tNS, math.Abs(deltaFHz) > r.safeHz
	for i := r.open; i < len(r.faults); i++ {
		r.take(&r.faults[i], tNS, r.lastOver)
	}
	for r.open < len(r.faults) && r.faults[r.open].Lasting {
		r.open++
	}
}

// take accounts the sample that stands for [t, t + step) to a fault.
func (r *Recovery) take(f *FaultRecovery, t int64, over bool) {
	from, to := max(t, f.AtNS), t+r.stepNS
	if f.Lasting || to <= from {
		return
	}
	if from-f.ReturnNS >= r.calmNS { // calm went by in a gap between samples
		f.Lasting = true
		return
	}
	if over {
		f.TRRNS += to - from
		f.ReturnNS = to
		return
	}
	f.Lasting = to-f.ReturnNS >= r.calmNS
}

// Faults gives the recovery from each fault so far, in the order of the
// faults. The slice belongs to r.
func (r *Recovery) Faults() []FaultRecovery { return r.faults }
