package experiment

import (
	"fmt"
	"math"
	"path/filepath"

	"cosim/federates"
	"cosim/internal/record"
	"cosim/quantum"
)

// KeyForecasts make the control centre's forecasts of key again, from the
// series and events of a run. What a link yields in a step that begins in a
// break is known to the rate at its end only; all else is what the forecasters
// were told.
type KeyForecasts struct {
	HorizonNS   int64 // of a forecast
	links       []linkForecast
	predictions []quantum.Prediction
	now         []KeyForecast
}

// KeyForecast is what is expected of a link over the horizon, in bits: mean and
// standard deviation of the key distilled, and of the whole blocks delivered, as
// decisions have it.
type KeyForecast struct {
	Link                           string
	DistilledBits, DistilledSDBits float64
	DeliveredBits, DeliveredSDBits float64
	StepBits                       float64 // distilled in the step that has just ended
	// FinishedBits are blocks of that step. Decisions find them in the pool, the
	// row has them not yet.
	FinishedBits float64
	poolBits     float64
}

// linkForecast is that of one link and its pool.
type linkForecast struct {
	name                  string
	forecaster            quantum.Forecaster
	rate, pool, generated int // columns
	blockBits             int
	pendingBits           float64 // distilled, but not delivered
	generatedBits         float64
	lastBPS               float64
	down                  bool
	sinceNS               int64 // of the row's step that is accounted for
	upNS                  int64
}

// RecordedForecasts are those of a run's folder whose log has the columns; nil
// where nothing is forecast, or not at the times of the log's rows.
func RecordedForecasts(dir string, columns []record.Column) (*KeyForecasts, error) {
	d, err := Load(filepath.Join(dir, record.ManifestName), Overrides{})
	if err != nil {
		return nil, fmt.Errorf("this version does not read the %s of %s: %w", record.ManifestName, dir, err)
	}
	if !d.forecasts() {
		return nil, nil
	}
	return newKeyForecasts(d, columns), nil
}

// forecasts says whether the control centre forecasts key at every row of the
// series.
func (d *Definition) forecasts() bool {
	r := d.Reconfigure
	return r.Solver != SolverNone && r.Forecaster != forecastNone && r.Period == d.Steps.Record
}

// newKeyForecasts makes those of all links whose columns the log has.
func newKeyForecasts(d *Definition, columns []record.Column) *KeyForecasts {
	at := map[string]int{}
	for i, c := range columns {
		at[c.Name] = i
	}
	step := d.Reconfigure.Period.Nanoseconds()
	f := &KeyForecasts{
		HorizonNS: int64(d.Reconfigure.Horizon) * step, predictions: make([]quantum.Prediction, d.Reconfigure.Horizon),
	}
	for _, l := range d.quantumLinks() {
		cfg := d.linkConfig(l)
		forecaster, err := quantum.NewForecaster(d.Reconfigure.Forecaster, cfg, step)
		rate, hasRate := at["quantum.rate/link/"+l.Name]
		pool, hasPool := at["scada.pool/pool/"+l.Name]
		generated, hasGenerated := at["scada.generated/pool/"+l.Name]
		if err != nil || !hasRate || !hasPool || !hasGenerated {
			continue // of a federate outside, or of another version
		}
		f.links = append(f.links, linkForecast{
			name: l.Name, forecaster: forecaster, rate: rate, pool: pool, generated: generated, blockBits: cfg.BlockBits,
		})
	}
	return f
}

// Event hears of an event of the log.
func (f *KeyForecasts) Event(e *record.Event) {
	for i := range f.links {
		l := &f.links[i]
		if l.name != e.Element {
			continue
		}
		switch e.Type {
		case federates.EventLinkDown, "key-" + quantum.EventBreak.String():
			l.account(e.AtNS)
			l.down = true
		case federates.EventLinkUp, "key-" + quantum.EventRepair.String():
			l.account(e.AtNS)
			l.down = false
		}
	}
}

func (l *linkForecast) account(atNS int64) {
	if !l.down {
		l.upNS += atNS - l.sinceNS
	}
	l.sinceNS = atNS
}

// Row hears of a row of the log and returns what is forecast at its time, by
// link; nothing at the start. It is valid until the next call.
func (f *KeyForecasts) Row(tNS int64, values []float64) []KeyForecast {
	f.now = f.now[:0]
	for i := range f.links {
		l := &f.links[i]
		l.account(tNS)
		if tNS > 0 {
			f.now = append(f.now, l.forecast(values, f.predictions))
		}
		l.lastBPS, l.upNS, l.generatedBits = values[l.rate], 0, values[l.generated]
	}
	return f.now
}

// forecast takes in the step that has just ended, and looks ahead.
func (l *linkForecast) forecast(values []float64, predictions []quantum.Prediction) KeyForecast {
	rate := values[l.rate]
	from, to := l.lastBPS, rate
	if from == 0 {
		from = to
	}
	if l.down {
		to = from
	}
	key := (from + to) / 2 * float64(l.upNS) / 1e9
	l.forecaster.Observe(quantum.Observation{UpNS: l.upNS, KeyBits: key, Down: l.down, AboveBound: !l.down && rate == 0})
	l.forecaster.Forecast(predictions)
	// A block finished in the step before is delivered in this row; what the rates
	// of rows leave open of the key is settled by it.
	block := float64(l.blockBits)
	l.pendingBits = max(0, l.pendingBits-(values[l.generated]-l.generatedBits))
	l.pendingBits = min(l.pendingBits, block-1) + key
	short := math.Mod(l.pendingBits, block)
	last := predictions[len(predictions)-1]
	mean, variance := last.Delivered(short, l.blockBits)
	return KeyForecast{
		Link: l.name, DistilledBits: last.KeyBits, DistilledSDBits: math.Sqrt(last.KeyBitsVar),
		DeliveredBits: mean, DeliveredSDBits: math.Sqrt(variance),
		StepBits: key, FinishedBits: l.pendingBits - short, poolBits: values[l.pool],
	}
}
