package experiment

import (
	"fmt"
	"math"
	"slices"

	"cosim/quantum"
)

// LinkStudy is what the rate models say of an experiment's QKD links, without
// a simulation.
type LinkStudy struct {
	Name, Case string
	Base       quantum.LinkConfig // of the experiment's links
	Models     []LinkModel
	LengthsKM  []float64
	Links      []LinkYield
}

// LinkModel is one rate model over the distances of a study.
type LinkModel struct {
	Name    string // of the model; "bb84-decoy finite"
	Points  []LinkPoint
	ReachKM float64 // the greatest distance with key
	config  quantum.LinkConfig
}

// LinkPoint is a link at one distance. A block of a finite key takes BlockS to
// fill; 0 for the other models.
type LinkPoint struct {
	LengthKM, LossDB, QBER, RateBPS, BlockS float64
}

// LinkYield is one QKD link of the experiment, with its pool.
type LinkYield struct {
	Name string
	LinkPoint
	SafeBits, ThresholdBits, CapBits int64
}

// FiniteSuffix follows the name of a model whose key is finite.
const FiniteSuffix = " finite"

// LinkModels are the names of the models that a study can show.
func LinkModels() []string {
	names := quantum.Models()
	i := slices.Index(names, quantum.ModelBB84Decoy) + 1
	return slices.Insert(names, i, quantum.ModelBB84Decoy+FiniteSuffix)
}

// longestKM bounds the search for a model's reach.
const longestKM = 1000

// StudyLinks evaluates the models of the given names, of LinkModels, over the
// given distances with the link that d's experiment describes.
func StudyLinks(d *Definition, models []string, lengthsKM []float64) (*LinkStudy, error) {
	s := &LinkStudy{Name: d.Name, Case: d.Case, Base: d.Quantum, LengthsKM: lengthsKM}
	for _, name := range models {
		m := LinkModel{Name: name, config: d.Quantum}
		if m.config.Model = name; name == quantum.ModelBB84Decoy+FiniteSuffix {
			m.config.Model, m.config.FiniteKey = quantum.ModelBB84Decoy, true
		} else {
			m.config.FiniteKey = false
		}
		if err := m.config.Validate(); err != nil {
			return nil, fmt.Errorf("model %s: %w", name, err)
		}
		for _, km := range lengthsKM {
			m.Points = append(m.Points, linkPoint(m.config, km))
		}
		m.ReachKM = m.reach()
		s.Models = append(s.Models, m)
	}
	for _, l := range d.quantumLinks() {
		pool := d.poolConfig(l)
		s.Links = append(s.Links, LinkYield{l.Name, linkPoint(d.linkConfig(l), l.LengthKM), pool.SafeBits, pool.ThresholdBits, pool.CapBits})
	}
	return s, nil
}

func linkPoint(c quantum.LinkConfig, km float64) LinkPoint {
	c.LengthKM = km
	model, err := c.RateModel()
	if err != nil {
		return LinkPoint{} // the configuration was checked
	}
	p := LinkPoint{LengthKM: km, LossDB: c.AttenuationDBPerKM * km}
	p.QBER, p.RateBPS = model.Rate(p.LossDB, 0)
	if c.FiniteKey && c.Model == quantum.ModelBB84Decoy {
		p.BlockS = quantum.FiniteBlockS(c)
	}
	return p
}

// reach finds, to some metres, up to where the model yields key. Beyond the
// first distance without any there is none.
func (m *LinkModel) reach() float64 {
	yields := func(km float64) bool { return linkPoint(m.config, km).RateBPS > 0 }
	if yields(longestKM) {
		return math.Inf(1)
	}
	low, high := 0.0, float64(longestKM)
	for high-low > 0.005 {
		if middle := (low + high) / 2; yields(middle) {
			low = middle
		} else {
			high = middle
		}
	}
	return low
}

// PublishedYield is a real system's key rate beside what a model says of a
// link of its length, loss and clock.
type PublishedYield struct {
	quantum.PublishedRate
	ModelBPS []float64 // by model of the study; NaN where the source gives no clock, and for bbm92, of whose one system it gives no pairs a second
}

// Published sets the study's models beside real systems.
func (s *LinkStudy) Published() []PublishedYield {
	var list []PublishedYield
	for _, p := range quantum.PublishedRates() {
		y := PublishedYield{PublishedRate: p}
		for _, m := range s.Models {
			rate := math.NaN()
			if p.ClockHz > 0 && m.config.Model != quantum.ModelBBM92 {
				rate = quantum.NominalRateBPS(m.config.LinkAt(p))
			}
			y.ModelBPS = append(y.ModelBPS, rate)
		}
		list = append(list, y)
	}
	return list
}
