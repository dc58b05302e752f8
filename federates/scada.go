package federates

import (
	"math/rand/v2"
	"strings"

	"cosim/network"
	"cosim/quantum"
	"cosim/scada"
	cosync "cosim/sync"
)

// Scada is the federate of the control centre, the gateways and the sending
// side of the outstations, with the key pools that they draw from.
type Scada struct {
	system   *scada.System
	cfg      scada.Config
	supplies []*KeySupply
	byLink   map[string]*KeySupply
	step     cosync.Time

	in     scada.Input
	out    scada.Output
	levels []quantum.LevelEvent
	ready  []cosync.Message // enciphered and on their way to the first queue

	planning  *planning      // nil where the plan never changes
	fairness  *fairness      // nil where there is one operator
	delivered []cosync.Event // since the last step, see Deliver
	replanned []cosync.Event // likewise, see SetOption
}

// NewScada makes the federate; supplies are in the order in which their pools
// are published.
func NewScada(cfg scada.Config, supplies []*KeySupply, stream func(string) *rand.Rand, step cosync.Time) (*Scada, error) {
	s := &Scada{cfg: cfg, supplies: supplies, byLink: map[string]*KeySupply{}, step: step}
	pools := map[string]scada.KeyPool{}
	for _, k := range supplies {
		s.byLink[k.Link] = k
		pools[k.Link] = supplyFor{k}
	}
	system, err := scada.New(cfg, pools, stream)
	if err != nil {
		return nil, err
	}
	s.system = system
	if len(cfg.Operators) > 1 {
		s.fairness = newFairness(len(cfg.Operators))
	}
	return s, nil
}

// Ports of Scada.
const (
	scadaFrequency = iota // in
	scadaVoltage
	scadaDeliveries
	scadaDrops
	scadaApplied
	scadaFibre
	scadaBlocks
	scadaKey
	scadaUp
	scadaState
)

const (
	scadaFrames = iota // out
	scadaTasks
	scadaKeyEvents
	scadaPool
	scadaStore
	scadaGenerated
	scadaConsumed
	scadaDiscarded
	scadaExpired
	scadaInitial
	scadaController
	scadaLedger
	scadaRefused
	scadaDecision
	scadaPlan
	scadaFairness // with several operators only, like those after it
	scadaAsked
	scadaGranted
)

// Describe implements sync.Federate.
func (s *Scada) Describe() cosync.Description {
	links, linkElements := make([]string, len(s.supplies)), make([]string, len(s.supplies))
	for i, k := range s.supplies {
		links[i], linkElements[i] = "pool/"+k.Link, "link/"+k.Link
	}
	pmus := make([]string, len(s.cfg.PMUs))
	for i, p := range s.cfg.PMUs {
		pmus[i] = p.ID
	}
	key := func(name string) cosync.Port {
		return cosync.Port{Name: name, Kind: cosync.Vector, Unit: "bit", Elements: links}
	}
	d := cosync.Description{
		Name: "scada",
		Step: s.step,
		Inputs: []cosync.Port{
			scadaFrequency:  {Name: "frequency", Kind: cosync.Vector, Unit: "Hz", Elements: pmus},
			scadaVoltage:    {Name: "voltage", Kind: cosync.Vector, Unit: "pu", Elements: pmus},
			scadaDeliveries: {Name: "deliveries", Kind: cosync.Messages},
			scadaDrops:      {Name: "drops", Kind: cosync.Messages},
			scadaApplied:    {Name: "applied", Kind: cosync.Messages},
			scadaFibre:      {Name: "fibre", Kind: cosync.Events, Optional: true},
			scadaBlocks:     {Name: "blocks", Kind: cosync.Events, Optional: true},
			scadaKey:        {Name: "key", Kind: cosync.Vector, Unit: "bit", Elements: linkElements, Optional: true},
			scadaUp:         {Name: "up", Kind: cosync.Vector, Unit: "s", Elements: linkElements, Optional: true},
			scadaState:      {Name: "state", Kind: cosync.Vector, Unit: "1", Elements: linkElements, Optional: true},
		},
		Outputs: []cosync.Port{
			scadaFrames:     {Name: "frames", Kind: cosync.Messages},
			scadaTasks:      {Name: "tasks", Kind: cosync.Events},
			scadaKeyEvents:  {Name: "key_events", Kind: cosync.Events},
			scadaPool:       key("pool"),
			scadaStore:      key("store"),
			scadaGenerated:  key("generated"),
			scadaConsumed:   key("consumed"),
			scadaDiscarded:  key("discarded"),
			scadaExpired:    key("expired"),
			scadaInitial:    key("initial"),
			scadaController: {Name: "controller", Kind: cosync.Vector, Unit: "", Elements: s.controllerElements()},
			scadaDecision:   {Name: "decision", Kind: cosync.Vector, Unit: "1", Elements: s.decisionElements()},
			scadaPlan:       {Name: "plan", Kind: cosync.Events},
			scadaRefused:    {Name: "refused", Kind: cosync.Messages},
			scadaLedger:     {Name: "ledger", Kind: cosync.Vector, Unit: "1", Elements: []string{"triggered", "succeeded", "failed", "open"}},
		},
	}
	if s.fairness != nil {
		d.Outputs = append(d.Outputs, fairnessPorts(s.cfg.Operators)...)
	}
	return d
}

