package terminal

import (
	"fmt"
	"io"
	"math"
	"strings"

	"cosim/internal/experiment"
	"cosim/quantum"
)

// Links prints what the rate models say of an experiment's QKD links: for
// people the links themselves and then the models side by side over distance,
// with published also beside real systems; for machines the distances.
func Links(w io.Writer, s *experiment.LinkStudy, published bool, format Format) error {
	distances := distanceSheet(s)
	switch format {
	case JSON:
		return writeJSON(w, struct {
			Experiment string  `json:"experiment"`
			Links      *sheet  `json:"links"`
			Models     []reach `json:"models"`
			Distances  *sheet  `json:"distances"`
			Published  *sheet  `json:"published,omitempty"`
		}{s.Name, yieldSheet(s), reaches(s), distances, publishedSheet(s, published)})
	case CSV:
		return distances.writeCSV(w)
	}
	good := func(int) bool { return false }
	c := &s.Base
	head(w, fmt.Sprintf("%s  %s  QKD links  %s", s.Name, s.Case, c.Model), thousands(int64(c.PulseRateHz))+" pulses/s")
	figure(w, "fibre", "%g dB/km", c.AttenuationDBPerKM)
	figure(w, "detectors", "efficiency %g, dark counts %g a gate, misalignment %g", c.DetectorEfficiency, c.DarkCountProb, c.Misalignment)
	for _, m := range s.Models {
		words := fmt.Sprintf("key up to %.0f km", m.ReachKM)
		if m.ReachKM == 0 {
			words = "no key at any distance"
		}
		if p := len(m.Points) - 1; p >= 0 && m.Points[0].BlockS > 0 {
			words += fmt.Sprintf(", a block of %s bits takes %s s at %g km", thousands(int64(c.Decoy.BlockBits)), bitRate(m.Points[0].BlockS), m.Points[0].LengthKM)
			if p > 0 {
				words += fmt.Sprintf(" and %s s at %g km", bitRate(m.Points[p].BlockS), m.Points[p].LengthKM)
			}
		}
		figure(w, "reach", "%s: %s", m.Name, words)
	}
	if len(s.Links) > 0 {
		fmt.Fprintf(w, "\nlinks (%d), undisturbed\n", len(s.Links))
		yieldSheet(s).print(w, all(len(s.Links)), good)
	}
	if len(s.LengthsKM) > 0 {
		fmt.Fprintf(w, "\nkey rate in bit/s over distance, in brackets the QBER in %%\n")
		sideBySide(s).print(w, all(len(s.LengthsKM)), good)
	}
	if p := publishedSheet(s, published); p != nil {
		fmt.Fprintf(w, "\npublished rates, and the models at the same length, loss and clock with the detectors above\n")
		p.print(w, all(len(p.rows)), good)
	}
	return nil
}

type reach struct {
	Model   string   `json:"model"`
	ReachKM *float64 `json:"reach_km"` // nil: farther than was looked
}

func reaches(s *experiment.LinkStudy) []reach {
	var list []reach
	for _, m := range s.Models {
		r := reach{Model: m.Name}
		if !math.IsInf(m.ReachKM, 0) {
			r.ReachKM = &m.ReachKM
		}
		list = append(list, r)
	}
	return list
}

func yieldSheet(s *experiment.LinkStudy) *sheet {
	t := &sheet{columns: []column{
		{key: "link", head: "link"},
		{key: "length_km", head: "length / km"},
		{key: "loss_db", head: "loss / dB", decimals: 1},
		{key: "qber", decimals: 4},
		{key: "", head: "QBER / %", decimals: 2},
		{key: "rate_bps", head: "key rate / bit/s"},
		{key: "block_s", head: "a block / s", decimals: 1},
		{key: "safe_bits", head: "K_safe / bit"},
		{key: "threshold_bits", head: "K_th / bit"},
		{key: "cap_bits", head: "K_cap / bit"},
		{key: "", head: "K_th takes / s", decimals: 1},
	}}
	for _, l := range s.Links {
		fill := any(nil)
		if l.RateBPS > 0 {
			fill = float64(l.ThresholdBits) / l.RateBPS
		}
		t.add(l.Name, l.LengthKM, l.LossDB, l.QBER, 100*l.QBER, l.RateBPS, block(l.LinkPoint),
			float64(l.SafeBits), float64(l.ThresholdBits), float64(l.CapBits), fill)
	}
	return t
}

// block is how long one takes to fill, or nothing.
func block(p experiment.LinkPoint) any {
	if p.BlockS == 0 {
		return nil
	}
	return p.BlockS
}

// distanceSheet has a row for each distance and model.
func distanceSheet(s *experiment.LinkStudy) *sheet {
	t := &sheet{columns: []column{
		{key: "model"}, {key: "length_km"}, {key: "loss_db"}, {key: "qber"}, {key: "rate_bps"}, {key: "bits_per_pulse"}, {key: "block_s"},
	}}
	for _, m := range s.Models {
		for _, p := range m.Points {
			t.add(m.Name, p.LengthKM, p.LossDB, p.QBER, p.RateBPS, p.RateBPS/s.Base.PulseRateHz, block(p))
		}
	}
	return t
}

// sideBySide has a row for each distance and a column for each model.
func sideBySide(s *experiment.LinkStudy) *sheet {
	t := &sheet{columns: []column{{head: "length / km", decimals: 1}, {head: "loss / dB", decimals: 1}}}
	for _, m := range s.Models {
		t.columns = append(t.columns, column{head: m.Name})
	}
	for i, km := range s.LengthsKM {
		row := []any{km, s.Base.AttenuationDBPerKM * km}
		for _, m := range s.Models {
			row = append(row, fmt.Sprintf("%10s (%5.2f)", bitRate(m.Points[i].RateBPS), 100*m.Points[i].QBER))
		}
		t.add(row...)
	}
	return t
}

// bitRate writes what can be a million or a hundredth of a bit a second.
func bitRate(bps float64) string {
	switch {
	case math.IsNaN(bps):
		return ""
	case bps == 0:
		return "none"
	case bps < 10:
		return fmt.Sprintf("%.2g", bps)
	}
	return thousands(int64(math.Round(bps)))
}

// publishedSheet is nil unless it is wanted.
func publishedSheet(s *experiment.LinkStudy, wanted bool) *sheet {
	if !wanted {
		return nil
	}
	t := &sheet{columns: []column{
		{key: "system", head: "system"},
		{key: "protocol", head: "protocol"},
		{key: "length_km", head: "length / km", decimals: 0},
		{key: "loss_db", head: "loss / dB", decimals: 1},
		{key: "clock_hz"},
		{key: "rate_bps", head: "published / bit/s"},
		{key: "source"},
	}}
	var shown []int
	for i, m := range s.Models {
		if m.Name != quantum.ModelBBM92 { // the one system's source does not say how many pairs it makes
			t.columns = append(t.columns, column{key: strings.ReplaceAll(m.Name, " ", "-") + "_bps", head: m.Name})
			shown = append(shown, i)
		}
	}
	known := func(v float64) any {
		if v == 0 || math.IsNaN(v) {
			return nil
		}
		return v
	}
	for _, p := range s.Published() {
		row := []any{p.System, p.Protocol, known(p.LengthKM), known(p.LossDB), known(p.ClockHz), p.RateBPS, p.Source}
		for _, i := range shown {
			row = append(row, known(p.ModelBPS[i]))
		}
		t.add(row...)
	}
	return t
}
