package scada

// Command is what an IED obeys.
type Command struct {
	Kind    string  // task: agc | avr | shed | breaker
	Element string  // "gen/30"
	Value   float64 // MW of power set point's change, p.u. of voltage set point's change, MW called, 0 or 1
}
