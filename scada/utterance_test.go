package scada

import (
	"testing"
	"time"

	"cosim/scada/iec104"
)

// What is heard are APDUs in the order of their times, each with the frame that
// carries it first, and a run that is heard is the same run.
func TestUtterancesAreTheAPDUsOfTheRun(t *testing.T) {
	plain, heard := newWorld(t, testConfig(), plenty), newWorld(t, testConfig(), plenty)
	counts := map[string]int{}
	var lastNS int64
	var apdu iec104.APDU
	heard.sys.OnUtterance(func(u *Utterance) {
		counts[u.Message]++
		if err := apdu.Decode(u.Payload); err != nil {
			t.Fatalf("%s of %s at %d: %v", u.Message, u.Chain, u.AtNS, err)
		}
		if u.AtNS < lastNS {
			t.Fatalf("%s at %d after one at %d", u.Message, u.AtNS, lastNS)
		}
		lastNS = u.AtNS
		f := heard.sys.out.Frames[len(heard.sys.out.Frames)-1]
		if u.Frame != f.ID || u.AtNS != f.AtNS || u.From != f.From {
			t.Fatalf("%+v is carried by frame %d of %s", u, f.ID, f.From)
		}
		centre := u.From
		if u.Uplink {
			centre = u.To
		}
		if centre != "CC" {
			t.Fatalf("%+v has no control centre", u)
		}
	})
	plain.runFor(5 * time.Second)
	heard.runFor(5 * time.Second)
	if plain.sys.Counts() != heard.sys.Counts() || plain.frames != heard.frames {
		t.Errorf("heard %+v, plain %+v", heard.sys.Counts(), plain.sys.Counts())
	}
	if want := 5 * 10 * len(testConfig().PMUs); counts["measurement"] != want || counts["command"] == 0 || counts["clock"] == 0 {
		t.Errorf("heard %v, expected %d measurements", counts, want)
	}
	if counts["order"] > 0 {
		t.Errorf("orders to gateways are none of 104's: %v", counts)
	}
}
