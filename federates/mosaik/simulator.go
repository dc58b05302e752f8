package mosaik

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"cosim/sync"
)

// Config says which simulator takes part, and how.
type Config struct {
	Name string // in the federation, and the sim_id that the simulator is given
	// Connect is the address at which the simulator waits, or Command starts
	// one that connects to %(addr)s.
	Connect, Command string
	Step, Stop       sync.Time     // of the federate, and of the run
	Resolution       sync.Time     // a unit of the simulator's time; it divides Step
	Deadline         time.Duration // wall time for a reply
	// Init are parameters of the simulator itself.
	Init            map[string]any
	Models          []Model
	Inputs, Outputs []Port
}

// Model asks for instances of a model.
type Model struct {
	Name       string
	Number     int
	Parameters map[string]any
}

// Simulator is a mosaik simulator as a federate.
type Simulator struct {
	cfg     Config
	session *session
	meta    *meta
	plan    *plan
	remote  string

	seq      int64
	from, to sync.Time
	in       []sync.Signal
	now      int64   // of the mosaik step in progress or last made; -1 before
	due      []int64 // steps that the simulator wants, in order
	made     []made  // outputs that have not taken effect, in order of time
	values   [][]float64
	begun    bool // the step has been asked
	waiting  bool // for the reply to step
	failure  error
	closed   atomic.Bool
}

// made is the value of an output from a time on.
type made struct {
	at    int64
	place place
	value float64
}

var (
	_ sync.Asker     = (*Simulator)(nil)
	_ sync.Explainer = (*Simulator)(nil)
)

// Start connects a simulator, or starts one, and creates its entities.
func Start(ctx context.Context, c Config) (*Simulator, error) {
	x := &Simulator{cfg: c, seq: -1, now: -1}
	x.session = &session{deadline: c.Deadline, answer: x.answer}
	err := x.connect(ctx)
	if err == nil {
		stop := context.AfterFunc(ctx, x.Interrupt)
		err = x.create()
		stop()
	}
	if err == nil {
		x.session.request.Store(nil)
		return x, nil
	}
	err = x.lose(err)
	_ = x.Close()
	if ctx.Err() != nil {
		return nil, fmt.Errorf("%w: %w", err, ctx.Err())
	}
	return nil, err
}

func (x *Simulator) connect(ctx context.Context) (err error) {
	if x.cfg.Command != "" {
		x.session.program, x.session.conn, err = accept(ctx, x.cfg.Command, x.cfg.Deadline)
	} else {
		d := net.Dialer{Timeout: x.cfg.Deadline}
		x.session.conn, err = d.DialContext(ctx, "tcp", x.cfg.Connect)
	}
	if err != nil {
		return err
	}
	x.remote = x.session.conn.RemoteAddr().String()
	return nil
}

// create makes the simulator's entities and finds the ports in them.
func (x *Simulator) create() error {
	named := map[string]any{}
	for name, value := range x.cfg.Init {
		named[name] = value
	}
	named["time_resolution"] = json.RawMessage(appendNumber(nil, x.cfg.Resolution.Seconds()))
	reply, err := x.session.call("init", []string{x.cfg.Name}, named)
	if err != nil {
		return err
	}
	if x.meta, err = readMeta(reply); err != nil {
		return err
	}
	var entities []entity
	for _, m := range x.cfg.Models {
		if err := x.meta.check(m); err != nil {
			return err
		}
		parameters := m.Parameters
		if parameters == nil {
			parameters = map[string]any{}
		}
		if reply, err = x.session.call("create", []any{m.Number, m.Name}, parameters); err != nil {
			return err
		}
		if entities, err = x.meta.readEntities(reply, m, entities); err != nil {
			return err
		}
	}
	x.plan, err = newPlan(&x.cfg, x.meta.Type, entities)
	return err
}

// Describe implements sync.Federate.
func (x *Simulator) Describe() sync.Description { return x.plan.about }

