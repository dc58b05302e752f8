package quantum

import (
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"

	_ "embed"
)

// PublishedRate is the key rate of a real system, for a model to stand beside.
// What its source does not say is 0.
type PublishedRate struct {
	System, Protocol string
	LengthKM, LossDB float64
	ClockHz          float64 // pulses a second
	RateBPS          float64
	Remark, Source   string
}

//go:embed published.csv
var published string

// PublishedRates returns the key rates of real systems, each read in the source
// it names.
func PublishedRates() []PublishedRate {
	r := csv.NewReader(strings.NewReader(published))
	r.Comment = '#'
	rows, err := r.ReadAll()
	if err != nil {
		panic(fmt.Sprintf("quantum: published.csv: %v", err)) // compiled in
	}
	number := func(s string) float64 {
		if s == "" {
			return 0
		}
		v, err := strconv.ParseFloat(s, 64)
		if err != nil {
			panic(fmt.Sprintf("quantum: published.csv: %v", err))
		}
		return v
	}
	list := make([]PublishedRate, 0, len(rows)-1)
	for _, f := range rows[1:] {
		list = append(list, PublishedRate{f[0], f[1], number(f[2]), number(f[3]), number(f[4]), number(f[5]), f[6], f[7]})
	}
	return list
}

// LinkAt is the link of configuration c at the place of a published one: of its
// length, its loss at the nominal attenuation, and its clock.
func (c LinkConfig) LinkAt(p PublishedRate) LinkConfig {
	if p.ClockHz > 0 {
		c.PulseRateHz = p.ClockHz
	}
	switch {
	case p.LossDB > 0 && p.LengthKM > 0:
		c.LengthKM, c.AttenuationDBPerKM = p.LengthKM, p.LossDB/p.LengthKM
	case p.LossDB > 0:
		c.LengthKM, c.AttenuationDBPerKM = 1, p.LossDB
	default:
		c.LengthKM = p.LengthKM
	}
	return c
}
