package iec104

import (
	"testing"
	"time"
)

// hotFrames are those a run sends most: a PMU's frequency and voltage, and a
// set point.
func hotFrames() map[string]*APDU {
	tag := TimeTag(time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC))
	return map[string]*APDU{
		"M_ME_TF_1x2": {ASDU: ASDU{Type: MMeTf1, Cause: Periodic, CommonAddr: 39, Objects: []Object{
			FloatObject(1, 50.002, 0).At(tag), FloatObject(2, 1.03, 0).At(tag),
		}}},
		"C_SE_NC_1": {ASDU: ASDU{Type: CSeNc1, Cause: Activation, CommonAddr: 30, Objects: []Object{FloatObject(10, 250, 0)}}},
	}
}

func BenchmarkEncode(b *testing.B) {
	for name, a := range hotFrames() {
		b.Run(name, func(b *testing.B) {
			dst := make([]byte, 0, 255)
			b.ReportAllocs()
			for b.Loop() {
				dst, _ = AppendAPDU(dst[:0], a)
			}
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	for name, a := range hotFrames() {
		b.Run(name, func(b *testing.B) {
			frame, err := AppendAPDU(nil, a)
			if err != nil {
				b.Fatal(err)
			}
			var got APDU
			b.ReportAllocs()
			for b.Loop() {
				if err := got.Decode(frame); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func TestHotPathDoesNotAllocate(t *testing.T) {
	for name, a := range hotFrames() {
		frame := make([]byte, 0, 255)
		var got APDU
		if n := testing.AllocsPerRun(100, func() {
			frame, _ = AppendAPDU(frame[:0], a)
			if err := got.Decode(frame); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations a frame", name, n)
		}
	}
}
