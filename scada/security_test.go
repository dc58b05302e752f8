package scada

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"cosim/internal/rng"
	"cosim/scada/q3p"

	"pgregory.net/rapid"
)

// use is a range of pool bits that enciphers or masks a frame.
type use struct {
	pool     string
	from, to int64
	frame    []byte
}

// padsOf lists the one-time ranges of a frame on a quantum link.
func padsOf(t *rapid.T, pool string, frame []byte) []use {
	h, err := q3p.DecodeHeader(frame)
	if err != nil {
		t.Fatal(err)
	}
	var list []use
	if h.Mode == OTP {
		n := 8 * int64(len(frame)-q3p.Overhead)
		list = append(list, use{pool, int64(h.EncryptionKeyID), int64(h.EncryptionKeyID) + n, frame})
	}
	if h.Mode != AES {
		list = append(list, use{pool, int64(h.AuthKeyID), int64(h.AuthKeyID) + q3p.TagBits, frame})
	}
	return list
}

// Over whole runs with losses, repeats, short pools, changes of route and mode
// and renewals of session keys, no key bit serves two different frames.
func TestPadsAreNeverUsedTwice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := testConfig()
		cfg.Crypto.RekeyMessages = rapid.SampledFrom([]int{1, 3, 64, 500}).Draw(t, "rekey")
		// Weaker modes are let in, so that all of them mix.
		cfg.Classes = DefaultClasses()
		for name, c := range cfg.Classes {
			c.MinMode = AES
			cfg.Classes[name] = c
		}
		w := newWorld(t, cfg, rapid.Int64Range(0, 200000).Draw(t, "level"))
		w.keep = true
		rnd := rng.Stream(rapid.Uint64().Draw(t, "seed"), "faults")
		w.spoil = func(*Frame) bool { return rnd.IntN(10) > 0 }
		for range rapid.IntRange(1, 8).Draw(t, "plans") {
			plan := slices.Clone(w.sys.Plan())
			for i := range plan {
				if rnd.IntN(3) == 0 {
					plan[i] = Option{Route: rnd.IntN(2), Mode: Mode(1 + rnd.IntN(3)), Off: rnd.IntN(8) == 0}
				}
			}
			if err := w.sys.SetPlan(plan); err != nil {
				t.Fatal(err)
			}
			w.grid.loadMW = 600 * rnd.Float64()
			w.runFor(time.Duration(rnd.IntN(3000)) * time.Millisecond)
		}
		checkPads(t, w)
		// Both ends keep two session keys, enough for the 64 messages by which
		// a repeated one may lag.
		for _, r := range w.refused {
			if cfg.Crypto.RekeyMessages >= 64 && r.Verdict == Rejected {
				t.Fatalf("a genuine frame was refused: %+v", r)
			}
		}
	})
}

func checkPads(t *rapid.T, w *world) {
	var all []use
	for _, f := range w.sent {
		nodes := strings.Split(f.Route, ">")
		for _, l := range w.cfg.Links {
			if l.Quantum && (l.A == nodes[0] && l.B == nodes[1] || l.B == nodes[0] && l.A == nodes[1]) {
				all = append(all, padsOf(t, l.Name, f.Payload)...)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b use) int {
		if a.pool != b.pool {
			return strings.Compare(a.pool, b.pool)
		}
		return int(a.from - b.from)
	})
	for i := 1; i < len(all); i++ {
		a, b := all[i-1], all[i]
		if a.pool == b.pool && b.from < a.to && !bytes.Equal(a.frame, b.frame) {
			t.Fatalf("pool %s: bits %d to %d serve two frames", a.pool, b.from, min(a.to, b.to))
		}
	}
}

func TestIEDRefusesForeignFrames(t *testing.T) {
	cfg := only(testConfig(), "agc-30", "agc-37", "pmu-30")
	w := newWorld(t, cfg, plenty)
	w.keep = true
	w.runFor(100 * time.Millisecond)
	for _, f := range w.sent {
		nodes := strings.Split(f.Route, ">")
		for name, d := range w.ieds {
			if name == nodes[len(nodes)-1] {
				continue
			}
			if _, verdict, err := d.Receive(nodes[0], f.Payload); verdict != Rejected || err == nil {
				t.Errorf("%s took a frame for %s: %v", name, f.Route, verdict)
			}
		}
	}
}

// sealFor seals an APDU as the gateway of an IED would.
func sealFor(t testing.TB, secret [32]byte, gateway, ied string, apdu []byte) []byte {
	t.Helper()
	s, err := q3p.NewPresharedSender(presharedChannel(q3p.Downlink), presharedKey(secret, gateway, ied))
	if err != nil {
		t.Fatal(err)
	}
	frame, err := s.Seal(nil, q3p.Data, apdu, AES, q3p.Key{})
	if err != nil {
		t.Fatal(err)
	}
	return frame
}

// FuzzIEDContent feeds an IED genuine frames with any content: it must refuse
// or obey, within its points, and never panic.
func FuzzIEDContent(f *testing.F) {
	cfg := only(testConfig(), "agc-30", "shed-3")
	secret := [32]byte{1}
	f.Add([]byte{0x68, 4, 1, 0, 2, 0})
	f.Add([]byte{0x68, 0x12, 0, 0, 0, 0, 50, 1, 6, 0, 1, 0, 16, 0, 0, 0, 0, 0x80, 0x3f, 0})
	f.Fuzz(func(t *testing.T, apdu []byte) {
		if len(apdu) == 0 || len(apdu) > 255 {
			return
		}
		ieds, err := NewIEDs(cfg, secret)
		if err != nil {
			t.Fatal(err)
		}
		c, verdict, err := ieds["IED-gen-30"].Receive("GW4", sealFor(t, secret, "GW4", "IED-gen-30", apdu))
		if (verdict == Rejected) != (err != nil) || c.Kind != "" && (c.Kind != TaskAGC || c.Element != "gen/30") {
			t.Errorf("%+v, %v, %v", c, verdict, err)
		}
	})
}

// FuzzIEDFrame feeds an IED any octets: without the key none are genuine.
func FuzzIEDFrame(f *testing.F) {
	secret := [32]byte{1}
	ieds, err := NewIEDs(only(testConfig(), "agc-30"), secret)
	if err != nil {
		f.Fatal(err)
	}
	d := ieds["IED-gen-30"]
	f.Add("GW4", []byte("short"))
	f.Add("GW1", sealFor(f, [32]byte{2}, "GW4", "IED-gen-30", []byte{0x68, 4, 1, 0, 2, 0}))
	f.Fuzz(func(t *testing.T, from string, frame []byte) {
		if c, verdict, err := d.Receive(from, frame); verdict != Rejected || err == nil || c != (Command{}) {
			t.Errorf("%+v, %v, %v", c, verdict, err)
		}
	})
}

func ExampleVerdict() {
	fmt.Println(Valid, Duplicate, Rejected)
	// Output: valid duplicate rejected
}
