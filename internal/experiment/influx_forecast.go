package experiment

import (
	"cosim/internal/record/influx"
)

// forecastFields are the forecasts of key as a database has them.
type forecastFields struct {
	*KeyForecasts
	fields []influx.Constant
}

// Row implements influx.Deriver.
func (f *forecastFields) Row(tNS int64, values []float64) []influx.Constant {
	f.fields = f.fields[:0]
	for _, k := range f.KeyForecasts.Row(tNS, values) {
		f.fields = append(f.fields,
			influx.Constant{Measurement: influx.Pool, Element: k.Link, Field: influx.FieldForecast, Value: k.poolBits + k.DistilledBits},
			influx.Constant{Measurement: influx.Pool, Element: k.Link, Field: influx.FieldForecastDeviation, Value: k.DistilledSDBits},
		)
	}
	return f.fields
}
