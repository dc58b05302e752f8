package alert

import (
	"fmt"
	"strconv"

	cosync "cosim/sync"
)

// Rules by which alerts are raised.
const (
	RulePool      = "pool-below-safe"       // K < K_safe
	RuleFrequency = "frequency-out-of-band" // |Δf_COI| > Δf_safe
	RuleDecision  = "decision-late"         // later than the period, on the wall clock
	RuleFederate  = "federate-lost"
)

// Alert is something that began, or is over.
type Alert struct {
	Run     string      `json:"run"`
	At      cosync.Time `json:"at_ns"` // simulated
	Rule    string      `json:"rule"`
	Element string      `json:"element"`
	Over    bool        `json:"over"`
	Value   float64     `json:"value"`
	Limit   float64     `json:"limit,omitempty"`
	Unit    string      `json:"unit"`
	Count   int         `json:"count,omitempty"` // of late decisions that are over
	Detail  string      `json:"detail,omitempty"`
}

// String is the alert in a sentence.
func (a Alert) String() string {
	return fmt.Sprintf("%s: %s at %.2f s", a.Run, a.what(), a.At.Seconds())
}

func (a Alert) what() string {
	switch {
	case a.Rule == RulePool && a.Over:
		return fmt.Sprintf("%s %s holds %s again", a.kind(), a.Element, a.quantity(a.Value))
	case a.Rule == RulePool:
		return fmt.Sprintf("%s %s is below K_safe with %s", a.kind(), a.Element, a.quantity(a.Value))
	case a.Rule == RuleFrequency && a.Over:
		return fmt.Sprintf("frequency is back within ±%s, its largest deviation was %s", a.quantity(a.Limit), a.quantity(a.Value))
	case a.Rule == RuleFrequency:
		return fmt.Sprintf("frequency is outside ±%s: %s", a.quantity(a.Limit), a.quantity(a.Value))
	case a.Rule == RuleDecision && a.Over && a.Detail == DetailEnded:
		return fmt.Sprintf("late decisions are over with the run: %s, the slowest of %s,", a.late(), a.quantity(a.Value))
	case a.Rule == RuleDecision && a.Over:
		return fmt.Sprintf("decisions are in time again after %s, the slowest of %s,", a.late(), a.quantity(a.Value))
	case a.Rule == RuleDecision:
		return fmt.Sprintf("a decision took %s, longer than its period of %s", a.quantity(a.Value), a.quantity(a.Limit))
	case a.Rule == RuleFederate:
		return fmt.Sprintf("federate %s is lost: %s", a.Element, a.Detail)
	}
	return a.Rule + " " + a.Element
}

// kind is what chains draw key from.
func (a Alert) kind() string {
	if a.Detail == DetailStore {
		return "store"
	}
	return "pool"
}

// late counts late decisions.
func (a Alert) late() string {
	if a.Count == 1 {
		return "1 late one"
	}
	return strconv.Itoa(a.Count) + " late ones"
}

func (a Alert) quantity(v float64) string {
	digits := 3
	if a.Unit == "bit" {
		digits = 0
	}
	return strconv.FormatFloat(v, 'f', digits, 64) + " " + a.Unit
}
