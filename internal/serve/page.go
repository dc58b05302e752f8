package serve

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"cosim/federates"
	"cosim/internal/experiment"
	"cosim/internal/metrics"
	"cosim/internal/record/web"
	"cosim/scada"
	cosync "cosim/sync"
)

// mostGuests is how many runs of others the page keeps.
const mostGuests = 32

// Host gives a run that somebody else carries out its place on the page. The
// observer takes part in the run, see experiment.Participant.
func (s *Server) Host(d *experiment.Definition) cosync.Observer {
	r := s.newRun(d)
	r.guest = true
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runs = slices.DeleteFunc(s.runs, func(x *Run) bool { return x.id == r.id })
	if n := len(s.runs) - mostGuests; n >= 0 {
		old := slices.IndexFunc(s.runs, (*Run).hasEnded)
		if old >= 0 {
			s.runs = slices.Delete(s.runs, old, old+1)
		}
	}
	s.runs = append(s.runs, r)
	return &guest{&showing{run: r}}
}

// guest is the observer of a run that somebody else carries out.
type guest struct{ *showing }

// Join implements experiment.Participant.
func (g *guest) Join(o *experiment.RunOptions) {
	o.Controller = &g.run.control
	begin := o.OnStart
	o.OnStart = func(m *cosync.Master, all []cosync.Federate) {
		g.run.begin(m, all)
		if begin != nil {
			begin(m, all)
		}
	}
}

// End implements sync.Observer.
func (g *guest) End(cause error) error {
	err := g.showing.End(cause)
	g.run.mu.Lock()
	g.run.err = cause
	g.run.mu.Unlock()
	close(g.run.ended)
	return err
}

// Drain waits until the pages that are open have been told that their runs have
// ended, for so long at most, and says how many have not.
func (s *Server) Drain(within time.Duration) int64 {
	for deadline := time.Now().Add(within); s.streams.Load() > 0 && time.Now().Before(deadline); {
		time.Sleep(10 * time.Millisecond)
	}
	return s.streams.Load()
}

// stream shows a run to a page until it has ended. Where none has begun, it
// answers after a while that there is nothing to see yet: no error, for a page
// may well be opened before.
func (s *Server) stream(w http.ResponseWriter, req *http.Request) {
	s.streams.Add(1)
	defer s.streams.Add(-1)
	for range int(beginWithin / beginEvery) {
		if r := s.named(req.PathValue("id")); r != nil {
			if r.hasBegun() {
				r.feed.Stream(w, req, r.status)
				return
			}
		}
		select {
		case <-time.After(beginEvery):
		case <-req.Context().Done():
			return
		case <-s.done():
			return
		}
	}
	w.WriteHeader(http.StatusNoContent)
}

// hasBegun says that the first frame was seen, and what is set before it can be
// read.
func (r *Run) hasBegun() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.begun
}

// How long a stream waits for its run to begin, and how often it looks.
const (
	beginWithin = 3 * time.Second
	beginEvery  = 50 * time.Millisecond
)

// done closes when the server ends.
func (s *Server) done() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ctx.Done()
}

// status is what the page shows of the run besides its frames.
func (r *Run) status() web.Status {
	ended := r.hasEnded() // first, so that the rest is of its end
	v := r.view()
	return web.Status{State: v.State, Error: v.Error, RealTime: v.RealTime, LagMS: v.LagMS, WorstLagMS: v.WorstLagMS, Ended: ended}
}