// beliefs name what a controller believes; each carries its own unit.
var beliefs = []string{"frequency_hz", "heard_pmus", "ace_mw", "agc_mw", "imbalance_mw", "called_mw"}

// controllerElements are the beliefs, of each operator where there are several.
func (s *Scada) controllerElements() []string {
	if len(s.cfg.Operators) < 2 {
		return beliefs
	}
	var names []string
	for _, o := range s.cfg.Operators {
		for _, b := range beliefs {
			names = append(names, o.Name+"/"+b)
		}
	}
	return names
}

// Init implements sync.Federate.
func (s *Scada) Init(out []cosync.Signal) error {
	s.publish(out)
	s.fairness.publish(out, 0)
	return nil
}

// Step implements sync.Federate.
func (s *Scada) Step(st *cosync.Step) error {
	for _, e := range st.In[scadaBlocks].Events {
		if err := s.deposit(e); err != nil {
			return err
		}
	}
	for _, k := range s.supplies {
		k.Pool.Expire(int64(st.From))
	}
	s.read(st.In)
	if s.planning != nil {
		s.planning.observe(st.In, st.From)
	}
	if err := s.system.Step(int64(st.From), int64(st.To), &s.in, &s.out); err != nil {
		return err
	}
	s.write(st)
	return nil
}

// deposit puts a distilled block into its pool. A refill that was due before
// is made before, from what the pool held then.
func (s *Scada) deposit(e cosync.Event) error {
	k, ok := s.byLink[e.Element]
	if !ok || e.Type != EventBlock {
		return nil
	}
	if k.Store != nil {
		k.Store.Advance(int64(e.At))
	}
	return k.Pool.Deposit(int64(e.At), int64(e.Value))
}

func (s *Scada) read(in []cosync.Signal) {
	s.in.SampleFreqHz = in[scadaFrequency].Values
	s.in.SampleVoltagePU = in[scadaVoltage].Values
	s.in.LinkEvents = s.in.LinkEvents[:0]
	for _, e := range in[scadaFibre].Events {
		if e.Type == EventLinkUp || e.Type == EventLinkDown {
			s.in.LinkEvents = append(s.in.LinkEvents, scada.LinkEvent{AtNS: int64(e.At), Link: e.Element, Up: e.Type == EventLinkUp})
		}
	}
	s.in.Drops = s.in.Drops[:0]
	for _, m := range in[scadaDrops].Messages {
		s.in.Drops = append(s.in.Drops, scada.Drop{AtNS: int64(m.At), ID: m.ID, Reason: dropReasons[m.Class]})
	}
	s.in.Applied = s.in.Applied[:0]
	for _, m := range in[scadaApplied].Messages {
		s.in.Applied = append(s.in.Applied, scada.Applied{AtNS: int64(m.At), ID: m.ID, IED: m.From, Verdict: scada.Verdict(m.Payload[0])})
	}
	s.in.Deliveries = s.in.Deliveries[:0]
	for _, m := range in[scadaDeliveries].Messages {
		s.in.Deliveries = append(s.in.Deliveries, scada.Delivery{AtNS: int64(m.At), ID: m.ID, Node: m.To, From: m.From, Payload: m.Payload})
	}
}

// dropReasons translates the network's reasons. A deadline that passed in the
// network does not occur: scada's frames carry none.
var dropReasons = map[string]scada.DropReason{
	network.Overflow.String():    scada.DropOverflow,
	network.LinkDown.String():    scada.DropLinkDown,
	network.Lost.String():        scada.DropLoss,
	network.TTLExceeded.String(): scada.DropTTL,
	network.NoRoute.String():     scada.DropLinkDown,
	network.Intercepted.String(): scada.DropAttack,
}

