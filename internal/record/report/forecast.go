package report

import (
	"fmt"
	"io"

	"cosim/internal/experiment"
	"cosim/internal/record"
)

// forecast is what a run's forecasts of key were worth: how often they held,
// and how they went where a link broke.
type forecast struct {
	horizonS float64
	links    []*held
	zoom     *zoom // nil where no pool is drawn
	note     string
}

// held counts a link's forecasts, and how many did not hold: less or more key
// was distilled than the 95 % band has. Decisions reckon with whole blocks,
// delivered; missed counts those outside their band.
type held struct {
	link               string
	n                  int
	less, more, missed int

	pool, generated int   // columns
	out             []int // what left the pool
	distilled       float64
	open            []promise
}

// promise is a forecast and what stood in the books when it was made; later, in
// between, what it is about.
type promise struct {
	experiment.KeyForecast
	dueNS                            int64
	level, distilled, generated, out float64
}

// zoom is a pool around an event. Forecasts stand at the time that they are
// about.
type zoom struct {
	link       string
	from, to   float64
	level, key course // in the pool; distilled within the horizon
}

// course is what came, and what was forecast with its 95 % band, in bits.
type course struct{ t, came, mean, low, high []float64 }

// Standard deviations that a 95 % band goes to each side.
const within95 = 1.96

// Seconds that a zoom shows before a break and after its end, and at most.
const (
	zoomBeforeS = 3.0
	zoomAfterS  = 5.0
	zoomMostS   = 30.0
)

// readForecast reads a run's log again, with its forecasts; nil where it has
// none. What else the log tells is in t.
func readForecast(dir string, t *trace) (*forecast, error) {
	log, err := record.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	defer log.Close()
	columns := log.Columns()
	made, err := experiment.RecordedForecasts(dir, columns)
	if err != nil {
		return &forecast{note: "The forecasts of key are not shown: " + err.Error()}, nil
	}
	if made == nil {
		return nil, nil
	}
	f := &forecast{horizonS: float64(made.HorizonNS) / 1e9, zoom: t.closeUp()}
	at := map[string]int{}
	for i, c := range columns {
		at[c.Name] = i
	}
	for {
		r, err := log.Next()
		if err == io.EOF {
			return f, nil
		}
		if err != nil {
			return nil, fmt.Errorf("report: %s: %w", dir, err)
		}
		if r.Kind == record.KindEvent {
			made.Event(&r.Event)
			continue
		}
		for i, k := range made.Row(r.TimeNS, r.Values) {
			if i == len(f.links) {
				f.links = append(f.links, newHeld(k.Link, at))
			}
			f.links[i].row(r.TimeNS, made.HorizonNS, k, r.Values, f.zoom)
		}
	}
}

func newHeld(link string, at map[string]int) *held {
	h := &held{link: link, pool: at["scada.pool/pool/"+link], generated: at["scada.generated/pool/"+link]}
	for _, name := range []string{"consumed", "discarded", "expired"} {
		if i, ok := at["scada."+name+"/pool/"+link]; ok {
			h.out = append(h.out, i)
		}
	}
	return h
}

// row takes in a forecast, and holds the one that is due against what came.
func (h *held) row(tNS, horizonNS int64, k experiment.KeyForecast, v []float64, z *zoom) {
	h.distilled += k.StepBits
	now := promise{
		KeyForecast: k, dueNS: tNS + horizonNS, distilled: h.distilled,
		level: v[h.pool] + k.FinishedBits, generated: v[h.generated] + k.FinishedBits,
	}
	for _, i := range h.out {
		now.out += v[i]
	}
	h.open = append(h.open, now)
	if h.open[0].dueNS > tNS {
		return
	}
	p := h.open[0]
	h.open = append(h.open[:0], h.open[1:]...)
	h.judge(p, now)
	if s := float64(tNS) / 1e9; z != nil && z.link == h.link && s >= z.from && s <= z.to {
		z.key.add(s, now.distilled-p.distilled, p.DistilledBits, p.DistilledSDBits)
		z.level.add(s, now.level, p.level+p.DeliveredBits-(now.out-p.out), p.DeliveredSDBits)
	}
}

func (h *held) judge(p, now promise) {
	h.n++
	switch miss := now.distilled - p.distilled - p.DistilledBits; {
	case miss < -within95*p.DistilledSDBits:
		h.less++
	case miss > within95*p.DistilledSDBits:
		h.more++
	}
	const rounding = 1 // bit
	if miss := now.generated - p.generated - p.DeliveredBits; max(miss, -miss) > within95*p.DeliveredSDBits+rounding {
		h.missed++
	}
}

func (c *course) add(t, came, mean, sd float64) {
	c.t, c.came, c.mean = append(c.t, t), append(c.came, came), append(c.mean, mean)
	c.low, c.high = append(c.low, max(0, mean-within95*sd)), append(c.high, mean+within95*sd)
}

// closeUp is around the longest break of a link whose pool is drawn that has
// room in the run, or where there is none, around the least that a pool held.
func (t *trace) closeUp() *zoom {
	var z *zoom
	longest, least, end := 0.0, 0.0, float64(t.ending.LastNS)/1e9
	for _, p := range t.pools {
		low, _ := p.level.extremes()
		if longest == 0 && (z == nil || low.y < least) {
			least = low.y
			z = &zoom{link: p.link, from: low.t - zoomAfterS, to: low.t + zoomAfterS}
		}
		for _, b := range t.breaks {
			if b.what == p.link && b.to-b.from > longest && b.from > zoomBeforeS && b.to+zoomAfterS < end {
				longest = b.to - b.from
				z = &zoom{link: p.link, from: b.from - zoomBeforeS, to: min(b.to+zoomAfterS, b.from+zoomMostS)}
			}
		}
	}
	if z != nil {
		z.from, z.to = max(0, z.from), min(z.to, end)
	}
	return z
}

// sum counts over links.
func sum(links []*held) held {
	var all held
	for _, h := range links {
		all.n, all.less, all.more, all.missed = all.n+h.n, all.less+h.less, all.more+h.more, all.missed+h.missed
	}
	return all
}
