package record

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// A log that was cut anywhere, with or without rubbish behind, comes to what
// it would have been; one that ended before its time loses its end.
func TestContinuedLogEndsAsTheUninterruptedOne(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, ChainName)
	if err := writeChain(t, dir, 5, false, true); err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	begin := func(n int, rubbish string) {
		if err := os.WriteFile(path, append(bytes.Clone(want[:n]), rubbish...), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	check := func(what string, n int) {
		if err := writeChain(t, dir, 5, true, true); err != nil {
			t.Fatalf("%s at %d: %v", what, n, err)
		}
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%s at %d: %d bytes of %d, %v", what, n, len(got), len(want), err)
		}
	}
	for n := range want {
		begin(n, "")
		check("cut", n)
		begin(n, "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00")
		check("zeroes", n)
	}
	if err := writeChain(t, dir, 3, false, true); err != nil {
		t.Fatal(err)
	}
	check("ended early", 3)
}

func TestContinuedLogThatComesToDifferIsLeftAlone(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, ChainName)
	if err := writeChain(t, dir, 5, false, true); err != nil {
		t.Fatal(err)
	}
	before, _ := os.ReadFile(path)
	w, err := CreateChain(dir, 1e7, []string{"a.x", "b.y"}, true)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Digest(&Digest{Outputs: []uint16{0, 2}}); err != nil {
		t.Fatal(err)
	}
	var differs *DifferenceError
	if err := w.Close(ChainEnd{}); !errors.As(err, &differs) || differs.Path != path {
		t.Errorf("error %v", err)
	}
	if after, _ := os.ReadFile(path); !bytes.Equal(after, before) {
		t.Error("the file was changed")
	}
}

func TestShorterContinuationLeavesTheLogAsItWas(t *testing.T) {
	dir := t.TempDir()
	if err := writeChain(t, dir, 5, false, false); err != nil {
		t.Fatal(err)
	}
	before, _ := os.ReadFile(filepath.Join(dir, ChainName))
	if err := writeChain(t, dir, 2, true, true); err != nil {
		t.Fatal(err)
	}
	if after, _ := os.ReadFile(filepath.Join(dir, ChainName)); !bytes.Equal(after, before) {
		t.Error("the file was changed")
	}
}

func TestLogIsContinuedByOneProcessAtATime(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "S-1-1")
	w, err := Create(dir, nil, twoColumns)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Continue(dir, twoColumns); err == nil {
		t.Error("a run that goes on is continued")
	}
	if err := errors.Join(w.Row(0, []float64{1, 2}), w.Close(nil, nil, errors.New("killed"))); err != nil {
		t.Fatal(err)
	}
	w, err = Continue(dir, twoColumns)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Row(0, []float64{1, 2}), w.Row(1, []float64{3, 4}), w.Close(nil, nil, nil)); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(dir, LogName))
	if err != nil {
		t.Fatal(err)
	}
	if items, ending := readItems(t, data); len(items) != 2 || ending.Failed || !ending.Closed {
		t.Errorf("%v", ending)
	}
}
