package serve

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"cosim/federates"
	"cosim/internal/experiment"
	cosync "cosim/sync"
)

// gauges observes a run for Prometheus.
type gauges struct {
	frequency, pool, link int // outputs in a frame, -1 without
	coi                   int
	scada                 *federates.Scada
	decided               int
	safe                  map[string]float64 // K_safe by link, in bits

	mu        sync.Mutex
	begun     bool
	at        cosync.Time
	deltaHz   float64
	pools     []elementValue
	links     []elementValue
	tasks     map[taskKey]float64
	decisions histogram
}

type elementValue struct {
	element string
	value   float64
}

type taskKey struct{ class, outcome string }

// histogram of decision times; bounds are the buckets' upper ends in seconds.
type histogram struct {
	counts []uint64
	sum    float64
	n      uint64
}

var decisionBounds = []float64{0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5}

func newGauges() *gauges {
	return &gauges{tasks: map[taskKey]float64{}, decisions: histogram{counts: make([]uint64, len(decisionBounds))}}
}

// meet hears of the federate of the stations, nil where another program
// simulates them.
func (g *gauges) meet(s *federates.Scada) {
	g.scada, g.safe = s, map[string]float64{}
	if s == nil {
		return
	}
	for _, k := range s.Supplies() {
		g.safe[k.Link] = float64(k.Pool.Config().SafeBits)
	}
}

// Begin implements sync.Observer.
func (g *gauges) Begin(f *cosync.Frame) error {
	find := func(name string) int {
		if i, ok := f.Index(name); ok {
			return i
		}
		return -1
	}
	g.frequency, g.pool, g.link = find("grid.frequency"), find("scada.pool"), find("quantum.state")
	g.coi = -1
	if g.frequency >= 0 {
		g.coi = slices.Index(f.Outputs[g.frequency].Port.Elements, "coi")
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.begun = true
	g.pools, g.links = named(f, g.pool, "pool/"), named(f, g.link, "link/")
	g.take(f)
	return nil
}

func named(f *cosync.Frame, output int, prefix string) []elementValue {
	if output < 0 {
		return nil
	}
	var list []elementValue
	for _, e := range f.Outputs[output].Port.Elements {
		list = append(list, elementValue{element: strings.TrimPrefix(e, prefix)})
	}
	return list
}

// Observe implements sync.Observer.
func (g *gauges) Observe(f *cosync.Frame) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i := range f.Outputs {
		for _, e := range f.Outputs[i].Events {
			if e.Type != "task" {
				continue
			}
			t := federates.ParseTask(e)
			outcome := "success"
			if t.Cause != "" {
				outcome = t.Cause
			}
			g.tasks[taskKey{t.Class, outcome}]++
		}
	}
	g.take(f)
	return nil
}

// take the values of a frame.
func (g *gauges) take(f *cosync.Frame) {
	g.at = f.To
	if g.coi >= 0 {
		g.deltaHz = f.Outputs[g.frequency].Values[g.coi]
	}
	if g.pool >= 0 && f.Outputs[g.pool].Fresh {
		for i, v := range f.Outputs[g.pool].Values {
			g.pools[i].value = v
		}
	}
	if g.link >= 0 && f.Outputs[g.link].Fresh {
		for i, v := range f.Outputs[g.link].Values {
			g.links[i].value = flag(v == 0)
		}
	}
	if g.scada == nil {
		return
	}
	times := g.scada.DecisionTimes()
	for ; g.decided < len(times); g.decided++ {
		g.decisions.add(times[g.decided])
	}
}

func (h *histogram) add(d time.Duration) {
	s := d.Seconds()
	for i, bound := range decisionBounds {
		if s <= bound {
			h.counts[i]++
		}
	}
	h.sum += s
	h.n++
}

// End implements sync.Observer.
func (g *gauges) End(error) error { return nil }

