package experiment

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"cosim/internal/rng"
	cosync "cosim/sync"
)

// threeAreas have buses of their own, so that a bus tells its area.
var threeAreas = []hitArea{{"CC-GW1", []int{11, 12}}, {"CC-GW2", []int{21}}, {"CC-GW3", []int{31, 32, 33}}}

func areaOf(bus int) hitArea { return threeAreas[bus/10-1] }

// anyDisturbances draws disturbances that fit into 600 s. Contingencies are so
// far apart that each break belongs to one of them.
func anyDisturbances(t *rapid.T) Disturbances {
	ms := func(least, most int, label string) time.Duration {
		return time.Duration(rapid.IntRange(least, most).Draw(t, label)) * 10 * time.Millisecond
	}
	c := Contingencies{
		Count: rapid.IntRange(0, 4).Draw(t, "count"), SizeMW: 550, Duration: ms(1, 6000, "duration"),
		Earliest: ms(0, 10000, "earliest"), Apart: ms(2, 10000, "apart"), BreakMin: ms(1, 300, "break_min"),
	}
	c.BreakLead = rapid.SampledFrom([]time.Duration{0, 1, 5 * time.Millisecond, min(c.Apart/2-1, time.Second)}).Draw(t, "lead")
	c.BreakMax = c.BreakMin + ms(0, 500, "break_range")
	return Disturbances{
		Contingencies: c,
		Surges:        Surges{Count: rapid.IntRange(0, 3).Draw(t, "surges"), AttenuationDB: 3, Duration: ms(1, 6000, "surge"), Links: rapid.IntRange(0, 4).Draw(t, "links")},
	}
}

const tenMinutes = 600 * time.Second

func drawFor(t interface{ Fatal(...any) }, d Disturbances, seed uint64) Timeline {
	tl, err := drawTimeline(d, tenMinutes, threeAreas, func(name string) *rand.Rand { return rng.Stream(seed, name) })
	if err != nil {
		t.Fatal(err)
	}
	return tl
}

func TestDrawnTimesKeepTheirRules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := anyDisturbances(t)
		c := d.Contingencies
		tl := drawFor(t, d, rapid.Uint64().Draw(t, "seed"))
		if len(tl.LoadSteps) != c.Count || len(tl.Breaks) != c.Count {
			t.Fatalf("%d steps and %d breaks of %d contingencies", len(tl.LoadSteps), len(tl.Breaks), c.Count)
		}
		for i, s := range tl.LoadSteps {
			switch {
			case s.From < simTime(c.Earliest), s.To > simTime(tenMinutes), s.To-s.From != simTime(c.Duration):
				t.Fatalf("step %d lasts from %v to %v", i, s.From, s.To)
			case s.From%simTime(subStep) != 0 || s.To%simTime(subStep) != 0:
				t.Fatalf("step %d from %v to %v lies between the grid's substeps", i, s.From, s.To)
			case i > 0 && s.From-tl.LoadSteps[i-1].From < simTime(c.Apart):
				t.Fatalf("steps at %v and %v are less than %v apart", tl.LoadSteps[i-1].From, s.From, c.Apart)
			case !slices.Contains(areaOf(s.Bus).buses, s.Bus) || s.SizeMW != 550 || !s.ReleaseReserve:
				t.Fatalf("step %+v", s)
			}
			b := tl.Breaks[i]
			if b.Link != areaOf(s.Bus).link {
				t.Fatalf("step at bus %d comes with a break of %s", s.Bus, b.Link)
			}
			if lead := simTime(c.BreakLead); b.From < max(0, s.From-lead) || b.From > s.From+lead {
				t.Fatalf("break at %v, step at %v, lead %v", b.From, s.From, c.BreakLead)
			}
			if length := b.To - b.From; length < simTime(c.BreakMin) || length > simTime(c.BreakMax) {
				t.Fatalf("a break of %v, want %v to %v", length, c.BreakMin, c.BreakMax)
			}
		}
		if n := d.Surges.Count * min(d.Surges.Links, len(threeAreas)); len(tl.Surges) != n {
			t.Fatalf("%d surges, want %d", len(tl.Surges), n)
		}
		hit := map[Surge]bool{}
		for _, s := range tl.Surges {
			if s.From < 0 || s.To > simTime(tenMinutes) || s.To-s.From != simTime(d.Surges.Duration) || hit[s] {
				t.Fatalf("surge %+v, twice: %v", s, hit[s])
			}
			hit[s] = true
		}
	})
}

func TestSameSeedSameTimeline(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d, seed := anyDisturbances(t), rapid.Uint64().Draw(t, "seed")
		if a, b := drawFor(t, d, seed), drawFor(t, d, seed); !reflect.DeepEqual(a, b) {
			t.Fatalf("%+v\n%+v", a, b)
		}
	})
}

