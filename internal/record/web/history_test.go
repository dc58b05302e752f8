package web

import (
	"encoding/json"
	"math"
	"testing"

	"pgregory.net/rapid"
)

// The past grows coarser, but its peaks and lows stay, and so does what is new.
func TestHistoryIsBoundedAndLosesNoPeak(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := newHistory(1, 1, 64)
		n := rapid.IntRange(1, 2000).Draw(t, "rows")
		peakAt := rapid.IntRange(0, n-1).Draw(t, "peak")
		for i := range n {
			row := []float32{0.001, 100}
			if i == peakAt {
				row = []float32{-0.5, 3}
			}
			h.add(int64(i), row)
		}
		if len(h.times) > 64 || len(h.values) != 2*len(h.times) || h.total != n {
			t.Fatalf("%d times, %d values, %d of %d", len(h.times), len(h.values), h.total, n)
		}
		peak, low := float32(0), float32(math.Inf(1))
		for i := range h.times {
			if i > 0 && h.times[i] <= h.times[i-1] {
				t.Fatalf("times %v", h.times)
			}
			if r := h.row(i); math.Abs(float64(r[0])) > math.Abs(float64(peak)) {
				peak = r[0]
			}
			low = min(low, h.row(i)[1])
		}
		if peak != -0.5 || low != 3 {
			t.Errorf("peak %v, lowest %v", peak, low)
		}
		for back := 1; back <= min(n, 32); back++ {
			if at := h.times[len(h.times)-back]; at != int64(n-back) {
				t.Fatalf("row %d from the end is of %d, want %d", back, at, n-back)
			}
		}
	})
}

func TestRowsSinceACursorAreThoseAddedSince(t *testing.T) {
	h := newHistory(1, 0, 64)
	for i := range 200 {
		h.add(int64(i), []float32{0})
	}
	if from, whole := h.since(190); whole || h.times[from] != 190 {
		t.Errorf("from %d, whole %v", h.times[from], whole)
	}
	if from, whole := h.since(200); whole || from != len(h.times) {
		t.Errorf("from %d, whole %v", from, whole)
	}
	for _, n := range []int{-1, 0, 100} {
		if from, whole := h.since(n); !whole || from != 0 {
			t.Errorf("since %d: from %d, whole %v", n, from, whole)
		}
	}
}

func TestManyRowsAreMergedForAPage(t *testing.T) {
	h := newHistory(1, 1, 8192)
	for i := range 5000 {
		h.add(int64(i)*1e8, []float32{float32(i) * 1e-5, float32(i)})
	}
	all := h.copy(0, true)
	if n := len(all.times); n > mostHistory+exactRows || all.times[n-1] != 4999e8 || all.times[n-exactRows] != (5000-exactRows)*1e8 {
		t.Errorf("%d rows, the last of %d", n, all.times[n-1])
	}
	some := h.copy(4000, false)
	if n := len(some.times); n > mostRows || some.times[n-1] != 4999e8 {
		t.Errorf("%d rows of 1000, the last of %d", n, some.times[n-1])
	}
	text, err := json.Marshal(h.copy(4998, false))
	if err != nil || string(text) != "[[499.8,0.04998,4998],[499.9,0.04999,4999]]" {
		t.Errorf("%s, %v", text, err)
	}
}

func TestWhatHappensOftenDoesNotDriveOutWhatHappensSeldom(t *testing.T) {
	var j journal
	j.seldom.room, j.often.room = 8, 8
	j.add(Entry{Type: "link-down"})
	for range 1000 {
		j.add(Entry{Type: EntryPlan})
	}
	j.add(Entry{Type: "link-up"})
	all := j.since(0)
	if len(all) > 16 || all[0].Type != "link-down" || all[len(all)-1].Type != "link-up" {
		t.Errorf("%+v", all)
	}
	for i := 1; i < len(all); i++ {
		if all[i].N <= all[i-1].N {
			t.Errorf("entries out of order: %+v", all)
		}
	}
	if newer := j.since(1001); len(newer) != 1 || newer[0].Type != "link-up" {
		t.Errorf("%+v", newer)
	}
}
