package grid

import (
	"fmt"
	"math"
)

// Event is what happens at time zero in [ComputeStep]; everything set in it
// happens together.
type Event struct {
	LoadBus    string // bus of a load step, "" for none
	LoadMW     float64
	LoadMVAr   float64
	TripGen    string // bus of a generator to trip
	TripBranch string // id of a branch to open
}

// StepResponse is the answer of a settled system to an event. Frequencies are
// deviations from nominal; the extremes are over all samples, 10 ms apart.
type StepResponse struct {
	Case             *Case   `json:"-"`
	NadirHz          float64 // COI deviation of greatest size, with its sign
	NadirAtS         float64
	RoCoF500msHzS    float64 // mean slope of the COI frequency in the first 500 ms
	EndHz            float64
	MaxGenHz         float64 // speed deviation of greatest size, with its sign
	MaxGenBus        string
	MinVoltagePU     float64
	MinVoltageBus    string
	MaxVoltageStepPU float64 // greatest |V − V before the event| at the end, p.u.
	MaxVoltageBus    string
	// PeakVoltageChangePU is the greatest |V − V before the event| of all
	// samples and buses, p.u.
	PeakVoltageChangePU float64
	TimeS               []float64
	COIFreqHz           []float64
	GenFreqHz           [][]float64 // a row a sample, a column a generator of the case
	BusVoltagePU        [][]float64 // a row a sample, a column a bus of the case
	BeforeVoltagePU     []float64
	// Mechanical power of every generator before the event and at the end.
	BeforeMechanicalMW, EndMechanicalMW []float64
}

// ComputeStep runs the settled system of c for some seconds after an event.
func ComputeStep(c *Case, opt Options, event Event, seconds float64) (*StepResponse, error) {
	const samples = 1_000_000 // some three hours; beyond it the argument is a mistake
	if !(seconds > 0 && seconds*100 <= samples) {
		return nil, fmt.Errorf("grid: step response over %g s, want more than 0 and at most %d", seconds, samples/100)
	}
	s, err := NewSimulator(c, opt)
	if err != nil {
		return nil, err
	}
	r := &StepResponse{Case: c, MinVoltagePU: math.Inf(1), BeforeVoltagePU: make([]float64, len(c.Buses))}
	s.BusVoltagePU(r.BeforeVoltagePU)
	r.BeforeMechanicalMW, r.EndMechanicalMW = make([]float64, len(c.Gens)), make([]float64, len(c.Gens))
	s.GenMechanicalMW(r.BeforeMechanicalMW)
	if err := s.apply(event); err != nil {
		return nil, err
	}
	r.sample(s)
	per := int(noiseStepNS / s.sys.opt.StepNS)
	for range int(math.Round(seconds * 100)) {
		s.Step(per)
		r.sample(s)
	}
	s.GenMechanicalMW(r.EndMechanicalMW)
	r.finish()
	return r, nil
}

// apply lets an event happen now. Trips together are one change of topology:
// what either would do alone is no matter.
func (s *Simulator) apply(e Event) error {
	f := &faults{}
	t := s.top.clone()
	if e.LoadBus != "" {
		if bus, ok := s.BusIndex(e.LoadBus); ok {
			s.AddLoadMW(bus, e.LoadMW, e.LoadMVAr)
		} else {
			f.add(Position{}, "grid: case %s has no bus %q", s.sys.c.Name, e.LoadBus)
		}
	}
	if e.TripGen != "" {
		if gen, ok := s.GenIndex(e.TripGen); !ok {
			f.add(Position{}, "grid: case %s has no generator at bus %q", s.sys.c.Name, e.TripGen)
		} else if err := s.takeGenerator(t, gen); err != nil {
			return err
		}
	}
	if e.TripBranch != "" {
		if branch, ok := s.BranchIndex(e.TripBranch); !ok {
			f.add(Position{}, "grid: case %s has no branch %q", s.sys.c.Name, e.TripBranch)
		} else if err := s.takeBranch(t, branch); err != nil {
			return err
		}
	}
	if err := f.join(); err != nil || e.TripGen == "" && e.TripBranch == "" {
		return err
	}
	return s.enter(t)
}

// BeyondLinear tells whether the answer leaves the range of the linear model
// ([BeyondLinear]).
func (r *StepResponse) BeyondLinear() bool {
	return BeyondLinear(r.MaxGenHz, r.PeakVoltageChangePU)
}

func (r *StepResponse) sample(s *Simulator) {
	t, f := float64(s.TimeNS())*1e-9, s.COIFreqHz()
	gens, volts := make([]float64, len(r.Case.Gens)), make([]float64, len(r.Case.Buses))
	s.GenFreqHz(gens)
	s.BusVoltagePU(volts)
	r.TimeS, r.COIFreqHz = append(r.TimeS, t), append(r.COIFreqHz, f)
	r.GenFreqHz, r.BusVoltagePU = append(r.GenFreqHz, gens), append(r.BusVoltagePU, volts)
	if math.Abs(f) > math.Abs(r.NadirHz) {
		r.NadirHz, r.NadirAtS = f, t
	}
	for g, v := range gens {
		if math.Abs(v) > math.Abs(r.MaxGenHz) {
			r.MaxGenHz, r.MaxGenBus = v, r.Case.Gens[g].Bus
		}
	}
	for i, v := range volts {
		if v < r.MinVoltagePU {
			r.MinVoltagePU, r.MinVoltageBus = v, r.Case.Buses[i].ID
		}
		r.PeakVoltageChangePU = math.Max(r.PeakVoltageChangePU, math.Abs(v-r.BeforeVoltagePU[i]))
	}
}

func (r *StepResponse) finish() {
	last := len(r.TimeS) - 1
	r.EndHz = r.COIFreqHz[last]
	half := min(50, last)
	r.RoCoF500msHzS = r.COIFreqHz[half] / r.TimeS[half]
	for i, v := range r.BusVoltagePU[last] {
		if d := math.Abs(v - r.BeforeVoltagePU[i]); d > r.MaxVoltageStepPU {
			r.MaxVoltageStepPU, r.MaxVoltageBus = d, r.Case.Buses[i].ID
		}
	}
}
