package federates

import (
	"math"

	"cosim/internal/metrics"
	"cosim/scada"
	cosync "cosim/sync"
)

// FairnessEvery is how often key fairness is published.
const FairnessEvery = 100 * cosync.Millisecond

// fairnessWindow is how long ago the tasks were triggered at most that count.
const fairnessWindow = 10 * cosync.Second

// fairness keeps what operators asked of the pools and what they were granted.
type fairness struct {
	window         *metrics.Fairness
	asked, granted []float64 // bits since the start, by operator
}

func newFairness(operators int) *fairness {
	return &fairness{
		window: metrics.NewFairness(operators, int64(fairnessWindow), int64(FairnessEvery)),
		asked:  make([]float64, operators), granted: make([]float64, operators),
	}
}

// fairnessPorts are the outputs of a federate with several operators.
func fairnessPorts(operators []scada.Operator) []cosync.Port {
	names := make([]string, len(operators))
	for i, o := range operators {
		names[i] = o.Name
	}
	return []cosync.Port{
		{Name: "fairness", Kind: cosync.Vector, Unit: "1", Elements: append([]string{"index"}, names...)},
		{Name: "asked", Kind: cosync.Vector, Unit: "bit", Elements: names},
		{Name: "granted", Kind: cosync.Vector, Unit: "bit", Elements: names},
	}
}

// step takes the moves of a step, and publishes at multiples of FairnessEvery.
func (f *fairness) step(out *scada.Output, st *cosync.Step) {
	if f == nil {
		return
	}
	for _, m := range out.Key {
		f.window.Ask(m.Operator, m.TriggerNS, float64(m.AskedBits))
		f.window.Grant(m.Operator, m.TriggerNS, float64(m.DrawnBits))
		f.asked[m.Operator] += float64(m.AskedBits)
		f.granted[m.Operator] += float64(m.DrawnBits)
	}
	if st.To%FairnessEvery == 0 {
		f.publish(st.Out, st.To)
	}
}

// publish writes the index, and the operators' shares. One who asked for
// nothing lacks nothing: its share is 1, and it does not count in the index.
func (f *fairness) publish(out []cosync.Signal, now cosync.Time) {
	if f == nil {
		return
	}
	values := out[scadaFairness].Values
	values[0] = 1
	if x := f.window.Index(int64(now) - 1); x.Defined() {
		values[0] = float64(x)
	}
	for i, s := range f.window.Shares(int64(now) - 1) {
		if values[1+i] = s; math.IsNaN(s) {
			values[1+i] = 1
		}
	}
	copy(out[scadaAsked].Values, f.asked)
	copy(out[scadaGranted].Values, f.granted)
}
