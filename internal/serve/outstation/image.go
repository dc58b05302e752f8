package outstation

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"cosim/scada/iec104"
)

// logSize is how many changes of state a slow master may be behind before it
// gets the newest states only.
const logSize = 1024

// Image is the process image: the newest value of every point. It is safe for
// concurrent use.
type Image struct {
	points  []Point
	byIOA   map[uint32]int
	ordered []int // by type, then address

	mu       sync.Mutex
	readings []reading
	version  uint64
	log      []change // a ring
	logged   uint64   // changes ever
	changed  chan struct{}
	counters []counter
}

// reading is the newest value of a point.
type reading struct {
	object   iec104.Object
	at       iec104.CP56Time2a
	value    float64
	reported float64 // by the newest version
	version  uint64  // of the newest change that is to be reported; 0: none yet
}

// change is one change of state.
type change struct {
	point   int
	object  iec104.Object
	version uint64
}

// counter is what freezing and resetting make of an integrated total.
type counter struct {
	base, frozen float64
	isFrozen     bool
	sequence     uint8
	adjusted     bool // reset since the last reading
}

// NewImage makes an image; until the first Update its values are not topical.
func NewImage(points []Point) (*Image, error) {
	im := &Image{
		points: slices.Clone(points), byIOA: map[uint32]int{}, readings: make([]reading, len(points)),
		counters: make([]counter, len(points)), log: make([]change, logSize), changed: make(chan struct{}),
	}
	for i := range im.points {
		p := &im.points[i]
		if err := p.check(); err != nil {
			return nil, err
		}
		if j, ok := im.byIOA[p.IOA]; ok {
			return nil, fmt.Errorf("outstation: %s and %s have the address %d", im.points[j].Name, p.Name, p.IOA)
		}
		im.byIOA[p.IOA] = i
		im.ordered = append(im.ordered, i)
		im.readings[i] = reading{object: p.object(0, iec104.Invalid|iec104.NotTopical), reported: math.NaN()}
	}
	slices.SortFunc(im.ordered, func(a, b int) int {
		return cmp.Or(cmp.Compare(im.points[a].Type, im.points[b].Type), cmp.Compare(im.points[a].IOA, im.points[b].IOA))
	})
	return im, nil
}

// Points returns the points in the order given.
func (im *Image) Points() []Point { return im.points }

// Update sets all values, in the order of the points, as of the given time. The
// quality bits, if any, hold for all of them.
func (im *Image) Update(at time.Time, values []float64, quality uint8) {
	tag := iec104.TimeTag(at)
	im.mu.Lock()
	defer im.mu.Unlock()
	before := im.version
	for i, v := range values {
		p, r := &im.points[i], &im.readings[i]
		object := p.object(v, quality)
		news := object != r.object
		if !p.discrete() {
			moved := !(math.Abs(v-r.reported) <= p.Deadband) // also from nothing
			news = news && !p.counter() && (moved || object.Qualifier != r.object.Qualifier)
		}
		r.object, r.at, r.value = object, tag, v
		if !news {
			continue
		}
		im.version++
		r.version, r.reported = im.version, v
		if p.discrete() {
			im.log[im.logged%logSize] = change{i, object.At(tag), im.version}
			im.logged++
		}
	}
	if im.version != before {
		close(im.changed)
		im.changed = make(chan struct{})
	}
}

// news closes at the next change.
func (im *Image) news() <-chan struct{} {
	im.mu.Lock()
	defer im.mu.Unlock()
	return im.changed
}

// cursor is how far one master has been told.
type cursor struct {
	logged uint64
	seen   []uint64 // version, by point
	next   int      // place in ordered where the next search begins
}

// cursor is one that has been told all.
func (im *Image) cursor() cursor {
	im.mu.Lock()
	defer im.mu.Unlock()
	c := cursor{logged: im.logged, seen: make([]uint64, len(im.points))}
	for i := range im.readings {
		c.seen[i] = im.readings[i].version
	}
	return c
}

