package experiment

import (
	"fmt"
	"math/rand/v2"
	"sort"
	"time"

	cosync "cosim/sync"
)

// Disturbances says what befalls a run. All of it is drawn from the run's seed
// before the first step, so that the same seed gives the same disturbances in
// every experiment (common random numbers), and nothing in the federation can
// know it in advance.
type Disturbances struct {
	Contingencies Contingencies `yaml:"contingencies"`
	Surges        Surges        `yaml:"surges"`
	LoadNoise     LoadNoise     `yaml:"load_noise"`
	// Scheduled are disturbances at fixed times, besides the drawn ones.
	Scheduled []Scheduled `yaml:"scheduled"`
}

// Contingencies are steps of load, each with a fibre break at its area's link
// to the control centre.
type Contingencies struct {
	Count     int           `yaml:"count"`
	SizeMW    float64       `yaml:"size_mw"`
	Earliest  time.Duration `yaml:"earliest"`    // no contingency before
	Apart     time.Duration `yaml:"apart"`       // least time between two
	Duration  time.Duration `yaml:"duration"`    // then load and called reserve are withdrawn together
	BreakLead time.Duration `yaml:"break_lead"`  // the break falls within ± this of the step
	BreakMin  time.Duration `yaml:"break_min"`   // shortest break
	BreakMax  time.Duration `yaml:"break_max"`   // longest break; 0 for none
	MinLoadMW float64       `yaml:"min_load_mw"` // only buses with at least this load are hit
}

// Surges are rises of the fibre attenuation on several links at once.
type Surges struct {
	Count         int           `yaml:"count"`
	AttenuationDB float64       `yaml:"attenuation_db"`
	Duration      time.Duration `yaml:"duration"`
	Links         int           `yaml:"links"` // how many links at the control centre each one hits
}

// LoadNoise is an Ornstein-Uhlenbeck process on every load.
type LoadNoise struct {
	SigmaRel float64 `yaml:"sigma_rel"` // stationary deviation, share of the load
	TauS     float64 `yaml:"tau_s"`     // correlation time
}

// Scheduled is one disturbance at a fixed time.
type Scheduled struct {
	At       time.Duration `yaml:"at"`
	Kind     string        `yaml:"kind"` // load-step | link-break | attenuation-surge | generator-trip | branch-trip
	Bus      int           `yaml:"bus"`
	Link     string        `yaml:"link"`
	SizeMW   float64       `yaml:"size_mw"`
	DB       float64       `yaml:"db"`
	Branch   string        `yaml:"branch"` // "5-6"
	Duration time.Duration `yaml:"duration"`
}

// The kinds of a Scheduled disturbance.
const (
	kindLoadStep   = "load-step"
	kindLinkBreak  = "link-break"
	kindSurge      = "attenuation-surge"
	kindGenTrip    = "generator-trip"
	kindBranchTrip = "branch-trip"
)

var scheduledKinds = []string{kindLoadStep, kindLinkBreak, kindSurge, kindGenTrip, kindBranchTrip}

// Timeline is what will happen in one run.
type Timeline struct {
	LoadSteps []LoadStep
	Breaks    []LinkBreak
	Surges    []Surge
	Trips     []Trip
}

// LoadStep is a step of load that lasts for a while. ReleaseReserve says that
// called reserve goes with it when it ends.
type LoadStep struct {
	From, To       cosync.Time
	Bus            int
	SizeMW         float64
	ReleaseReserve bool
}

// LinkBreak is a cut of one link.
type LinkBreak struct {
	From, To cosync.Time
	Link     string
}

// Surge adds attenuation to one link for a while.
type Surge struct {
	From, To cosync.Time
	Link     string
	DB       float64
}

// Trip takes a generator (Branch empty) or a branch out of service.
type Trip struct {
	At     cosync.Time
	Bus    int
	Branch string
}

// hitArea is what the timeline must know of an area: the link by which the
// control centre reaches it and the buses that a contingency may hit.
type hitArea struct {
	link  string
	buses []int
}

