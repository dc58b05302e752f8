package serve

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cosim/internal/experiment"
	"cosim/internal/serve/outstation"
)

// What masters, applications and REST did in a run that was killed is done
// again where they did it, and the run ends with the bytes that it would have
// had.
func TestAKilledServedRunIsResumedWithItsOrders(t *testing.T) {
	o := quiet("4s")
	s := serving(t, Config{Experiment: "S-2", Overrides: o, Out: t.TempDir(), RealTime: 4, IEC104: "127.0.0.1:0", Security: Security{TokenFile: tokenFile(t)}})
	s.token = operatorToken
	s.until(running)
	s.call("PUT", "/v1/chains/agc-30", `{"off":true,"mode":"aes-wc"}`, 200)
	for ioa, value := range map[uint32]float64{110001: 12, 130001: 40} {
		if err := s.current().operate(outstation.Order{IOA: ioa, Value: value, Master: "test"}, func() {}); err != nil {
			t.Fatal(err)
		}
	}
	s.token = centreToken
	s.call("POST", "/api/v1/keys/GW1/enc_keys", `{"number":3,"size":512}`, 200)
	s.call("GET", "/api/v1/keys/GW1/enc_keys?number=128&size=8192", "", 503)
	s.token = operatorToken
	s.call("PUT", "/v1/chains/agc-30", `{"off":false}`, 200)
	v := s.until(done)
	dir := v["dir"].(string)
	logs := map[string][]byte{}
	names := []string{"run.log", "chain.log", "boundary.log", "series.parquet", "events.parquet", "summary.json"}
	for _, name := range names {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		logs[name] = data
	}
	for _, left := range []int{30, 60, 95} { // of a hundred, in the logs that are written after boundary.log
		for _, name := range names {
			file := filepath.Join(dir, name)
			switch name {
			case "boundary.log":
			case "run.log", "chain.log":
				if err := os.WriteFile(file, logs[name][:len(logs[name])*left/100], 0o644); err != nil {
					t.Fatal(err)
				}
			default:
				if err := os.Remove(file); err != nil {
					t.Fatal(err)
				}
			}
		}
		if _, err := experiment.Resume(context.Background(), dir, experiment.RepeatOptions{}); err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if data, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !bytes.Equal(data, logs[name]) {
				t.Errorf("cut at %d %%: %s of %d bytes is not that of %d bytes (%v)", left, name, len(data), len(logs[name]), err)
			}
		}
	}
	events := eventsOf(t, dir)
	for _, want := range []string{
		"operator-plan,agc-30,,,,0,,off aes-wc", "operator-plan,agc-30,,,,0,,aes-wc", "operator-agc,gen/", "operator-shed,block/",
		"key-delivered,CC-GW1,,,,1536,bit,CC", "key-refused,CC-GW1,,,,1.048576e+06,bit,CC",
	} {
		if !strings.Contains(events, want) {
			t.Errorf("no %q in\n%s", want, grep(events, "operator-")+grep(events, "key-"))
		}
	}
}