func (s *Scada) write(st *cosync.Step) {
	for i := range s.out.Frames {
		f := &s.out.Frames[i]
		s.ready = append(s.ready, cosync.Message{
			At: cosync.Time(f.AtNS + f.ServiceNS), ID: f.ID, From: f.From, To: f.Route, Class: f.Class, Payload: f.Payload,
		})
	}
	s.hand(&st.Out[scadaFrames], st.To)
	tasks := &st.Out[scadaTasks].Events
	for i := range s.out.Tasks {
		t := &s.out.Tasks[i]
		*tasks = append(*tasks, cosync.Event{
			At: max(st.From, cosync.Time(t.DecidedNS)), Type: "task", Element: t.ChainID,
			Value: float64(t.LatencyNS) * 1e-9, Detail: taskDetail(t),
		})
	}
	for _, r := range s.out.Refusals {
		st.Out[scadaRefused].Messages = append(st.Out[scadaRefused].Messages, cosync.Message{
			At: st.From, ID: r.ID, To: r.Node, Class: r.Verdict.String(),
		})
	}
	for _, k := range s.supplies {
		s.levels = k.Pool.TakeEvents(s.levels[:0])
		for _, l := range s.levels {
			st.Out[scadaKeyEvents].Events = append(st.Out[scadaKeyEvents].Events, cosync.Event{
				At: max(st.From, cosync.Time(l.AtNS)), Type: "pool-" + l.Level.String(), Element: k.Link, Value: float64(l.LevelBits),
			})
		}
	}
	s.publishOperated(st.Out)
	if s.planning != nil {
		s.planning.publish(st, s.cfg.Chains, s.system.Plan())
	}
	s.fairness.step(&s.out, st)
	s.publish(st.Out)
}

// hand gives the network the frames that are ready by the end of the step. One
// whose sender still waits for key, or enciphers, comes with a later step.
func (s *Scada) hand(out *cosync.Signal, end cosync.Time) {
	waiting := s.ready[:0]
	for _, m := range s.ready {
		if m.At > end {
			waiting = append(waiting, m)
			continue
		}
		out.Messages = append(out.Messages, m)
	}
	s.ready = waiting
}

func (s *Scada) publish(out []cosync.Signal) {
	for i, k := range s.supplies {
		a := k.Pool.Account()
		out[scadaPool].Values[i] = float64(k.Pool.LevelBits())
		out[scadaStore].Values[i] = 0
		if k.Store != nil {
			out[scadaStore].Values[i] = float64(k.Store.LevelBits())
		}
		out[scadaGenerated].Values[i] = float64(a.GeneratedBits)
		out[scadaConsumed].Values[i] = float64(a.ConsumedBits)
		out[scadaDiscarded].Values[i] = float64(a.DiscardedBits)
		out[scadaExpired].Values[i] = float64(a.ExpiredBits)
		out[scadaInitial].Values[i] = float64(a.InitialBits)
	}
	for i, d := range s.out.Diagnostics {
		copy(out[scadaController].Values[i*len(beliefs):],
			[]float64{d.FreqHz, float64(d.HeardPMUs), d.ACEMW, d.AGCMW, d.ImbalanceMW, d.CalledMW})
	}
	c := s.system.Counts()
	copy(out[scadaLedger].Values, []float64{float64(c.Triggered), float64(c.Succeeded), float64(c.Failed), float64(c.Open)})
}

// Close implements sync.Federate.
func (s *Scada) Close() error { return nil }

// Task is the end of one control task, as the event "task" of port "tasks"
// carries it.
type Task struct {
	At       cosync.Time
	Chain    string
	Class    string
	Mode     string // in which it was last sent
	Cause    string // of a failure; empty for a success
	LatencyS float64
}

// taskDetail writes "class mode cause", the cause only of a failure.
func taskDetail(t *scada.TaskEvent) string {
	detail := t.Class + " " + t.Mode.String()
	if t.Outcome == scada.Failure {
		detail += " " + string(t.Cause)
	}
	return detail
}

// ParseTask reads a "task" event back.
func ParseTask(e cosync.Event) Task {
	t := Task{At: e.At, Chain: e.Element, LatencyS: e.Value}
	class, rest, _ := strings.Cut(e.Detail, " ")
	t.Class = class
	t.Mode, t.Cause, _ = strings.Cut(rest, " ")
	return t
}
