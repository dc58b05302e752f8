package experiment

import (
	"context"
	"fmt"
	"testing"

	cosync "cosim/sync"
)

// refills runs S-1 for a minute and lists by store when its level rose.
func refills(t *testing.T, set ...string) map[string]string {
	t.Helper()
	var before []float64
	at := map[string]string{}
	look := watch(func(f *cosync.Frame) {
		i, _ := f.Index("scada.store")
		for j, level := range f.Outputs[i].Values {
			if before != nil && level > before[j] {
				at[f.Outputs[i].Port.Elements[j]] += fmt.Sprintf(" %.1f", f.From.Seconds())
			}
		}
		before = append(before[:0], f.Outputs[i].Values...)
	})
	d := load(t, "S-1", append(set, "duration=61s", "disturbances.contingencies.count=0")...)
	if _, err := Run(context.Background(), d, RunOptions{Observers: []cosync.Observer{look}}); err != nil {
		t.Fatal(err)
	}
	return at
}

func TestStoresAreRefilledTogether(t *testing.T) {
	const want = "map[pool/CC-GW1: 30.0 60.0 pool/CC-GW2: 30.0 60.0 pool/CC-GW3: 30.0 60.0 pool/CC-GW4: 30.0 60.0]"
	if got := fmt.Sprint(refills(t)); got != want {
		t.Errorf("refills at\n%s, want\n%s", got, want)
	}
}

func TestStaggeredRefillsSpreadEvenlyOverThePeriod(t *testing.T) {
	const want = "map[pool/CC-GW1: 7.5 37.5 pool/CC-GW2: 15.0 45.0 pool/CC-GW3: 22.5 52.5 pool/CC-GW4: 30.0 60.0]"
	if got := fmt.Sprint(refills(t, "keys.store.staggered=true")); got != want {
		t.Errorf("refills at\n%s, want\n%s", got, want)
	}
}
