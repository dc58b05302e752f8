package web

// Scene is what of a run does not change.
type Scene struct {
	Run        string  `json:"run"`
	Experiment string  `json:"experiment"`
	Title      string  `json:"title"`
	Case       string  `json:"case"`
	Seed       uint64  `json:"seed"`
	StopS      float64 `json:"stop_s"`
	NominalHz  float64 `json:"nominal_hz"`
	SafeHz     float64 `json:"safe_hz"` // Δf_safe
	// DecisionNS is the time between two decisions of the plan; 0: it stands.
	DecisionNS int64 `json:"decision_ns"`
	// RefillNS is the time between two refills of the stores from which chains
	// draw; 0 without.
	RefillNS int64   `json:"-"`
	Nodes    []Node  `json:"nodes"`
	Links    []Link  `json:"links"`
	Chains   []Chain `json:"chains"`
	// Operators are their names where there are several.
	Operators []string `json:"operators,omitempty"`
	Buses     []Bus    `json:"buses"`
	// Frequencies and Pools name the columns of the rows that follow the time:
	// deviations in Hz, the centre of inertia first, then key in bit. Pools are
	// the names of their links.
	Frequencies []string `json:"frequencies"`
	Pools       []string `json:"pools"`
}

// Node is a station: a control centre ("cc"), a gateway or an RTU ("rtu").
type Node struct {
	Name string `json:"name"`
	Kind string `json:"kind"`
	Area string `json:"area,omitempty"`
	// Holds names what stands at an RTU: "generator 30".
	Holds []string `json:"holds,omitempty"`
	Buses []int    `json:"buses,omitempty"`
}

// Link joins two stations. What is said of key holds for quantum links.
type Link struct {
	Name          string  `json:"name"`
	A             string  `json:"a"`
	B             string  `json:"b"`
	LengthKM      float64 `json:"length_km"`
	Quantum       bool    `json:"quantum"`
	AtCentre      bool    `json:"at_centre"` // its key is that of η_key at the control centre
	Store         bool    `json:"store"`     // chains draw from a store, which is refilled
	CapBits       int64   `json:"cap_bits"`
	SafeBits      int64   `json:"safe_bits"`      // K_safe
	ThresholdBits int64   `json:"threshold_bits"` // K_th
}

// Chain is a control chain with its plan at the start.
type Chain struct {
	ID      string     `json:"id"`
	Task    string     `json:"task"`
	Element string     `json:"element"`
	Routes  [][]string `json:"routes"` // stations only
	Mode    string     `json:"mode"`
	Off     bool       `json:"off"`
	// Operator is its place in Scene.Operators; 0 where there is one.
	Operator int `json:"operator,omitempty"`
}

// Bus of the grid, and its load.
type Bus struct {
	ID     int     `json:"id"`
	LoadMW float64 `json:"load_mw"`
}
