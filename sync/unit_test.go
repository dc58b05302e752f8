package sync

import "testing"

func TestUnitsConvertWithinADimension(t *testing.T) {
	// Values are exact in binary, so that the one rounding left must give the
	// number nearest to the true result.
	for _, test := range []struct {
		from, to string
		x, want  float64
	}{
		{"ms", "s", 1500, 1.5},
		{"ms", "s", 9, 0.009},
		{"s", "ms", 0.25, 250},
		{"ns", "s", 3, 3e-9},
		{"h", "min", 2, 120},
		{"us", "µs", 7, 7},
		{"kW", "MW", 552.5, 0.5525},
		{"MW", "kW", 0.125, 125},
		{"GW", "W", 1, 1e9},
		{"bit", "kbit", 42, 0.042},
		{"octet", "bit", 42, 336},
		{"kbit/s", "bit/s", 10.5, 10500},
		{"mHz", "Hz", 49950, 49.95},
		{"Hz", "mHz", 0.25, 250},
		{"MHz", "kHz", 1, 1000},
		{"%", "", 50, 0.5},
		{"1", "%", 0.25, 25},
		{"", "1", 2, 2},
		{"km", "m", 20, 20000},
		{"Mvar", "kvar", 1, 1000},
		{"MWh", "kWh", 1, 1000},
		{"furlong", "furlong", 5, 5},
	} {
		c, err := convert(test.from, test.to)
		if got := test.x * c.mul / c.div; err != nil || got != test.want {
			t.Errorf("%v %s are %v %s, want %v (error %v)", test.x, test.from, got, test.to, test.want, err)
		}
	}
}

func TestUnitsOfOtherDimensionsAreRefused(t *testing.T) {
	for _, pair := range [][2]string{
		{"Hz", "pu"},
		{"pu", "Hz"},
		{"MW", "Mvar"},
		{"MW", "MVA"},
		{"MWh", "MW"},
		{"bit", "bit/s"},
		{"Hz", ""},
		{"pu", ""},
		{"furlong", "m"},
		{"hz", "Hz"},
		{"Hz", "Hz/s"},
	} {
		if _, err := convert(pair[0], pair[1]); err == nil {
			t.Errorf("%s converts to %s", pair[0], pair[1])
		}
	}
}
