package network_test

import (
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	"cosim/internal/rng"
	"cosim/network"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// In these tests 1000 bits at 1 Mb/s take a mean service time of 1 ms.
const (
	meanBits   = 1000
	rateBPS    = 1e6
	serviceS   = meanBits / rateBPS
	batches    = 40
	unlimited  = math.MaxInt32
	confidence = 0.99
)

// oneQueue is a single queue fed by background traffic.
func oneQueue(traffic ...network.Traffic) network.Config {
	for i := range traffic {
		traffic[i].From = "A"
		traffic[i].PacketBits = meanBits
	}
	return network.Config{
		Nodes: []network.Node{{Name: "A"}, {Name: "B"}},
		Links: []network.Link{{A: "A", B: "B", RateBPS: rateBPS, Queue: network.QueueConfig{LimitPackets: unlimited}, Background: traffic}},
	}
}

// interval is a mean with its confidence interval by batch means.
type interval struct{ mean, half float64 }

func batchMeans(values []float64) interval {
	mean, std := stat.MeanStdDev(values, nil)
	quantile := distuv.StudentsT{Sigma: 1, Nu: float64(len(values) - 1)}.Quantile((1 + confidence) / 2)
	return interval{mean, quantile * std / math.Sqrt(float64(len(values)))}
}

// agrees wants the exact value inside the interval or within 1 % of the mean,
// and the interval itself narrow enough to mean something.
func (i interval) agrees(t *testing.T, what string, exact float64) {
	t.Helper()
	off := math.Abs(i.mean - exact)
	t.Logf("%-28s exact %9.5f, simulated %9.5f ± %.5f (%+.2f %%)", what, exact, i.mean, i.half, 100*(i.mean-exact)/exact)
	if off > i.half && off > 0.01*exact {
		t.Errorf("%s: %.5f ± %.5f does not agree with %.5f", what, i.mean, i.half, exact)
	}
	if i.half > 0.05*exact {
		t.Errorf("%s: interval ± %.5f is too wide for %.5f", what, i.half, exact)
	}
}

// simulate runs a queue for about n packets and passes the statistics of
// each batch, after one batch to warm up.
func simulate(t testing.TB, e *network.Engine, q network.QueueID, packetsPerS, n float64, each func(network.QueueStats)) {
	t.Helper()
	batchNS := int64(n / packetsPerS / batches * 1e9)
	var last network.QueueStats
	for i := range int64(batches + 1) {
		advance(t, e, (i+1)*batchNS)
		stats := e.QueueStats(q)
		if i > 0 {
			each(stats.Sub(last))
		}
		last = stats
	}
	if gap := last.LittleGap(); math.Abs(gap) > 1e-3 {
		t.Errorf("Little: λW differs from L by %.3g", gap)
	}
}

func records(t *testing.T, file string) []map[string]string {
	t.Helper()
	f, err := os.Open("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var all []map[string]string
	for _, row := range rows[1:] {
		record := map[string]string{}
		for i, name := range rows[0] {
			record[name] = row[i]
		}
		all = append(all, record)
	}
	return all
}

func number(t *testing.T, record map[string]string, name string) float64 {
	t.Helper()
	x, err := strconv.ParseFloat(record[name], 64)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// shapes reads "M/H2/1(cs2=4)" and the like.
func shapes(model string) (arrival, service network.Shape) {
	of := func(s string) network.Shape {
		switch {
		case strings.HasPrefix(s, "H2"):
			return network.Shape{Kind: network.H2, C2: 4}
		case strings.HasPrefix(s, "E"):
			return network.Shape{Kind: network.Erlang, K: int(s[1] - '0')}
		case s == "D":
			return network.Shape{Kind: network.Deterministic}
		}
		return network.Shape{Kind: network.Exponential}
	}
	parts := strings.Split(model, "/")
	return of(parts[0]), of(parts[1])
}

// packetsFor grows with the correlation of waits, which goes with (1−ρ)⁻².
func packetsFor(rho float64) float64 {
	switch {
	case rho > 0.85:
		return 1.2e7
	case rho > 0.75:
		return 5e6
	}
	return 1.2e6
}

func TestSojournTimesAgreeWithExactResults(t *testing.T) {
	for _, record := range records(t, "queue_gg1_exact_vs_kingman.csv") {
		rho := number(t, record, "rho")
		if rho > 0.9 {
			continue // the waits of 10⁷ packets are too few for 1 %
		}
		model := record["model"]
		t.Run(fmt.Sprintf("%s at %v", model, rho), func(t *testing.T) {
			sojournAgrees(t, model, rho, number(t, record, "W_exact"))
		})
	}
	t.Run("M/M/1 at 0.9", func(t *testing.T) { sojournAgrees(t, "M/M/1", 0.9, 1/(1-0.9)) })
}

func sojournAgrees(t *testing.T, model string, rho, exact float64) {
	arrival, service := shapes(model)
	e := mustNew(t, oneQueue(network.Traffic{RateBPS: rho * rateBPS, Arrival: arrival, PacketShape: service}))
	var sojourn, length []float64
	simulate(t, e, 0, rho/serviceS, packetsFor(rho), func(s network.QueueStats) {
		sojourn = append(sojourn, s.Total().MeanSojournS()/serviceS)
		length = append(length, s.MeanLength())
	})
	batchMeans(sojourn).agrees(t, model+" W", exact)
	batchMeans(length).agrees(t, model+" L", rho*exact)
	stats := e.QueueStats(0)
	if u := stats.Utilization(); math.Abs(u-rho) > 0.01*rho {
		t.Errorf("utilization %.4f, want %v", u, rho)
	}
}

// giM1Wait solves σ = A*(μ(1−σ)) with μ = 1; the mean wait is σ/(1−σ).
func giM1Wait(laplace func(s float64) float64) float64 {
	sigma := 0.5
	for range 500 {
		sigma = laplace(1 - sigma)
	}
	return sigma / (1 - sigma)
}

func TestErlang4ArrivalsAgreeWithTheRootOfTheirTransform(t *testing.T) {
	for _, rho := range []float64{0.3, 0.6, 0.8} {
		wait := giM1Wait(func(s float64) float64 { return math.Pow(4*rho/(4*rho+s), 4) })
		sojournAgrees(t, "E4/M/1", rho, 1+wait)
	}
}

func TestPriorityWaitsAgreeWithCobham(t *testing.T) {
	for _, record := range records(t, "queue_priority_cobham.csv") {
		var traffic []network.Traffic
		_, service := shapes("M/" + record["service"])
		total := 0.0
		for class := range 3 {
			rho := number(t, record, fmt.Sprintf("rho%d", class+1))
			total += rho
			traffic = append(traffic, network.Traffic{Class: class, RateBPS: rho * rateBPS, PacketShape: service})
		}
		if total > 0.9001 {
			continue // see TestSojournTimesAgreeWithExactResults
		}
		cfg := oneQueue(traffic...)
		cfg.Links[0].Queue.Discipline = network.Priority
		var waits [3][]float64
		simulate(t, mustNew(t, cfg), 0, total/serviceS, packetsFor(total), func(s network.QueueStats) {
			for class := range waits {
				waits[class] = append(waits[class], s.Class[class].MeanWaitS()/serviceS)
			}
		})
		for class := range waits {
			column := fmt.Sprintf("Wq%d_nonpreempt", class+1)
			batchMeans(waits[class]).agrees(t, fmt.Sprintf("%s, ρ = %.2f, class %d", record["service"], total, class), number(t, record, column))
		}
	}
}

// In a tandem of exponential servers fed by a Poisson stream every queue is
// an M/M/1 queue by itself (Jackson 1957). Processing times are drawn anew at
// each node, unlike serialisation times, which go with the packet.
func TestTandemAgreesWithJackson(t *testing.T) {
	const packets, lambda = 1_200_000, 1.0 / serviceS
	utilization := []float64{0.5, 0.7, 0.6}
	cfg := network.Config{Nodes: []network.Node{{Name: "D"}}}
	names := []string{"A", "B", "C", "D"}
	for i, rho := range utilization {
		cfg.Nodes = append(cfg.Nodes, network.Node{
			Name: names[i], ProcessingS: rho / lambda, ProcessingShape: network.Shape{Kind: network.Exponential},
		})
		cfg.Links = append(cfg.Links, network.Link{A: names[i], B: names[i+1], RateBPS: 1e15, Queue: network.QueueConfig{LimitPackets: unlimited}})
	}
	e := mustNew(t, cfg)
	route, err := e.Route(names...)
	if err != nil {
		t.Fatal(err)
	}
	arrivals := rng.Stream(1, "arrivals")
	at := 0.0
	var ends []float64
	var queues [3][]float64
	var last [3]network.QueueStats
	for i := range batches {
		var sojourn, delivered float64
		for range packets / batches / 1000 {
			for range 1000 {
				at += arrivals.ExpFloat64() / lambda * 1e9
				if err := e.Send(network.Packet{AtNS: int64(at), Route: route, SizeBits: 1}); err != nil {
					t.Fatal(err)
				}
			}
			advance(t, e, int64(at))
			for _, d := range e.Deliveries() {
				sojourn += float64(d.AtNS-d.SentNS) / 1e9
				delivered++
			}
		}
		for k := range queues {
			stats := e.QueueStats(network.QueueID(2 * k))
			since := stats.Sub(last[k])
			last[k] = stats
			if i > 0 {
				queues[k] = append(queues[k], since.Total().MeanSojournS())
			}
		}
		if i > 0 {
			ends = append(ends, sojourn/delivered)
		}
	}
	total := 0.0
	for k, rho := range utilization {
		exact := rho / lambda / (1 - rho)
		total += exact
		batchMeans(queues[k]).agrees(t, "queue "+names[k], exact)
	}
	batchMeans(ends).agrees(t, "end to end", total)
}

// An M/M/1 queue with room for K packets loses (1−ρ)ρ^K/(1−ρ^{K+1}).
func TestFiniteQueueLosesAsErlangSays(t *testing.T) {
	const rho, room = 0.8, 5
	cfg := oneQueue(network.Traffic{RateBPS: rho * rateBPS, PacketShape: network.Shape{Kind: network.Exponential}})
	cfg.Links[0].Queue.LimitPackets = room - 1 // one more is in service
	var lost []float64
	simulate(t, mustNew(t, cfg), 0, rho/serviceS, 2e6, func(s network.QueueStats) {
		lost = append(lost, float64(s.Drops[network.Overflow])/float64(s.Total().Arrivals))
	})
	batchMeans(lost).agrees(t, "M/M/1/5 loss", (1-rho)*math.Pow(rho, room)/(1-math.Pow(rho, room+1)))
}

func TestSaturatedDRRSharesByQuanta(t *testing.T) {
	quanta := []int{3000, 6000, 15000}
	kinds := []string{network.Exponential, network.Deterministic, network.Exponential}
	var traffic []network.Traffic
	for class := range quanta {
		traffic = append(traffic, network.Traffic{Class: class, RateBPS: rateBPS, PacketShape: network.Shape{Kind: kinds[class]}})
	}
	cfg := oneQueue(traffic...)
	cfg.Links[0].Queue = network.QueueConfig{Discipline: network.DRR, LimitPackets: 200, QuantaBits: quanta}
	e := mustNew(t, cfg)
	advance(t, e, 1000e9)
	stats := e.QueueStats(0)
	total := stats.Total()
	if total.Departures < 1e6*0.9 {
		t.Errorf("only %d departures", total.Departures)
	}
	for class, quantum := range quanta {
		got := float64(stats.Class[class].Bits) / float64(total.Bits)
		want := float64(quantum) / 24000
		t.Logf("class %d: share %.5f, quantum's %.5f", class, got, want)
		if math.Abs(got-want) > 0.005*want {
			t.Errorf("class %d has a share of %.5f, want %.5f", class, got, want)
		}
	}
}
