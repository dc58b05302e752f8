package quantum

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// ForecastTraining says on what, and how long, the network of the forecaster
// lstm-kalman is trained.
type ForecastTraining struct {
	Link    LinkConfig // LengthKM is replaced by each of Lengths in turn
	Lengths []float64  // km
	StepNS  int64

	Hidden, Window, Links, Batch, Steps, Epochs int

	// A surge of attenuation falls into the given share of the links, of a
	// size and a duration that are uniform between the bounds.
	SurgeShare     float64
	SurgeDB        [2]float64
	SurgeDurationS [2]float64

	Rate float64 // of learning; it falls to a tenth over the epochs
}

// DefaultForecastTraining is how the embedded weights were made.
func DefaultForecastTraining() ForecastTraining {
	return ForecastTraining{
		Link: DefaultLinkConfig(), Lengths: []float64{20, 40, 50}, StepNS: 100e6,
		Hidden: 32, Window: 20, Links: 96, Batch: 32, Steps: 6000, Epochs: 12,
		SurgeShare: 0.5, SurgeDB: [2]float64{1, 5}, SurgeDurationS: [2]float64{20, 90},
		Rate: 3e-3,
	}
}

func (t *ForecastTraining) validate() error {
	if t.Hidden < 1 || t.Hidden > mostHidden || t.Window < 1 || t.Batch < 1 || t.Links < t.Batch || t.Epochs < 1 || len(t.Lengths) == 0 {
		return fmt.Errorf("quantum: training with %d hidden units, windows of %d, %d links in batches of %d, %d epochs, %d lengths: expected all at least 1, at most %d units and a batch of at most all links",
			t.Hidden, t.Window, t.Links, t.Batch, t.Epochs, len(t.Lengths), mostHidden)
	}
	if t.Steps < 10*t.Window || t.Steps < 4*trainingHorizons[len(trainingHorizons)-1] {
		return fmt.Errorf("quantum: training runs of %d steps, expected at least ten windows of %d", t.Steps, t.Window)
	}
	return nil
}

// trainingHorizons are the steps ahead at which the network's predictions of
// the key are judged.
var trainingHorizons = [...]int{1, 3, 10}

// lesson is one step of a link: what the network is given, and for each horizon
// the error of the filter's prediction of the key and what shifts of its state
// would change in it, all in the filter's deviations. Where nothing can be
// judged, or nobody could have known, known is false.
type lesson struct {
	in    [lstmInputs]float64
	error [len(trainingHorizons)]float64
	byG   [len(trainingHorizons)]float64
	byD   [len(trainingHorizons)]float64
	known bool
}

// TrainForecast trains a network on links that it simulates. The loss, of which
// progress hears by epoch, is the mean negative log-likelihood of the key under
// the predicted normal distribution, less that of the filter alone: below 0 is
// better than the filter.
func TrainForecast(t ForecastTraining, stream func(name string) *rand.Rand, progress func(epoch int, loss float64) error) (*ForecastWeights, error) {
	if err := t.validate(); err != nil {
		return nil, err
	}
	links := make([][]lesson, t.Links)
	for i := range links {
		var err error
		if links[i], err = t.lessons(i, stream); err != nil {
			return nil, err
		}
	}
	c := newClass(&t, stream("weights"))
	order := stream("order")
	for epoch := range t.Epochs {
		c.opt.rate = t.Rate * math.Pow(0.1, float64(epoch)/float64(t.Epochs))
		places := order.Perm(t.Links)
		var loss, n float64
		for from := 0; from+t.Batch <= t.Links; from += t.Batch {
			l, k := c.batch(links, places[from:from+t.Batch])
			loss, n = loss+l, n+k
		}
		if err := progress(epoch, loss/math.Max(1, n*float64(len(trainingHorizons)))); err != nil {
			return nil, err
		}
	}
	return &ForecastWeights{c.net}, nil
}

// lessons simulates link i.
func (t *ForecastTraining) lessons(i int, stream func(string) *rand.Rand) ([]lesson, error) {
	cfg := t.Link
	cfg.LengthKM = t.Lengths[i%len(t.Lengths)]
	surge := t.surge(stream(fmt.Sprintf("link/%d/surge", i)))
	link, err := NewLink(cfg, t.StepNS, surge, func(name string) *rand.Rand { return stream(fmt.Sprintf("link/%d/%s", i, name)) })
	if err != nil {
		return nil, err
	}
	f, err := newKalman(cfg, t.StepNS)
	if err != nil {
		return nil, err
	}
	const farthest = 10
	list := make([]lesson, t.Steps)
	seen := make([]Observation, t.Steps)
	made := make([]trainingForecast, t.Steps)
	for k := range list {
		link.Advance(int64(k+1) * t.StepNS)
		seen[k] = link.Observation()
		features(list[k].in[:], f.observe(seen[k]), seen[k], t.StepNS)
		made[k].make(f)
	}
	for k := 0; k+farthest < t.Steps; k++ {
		list[k].known = !seen[k].Down && !seen[k].AboveBound && t.steady(seen[k+1:k+1+farthest]) && !edge(surge, k, farthest, t.StepNS)
		if list[k].known {
			list[k].judge(&made[k], seen[k+1:k+1+farthest])
		}
	}
	return list, nil
}

