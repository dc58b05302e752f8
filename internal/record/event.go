package record

// Event is a named happening at an exact simulated time. Type says which of
// the other fields are used and what Value means; unused strings are empty.
type Event struct {
	AtNS    int64   // simulated time, ns since the start of the run
	Type    string  // for example "link-down" or "task"
	Element string  // what it happened to, for example "CC-GW1"
	Class   string  // class of a task, for example "agc"
	Mode    string  // encryption mode, for example "otp"
	Cause   string  // why a task failed, for example "no-key"
	Value   float64 // in Unit
	Unit    string
	Detail  string // free text
}

// Column describes one column of the series.
type Column struct {
	Name        string `json:"name"` // unique, for example "frequency/bus/30"
	Unit        string `json:"unit,omitempty"`
	Description string `json:"description,omitempty"`
}
