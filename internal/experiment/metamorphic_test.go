package experiment

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"testing"

	"cosim/internal/metrics"
	"cosim/internal/rng"
)

func summaryOf(t testing.TB, d *Definition) *metrics.Summary {
	t.Helper()
	r, err := Run(context.Background(), d, RunOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return r.Summary
}

// differing lists the figures in which two runs differ by more than the
// rounding of sums taken in another order.
func differing(a, b *metrics.Summary) []string {
	var list []string
	x, y := a.Figures(), b.Figures()
	if len(x) != len(y) {
		list = append(list, "the number of figures")
	}
	for i := range min(len(x), len(y)) {
		v, w := float64(x[i].Value), float64(y[i].Value)
		same := v == w || math.IsNaN(v) && math.IsNaN(w) || math.Abs(v-w) < 1e-9*math.Abs(v)
		if x[i].Key != y[i].Key || !same {
			list = append(list, fmt.Sprintf("%s: %v, %v", x[i].Key, v, w))
		}
	}
	return list
}

// copyOfCase is a folder with ieee39, one of its files changed.
func copyOfCase(t testing.TB, name string, change func(text []byte) []byte) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../../cases/ieee39")); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, name)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, change(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// shuffled is d with one of its lists in another order.
func shuffled(t testing.TB, d *Definition, list string) *Definition {
	t.Helper()
	other := *d
	field := reflect.ValueOf(&other).Elem().FieldByName(list)
	clone := reflect.MakeSlice(field.Type(), field.Len(), field.Len())
	reflect.Copy(clone, field)
	rng.Stream(3, list).Shuffle(field.Len(), reflect.Swapper(clone.Interface()))
	if field.Len() < 2 || reflect.DeepEqual(clone.Interface(), field.Interface()) {
		t.Fatalf("%s stand in the same order", list)
	}
	field.Set(clone)
	return &other
}

// Random streams have names, not places: no figure depends on the order in
// which a file lists what stands side by side.
//
// Three orders do count. That of the chains says whose task comes first of those
// at one instant, who draws first from a pool that runs short, and which
// interrogation is staggered to when. That of the areas and of their buses is
// what a contingency is drawn from. With staggered refills, that of the links
// says whose store is filled when.
func TestOrderOfListsChangesNoFigure(t *testing.T) {
	for _, name := range []string{"S-1", "S-2"} {
		d := load(t, name, short...)
		want := summaryOf(t, d)
		for _, list := range []string{"Nodes", "Links", "PMUs", "Generators", "Blocks"} {
			if diff := differing(want, summaryOf(t, shuffled(t, d, list))); len(diff) > 0 {
				t.Errorf("%s, %s in another order: %q", name, list, diff)
			}
		}
	}
}

// renamed are names that no random stream bears. Those of gateways and of the
// control centre are part of the names of the links between them, which name
// the streams of breaks, of key and of background traffic; the IDs of PMUs name
// their noise, those of chains their Poisson triggers.
var renamed = []struct {
	old    *regexp.Regexp
	new    string
	sample string
}{
	{regexp.MustCompile(`\bRTU(\d+)\b`), "substation_$1", "name: substation_8"},
	{regexp.MustCompile(`\bIED-(\w+)-(\d+)\b`), "$2.$1", "30.gen"},
	{regexp.MustCompile(`\barea-(\d)\b`), "Region $1", "Region 1"},
	{regexp.MustCompile(`\bgateway/(\d)\b`), "gateway/number-$1", "gateway/number-2"},
	{regexp.MustCompile(`\bblock/(\d+)\b`), "block/at-$1", "block/at-8"},
}

func TestNamesOfStationsChangeNoFigure(t *testing.T) {
	dir := copyOfCase(t, "federation.yaml", func(text []byte) []byte {
		for _, r := range renamed {
			text = r.old.ReplaceAll(text, []byte(r.new))
			if !bytes.Contains(text, []byte(r.sample)) {
				t.Fatalf("nothing was called %v", r.old)
			}
		}
		return text
	})
	for _, name := range []string{"S-1", "S-2"} {
		d, err := Load(name, Overrides{Case: dir, Set: short})
		if err != nil {
			t.Fatalf("%.800v", err)
		}
		if diff := differing(summaryOf(t, load(t, name, short...)), summaryOf(t, d)); len(diff) > 0 {
			t.Errorf("%s with other names: %q", name, diff)
		}
	}
}

// A station that no chain uses brings its own streams and moves no other's.
func TestUnusedStationChangesNoFigure(t *testing.T) {
	d := load(t, "S-2", short...)
	want := summaryOf(t, d)
	more := *d
	more.Nodes = append(slices.Clone(d.Nodes), Node{Name: "RTU99", Kind: "rtu"})
	more.Links = append([]Link{{Name: "GW1-RTU99", A: "GW1", B: "RTU99", Class: "trunk", LengthKM: 5}}, d.Links...)
	if diff := differing(want, summaryOf(t, &more)); len(diff) > 0 {
		t.Errorf("with an unused station: %q", diff)
	}
}

// On a grid of another nominal frequency nothing happens that does not happen
// on the shipped one: the controller measures from the case's frequency.
func TestControllerKnowsTheNominalFrequency(t *testing.T) {
	dir := copyOfCase(t, "base.csv", func(text []byte) []byte { return bytes.Replace(text, []byte(",60,"), []byte(",50,"), 1) })
	d, err := Load("S-2", Overrides{Case: dir, Set: []string{"duration=20s", "disturbances.contingencies.count=0"}})
	if err != nil {
		t.Fatal(err)
	}
	if f := float64(summaryOf(t, d).Grid.DeltaFMaxHz); !(f < 0.02) {
		t.Errorf("Δf_max is %v Hz at 50 Hz without a contingency", f)
	}
}
