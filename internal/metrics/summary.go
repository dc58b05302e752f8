package metrics

import (
	"errors"
	"fmt"
)

// Summary is the content of a run's summary.json: everything that the run
// found, and nothing of wall-clock time. Names carry their unit; a figure that
// is undefined in this run is null.
type Summary struct {
	Experiment string `json:"experiment"`
	Case       string `json:"case"`
	Seed       uint64 `json:"seed"`
	// DefinitionSHA256 is equal for runs that differ by nothing but the seed.
	DefinitionSHA256 string `json:"definition_sha256"`
	// Complete is false if the run failed or was interrupted: its figures then
	// cover SimulatedS only and cannot be set beside those of whole runs.
	Complete   bool            `json:"complete"`
	SimulatedS Number          `json:"simulated_s"`
	Tasks      TaskSummary     `json:"tasks"`
	Grid       GridSummary     `json:"grid"`
	Recovery   RecoverySummary `json:"recovery"`
	Keys       KeySummary      `json:"keys"`
	Fairness   FairnessSummary `json:"fairness"`
	// Operators are empty where there is one.
	Operators    []OperatorSummary `json:"operators,omitempty"`
	Latency      []ClassLatency    `json:"latency"`
	Attacks      AttackSummary     `json:"attacks"`
	Decisions    DecisionSummary   `json:"decisions"`
	Conservation Conservation      `json:"conservation"`
}

// NewSummary is a summary in which every figure is undefined.
func NewSummary(experiment, gridCase string, seed uint64) *Summary {
	var tasks TaskCounter
	return &Summary{
		Experiment: experiment, Case: gridCase, Seed: seed, SimulatedS: Undefined,
		Tasks: SummarizeTasks(&tasks),
		Grid: GridSummary{
			DeltaFMaxHz: Undefined, DeltaFMaxAtS: Undefined, DeltaFMaxGeneratorsHz: Undefined,
			DeltaFMaxBusesHz: Undefined, DeltaVMaxPU: Undefined, DeltaVMaxAtS: Undefined,
		},
		Recovery: RecoverySummary{DeltaFSafeHz: Undefined, TRRS: Undefined, TRRMaxS: Undefined, Faults: []FaultSummary{}},
		Keys: KeySummary{
			UseCentre: Undefined, UseAll: Undefined, LowestPoolBits: Undefined, LowestPoolAtS: Undefined, SafePoolBits: Undefined,
		},
		Decisions: DecisionSummary{GapP50: Undefined, GapP99: Undefined, GapMax: Undefined},
		Fairness:  FairnessSummary{Median: Undefined, Mean: Undefined, Min: Undefined, SD: Undefined},
		Latency:   []ClassLatency{},
	}
}

// TaskSummary are the figures of tasks, of all and by class.
type TaskSummary struct {
	TaskFigures
	ByClass []ClassTasks `json:"by_class"`
}

// SummarizeTasks reads the counter.
func SummarizeTasks(t *TaskCounter) TaskSummary { return TaskSummary{t.Total(), t.ByClass()} }

// GridSummary are the largest deviations and where they were.
type GridSummary struct {
	DeltaFMaxHz           Number `json:"delta_f_max_hz"` // of the centre of inertia
	DeltaFMaxAtS          Number `json:"delta_f_max_at_s"`
	DeltaFMaxGeneratorsHz Number `json:"delta_f_max_generators_hz"`
	DeltaFMaxGenerator    string `json:"delta_f_max_generator"`
	DeltaFMaxBusesHz      Number `json:"delta_f_max_buses_hz"`
	DeltaFMaxBus          string `json:"delta_f_max_bus"`
	DeltaVMaxPU           Number `json:"delta_v_max_pu"`
	DeltaVMaxBus          string `json:"delta_v_max_bus"`
	DeltaVMaxAtS          Number `json:"delta_v_max_at_s"`
}

// RecoverySummary tells the recovery from each fault.
type RecoverySummary struct {
	DeltaFSafeHz Number         `json:"delta_f_safe_hz"`
	TRRS         Number         `json:"trr_s"` // mean over the faults
	TRRMaxS      Number         `json:"trr_max_s"`
	Unreturned   int            `json:"unreturned"` // faults whose lasting return the run did not see
	Faults       []FaultSummary `json:"faults"`
}

// FaultSummary is the recovery from one fault.
type FaultSummary struct {
	AtS     Number `json:"at_s"`
	What    string `json:"what"`
	TRRS    Number `json:"trr_s"` // a lower bound if Lasting is false
	ReturnS Number `json:"return_s"`
	Lasting bool   `json:"lasting"`
}

