package outstation

import (
	"fmt"
	"math"

	"cosim/scada/iec104"
)

// Point is one monitored value.
type Point struct {
	IOA  uint32
	Type iec104.TypeID // without time tag: 1, 3, 5, 7, 9, 11, 13 or 15
	Name string        // for people: "bus/16 frequency"
	Unit string
	// FullScale is the value that a normalised value shows as 1, Resolution
	// that of a scaled value's last digit; 0 means 1.
	FullScale, Resolution float64
	// Group is that of the station interrogation, 1 to 16, or of a counter
	// interrogation, 1 to 4; 0 means that only the general one reads it.
	Group int
	// Deadband is the least change of a measured value that is reported.
	Deadband float64
}

// timed is the type of spontaneous reports; step positions and bitstrings go
// without a time tag.
var timed = map[iec104.TypeID]iec104.TypeID{
	iec104.MSpNa1: iec104.MSpTb1, iec104.MDpNa1: iec104.MDpTb1, iec104.MStNa1: iec104.MStNa1, iec104.MBoNa1: iec104.MBoNa1,
	iec104.MMeNa1: iec104.MMeTd1, iec104.MMeNb1: iec104.MMeTe1, iec104.MMeNc1: iec104.MMeTf1, iec104.MItNa1: iec104.MItNa1,
}

// discrete points report every change, in order.
func (p *Point) discrete() bool {
	switch p.Type {
	case iec104.MSpNa1, iec104.MDpNa1, iec104.MStNa1, iec104.MBoNa1:
		return true
	}
	return false
}

func (p *Point) counter() bool { return p.Type == iec104.MItNa1 }

func (p *Point) check() error {
	most := 16
	if p.counter() {
		most = 4
	}
	switch {
	case timed[p.Type] == 0:
		return fmt.Errorf("outstation: point %d is of %v, expected a monitored type without time tag", p.IOA, p.Type)
	case p.IOA == 0 || p.IOA >= 1<<24:
		return fmt.Errorf("outstation: address %d of %s, expected 1 to 16777215", p.IOA, p.Name)
	case p.Group < 0 || p.Group > most:
		return fmt.Errorf("outstation: group %d of point %d, expected 0 to %d", p.Group, p.IOA, most)
	case !(p.Deadband >= 0):
		return fmt.Errorf("outstation: deadband %v of point %d, expected 0 or more", p.Deadband, p.IOA)
	}
	return nil
}

// object is the information object of a value. What is not a number is marked
// invalid, what the type has no room for is cut and marked as overflow.
func (p *Point) object(v float64, quality uint8) iec104.Object {
	if math.IsNaN(v) {
		v, quality = 0, quality|iec104.Invalid
	}
	switch p.Type {
	case iec104.MSpNa1:
		return iec104.SingleObject(p.IOA, v != 0, quality)
	case iec104.MDpNa1:
		return iec104.DoubleObject(p.IOA, uint8(clamp(v, 0, 3)), quality)
	case iec104.MStNa1:
		return iec104.Object{IOA: p.IOA, Value: uint32(int8(clamp(v, -64, 63))) & 0x7f, Qualifier: cut(v, -64, 63, quality)}
	case iec104.MBoNa1:
		return iec104.Object{IOA: p.IOA, Value: uint32(clamp(v, 0, math.MaxUint32)), Qualifier: quality}
	case iec104.MMeNa1:
		v /= or1(p.FullScale)
		return iec104.NormalizedObject(p.IOA, v, cut(v, -1, 1, quality))
	case iec104.MMeNb1:
		v = math.Round(v / or1(p.Resolution))
		return iec104.ScaledObject(p.IOA, int16(clamp(v, math.MinInt16, math.MaxInt16)), cut(v, math.MinInt16, math.MaxInt16, quality))
	}
	f := float32(clamp(v, -math.MaxFloat32, math.MaxFloat32))
	return iec104.FloatObject(p.IOA, f, cut(v, -math.MaxFloat32, math.MaxFloat32, quality))
}

func clamp(v, low, high float64) float64 { return min(max(v, low), high) }

func cut(v, low, high float64, quality uint8) uint8 {
	if v < low || v > high {
		return quality | iec104.Overflow
	}
	return quality
}

func or1(v float64) float64 {
	if v == 0 {
		return 1
	}
	return v
}

// TypesOf are the types under which a point of type t is sent: when it is
// interrogated, and on its own.
func TypesOf(t iec104.TypeID) []iec104.TypeID {
	if timed[t] == t {
		return []iec104.TypeID{t}
	}
	return []iec104.TypeID{t, timed[t]}
}
