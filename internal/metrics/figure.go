package metrics

import "fmt"

// Better says which direction of a figure is good.
type Better int8

// The directions.
const (
	Lower   Better = -1
	Neither Better = 0
	Higher  Better = 1
)

// Figure is one line of a comparison of runs.
type Figure struct {
	Key      string // unique and stable, for example "delta_f_max_hz" or "p_succ/agc"
	Label    string // for people
	Unit     string // "" for counts and ratios
	Better   Better
	Headline bool // one of the paper's figures
	Value    Number
}

// Figures lists the figures of a run in a fixed order, the paper's first, so
// that runs can be set side by side by Key. Runs with other classes of task
// have other figures behind the common ones.
func (s *Summary) Figures() []Figure {
	failed := s.Tasks.Failed
	figures := []Figure{
		{"p_succ", "task success", "", Higher, true, s.Tasks.PSucc},
		{"delta_f_max_hz", "Δf_max", "Hz", Lower, true, s.Grid.DeltaFMaxHz},
		{"key_use_centre", "key use, centre", "", Higher, true, s.Keys.UseCentre},
		{"trr_s", "recovery, mean", "s", Lower, true, s.Recovery.TRRS},
		{"key_fairness_median", "key fairness, median", "", Higher, true, s.Fairness.Median},
		{"p_succ_strict", "task success, strict", "", Higher, false, s.Tasks.PSuccStrict},
		{"delta_f_max_generators_hz", "Δf_max, generators", "Hz", Lower, false, s.Grid.DeltaFMaxGeneratorsHz},
		{"delta_f_max_buses_hz", "Δf_max, buses", "Hz", Lower, false, s.Grid.DeltaFMaxBusesHz},
		{"delta_v_max_pu", "ΔV_max", "pu", Lower, false, s.Grid.DeltaVMaxPU},
		{"key_use_all", "key use, all links", "", Higher, false, s.Keys.UseAll},
		{"trr_max_s", "recovery, longest", "s", Lower, false, s.Recovery.TRRMaxS},
		{"lowest_pool_bits", "lowest pool", "bit", Higher, false, s.Keys.LowestPoolBits},
		{"tasks_triggered", "tasks", "", Neither, false, Number(s.Tasks.Triggers)},
		{"tasks_degraded", "degraded", "", Lower, false, Number(s.Tasks.Degraded)},
		{"failed_no_key", "failed: no-key", "", Lower, false, Number(failed.NoKey)},
		{"failed_link_down", "failed: link-down", "", Lower, false, Number(failed.LinkDown)},
		{"failed_late", "failed: late", "", Lower, false, Number(failed.Late)},
		{"failed_queue_drop", "failed: queue-drop", "", Lower, false, Number(failed.QueueDrop)},
		{"failed_rejected", "failed: rejected", "", Lower, false, Number(failed.Rejected)},
		{"failed_deactivated", "failed: deactivated", "", Lower, false, Number(failed.Deactivated)},
	}
	if s.Attacks.Attempts() > 0 {
		figures = append(figures,
			Figure{"attacks", "attacked messages", "", Neither, false, Number(s.Attacks.Attempts())},
			Figure{"attacks_succeeded", "attacks that succeeded", "", Lower, false, Number(s.Attacks.Succeeded)})
	}
	if len(s.Operators) > 0 {
		figures = append(figures,
			Figure{"key_fairness_mean", "key fairness, mean", "", Higher, false, s.Fairness.Mean},
			Figure{"key_fairness_min", "key fairness, lowest", "", Higher, false, s.Fairness.Min},
			Figure{"key_fairness_sd", "key fairness, deviation over time", "", Lower, false, s.Fairness.SD})
	}
	for _, o := range s.Operators {
		figures = append(figures,
			Figure{"operator_p_succ/" + o.Operator, "task success, " + o.Operator, "", Higher, false, o.PSucc},
			Figure{"operator_key_share/" + o.Operator, "key granted of asked, " + o.Operator, "", Higher, false, o.KeyShare})
	}
	for _, c := range s.Tasks.ByClass {
		figures = append(figures, Figure{"p_succ/" + c.Class, fmt.Sprintf("task success, %s", c.Class), "", Higher, false, c.PSucc})
	}
	for _, c := range s.Latency {
		figures = append(figures,
			Figure{"latency_p50_s/" + c.Class, fmt.Sprintf("latency p50, %s", c.Class), "s", Lower, false, c.P50S},
			Figure{"latency_p99_s/" + c.Class, fmt.Sprintf("latency p99, %s", c.Class), "s", Lower, false, c.P99S})
	}
	return figures
}
