package web

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Status is what the page shows of a run besides its frames.
type Status struct {
	State      string  `json:"state"`
	Error      string  `json:"error,omitempty"`
	RealTime   float64 `json:"real_time"` // simulated seconds a second asked for; 0: as fast as possible
	LagMS      float64 `json:"lag_ms"`
	WorstLagMS float64 `json:"worst_lag_ms"`
	Ended      bool    `json:"ended"`
}

// Message is one line of a stream. The first one holds the scene and all rows
// and entries that are kept; each later one what has changed since.
type Message struct {
	AtS     float64  `json:"t"`
	Status  Status   `json:"status"`
	Scene   *Scene   `json:"scene,omitempty"`
	Whole   bool     `json:"whole,omitempty"` // rows replace those sent before
	Rows    rows     `json:"rows,omitzero"`   // each the time in s and the columns of the scene
	Entries []Entry  `json:"entries,omitempty"`
	Chains  []change `json:"chains,omitempty"`
	// Links stand in the order of the scene.
	Links   []LinkNow `json:"links,omitempty"`
	Figures *Figures  `json:"figures,omitempty"`
}

// change is a chain whose plan or failures have changed.
type change struct {
	I int `json:"i"` // place in the scene
	planned
}

// Paces of a stream.
const (
	sendEvery   = 100 * time.Millisecond
	beatEvery   = time.Second      // at least, so that a page knows that it is heard
	patience    = 20 * time.Second // for a browser to take a message
	mostRows    = 60               // of a message; what is more is merged
	mostHistory = 1500             // of the first message, besides the newest
	exactRows   = 600              // the newest of the first message
)

// cursor is how far a stream has come.
type cursor struct {
	rows    int
	entries int64
	changes int64
}

// Stream writes a run that has begun to a browser, until the run has ended or
// the browser has left: lines of JSON, ten a second at most.
func (f *Feed) Stream(w http.ResponseWriter, r *http.Request, status func() Status) {
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Time{}) // the server's is for requests that end
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.Header().Set("Cache-Control", "no-store")
	c := cursor{rows: -1}
	tick := time.NewTicker(sendEvery)
	defer tick.Stop()
	var last Status
	var sent time.Time
	for {
		s := status() // before the frames: an end that is told is followed by nothing
		if m := f.take(&c, s); m != nil || s != last || time.Since(sent) > beatEvery {
			if m == nil {
				m = &Message{AtS: f.time()}
			}
			m.Status = s
			_ = control.SetWriteDeadline(time.Now().Add(patience))
			if json.NewEncoder(w).Encode(m) != nil || control.Flush() != nil {
				return // the browser has left
			}
			last, sent = s, time.Now()
		}
		if s.Ended {
			return
		}
		select {
		case <-tick.C:
		case <-r.Context().Done():
			return
		}
	}
}

func (f *Feed) time() float64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now.Seconds()
}

// take is what has happened since the cursor, which moves on; nil if nothing
// has.
func (f *Feed) take(c *cursor, s Status) *Message {
	f.mu.Lock()
	defer f.mu.Unlock()
	first := c.rows < 0
	if c.rows == f.history.total && c.entries == f.journal.next && c.changes == f.changes {
		return nil
	}
	m := &Message{AtS: f.now.Seconds()}
	if first {
		scene := f.scene
		m.Scene = &scene
	}
	from, whole := f.history.since(c.rows)
	m.Whole = whole
	m.Rows = f.history.copy(from, whole)
	m.Entries = f.journal.since(c.entries)
	for i, p := range f.planned {
		if p.change > c.changes || first {
			m.Chains = append(m.Chains, change{i, p})
		}
	}
	m.Links = slices.Clone(f.current)
	figures := f.figures.Figures
	figures.Causes, figures.Attacks = maps.Clone(figures.Causes), slices.Clone(figures.Attacks)
	figures.Fairness = figures.Fairness.clone()
	m.Figures = &figures
	*c = cursor{f.history.total, f.journal.next, f.changes}
	return m
}

// rows are encoded as short as a chart needs them.
type rows struct {
	frequencies int
	width       int
	times       []int64
	values      []float32
}

// copy takes the rows from one on, merged where they are many.
func (h *history) copy(from int, whole bool) rows {
	out := rows{frequencies: h.frequencies, width: h.width}
	n := len(h.times) - from
	exact, most := 0, mostRows
	if whole {
		exact, most = min(n, exactRows), mostHistory
	}
	stride := max(1, (n-exact+most-1)/most)
	for i := from; i < len(h.times); i += stride {
		if len(h.times)-i <= exact {
			stride = 1
		}
		end := min(i+stride, len(h.times))
		out.times = append(out.times, h.times[end-1])
		out.values = append(out.values, h.row(i)...)
		row := out.values[len(out.values)-h.width:]
		for k := i + 1; k < end; k++ {
			h.merge(row, row, h.row(k))
		}
	}
	return out
}

// IsZero lets a message leave out no rows.
func (r rows) IsZero() bool { return len(r.times) == 0 }

// MarshalJSON writes a frequency in 0.01 mHz and a pool in bits.
func (r rows) MarshalJSON() ([]byte, error) {
	b := append(make([]byte, 0, len(r.times)*(8+8*r.width)), '[')
	for i, t := range r.times {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '[')
		b = strconv.AppendFloat(b, float64(t)/1e9, 'f', -1, 64)
		for j, x := range r.values[i*r.width:][:r.width] {
			b = append(b, ',')
			if j < r.frequencies {
				b = strconv.AppendFloat(b, float64(x), 'f', 5, 32)
			} else {
				b = strconv.AppendFloat(b, float64(x), 'f', 0, 32)
			}
		}
		b = append(b, ']')
	}
	return append(b, ']'), nil
}
