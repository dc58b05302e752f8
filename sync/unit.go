package sync

import (
	"fmt"
	"math"
)

// unit is a dimension and the size of the unit in the dimension's smallest
// named one, an integer wherever it can be: conversions by whole factors then
// round once at most.
type unit struct {
	dimension string
	size      float64
}

// units lists what converts. A unit not listed connects to itself alone.
var units = map[string]unit{
	"ns": {"time", 1}, "us": {"time", 1e3}, "µs": {"time", 1e3}, "ms": {"time", 1e6},
	"s": {"time", 1e9}, "min": {"time", 60e9}, "h": {"time", 3600e9},

	"mHz": {"frequency", 1}, "Hz": {"frequency", 1e3}, "kHz": {"frequency", 1e6},
	"MHz": {"frequency", 1e9}, "GHz": {"frequency", 1e12},
	"mHz/s": {"rate of change of frequency", 1}, "Hz/s": {"rate of change of frequency", 1e3},

	"W": {"active power", 1}, "kW": {"active power", 1e3}, "MW": {"active power", 1e6}, "GW": {"active power", 1e9},
	"var": {"reactive power", 1}, "kvar": {"reactive power", 1e3}, "Mvar": {"reactive power", 1e6},
	"VA": {"apparent power", 1}, "kVA": {"apparent power", 1e3}, "MVA": {"apparent power", 1e6},
	"Wh": {"energy", 1}, "kWh": {"energy", 1e3}, "MWh": {"energy", 1e6}, "GWh": {"energy", 1e9},

	"V": {"voltage", 1}, "kV": {"voltage", 1e3},
	"A": {"current", 1}, "kA": {"current", 1e3},
	"rad": {"angle", 1}, "deg": {"angle", math.Pi / 180},

	"bit": {"information", 1}, "byte": {"information", 8}, "octet": {"information", 8},
	"kbit": {"information", 1e3}, "Mbit": {"information", 1e6}, "Gbit": {"information", 1e9},
	"bit/s": {"bit rate", 1}, "kbit/s": {"bit rate", 1e3}, "Mbit/s": {"bit rate", 1e6}, "Gbit/s": {"bit rate", 1e9},
	"b/s": {"bit rate", 1}, "kb/s": {"bit rate", 1e3}, "Mb/s": {"bit rate", 1e6}, "Gb/s": {"bit rate", 1e9},

	"m": {"length", 1}, "km": {"length", 1e3},
	"%": {"ratio", 1}, "1": {"ratio", 100}, "": {"ratio", 100},
	"pu": {"per unit", 1}, // of a base that only its model knows
}

// conversion turns values of one unit into another by value*mul/div, of which
// one is 1, which rounds once: 9 ms are 9/1000 s; 9*0.001 is another number.
type conversion struct{ mul, div float64 }

var unchanged = conversion{1, 1}

// convert finds the conversion between two units of one dimension.
func convert(from, to string) (conversion, error) {
	if from == to {
		return unchanged, nil
	}
	a, known := units[from]
	b, alsoKnown := units[to]
	switch {
	case !known || !alsoKnown:
		return unchanged, fmt.Errorf("unit %q does not convert to %q", from, to)
	case a.dimension != b.dimension:
		return unchanged, fmt.Errorf("unit %q (%s) does not convert to %q (%s)", from, a.dimension, to, b.dimension)
	case a.size >= b.size:
		return conversion{a.size / b.size, 1}, nil
	}
	return conversion{1, b.size / a.size}, nil
}
