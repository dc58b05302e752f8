package experiment

import (
	"math"

	"cosim/federates"
	"cosim/internal/record"
	"cosim/internal/record/influx"
	"cosim/quantum"
)

// forecasts make the control centre's forecasts of key again, from the series
// and events of a run. What a link yields in a step that begins in a break is
// known to the rate at its end only; all else is what the forecasters were told.
type forecasts struct {
	links       []linkForecast
	stepNS      int64
	predictions []quantum.Prediction
	fields      []influx.Constant
}

// linkForecast is that of one link and its pool.
type linkForecast struct {
	name       string
	forecaster quantum.Forecaster
	rate, pool int // columns
	lastBPS    float64
	down       bool
	sinceNS    int64 // of the row's step that is accounted for
	upNS       int64
}

// newForecasts makes those of all links whose columns the log has.
func newForecasts(d *Definition, columns []record.Column) *forecasts {
	at := map[string]int{}
	for i, c := range columns {
		at[c.Name] = i
	}
	f := &forecasts{stepNS: d.Reconfigure.Period.Nanoseconds(), predictions: make([]quantum.Prediction, d.Reconfigure.Horizon)}
	for _, l := range d.quantumLinks() {
		forecaster, err := quantum.NewForecaster(d.Reconfigure.Forecaster, d.linkConfig(l), f.stepNS)
		rate, hasRate := at["quantum.rate/link/"+l.Name]
		pool, hasPool := at["scada.pool/pool/"+l.Name]
		if err != nil || !hasRate || !hasPool {
			continue // of a federate outside, or of another version
		}
		f.links = append(f.links, linkForecast{name: l.Name, forecaster: forecaster, rate: rate, pool: pool})
	}
	return f
}

// Event implements influx.Deriver.
func (f *forecasts) Event(e *record.Event) {
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

// Row implements influx.Deriver.
func (f *forecasts) Row(tNS int64, values []float64) []influx.Constant {
	f.fields = f.fields[:0]
	for i := range f.links {
		l := &f.links[i]
		l.account(tNS)
		rate := values[l.rate]
		if tNS > 0 {
			from, to := l.lastBPS, rate
			if from == 0 {
				from = to
			}
			if l.down {
				to = from
			}
			l.forecaster.Observe(quantum.Observation{
				UpNS: l.upNS, KeyBits: (from + to) / 2 * float64(l.upNS) / 1e9, Down: l.down, AboveBound: !l.down && rate == 0,
			})
			l.forecaster.Forecast(f.predictions)
			last := f.predictions[len(f.predictions)-1]
			f.fields = append(f.fields,
				influx.Constant{Measurement: influx.Pool, Element: l.name, Field: influx.FieldForecast, Value: values[l.pool] + last.KeyBits},
				influx.Constant{Measurement: influx.Pool, Element: l.name, Field: influx.FieldForecastDeviation, Value: math.Sqrt(last.KeyBitsVar)},
			)
		}
		l.lastBPS, l.upNS = rate, 0
	}
	return f.fields
}