// report fills a with the next spontaneous report, as many objects of one type
// as a frame holds; false when there is nothing new.
func (im *Image) report(c *cursor, a *iec104.ASDU) bool {
	im.mu.Lock()
	defer im.mu.Unlock()
	a.Objects, a.Sequence, a.Cause = a.Objects[:0], false, iec104.Spontaneous
	if im.logged-c.logged > logSize {
		c.logged = im.logged // the newest states follow below
	}
	for ; c.logged < im.logged; c.logged++ {
		x := &im.log[c.logged%logSize]
		if x.version <= c.seen[x.point] {
			continue
		}
		if !take(a, timed[im.points[x.point].Type], x.object) {
			return true
		}
		c.seen[x.point] = x.version
	}
	if len(a.Objects) > 0 {
		return true
	}
	for range im.ordered {
		i := im.ordered[c.next]
		if r := &im.readings[i]; r.version > c.seen[i] {
			if !take(a, timed[im.points[i].Type], r.object.At(r.at)) {
				return true
			}
			c.seen[i] = r.version
		}
		c.next = (c.next + 1) % len(im.ordered)
	}
	return len(a.Objects) > 0
}

// take adds an object if it is of the frame's type and there is room.
func take(a *iec104.ASDU, t iec104.TypeID, o iec104.Object) bool {
	if len(a.Objects) == 0 {
		a.Type = t
	}
	if a.Type != t || len(a.Objects) >= t.MaxObjects(false) {
		return false
	}
	a.Objects = append(a.Objects, o)
	return true
}

// read is the newest object of an address, without time tag.
func (im *Image) read(ioa uint32) (iec104.TypeID, iec104.Object, bool) {
	i, ok := im.byIOA[ioa]
	if !ok || im.points[i].counter() {
		return 0, iec104.Object{}, false
	}
	im.mu.Lock()
	defer im.mu.Unlock()
	return im.points[i].Type, im.readings[i].object, true
}

// snapshot is the answer to an interrogation: the values of a group, or of all
// points for group 0, in as few frames as they fit in.
func (im *Image) snapshot(group int, cause iec104.Cause) []iec104.ASDU {
	im.mu.Lock()
	defer im.mu.Unlock()
	var objects []typedObject
	for _, i := range im.ordered {
		if p := &im.points[i]; !p.counter() && (group == 0 || p.Group == group) {
			objects = append(objects, typedObject{p.Type, im.readings[i].object})
		}
	}
	return pack(objects, cause)
}

type typedObject struct {
	iec104.TypeID
	iec104.Object
}

// pack puts objects, ordered by type and address, into frames; those with
// consecutive addresses share one address.
func pack(objects []typedObject, cause iec104.Cause) []iec104.ASDU {
	var asdus []iec104.ASDU
	for len(objects) > 0 {
		t := objects[0].TypeID
		run := 1
		for run < len(objects) && run < t.MaxObjects(true) && objects[run].TypeID == t && objects[run].IOA == objects[0].IOA+uint32(run) {
			run++
		}
		a := iec104.ASDU{Type: t, Cause: cause, Sequence: run > 1}
		for _, o := range objects[:run] {
			a.Objects = append(a.Objects, o.Object)
		}
		objects = objects[run:]
		last := len(asdus) - 1
		if run == 1 && last >= 0 && asdus[last].Type == t && !asdus[last].Sequence && len(asdus[last].Objects) < t.MaxObjects(false) {
			asdus[last].Objects = append(asdus[last].Objects, a.Objects[0])
			continue
		}
		asdus = append(asdus, a)
	}
	return asdus
}

// Values are the newest values, in the order of the points.
func (im *Image) Values() []float64 {
	im.mu.Lock()
	defer im.mu.Unlock()
	values := make([]float64, len(im.readings))
	for i := range im.readings {
		values[i] = im.readings[i].value
	}
	return values
}