// Init implements sync.Federate. Outputs are 0 until the first step, for
// mosaik has no data before it.
func (x *Simulator) Init(out []sync.Signal) error {
	for i := range out {
		x.values = append(x.values, make([]float64, len(out[i].Values)))
	}
	x.want(0)
	if !x.meta.knowsSetup() {
		return nil
	}
	if _, err := x.session.call("setup_done", []any{}, struct{}{}); err != nil {
		return x.lose(err)
	}
	x.session.request.Store(nil)
	return nil
}

// Ask implements sync.Asker: it requests a mosaik step, if one is due.
func (x *Simulator) Ask(s *sync.Step) {
	x.begun = true
	x.seq, x.from, x.to, x.in = s.Seq, s.From, s.To, s.In
	if first := int64(x.from / x.cfg.Resolution); s.Woken && x.now < first {
		x.want(first)
	}
	if x.failure == nil {
		if err := x.next(); err != nil {
			_ = x.lose(err)
		}
	}
}

// next requests the next mosaik step within the federate's step, if any.
func (x *Simulator) next() error {
	end := int64(x.to / x.cfg.Resolution)
	if len(x.due) == 0 || x.due[0] >= end {
		return nil
	}
	x.now, x.due = x.due[0], x.due[1:]
	arguments := strconv.AppendInt([]byte{'['}, x.now, 10)
	arguments = x.plan.appendInputs(append(arguments, ','), x.in)
	if x.meta.major > 2 {
		advance := int64(x.cfg.Stop / x.cfg.Resolution)
		if x.plan.events {
			advance = end - 1 // an input can change with the next step
		}
		arguments = strconv.AppendInt(append(arguments, ','), advance, 10)
	}
	x.waiting = true
	return x.session.send("step", append(arguments, ']'), []byte("{}"))
}

// want puts down a step.
func (x *Simulator) want(at int64) {
	if i, there := slices.BinarySearch(x.due, at); !there {
		x.due = slices.Insert(x.due, i, at)
	}
}

// Step implements sync.Federate: it waits for what was asked, fetches outputs,
// and makes the other mosaik steps that fall into the same step.
func (x *Simulator) Step(s *sync.Step) error {
	if !x.begun {
		x.Ask(s)
	}
	x.begun = false
	if x.failure != nil {
		return x.failure
	}
	for x.waiting {
		x.waiting = false
		err := x.finish()
		if err == nil {
			err = x.next()
		}
		if err != nil {
			return x.lose(err)
		}
	}
	x.session.request.Store(nil)
	x.in = nil
	x.takeEffect()
	for i := range s.Out {
		copy(s.Out[i].Values, x.values[i])
	}
	s.Next = x.nextStep()
	return nil
}

// nextStep is when the federate has to act next: in the step in which the
// simulator wants one, or in which an output takes effect.
func (x *Simulator) nextStep() sync.Time {
	at := int64(x.cfg.Stop / x.cfg.Resolution)
	if len(x.due) > 0 {
		at = min(at, x.due[0])
	}
	if len(x.made) > 0 {
		at = min(at, x.made[0].at)
	}
	t := sync.Time(at) * x.cfg.Resolution
	return t - t%x.cfg.Step
}

// finish reads the reply to step and fetches the outputs.
func (x *Simulator) finish() error {
	reply, err := x.session.receive()
	if err != nil {
		return err
	}
	if err := x.schedule(reply); err != nil {
		return err
	}
	if x.plan.wanted == nil {
		return nil
	}
	if err := x.session.send("get_data", x.plan.wanted, []byte("{}")); err != nil {
		return err
	}
	if reply, err = x.session.receive(); err != nil {
		return err
	}
	return x.take(reply)
}

