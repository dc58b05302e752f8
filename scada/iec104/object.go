package iec104

import "math"

// Quality bits of monitored values (SIQ, DIQ, QDS).
const (
	Overflow    uint8 = 0x01 // QDS only; in SIQ and DIQ this bit is the value
	Blocked     uint8 = 0x10
	Substituted uint8 = 0x20
	NotTopical  uint8 = 0x40
	Invalid     uint8 = 0x80
)

// Select in the qualifier of a command (SCO, DCO, QOS) asks for selection
// before operation; without it the command executes.
const Select uint8 = 0x80

// States of a double point or double command.
const (
	DoubleIntermediate uint8 = 0
	DoubleOff          uint8 = 1
	DoubleOn           uint8 = 2
	DoubleFaulty       uint8 = 3
)

// Object is one information object: the raw information elements of any type
// in the table. Fields that a type has no room for are not sent.
//
//	Value      float bits, scaled or normalised value (as uint16), counter
//	           reading, bitstring, step position (VTI) or test counter
//	Qualifier  QDS; SIQ, DIQ, SCO and DCO whole; QOS, QOI, QCC, COI; of a
//	           counter the sequence octet
//	Time       time tag
type Object struct {
	IOA       uint32 // information object address, 24 bits
	Value     uint32
	Qualifier uint8
	Time      CP56Time2a
}

// FloatObject is a short float (types 13, 36, 50, 63); qualifier is the QDS of
// a measured value or the QOS of a set point.
func FloatObject(ioa uint32, v float32, qualifier uint8) Object {
	return Object{IOA: ioa, Value: math.Float32bits(v), Qualifier: qualifier}
}

// ScaledObject is a scaled value (types 11, 35, 49).
func ScaledObject(ioa uint32, v int16, qualifier uint8) Object {
	return Object{IOA: ioa, Value: uint32(uint16(v)), Qualifier: qualifier}
}

// NormalizedObject is a normalised value (types 9, 34, 48), clamped to
// -1 … 1-2⁻¹⁵, the range of the format.
func NormalizedObject(ioa uint32, v float64, qualifier uint8) Object {
	raw := min(max(math.Round(v*(1<<15)), math.MinInt16), math.MaxInt16)
	return ScaledObject(ioa, int16(raw), qualifier)
}

// SingleObject is a single point or command (types 1, 30, 45, 58); the flags
// are quality bits or Select.
func SingleObject(ioa uint32, on bool, flags uint8) Object {
	o := Object{IOA: ioa, Qualifier: flags &^ 0x01}
	if on {
		o.Qualifier |= 0x01
	}
	return o
}

// DoubleObject is a double point or command (types 3, 31, 46) in one of the
// Double states; the flags are quality bits or Select.
func DoubleObject(ioa uint32, state, flags uint8) Object {
	return Object{IOA: ioa, Qualifier: flags&^0x03 | state&0x03}
}

// QualifierObject has only a qualifier (types 70, 100, 101) or nothing (102).
func QualifierObject(ioa uint32, qualifier uint8) Object {
	return Object{IOA: ioa, Qualifier: qualifier}
}

// At returns o with the time tag t.
func (o Object) At(t CP56Time2a) Object {
	o.Time = t
	return o
}

// Float is the value of a short float.
func (o Object) Float() float32 { return math.Float32frombits(o.Value) }

// Scaled is the value of a scaled value.
func (o Object) Scaled() int16 { return int16(uint16(o.Value)) }

// Normalized is the value of a normalised value.
func (o Object) Normalized() float64 { return float64(o.Scaled()) / (1 << 15) }

// On is the state of a single point or command.
func (o Object) On() bool { return o.Qualifier&0x01 != 0 }

// Double is the state of a double point or command.
func (o Object) Double() uint8 { return o.Qualifier & 0x03 }

// Selects reports whether a command only selects (select before operate).
func (o Object) Selects() bool { return o.Qualifier&Select != 0 }
