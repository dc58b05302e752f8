package iec104

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestElementsReadBackWhatWasWritten(t *testing.T) {
	if v := FloatObject(1, 50.02, 0).Float(); v != 50.02 {
		t.Errorf("float %v", v)
	}
	if !math.IsNaN(float64(FloatObject(1, float32(math.NaN()), Invalid).Float())) {
		t.Error("NaN is lost")
	}
	for _, v := range []int16{math.MinInt16, -1, 0, 1, math.MaxInt16} {
		if got := ScaledObject(1, v, 0).Scaled(); got != v {
			t.Errorf("scaled %d, want %d", got, v)
		}
	}
	for v, want := range map[float64]float64{-1: -1, -2: -1, 0.5: 0.5, 1: 1 - 1.0/32768, 1e-9: 0} {
		if got := NormalizedObject(1, v, 0).Normalized(); got != want {
			t.Errorf("normalised %v is %v, want %v", v, got, want)
		}
	}
	for _, on := range []bool{false, true} {
		o := SingleObject(1, on, Select|0x01)
		if o.On() != on || !o.Selects() {
			t.Errorf("single %t: %+v", on, o)
		}
	}
	for _, state := range []uint8{DoubleIntermediate, DoubleOff, DoubleOn, DoubleFaulty} {
		o := DoubleObject(1, state, Invalid)
		if o.Double() != state || o.Qualifier&^3 != Invalid {
			t.Errorf("double %d: %+v", state, o)
		}
	}
	if SingleObject(1, true, 0).Selects() {
		t.Error("an execute command selects")
	}
}

func TestTimeTagKeepsMilliseconds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ms := rapid.Int64Range(946684800000, 4102444800000-1).Draw(t, "ms") // 2000 to 2099
		want := time.UnixMilli(ms).UTC()
		got, ok := TimeTag(want.Add(999 * time.Microsecond)).Time()
		if !ok || !got.Equal(want) {
			t.Fatalf("%v, %t, want %v", got, ok, want)
		}
	})
}

func TestBadTimeTagsAreInvalid(t *testing.T) {
	good := TimeTag(time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC))
	for _, c := range []struct {
		name  string
		at    int
		octet byte
		valid bool
	}{
		{"day of week is set", 4, good[4] | 5<<5, true},
		{"summer time is set", 3, good[3] | 0x80, true},
		{"invalid bit", 2, good[2] | 0x80, false},
		{"60.206 s", 1, 0xeb, false},
		{"minute 60", 2, 60, false},
		{"hour 24", 3, 24, false},
		{"day 0", 4, 0, false},
		{"month 13", 5, 13, false},
		{"year 100", 6, 100, false},
	} {
		tag := good
		tag[c.at] = c.octet
		if _, ok := tag.Time(); ok != c.valid {
			t.Errorf("%s: valid is %t", c.name, ok)
		}
	}
	february := good
	february[4], february[5] = 30, 2
	if _, ok := february.Time(); ok {
		t.Error("30 February is valid")
	}
}
