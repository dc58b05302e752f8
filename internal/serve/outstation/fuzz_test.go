package outstation

import (
	"testing"
	"time"

	"cosim/scada/iec104"
)

// FuzzSession plays any sequence of frames, waits and changes of the process.
// Whatever comes in, the session panics nowhere, keeps to its window, writes
// frames that decode and sends no application data before STARTDT.
//
// An octet below 0xf0 begins a frame of so many octets, sent as it stands with
// start and length set; the others are events.
func FuzzSession(f *testing.F) {
	start := []byte{4, 0x07, 0, 0, 0}
	frame := func(send uint16, a iec104.ASDU) []byte {
		a.CommonAddr = 7
		b, err := iec104.AppendI(nil, send, 0, &a)
		if err != nil {
			f.Fatal(err)
		}
		return b[1:]
	}
	command := func(send uint16, o iec104.Object) []byte {
		return frame(send, iec104.ASDU{Type: iec104.CDcNa1, Cause: iec104.Activation, Objects: []iec104.Object{o}})
	}
	general := iec104.ASDU{Type: iec104.CIcNa1, Cause: iec104.Activation, Objects: []iec104.Object{iec104.QualifierObject(0, 20)}}
	seed := append(append([]byte{}, start...), 0xf0)
	seed = append(seed, frame(0, general)...)
	seed = append(seed, command(1, iec104.DoubleObject(2001, iec104.DoubleOn, iec104.Select))...)
	seed = append(seed, command(2, iec104.DoubleObject(2001, iec104.DoubleOn, 0))...)
	f.Add(append(seed, 0xf2, 0xf1, 0xf0, 0xf3))
	f.Add(append(start, 4, 0x13, 0, 0, 0, 0xf1, 0xf1))
	f.Fuzz(func(t *testing.T, input []byte) {
		p := newPlant(t)
		s := newSession(p.Station, "m", epoch)
		defer s.close()
		now := epoch
		for n := 0; len(input) > 0 && n < 200; n++ {
			x := input[0]
			input = input[1:]
			was := s.state
			var err error
			switch {
			case x < 0xf0:
				size := min(int(max(x, 4)), len(input))
				err = s.receive(now, append([]byte{0x68, byte(size)}, input[:size]...))
				input = input[size:]
			case x == 0xf0:
				p.values[0] = 1 - p.values[0]
				p.values[9]++
				p.Image().Update(now, p.values, 0)
				err = s.advance(now)
			case x == 0xf1:
				now = now.Add(7 * time.Second)
				err = s.advance(now)
			case x == 0xf2 && len(p.done) > 0:
				p.done[0]()
				p.done = p.done[1:]
				err = s.terminate(now, <-s.finished)
			default:
				now = now.Add(time.Millisecond)
				err = s.advance(now)
			}
			if len(s.sentAt) > iec104.K || s.assoc.Outstanding() != len(s.sentAt) && err == nil {
				t.Fatalf("%d frames on their way, %d by the association", len(s.sentAt), s.assoc.Outstanding())
			}
			data := framesIn(t, s.out)
			if data && was == stopped && s.state == stopped {
				t.Fatal("application data while stopped")
			}
			if s.out = s.out[:0]; err != nil {
				return
			}
			if s.due().Before(epoch) {
				t.Fatal("a timer without time")
			}
		}
	})
}

// framesIn decodes all, and says whether there is application data.
func framesIn(t *testing.T, b []byte) (data bool) {
	for len(b) > 0 {
		n, err := iec104.FrameLen(b)
		if err != nil || n == 0 || n > len(b) {
			t.Fatalf("% x: %v", b, err)
		}
		var a iec104.APDU
		err = a.Decode(b[:n])
		if err != nil && a.Format != iec104.FormatI { // a rejected type decodes no better than it came
			t.Fatalf("% x: %v", b[:n], err)
		}
		data = data || a.Format == iec104.FormatI
		b = b[n:]
	}
	return data
}