// surge draws what disturbs a link.
func (t *ForecastTraining) surge(r *rand.Rand) []Disturbance {
	between := func(b [2]float64) float64 { return b[0] + (b[1]-b[0])*r.Float64() }
	hit, db, durationS, at := r.Float64(), between(t.SurgeDB), between(t.SurgeDurationS), r.Float64()
	if hit >= t.SurgeShare {
		return nil
	}
	wholeS := float64(t.Steps) * float64(t.StepNS) / 1e9
	from := int64(at * math.Max(0, wholeS-durationS) * 1e9)
	return []Disturbance{{FromNS: from, ToNS: from + int64(durationS*1e9), AttenuationDB: db}}
}

// steady says whether the link was up throughout.
func (t *ForecastTraining) steady(os []Observation) bool {
	for _, o := range os {
		if o.UpNS != t.StepNS || o.AboveBound {
			return false
		}
	}
	return true
}

// edge says whether a disturbance begins or ends in the steps after k: nobody
// could know.
func edge(ds []Disturbance, k, steps int, stepNS int64) bool {
	from, to := int64(k+1)*stepNS, int64(k+1+steps)*stepNS
	for _, d := range ds {
		if from <= d.FromNS && d.FromNS <= to || from <= d.ToNS && d.ToNS <= to {
			return true
		}
	}
	return false
}

// trainingForecast is the filter's prediction of the key at each horizon, and
// its derivatives by the units of the network's shifts.
type trainingForecast struct {
	key, deviation, byG, byD [len(trainingHorizons)]float64
}

func (p *trainingForecast) make(f *kalman) {
	const part = 1e-3 // of a unit
	unitG, unitD := f.units()
	var base, moved [10]Prediction
	f.forecast(f.x, base[:])
	derive := func(x filterState, into *[len(trainingHorizons)]float64) {
		f.forecast(x, moved[:])
		for i, h := range trainingHorizons {
			into[i] = (moved[h-1].KeyBits - base[h-1].KeyBits) / part
		}
	}
	for i, h := range trainingHorizons {
		p.key[i], p.deviation[i] = base[h-1].KeyBits, math.Sqrt(base[h-1].KeyBitsVar)
	}
	x := f.x
	x.g += part * unitG
	derive(x, &p.byG)
	x = f.x
	x.d += part * unitD
	derive(x, &p.byD)
}

// judge the prediction by what came.
func (l *lesson) judge(p *trainingForecast, after []Observation) {
	key, i := 0.0, 0
	for k, o := range after {
		key += o.KeyBits
		if i < len(trainingHorizons) && k+1 == trainingHorizons[i] {
			s := p.deviation[i]
			if !(s > 0) {
				l.known = false
				return
			}
			l.error[i], l.byG[i], l.byD[i] = (key-p.key[i])/s, p.byG[i]/s, p.byD[i]/s
			i++
		}
	}
}

// loss of the network's outputs y, less that of none, summed over the horizons,
// and its derivatives by y.
func (l *lesson) loss(y, dy []float64) float64 {
	clear(dy)
	if !l.known {
		return 0
	}
	logVar := clamp(y[2], leastLogVar, mostLogVar)
	precision, sum := math.Exp(-logVar), 0.0
	for i, e := range l.error {
		z := e - l.byG[i]*y[0] - l.byD[i]*y[1]
		dy[0] -= z * l.byG[i] * precision
		dy[1] -= z * l.byD[i] * precision
		if y[2] > leastLogVar && y[2] < mostLogVar {
			dy[2] += 0.5 - 0.5*z*z*precision
		} else if y[2] <= leastLogVar {
			dy[2] += math.Min(0, 0.5-0.5*z*z*precision)
		} else {
			dy[2] += math.Max(0, 0.5-0.5*z*z*precision)
		}
		sum += 0.5*z*z*precision + 0.5*logVar - 0.5*e*e
	}
	return sum
}

// class is a network while it learns.
type class struct {
	net  *lstm
	tape *tape
	opt  *adam
	dy   [][]float64
	h, c [][]float64 // state by link of the batch
}

func newClass(t *ForecastTraining, r *rand.Rand) *class {
	const clip = 5
	net := newLSTM(lstmInputs, t.Hidden, lstmOutputs)
	net.init(r)
	c := &class{net: net, tape: newTape(net, t.Window), opt: newAdam(len(net.weights), t.Rate, clip)}
	for range t.Window {
		c.dy = append(c.dy, make([]float64, lstmOutputs))
	}
	for range t.Batch {
		c.h, c.c = append(c.h, make([]float64, t.Hidden)), append(c.c, make([]float64, t.Hidden))
	}
	return c
}

// batch lets the network go through some links side by side, window by window;
// after each window it learns. The state goes on from window to window. It
// returns the sum of the losses and how many lessons it is of.
func (c *class) batch(links [][]lesson, places []int) (loss, n float64) {
	for i := range places {
		clear(c.h[i])
		clear(c.c[i])
	}
	window := len(c.tape.steps)
	for from := 0; from+window <= len(links[places[0]]); from += window {
		clear(c.tape.gradient)
		known := 0.0
		for i, place := range places {
			part := links[place][from : from+window]
			for k := range part {
				copy(c.tape.steps[k].in, part[k].in[:])
			}
			c.tape.forward(c.h[i], c.c[i])
			for k := range part {
				loss += part[k].loss(c.tape.steps[k].y, c.dy[k])
				if part[k].known {
					known++
				}
			}
			c.tape.backward(c.dy)
		}
		if known > 0 {
			for i := range c.tape.gradient {
				c.tape.gradient[i] /= known
			}
			c.opt.step(c.net.weights, c.tape.gradient)
			n += known
		}
	}
	return loss, n
}
