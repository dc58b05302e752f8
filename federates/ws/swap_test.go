package ws_test

import (
	"testing"

	"cosim/federates/ws"
	"cosim/federates/ws/client"
	"cosim/sync"
)

// swapped runs three adders of which those named sit behind a WebSocket.
func swapped(t *testing.T, stop sync.Time, codec *ws.Codec, outside ...string) string {
	t.Helper()
	federates, connections := adders(3)
	if len(outside) > 0 {
		c := ws.Config{Run: "swap", Stop: stop}
		for _, name := range outside {
			c.Federates = append(c.Federates, ws.Expected{Name: name})
		}
		h := open(t, c)
		var ended []<-chan error
		for i, f := range federates {
			for j, name := range outside {
				if f.Describe().Name == name {
					ended = append(ended, h.join(name, f, client.Options{Codec: codec}))
					federates[i] = h.Federates()[j]
				}
			}
		}
		h.await(t)
		defer func() {
			for _, e := range ended {
				if err := <-e; err != nil {
					t.Error(err)
				}
			}
		}()
	}
	print, err := run(federates, connections, sync.Options{Stop: stop})
	if err != nil {
		t.Fatal(err)
	}
	return print
}

func TestSwapLeavesNoTrace(t *testing.T) {
	const stop = 3 * sync.Second
	want := swapped(t, stop, nil)
	for name, codec := range map[string]*ws.Codec{"JSON": ws.JSON, "CBOR": ws.CBOR} {
		for _, outside := range [][]string{{"a"}, {"b", "c"}, {"a", "b", "c"}} {
			if got := swapped(t, stop, codec, outside...); got != want {
				t.Errorf("%s, %v outside: fingerprint %s instead of %s", name, outside, got, want)
			}
		}
	}
}
