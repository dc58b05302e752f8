package metrics

import (
	"encoding/json"
	"math"
)

// Number is a float64 that JSON shows as null when it is undefined (NaN or
// infinite), for example a ratio whose denominator is zero.
type Number float64

// Undefined is the Number that stands for no value.
var Undefined = Number(math.NaN())

// Defined reports whether n is a finite value.
func (n Number) Defined() bool { return !math.IsNaN(float64(n)) && !math.IsInf(float64(n), 0) }

// MarshalJSON writes the number, or null.
func (n Number) MarshalJSON() ([]byte, error) {
	if !n.Defined() {
		return []byte("null"), nil
	}
	return json.Marshal(float64(n))
}

// UnmarshalJSON reads a number, or null as Undefined.
func (n *Number) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*n = Undefined
		return nil
	}
	return json.Unmarshal(b, (*float64)(n))
}

// ratio is a/b, or Undefined for b = 0.
func ratio(a, b float64) Number {
	if b == 0 {
		return Undefined
	}
	return Number(a / b)
}