// SummarizeRecovery reads the measurement.
func SummarizeRecovery(r *Recovery) RecoverySummary {
	s := RecoverySummary{DeltaFSafeHz: Number(r.safeHz), TRRMaxS: Undefined, Faults: []FaultSummary{}}
	sum := 0.0
	for _, f := range r.Faults() {
		trr := Number(float64(f.TRRNS) / 1e9)
		s.Faults = append(s.Faults, FaultSummary{Number(float64(f.AtNS) / 1e9), f.What, trr, Number(float64(f.ReturnNS) / 1e9), f.Lasting})
		sum += float64(trr)
		if !s.TRRMaxS.Defined() || trr > s.TRRMaxS {
			s.TRRMaxS = trr
		}
		if !f.Lasting {
			s.Unreturned++
		}
	}
	s.TRRS = ratio(sum, float64(len(s.Faults)))
	return s
}

// KeySummary are the figures of key.
type KeySummary struct {
	UseCentre      Number `json:"key_use_centre"` // η_key of the links at a control centre
	UseAll         Number `json:"key_use_all"`    // η_key of all links
	Centre         KeyUse `json:"centre"`
	All            KeyUse `json:"all"`
	LowestPool     string `json:"lowest_pool"`
	LowestPoolBits Number `json:"lowest_pool_bits"`
	LowestPoolAtS  Number `json:"lowest_pool_at_s"`
	SafePoolBits   Number `json:"safe_pool_bits"` // K_safe
}

// FairnessSummary describes F_K over the run.
type FairnessSummary struct {
	Median Number `json:"key_fairness_median"`
	Mean   Number `json:"key_fairness_mean"`
	Min    Number `json:"key_fairness_min"`
	SD     Number `json:"key_fairness_sd"` // standard deviation over time
}

// DecisionSummary tells how well the plans were proven: Gap is (objective −
// bound) / max(1, |objective|). How long decisions took depends on the machine
// and stands in timing.json.
type DecisionSummary struct {
	Count   int64  `json:"count"`
	GapP50  Number `json:"gap_p50"`
	GapP99  Number `json:"gap_p99"`
	GapMax  Number `json:"gap_max"`
	Relaxed int64  `json:"relaxed"` // in which a chance constraint had to give way
}

// AttackSummary counts what adversaries did to messages. A tampered, replayed
// or injected message that a receiver took for genuine is a success of the
// adversary's; there must be none.
type AttackSummary struct {
	Tampered  int64 `json:"tampered"`
	Replayed  int64 `json:"replayed"`
	Injected  int64 `json:"injected"`
	Delayed   int64 `json:"delayed"`
	Dropped   int64 `json:"dropped"`
	Succeeded int64 `json:"succeeded"`
}

// Attempts is the number of attacked messages.
func (a AttackSummary) Attempts() int64 {
	return a.Tampered + a.Replayed + a.Injected + a.Delayed + a.Dropped
}

// Conservation holds what came in and what went out, of things that can
// neither appear nor vanish.
type Conservation struct {
	Key    KeyBalance   `json:"key"`
	Frames FrameBalance `json:"frames"`
}

// KeyBalance is where key bits came from and went:
// initial + generated = consumed + discarded + held.
type KeyBalance struct {
	InitialBits   int64 `json:"initial_bits"`
	GeneratedBits int64 `json:"generated_bits"`
	ConsumedBits  int64 `json:"consumed_bits"`
	DiscardedBits int64 `json:"discarded_bits"` // full pools, unused refills, key lost with a broken link
	HeldBits      int64 `json:"held_bits"`      // in the pools at the end
}

// FrameBalance is what became of the frames given to the network:
// sent = delivered + dropped + in flight.
type FrameBalance struct {
	Sent      int64 `json:"sent"`
	Delivered int64 `json:"delivered"`
	Dropped   int64 `json:"dropped"` // by full queues, broken links, noise or an adversary
	InFlight  int64 `json:"in_flight"`
}

// Check returns an error for each balance that does not close. Then the run is
// wrong, whatever its figures.
func (s *Summary) Check() error {
	var errs []error
	key := s.Conservation.Key
	if in, out := key.InitialBits+key.GeneratedBits, key.ConsumedBits+key.DiscardedBits+key.HeldBits; in != out {
		errs = append(errs, fmt.Errorf("metrics: key is not conserved: %d bits came in, %d are accounted for", in, out))
	}
	frames := s.Conservation.Frames
	if out := frames.Delivered + frames.Dropped + frames.InFlight; frames.Sent != out {
		errs = append(errs, fmt.Errorf("metrics: frames are not conserved: %d sent, %d accounted for", frames.Sent, out))
	}
	for _, c := range s.Tasks.ByClass {
		if c.Pending < 0 {
			errs = append(errs, fmt.Errorf("metrics: class %s has %d outcomes of %d tasks", c.Class, c.Triggers-c.Pending, c.Triggers))
		}
	}
	return errors.Join(errs...)
}
