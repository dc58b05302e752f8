package influx

import (
	"sync"
	"time"

	"github.com/influxdata/line-protocol/v2/lineprotocol"

	"cosim/internal/record"
	cosync "cosim/sync"
)

// Fields of Pace.
const (
	// FieldSpeed is simulated seconds a second of wall time since the point
	// before.
	FieldSpeed = "speed"
	// FieldWallS is the wall time since the run began, in s.
	FieldWallS = "wall_s"
	// FieldBehindBytes is what of the log the database has not taken yet.
	FieldBehindBytes = "behind_bytes"
)

// pace is an observer that says once a second of wall time how a run gets on.
// Its points are worth little and are dropped where the database is away.
type pace struct {
	feed  *Feed
	now   func() time.Time
	began time.Time

	last   time.Time // of a point
	lastNS int64
	seenNS int64

	mu     sync.Mutex
	points []pacePoint
}

type pacePoint struct {
	atNS                  int64
	speed, wallS, behindB float64
}

const (
	paceEvery = time.Second
	mostPaces = 600
)

// Begin implements sync.Observer.
func (p *pace) Begin(*cosync.Frame) error {
	p.began = p.now()
	p.last = p.began
	p.feed.start()
	return nil
}

// Observe implements sync.Observer.
func (p *pace) Observe(f *cosync.Frame) error {
	p.seenNS = int64(f.To)
	if now := p.now(); now.Sub(p.last) >= paceEvery {
		p.point(now)
	}
	return nil
}

func (p *pace) point(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.points) < mostPaces {
		p.points = append(p.points, pacePoint{
			atNS: p.seenNS, speed: float64(p.seenNS-p.lastNS) / float64(now.Sub(p.last)), wallS: now.Sub(p.began).Seconds(), behindB: float64(p.feed.behind()),
		})
	}
	p.last, p.lastNS = now, p.seenNS
}

// End implements sync.Observer.
func (p *pace) End(error) error {
	p.point(p.now())
	p.feed.ended.Store(true)
	return nil
}

// take returns the points since it was last called, encoded.
func (p *pace) take(e *encoder) string {
	if p == nil {
		return ""
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, at := range p.points {
		e.line(Pace, &record.Event{}, 0)
		e.lines.AddField(FieldSpeed, lineprotocol.MustNewValue(at.speed))
		e.lines.AddField(FieldWallS, lineprotocol.MustNewValue(at.wallS))
		e.lines.AddField(FieldBehindBytes, lineprotocol.MustNewValue(at.behindB))
		e.end(at.atNS)
	}
	p.points = p.points[:0]
	lines := string(e.lines.Bytes())
	e.reset()
	return lines
}
