package experiment

import (
	"context"
	"io"
	"math"
	"testing"
	"time"

	"cosim/internal/record"
	"cosim/internal/record/influx"
	"cosim/quantum"
	cosync "cosim/sync"
)

// told is an observer that has forecasters told what the links really did.
type told struct {
	forecasters []quantum.Forecaster
	expected    map[int64][]quantum.Prediction // at the end of the horizon, by time
	pending     map[int64][]float64            // key short of a block, by time
	horizon     int
	blockBits   float64
}

func (o *told) Begin(*cosync.Frame) error { return nil }
func (o *told) End(error) error           { return nil }

func (o *told) Observe(f *cosync.Frame) error {
	if f.To%(100*cosync.Millisecond) != 0 {
		return nil
	}
	get := func(name string) []float64 {
		i, _ := f.Index(name)
		return f.Outputs[i].Values
	}
	key, up, state := get("quantum.key"), get("quantum.up"), get("quantum.state")
	predictions := make([]quantum.Prediction, o.horizon)
	for i, k := range o.forecasters {
		k.Observe(quantum.Observation{KeyBits: key[i], UpNS: int64(up[i]*1e9 + 0.5), Down: state[i] == 1, AboveBound: state[i] == 2})
		k.Forecast(predictions)
		var before float64
		if last := o.pending[int64(f.To-100*cosync.Millisecond)]; last != nil {
			before = last[i]
		}
		o.pending[int64(f.To)] = append(o.pending[int64(f.To)], math.Mod(before+key[i], o.blockBits))
		o.expected[int64(f.To)] = append(o.expected[int64(f.To)], predictions[o.horizon-1])
	}
	return nil
}

// What is derived from a recording is what the control centre's forecasters
// say, breaks included.
func TestForecastsAreDerivedFromTheRecording(t *testing.T) {
	d, err := Load("S-3", Overrides{Set: []string{
		"duration=12s", "disturbances.contingencies.count=0",
		"disturbances.scheduled=[{at: 4s, kind: link-break, link: CC-GW2, duration: 3130ms}]",
	}})
	if err != nil {
		t.Fatal(err)
	}
	real := &told{
		expected: map[int64][]quantum.Prediction{}, pending: map[int64][]float64{},
		horizon: d.Reconfigure.Horizon, blockBits: float64(d.linkConfig(d.quantumLinks()[0]).BlockBits),
	}
	for _, l := range d.quantumLinks() {
		k, err := quantum.NewForecaster(d.Reconfigure.Forecaster, d.linkConfig(l), d.Reconfigure.Period.Nanoseconds())
		if err != nil {
			t.Fatal(err)
		}
		real.forecasters = append(real.forecasters, k)
	}
	res, err := Run(context.Background(), d, RunOptions{Out: t.TempDir(), Observers: []cosync.Observer{real}})
	if err != nil {
		t.Fatal(err)
	}
	log, err := record.Open(res.Dir)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	derive := InfluxRun(d, time.Unix(0, 0)).Derive(log.Columns())
	recorded, err := RecordedForecasts(res.Dir, log.Columns())
	if err != nil {
		t.Fatal(err)
	}
	pools := map[string]int{}
	for i, c := range log.Columns() {
		pools[c.Name] = i
	}
	rows, worst, worstBlocks := 0, 0.0, 0.0
	for {
		r, err := log.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if r.Kind == record.KindEvent {
			derive.Event(&r.Event)
			recorded.Event(&r.Event)
			continue
		}
		fields := derive.Row(r.TimeNS, r.Values)
		forecasts := recorded.Row(r.TimeNS, r.Values)
		want := real.expected[r.TimeNS]
		if len(forecasts) != len(want) {
			t.Fatalf("%d forecasts for %d links", len(forecasts), len(want))
		}
		if len(fields) != 2*len(want) {
			t.Fatalf("%d fields for %d links", len(fields), len(want))
		}
		for i, w := range want {
			rows++
			blocks, _ := w.Delivered(real.pending[r.TimeNS][i], int(real.blockBits))
			worstBlocks = max(worstBlocks, math.Abs(forecasts[i].DeliveredBits-blocks)/real.blockBits)
			mean, sd := fields[2*i], fields[2*i+1]
			stock := r.Values[pools["scada.pool/pool/"+mean.Element]]
			if mean.Field != influx.FieldForecast || sd.Field != influx.FieldForecastDeviation {
				t.Fatalf("%+v, %+v", mean, sd)
			}
			worst = max(worst, math.Abs(mean.Value-stock-w.KeyBits)/math.Max(100, w.KeyBits), math.Abs(sd.Value-math.Sqrt(w.KeyBitsVar))/math.Max(10, math.Sqrt(w.KeyBitsVar)))
		}
	}
	t.Logf("%d forecasts, largest difference %.2g, %.2g blocks", rows, worst, worstBlocks)
	if rows != 120*8 || worst > 0.01 || worstBlocks > 0.1 {
		t.Errorf("%d forecasts, largest difference %.2g, %.2g blocks", rows, worst, worstBlocks)
	}
}