// scene is what the page shows of a run that does not change.
func scene(d *experiment.Definition, supplies []*federates.KeySupply, buses []web.Bus) web.Scene {
	v := web.Scene{
		Run: d.RunName(), Experiment: d.Name, Title: d.Title, Case: d.Case, Seed: d.Seed, StopS: d.Duration.Seconds(),
		NominalHz: d.NominalHz(), SafeHz: metrics.SafeHz, Buses: buses,
	}
	if d.Reconfigure.Solver != experiment.SolverNone {
		v.DecisionNS = d.Reconfigure.Period.Nanoseconds()
	}
	if len(d.StoreLinks()) > 0 {
		v.RefillNS = d.Keys.Store.Period.Nanoseconds()
	}
	kinds := map[string]string{}
	for _, n := range d.Nodes {
		kinds[n.Name] = n.Kind
	}
	station := func(name string) bool { return kinds[name] != "" && kinds[name] != scada.Device }
	v.Nodes = stations(d, station)
	bySupply := map[string]*federates.KeySupply{}
	for _, k := range supplies {
		bySupply[k.Link] = k
	}
	for _, l := range d.Links {
		if !station(l.A) || !station(l.B) {
			continue
		}
		x := web.Link{
			Name: l.Name, A: l.A, B: l.B, LengthKM: l.LengthKM, Quantum: l.Quantum,
			AtCentre: l.Quantum && (kinds[l.A] == scada.ControlCentre) != (kinds[l.B] == scada.ControlCentre),
		}
		if k := bySupply[l.Name]; k != nil {
			c := k.Pool.Config()
			x.CapBits, x.SafeBits, x.ThresholdBits, x.Store = c.CapBits, c.SafeBits, c.ThresholdBits, k.Store != nil
		}
		v.Links = append(v.Links, x)
	}
	if len(d.Operators) > 1 {
		for _, o := range d.Operators {
			v.Operators = append(v.Operators, o.Name)
		}
	}
	operators := d.ChainOperators()
	for i, c := range d.Chains {
		x := web.Chain{ID: c.ID, Task: c.Task, Element: c.Element, Mode: c.StaticMode.String(), Operator: operators[i]}
		for _, route := range c.Routes {
			x.Routes = append(x.Routes, slices.DeleteFunc(slices.Clone(route), func(n string) bool { return !station(n) }))
		}
		v.Chains = append(v.Chains, x)
	}
	return v
}

// stations are the nodes of a definition with what stands at them.
func stations(d *experiment.Definition, station func(name string) bool) []web.Node {
	area := map[string]string{} // by gateway
	for _, a := range d.Areas {
		area[a.Gateway] = a.Name
	}
	at := map[string]string{} // the station of an IED
	for _, l := range d.Links {
		switch {
		case station(l.A) && !station(l.B):
			at[l.B] = l.A
		case station(l.B) && !station(l.A):
			at[l.A] = l.B
		case area[l.A] != "" && area[l.B] == "":
			area[l.B] = area[l.A] + "\x00" // an RTU of the area's gateway
		case area[l.B] != "" && area[l.A] == "":
			area[l.A] = area[l.B] + "\x00"
		}
	}
	var nodes []web.Node
	place := map[string]int{}
	for _, n := range d.Nodes {
		if !station(n.Name) {
			continue
		}
		place[n.Name] = len(nodes)
		x := web.Node{Name: n.Name, Kind: n.Kind}
		if n.Kind != scada.ControlCentre {
			x.Area = strings.TrimRight(area[n.Name], "\x00")
		}
		nodes = append(nodes, x)
	}
	hold := func(ied, what string, bus int) {
		i, ok := place[at[ied]]
		if !ok {
			return
		}
		nodes[i].Holds = append(nodes[i].Holds, fmt.Sprintf("%s %d", what, bus))
		if !slices.Contains(nodes[i].Buses, bus) {
			nodes[i].Buses = append(nodes[i].Buses, bus)
		}
	}
	for _, p := range d.PMUs {
		hold(p.IED, "PMU", p.Bus)
	}
	for _, g := range d.Generators {
		hold(g.IED, "generator", g.Bus)
	}
	for _, b := range d.Blocks {
		hold(b.IED, "reserve block", b.Bus)
	}
	return nodes
}

// buses are those of the grid with their loads; none where another program
// simulates it.
func (r *Run) buses() []web.Bus {
	if r.grid == nil {
		return nil
	}
	var list []web.Bus
	for _, b := range r.grid.Case().Buses {
		if id, err := strconv.Atoi(b.ID); err == nil {
			list = append(list, web.Bus{ID: id, LoadMW: b.LoadMW})
		}
	}
	return list
}

// stepped does something at the run's next step, and says when that is. A
// paused run does it when it goes on; late says so.
func (r *Run) stepped(ctx context.Context, do func(now cosync.Time) error) (at cosync.Time, late bool, err error) {
	if r.control.Paused() {
		return 0, true, r.desk.post(func(now cosync.Time) {
			if err := do(now); err != nil {
				r.log.Warn("order", "error", err)
			}
		})
	}
	ctx, cancel := context.WithTimeout(ctx, stepWithin)
	defer cancel()
	var result error
	err = r.desk.do(ctx, func(now cosync.Time) { at, result = now, do(now) })
	return at, false, errors.Join(err, result)
}