// schedule reads when the simulator wants its next step.
func (x *Simulator) schedule(reply json.RawMessage) error {
	if string(reply) == "null" {
		if x.meta.Type == timeBased {
			return faultf(CodeBadReply, "expected the time of the next step, as it is time-based, got null")
		}
		return nil
	}
	at, err := integer(reply)
	switch step := int64(x.cfg.Step / x.cfg.Resolution); {
	case err != nil:
		return faultf(CodeBadReply, "expected the time of the next step, an integer or null, got %s", excerpt(reply))
	case at <= x.now:
		return faultf(CodeBadReply, "expected a next step later than %d, got %d", x.now, at)
	case x.meta.Type == timeBased && at%step != 0:
		return faultf(CodeBadReply, "expected a next step at a multiple of %d, as a step of the federation is %v, got %d", step, time.Duration(x.cfg.Step), at)
	}
	x.want(at)
	return nil
}

// take reads the reply to get_data.
func (x *Simulator) take(reply json.RawMessage) error {
	var data map[string]json.RawMessage
	if json.Unmarshal(reply, &data) != nil || data == nil {
		return faultf(CodeBadReply, "expected {eid: {attr: value}}, got %s", excerpt(reply))
	}
	at := x.now
	if raw, given := data["time"]; given && x.meta.Type != timeBased {
		var err error
		if at, err = integer(raw); err != nil || at < x.now {
			return faultf(CodeBadReply, "time: expected an integer from %d on, got %s", x.now, excerpt(raw))
		}
	}
	entities := map[string]map[string]json.RawMessage{}
	for _, o := range x.plan.origins {
		values, read := entities[o.entity]
		if raw, given := data[o.entity]; given && !read {
			if json.Unmarshal(raw, &values) != nil {
				return faultf(CodeBadReply, "%s: expected {attr: value}, got %s", o.entity, excerpt(raw))
			}
			entities[o.entity] = values
		}
		raw, given := values[o.name]
		if !given && x.meta.Type != timeBased {
			continue
		}
		value, err := number(raw)
		if err != nil {
			return faultf(CodeBadReply, "%s: %v", o.attribute, err)
		}
		x.made = append(x.made, made{at, o.place, value * o.place.scale})
	}
	return nil
}

// takeEffect puts outputs whose time has come in place, in order of time.
func (x *Simulator) takeEffect() {
	slices.SortStableFunc(x.made, func(a, b made) int { return cmp.Compare(a.at, b.at) })
	end := int64(x.to / x.cfg.Resolution)
	done := 0
	for _, m := range x.made {
		if m.at >= end {
			break
		}
		x.values[m.place.port][m.place.element] = m.value
		done++
	}
	x.made = slices.Delete(x.made, 0, done)
}

// lose gives the simulator up.
func (x *Simulator) lose(err error) error {
	var told *Error
	if !errors.As(err, &told) {
		told = faultf(CodeConnection, "%v", err)
	}
	told.Simulator, told.Remote, told.Seq, told.At = x.cfg.Name, x.remote, x.seq, x.from
	if name := x.session.request.Load(); name != nil {
		told.Request = *name
	}
	x.failure = told
	x.session.failed.Store(true)
	return told
}

// Explain implements sync.Explainer.
func (x *Simulator) Explain() string {
	request := "nothing"
	if name := x.session.request.Load(); name != nil {
		request = *name
	}
	return fmt.Sprintf("mosaik simulator at %s, asked for %s, deadline %v", x.remote, request, x.cfg.Deadline)
}

// Interrupt ends all waiting, from any goroutine.
func (x *Simulator) Interrupt() {
	if x.session.conn != nil {
		_ = x.session.conn.Close()
	}
}

// Patience with a simulator that is told to stop, and with one that was lost.
const (
	farewell = 5 * time.Second
	curt     = 200 * time.Millisecond
)

// Close implements sync.Federate: it tells the simulator to stop. A program
// that was started ends.
func (x *Simulator) Close() error {
	if x.session.conn == nil || x.closed.Swap(true) {
		return nil
	}
	patience := farewell
	if x.session.failed.Load() {
		patience = curt
	}
	x.session.stop(patience)
	return nil
}