// Common random numbers: what is scheduled beside, how large a disturbance is,
// and what other kinds befall the run move none that are drawn.
func TestDrawnDisturbancesStandByThemselves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d, seed := anyDisturbances(t), rapid.Uint64().Draw(t, "seed")
		want := drawFor(t, d, seed)

		more := d
		more.Scheduled = []Scheduled{
			{At: 3 * time.Second, Kind: kindLoadStep, Bus: 99, SizeMW: 1, Duration: time.Second},
			{At: 4 * time.Second, Kind: kindLinkBreak, Link: "X", Duration: time.Second},
			{At: 5 * time.Second, Kind: kindSurge, Link: "X", DB: 1, Duration: time.Second},
			{At: 6 * time.Second, Kind: kindGenTrip, Bus: 30},
			{At: 7 * time.Second, Kind: kindBranchTrip, Branch: "5-6"},
		}
		got := drawFor(t, more, seed)
		if len(got.LoadSteps) != len(want.LoadSteps)+1 || len(got.Breaks) != len(want.Breaks)+1 || len(got.Surges) != len(want.Surges)+1 || len(got.Trips) != 2 {
			t.Fatalf("scheduled disturbances are missing: %+v", got)
		}
		if !slices.IsSortedFunc(got.LoadSteps, func(a, b LoadStep) int { return int(a.From - b.From) }) {
			t.Fatal("load steps are not in the order of time")
		}
		got.LoadSteps = slices.DeleteFunc(got.LoadSteps, func(s LoadStep) bool { return s.Bus == 99 })
		got.Breaks = slices.DeleteFunc(got.Breaks, func(b LinkBreak) bool { return b.Link == "X" })
		if !slices.Equal(got.LoadSteps, want.LoadSteps) || !slices.Equal(got.Breaks, want.Breaks) || !slices.Equal(got.Surges[:len(want.Surges)], want.Surges) {
			t.Fatalf("with scheduled ones\n%+v, without\n%+v", got, want)
		}

		other := d
		other.Contingencies.SizeMW, other.Contingencies.BreakMax = 1, 0
		other.Surges = Surges{Count: 1, AttenuationDB: 9, Duration: time.Second, Links: 1}
		other.LoadNoise = LoadNoise{SigmaRel: 1, TauS: 1}
		for i, s := range drawFor(t, other, seed).LoadSteps {
			if w := want.LoadSteps[i]; s.From != w.From || s.Bus != w.Bus {
				t.Fatalf("step %d moved from %+v to %+v", i, w, s)
			}
		}
		quiet := d
		quiet.Contingencies.Count = 0
		if got := drawFor(t, quiet, seed); !slices.Equal(got.Surges, want.Surges) || len(got.Breaks) != 0 {
			t.Fatalf("surges without contingencies %v, with %v", got.Surges, want.Surges)
		}
	})
}

// Every shipped experiment on a case sees the same disturbances for a seed.
func TestSchemesShareTheirTimelines(t *testing.T) {
	want := map[string]Timeline{}
	for _, seed := range []string{"1", "2", "77", "18446744073709551615"} {
		for _, name := range Names() {
			d := load(t, name, "seed="+seed)
			tl, err := d.Timeline()
			if err != nil {
				t.Fatal(err)
			}
			key := d.Case + seed
			if w, ok := want[key]; ok && !reflect.DeepEqual(tl, w) {
				t.Errorf("%s, seed %s: %+v, want %+v", name, seed, tl, w)
			}
			want[key] = tl
		}
	}
}

// Drawn times are spread over the whole run: each tenth of it is hit.
func TestDrawnTimesFillTheRun(t *testing.T) {
	d := Disturbances{Contingencies: Contingencies{Count: 3, Duration: 50 * time.Second, Earliest: 60 * time.Second, Apart: 120 * time.Second}}
	var hit [10]int
	for seed := range uint64(300) {
		for _, s := range drawFor(t, d, seed).LoadSteps {
			hit[s.From*10/cosync.Time(tenMinutes)]++
		}
	}
	for i, n := range hit[1:9] {
		if n < 50 { // 900 in 8 tenths and a bit
			t.Errorf("tenth %d is hit %d times: %v", i+1, n, hit)
		}
	}
}

func TestTooManyContingenciesAreAnError(t *testing.T) {
	d := Disturbances{Contingencies: Contingencies{Count: 6, Duration: 50 * time.Second, Earliest: 60 * time.Second, Apart: 120 * time.Second}}
	if _, err := drawTimeline(d, tenMinutes, threeAreas, func(name string) *rand.Rand { return rng.Stream(1, name) }); err == nil {
		t.Error("6 contingencies were squeezed into 600 s")
	}
}
