package network

import "math"

// Load describes what is offered to one queue.
type Load struct {
	ArrivalsPerS float64 // λ
	ServiceS     float64 // mean service time, 1/μ
	CA2          float64 // squared coefficient of variation between arrivals
	CS2          float64 // squared coefficient of variation of service
}

// Utilization returns ρ = λ/μ.
func (l Load) Utilization() float64 { return l.ArrivalsPerS * l.ServiceS }

// WaitS returns Kingman's estimate of the mean wait before service,
//
//	W ≈ ρ/(1−ρ) · (c_a²+c_s²)/2 · 1/μ
//
// in seconds (Kingman, Math. Proc. Camb. Phil. Soc. 57, 1961). For ρ ≥ 1 it is
// +Inf.
func (l Load) WaitS() float64 {
	rho := l.Utilization()
	if rho >= 1 {
		return math.Inf(1)
	}
	return rho / (1 - rho) * (l.CA2 + l.CS2) / 2 * l.ServiceS
}

// Add returns the superposition of two loads: rates add, service times mix,
// and c_a² is the mean weighted by rate (Whitt's asymptotic method, Bell
// Syst. Tech. J. 62, 1983; exact for Poisson streams, too high for many sparse
// regular ones).
func (l Load) Add(m Load) Load {
	rate := l.ArrivalsPerS + m.ArrivalsPerS
	if rate == 0 {
		return Load{}
	}
	a, b := l.ArrivalsPerS/rate, m.ArrivalsPerS/rate
	mean := a*l.ServiceS + b*m.ServiceS
	square := a*l.ServiceS*l.ServiceS*(1+l.CS2) + b*m.ServiceS*m.ServiceS*(1+m.CS2)
	sum := Load{ArrivalsPerS: rate, ServiceS: mean, CA2: a*l.CA2 + b*m.CA2}
	if mean > 0 {
		sum.CS2 = math.Max(0, square/(mean*mean)-1)
	}
	return sum
}

// Flow returns the load that a further stream of packets would put on a queue,
// for example that of a control chain.
func (e *Engine) Flow(id QueueID, packetsPerS, meanBits, ca2, cb2 float64) Load {
	q := &e.queues[id]
	serialisation := meanBits * q.nsPerBit / 1e9
	processing := q.processing.mean / 1e9
	l := Load{ArrivalsPerS: packetsPerS, ServiceS: serialisation + processing, CA2: ca2}
	if l.ServiceS > 0 {
		variance := cb2*serialisation*serialisation + q.processing.c2*processing*processing
		l.CS2 = variance / (l.ServiceS * l.ServiceS)
	}
	return l
}

// DesignLoad returns the background load of a queue by its configuration, at
// the profile's factor 1. Add the flows of the design to it.
func (e *Engine) DesignLoad(id QueueID) Load {
	var sum Load
	q := &e.queues[id]
	for i := range q.sources {
		s := &q.sources[i]
		sum = sum.Add(e.Flow(id, s.ratePerS, s.bits.mean, s.ca2, s.cb2))
	}
	return sum
}

// MeasuredLoad returns what the queue saw over the sliding window.
func (e *Engine) MeasuredLoad(id QueueID) Load {
	return e.upToDate(id).window.load(e.now)
}

// windowBuckets is the number of parts by which the window slides.
const windowBuckets = 8

// window keeps the moments of gaps between arrivals and of service times.
type window struct {
	bucketNS    int64
	end         int64 // of the present bucket
	current     int
	lastArrival int64
	buckets     [windowBuckets]moments
}

type moments struct {
	n, gap, gap2, service, service2 float64
}

func newWindow(lengthNS int64) window {
	bucket := max(1, lengthNS/windowBuckets)
	return window{bucketNS: bucket, end: bucket}
}

func (w *window) add(t, serviceNS int64) {
	if t >= w.end {
		w.slide(t)
	}
	gap, service := float64(t-w.lastArrival), float64(serviceNS)
	w.lastArrival = t
	m := &w.buckets[w.current]
	m.n++
	m.gap += gap
	m.gap2 += gap * gap
	m.service += service
	m.service2 += service * service
}

func (w *window) slide(t int64) {
	steps := (t-w.end)/w.bucketNS + 1
	w.end += steps * w.bucketNS
	w.current = int((int64(w.current) + steps) % windowBuckets)
	for i := range int(min(steps, windowBuckets)) {
		w.buckets[(w.current-i+windowBuckets)%windowBuckets] = moments{}
	}
}

func (w *window) load(now int64) Load {
	if now-1 >= w.end {
		w.slide(now - 1)
	}
	var sum moments
	for i := range w.buckets {
		m := &w.buckets[i]
		sum.n += m.n
		sum.gap += m.gap
		sum.gap2 += m.gap2
		sum.service += m.service
		sum.service2 += m.service2
	}
	start := max(0, w.end-windowBuckets*w.bucketNS)
	if sum.n == 0 || now <= start {
		return Load{}
	}
	return Load{
		ArrivalsPerS: sum.n / float64(now-start) * 1e9,
		ServiceS:     sum.service / sum.n / 1e9,
		CA2:          scv(sum.n, sum.gap, sum.gap2),
		CS2:          scv(sum.n, sum.service, sum.service2),
	}
}

// scv returns E[x²]/E[x]² − 1.
func scv(n, sum, squares float64) float64 {
	if sum == 0 {
		return 0
	}
	return math.Max(0, squares*n/(sum*sum)-1)
}

// Estimate is the expected time of a packet on a route, in seconds, by part.
type Estimate struct {
	QueueS, SerialisationS, PropagationS, ProcessingS, CryptoS float64
}

// TotalS is the sum of the parts.
func (p Estimate) TotalS() float64 {
	return p.QueueS + p.SerialisationS + p.PropagationS + p.ProcessingS + p.CryptoS
}

// PathEstimate adds up a route: Kingman's wait of every queue under the given
// load (e.MeasuredLoad, e.DesignLoad or a plan of the caller's), and the
// packet's own times. QueueS is +Inf when one queue is overloaded.
func (e *Engine) PathEstimate(route RouteID, sizeBits int, cryptoNS int64, load func(QueueID) Load) Estimate {
	est := Estimate{CryptoS: float64(cryptoNS) / 1e9}
	path := e.routes[route].path
	for _, id := range path {
		q := &e.queues[id]
		est.QueueS += load(id).WaitS()
		est.SerialisationS += float64(sizeBits) * q.nsPerBit / 1e9
		est.PropagationS += (float64(q.delayNS) + q.extraMeanNS(e.now)) / 1e9
		est.ProcessingS += q.processing.mean / 1e9
	}
	if len(path) > 0 {
		est.ProcessingS += e.queues[path[len(path)-1]].receiving.mean / 1e9
	}
	return est
}

// extraMeanNS is the mean extra delay, or the one scheduled for t.
func (q *queue) extraMeanNS(t int64) float64 {
	switch {
	case q.extra == nil:
		return 0
	case q.extra.kind == ScheduledDelay:
		return float64(q.extra.scheduledNS(t))
	}
	return q.extra.meanNS
}