// drawTimeline draws the run's disturbances. The draws of contingencies and
// surges come from streams of their own.
func drawTimeline(d Disturbances, duration time.Duration, areas []hitArea, stream func(string) *rand.Rand) (Timeline, error) {
	var tl Timeline
	if err := tl.drawContingencies(d.Contingencies, duration, areas, stream("disturbance/contingencies")); err != nil {
		return Timeline{}, err
	}
	tl.drawSurges(d.Surges, duration, areas, stream("disturbance/surges"))
	for _, s := range d.Scheduled {
		tl.schedule(s)
	}
	sort.SliceStable(tl.LoadSteps, func(i, j int) bool { return tl.LoadSteps[i].From < tl.LoadSteps[j].From })
	sort.SliceStable(tl.Breaks, func(i, j int) bool { return tl.Breaks[i].From < tl.Breaks[j].From })
	return tl, nil
}

func (tl *Timeline) drawContingencies(c Contingencies, duration time.Duration, areas []hitArea, rnd *rand.Rand) error {
	if c.Count == 0 {
		return nil
	}
	// Uniform times with a least distance: draw in the shrunk interval, sort,
	// stretch.
	room := duration - c.Duration - c.Earliest - time.Duration(c.Count-1)*c.Apart
	if room < 0 {
		return fmt.Errorf("%d contingencies of %v, %v apart, after %v do not fit into %v", c.Count, c.Duration, c.Apart, c.Earliest, duration)
	}
	times := make([]time.Duration, c.Count)
	for i := range times {
		times[i] = time.Duration(rnd.Float64() * float64(room))
	}
	sort.Slice(times, func(i, j int) bool { return times[i] < times[j] })
	for i, t := range times {
		at := (c.Earliest + t + time.Duration(i)*c.Apart).Truncate(10 * time.Millisecond)
		area := areas[rnd.IntN(len(areas))]
		bus := area.buses[rnd.IntN(len(area.buses))]
		tl.LoadSteps = append(tl.LoadSteps, LoadStep{
			From: cosync.Time(at), To: cosync.Time(at + c.Duration),
			Bus: bus, SizeMW: c.SizeMW, ReleaseReserve: true,
		})
		lead := time.Duration((2*rnd.Float64() - 1) * float64(c.BreakLead))
		from := cosync.Time(max(0, at+lead))
		length := c.BreakMin + time.Duration(rnd.Float64()*float64(c.BreakMax-c.BreakMin))
		if c.BreakMax > 0 {
			tl.Breaks = append(tl.Breaks, LinkBreak{From: from, To: from + cosync.Time(length), Link: area.link})
		}
	}
	return nil
}

func (tl *Timeline) drawSurges(s Surges, duration time.Duration, areas []hitArea, rnd *rand.Rand) {
	for range s.Count {
		from := cosync.Time(rnd.Float64() * float64(max(0, duration-s.Duration)))
		for _, i := range rnd.Perm(len(areas))[:min(s.Links, len(areas))] {
			tl.Surges = append(tl.Surges, Surge{From: from, To: from + cosync.Time(s.Duration), Link: areas[i].link, DB: s.AttenuationDB})
		}
	}
}

func (tl *Timeline) schedule(s Scheduled) {
	from, to := cosync.Time(s.At), cosync.Time(s.At+s.Duration)
	switch s.Kind {
	case kindLoadStep:
		tl.LoadSteps = append(tl.LoadSteps, LoadStep{From: from, To: to, Bus: s.Bus, SizeMW: s.SizeMW, ReleaseReserve: true})
	case kindLinkBreak:
		tl.Breaks = append(tl.Breaks, LinkBreak{From: from, To: to, Link: s.Link})
	case kindSurge:
		tl.Surges = append(tl.Surges, Surge{From: from, To: to, Link: s.Link, DB: s.DB})
	case kindGenTrip:
		tl.Trips = append(tl.Trips, Trip{At: from, Bus: s.Bus})
	case kindBranchTrip:
		tl.Trips = append(tl.Trips, Trip{At: from, Branch: s.Branch})
	}
}