// Metrics of a run; all carry its name.
var (
	ofRun       = []string{"run"}
	infoDesc    = prometheus.NewDesc("cosim_run_info", "A run: 1.", []string{"run", "experiment", "case", "seed", "version"}, nil)
	stateDesc   = prometheus.NewDesc("cosim_run_state", "1 for the state in which a run is.", []string{"run", "state"}, nil)
	timeDesc    = prometheus.NewDesc("cosim_run_simulated_seconds", "How far the run is, in simulated time.", ofRun, nil)
	stopDesc    = prometheus.NewDesc("cosim_run_stop_seconds", "Where the run is to end, in simulated time.", ofRun, nil)
	lagDesc     = prometheus.NewDesc("cosim_run_lag_seconds", "How far a run in real time is behind its pace.", ofRun, nil)
	worstDesc   = prometheus.NewDesc("cosim_run_worst_lag_seconds", "How far it was behind at worst.", ofRun, nil)
	deltaDesc   = prometheus.NewDesc("cosim_grid_frequency_deviation_hertz", "Deviation of the centre of inertia's frequency.", ofRun, nil)
	poolDesc    = prometheus.NewDesc("cosim_pool_bits", "Key in the pool of a link.", []string{"run", "link"}, nil)
	safeDesc    = prometheus.NewDesc("cosim_pool_safe_bits", "K_safe of the pool.", []string{"run", "link"}, nil)
	yieldDesc   = prometheus.NewDesc("cosim_link_yields", "1 while a link yields key.", []string{"run", "link"}, nil)
	tasksDesc   = prometheus.NewDesc("cosim_tasks_total", "Tasks decided, by class and outcome: success, or the cause of failure.", []string{"run", "class", "outcome"}, nil)
	decideDesc  = prometheus.NewDesc("cosim_decision_seconds", "Wall time of a reconfiguration.", ofRun, nil)
	mastersDesc = prometheus.NewDesc("cosim_iec104_masters", "Connected IEC 104 masters.", ofRun, nil)
)

// exporter is the collector of all runs of a server.
type exporter struct{ *Server }

// metrics serves the runs, the process and Go's runtime to Prometheus.
func (s *Server) metrics() http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(exporter{s}, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
}

// Describe implements prometheus.Collector.
func (exporter) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{infoDesc, stateDesc, timeDesc, stopDesc, lagDesc, worstDesc, deltaDesc, poolDesc, safeDesc, yieldDesc, tasksDesc, decideDesc, mastersDesc} {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (x exporter) Collect(to chan<- prometheus.Metric) {
	x.mu.Lock()
	runs := slices.Clone(x.runs)
	x.mu.Unlock()
	for _, r := range runs {
		r.collect(to)
	}
}

func (r *Run) collect(to chan<- prometheus.Metric) {
	v, g := r.view(), r.gauges
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, append([]string{v.ID}, labels...)...)
	}
	gauge(infoDesc, 1, v.Experiment, v.Case, strconv.FormatUint(v.Seed, 10), experiment.Version())
	gauge(stateDesc, 1, v.State)
	gauge(timeDesc, v.AtS)
	gauge(stopDesc, v.StopS)
	gauge(lagDesc, v.LagMS/1000)
	gauge(worstDesc, v.WorstLagMS/1000)
	gauge(mastersDesc, float64(v.Masters))
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.begun {
		return
	}
	if g.coi >= 0 {
		gauge(deltaDesc, g.deltaHz)
	}
	for _, p := range g.pools {
		gauge(poolDesc, p.value, p.element)
		if bits, ok := g.safe[p.element]; ok {
			gauge(safeDesc, bits, p.element)
		}
	}
	for _, l := range g.links {
		gauge(yieldDesc, l.value, l.element)
	}
	for _, k := range slices.SortedFunc(maps.Keys(g.tasks), func(a, b taskKey) int {
		return strings.Compare(a.class+" "+a.outcome, b.class+" "+b.outcome)
	}) {
		to <- prometheus.MustNewConstMetric(tasksDesc, prometheus.CounterValue, g.tasks[k], v.ID, k.class, k.outcome)
	}
	if g.decisions.n > 0 {
		buckets := map[float64]uint64{}
		for i, bound := range decisionBounds {
			buckets[bound] = g.decisions.counts[i]
		}
		to <- prometheus.MustNewConstHistogram(decideDesc, g.decisions.n, g.decisions.sum, buckets, v.ID)
	}
}
