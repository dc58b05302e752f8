package terminal

import (
	"fmt"
	"io"

	"cosim/internal/experiment"
)

// Forecasts prints how good the forecasters were.
func Forecasts(w io.Writer, rows []experiment.ForecastRow, format Format) error {
	s := &sheet{columns: []column{
		{key: "length_km", head: "length / km"},
		{key: "link", head: "link"},
		{key: "forecaster", head: "forecaster"},
		{key: "rmse_1", head: "RMSE 1 step / %", decimals: 2},
		{key: "rmse_10", head: "10 steps / %", decimals: 2},
		{key: "bias_10", head: "bias / %", decimals: 2},
		{key: "cover_1", head: "95 % holds G", decimals: 1},
		{key: "cover_10", head: "10 steps", decimals: 1},
		{key: "cover_key", head: "key of 10 steps", decimals: 1},
		{key: "samples"},
	}}
	for _, r := range rows {
		link := "calm"
		if r.Surge {
			link = "surge"
		}
		s.add(r.LengthKM, link, r.Forecaster, 100*r.RMSE1, 100*r.RMSE10, 100*r.Bias10, 100*r.Cover1, 100*r.Cover10, 100*r.CoverK, float64(r.Samples))
	}
	switch format {
	case JSON:
		return writeJSON(w, s)
	case CSV:
		return s.writeCSV(w)
	}
	fmt.Fprintln(w, "errors of the key rate G relative to the nominal rate; shares of the time, in %, in which the 95 % interval held")
	s.print(w, all(len(rows)), func(int) bool { return false })
	return nil
}
