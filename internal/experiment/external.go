package experiment

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"cosim/federates"
	"cosim/federates/mosaik"
	"cosim/federates/ws"
	"cosim/internal/record"
	cosync "cosim/sync"
)

// External is a federate that a program outside simulates.
type External struct {
	Name string `yaml:"name"` // under which it connects
	// Replaces names the built-in federate whose place it takes; empty: it
	// comes on top.
	Replaces   string            `yaml:"replaces,omitempty"`
	Connect    []Wire            `yaml:"connect,omitempty"`
	OnLost     string            `yaml:"on_lost"` // abort | hold | fallback
	Deadline   time.Duration     `yaml:"deadline"`
	Grace      time.Duration     `yaml:"grace"`
	Parameters map[string]string `yaml:"parameters,omitempty"`
	Mosaik     *Mosaik           `yaml:"mosaik,omitempty"` // the program is a mosaik simulator
}

// Wire is a connection that an external federate brings along.
type Wire struct {
	From string `yaml:"from"`
	To   string `yaml:"to"`
}

// Attach says where and how external federates connect.
type Attach struct {
	Listen      string   `yaml:"listen"`
	TokenFile   string   `yaml:"token_file,omitempty"`
	Certificate string   `yaml:"certificate,omitempty"`
	Key         string   `yaml:"key,omitempty"`
	ClientCA    string   `yaml:"client_ca,omitempty"`
	Origins     []string `yaml:"origins,omitempty"`
}

// What becomes of a run that loses an external federate.
const (
	lostAbort    = "abort"    // it ends
	lostHold     = "hold"     // the federate's outputs are held
	lostFallback = "fallback" // the built-in federate that it replaces takes over
)

const defaultListen = "127.0.0.1:8765"

// injection is the port of the grid that takes power from outside; every
// connection to it gets an input of its own.
const injection = "grid.injection"

var builtIn = []string{"quantum", "network", "scada", "ieds", "grid"}

// resolveExternal fills in what the file leaves open.
func (d *Definition) resolveExternal() {
	for i := range d.Federates {
		x := &d.Federates[i]
		if x.OnLost == "" {
			x.OnLost = lostAbort
		}
		if x.Deadline == 0 {
			x.Deadline = 10 * time.Second
		}
		x.Mosaik.resolve()
	}
	if len(d.Federates) > 0 && d.Attach.Listen == "" {
		d.Attach.Listen = defaultListen
	}
}

// external checks the federates that others simulate.
func (v *validator) external() {
	d := v.def
	names := slices.Clone(builtIn)
	for _, x := range d.Federates {
		names = append(names, x.Name)
	}
	replaced := map[string]bool{}
	for i, x := range d.Federates {
		path := fmt.Sprintf("federates[%d]", i)
		switch {
		case x.Name == "":
			v.fault(path, "name is missing: it is what the federate connects as")
		case strings.ContainsAny(x.Name, "./ "):
			v.fault(path+".name", "name %q holds a dot, slash or space", x.Name)
		case slices.Contains(builtIn, x.Name):
			v.fault(path+".name", "name %q is that of a built-in federate; to take its place, choose another name and say replaces: %s", x.Name, x.Name)
		}
		if x.Replaces != "" && !slices.Contains(builtIn, x.Replaces) {
			v.fault(path+".replaces", "no built-in federate %q%s", x.Replaces, suggest(x.Replaces, builtIn))
		} else if replaced[x.Replaces] {
			v.fault(path+".replaces", "two federates replace %s", x.Replaces)
		}
		replaced[x.Replaces] = x.Replaces != ""
		if lost := []string{lostAbort, lostHold, lostFallback}; !slices.Contains(lost, x.OnLost) {
			v.fault(path+".on_lost", "on_lost is %q%s", x.OnLost, suggest(x.OnLost, lost))
		}
		if x.OnLost == lostFallback && x.Replaces == "" {
			v.fault(path+".on_lost", "fallback is the built-in federate that is replaced; %s replaces none", x.Name)
		}
		if x.Replaces == "" && len(x.Connect) == 0 {
			v.fault(path, "%s neither replaces a federate nor connects to one", x.Name)
		}
		for j, w := range x.Connect {
			v.wire(fmt.Sprintf("%s.connect[%d]", path, j), w, names)
		}
		v.mosaik(path, &x)
	}
	if len(d.Federates) == 0 && d.Attach.Listen+d.Attach.TokenFile+d.Attach.Certificate+d.Attach.Key+d.Attach.ClientCA != "" {
		v.fault("attach", "attach has no effect without federates")
	}
	if a := d.Attach; (a.Certificate == "") != (a.Key == "") {
		v.fault("attach.certificate", "certificate and key belong together")
	}
}

// wire checks the ends of a connection as far as the file alone says.
func (v *validator) wire(path string, w Wire, names []string) {
	for _, end := range []struct{ key, port string }{{"from", w.From}, {"to", w.To}} {
		federate, port, _ := strings.Cut(end.port, ".")
		switch {
		case port == "":
			v.fault(path+"."+end.key, "%s is %q, expected a federate and its port, such as grid.frequency", end.key, end.port)
		case !slices.Contains(names, federate):
			v.fault(path+"."+end.key, "no federate %q%s", federate, suggest(federate, names))
		}
	}
}

// attached are the external federates of a run.
type attached struct {
	simulators *simulators // of mosaik
	server     *ws.Server  // nil: nobody is to connect
	address    string      // where it listens
	web        *http.Server
	ended      chan struct{}
	cancel     func() bool // of the watch on the run's context
}

// attach puts the external federates, once they have connected, into the
// federation. Nil if there are none.
func (f *federation) attach(ctx context.Context, d *Definition, o RunOptions) (*attached, error) {
	if len(d.Federates) == 0 {
		return nil, nil
	}
	if err := f.checkWires(d); err != nil {
		return nil, err
	}
	live := make([]cosync.Federate, len(d.Federates))
	simulators, err := startSimulators(ctx, d, o, live)
	if err != nil {
		return nil, err
	}
	a, err := f.await(ctx, d, o, live)
	if err != nil {
		simulators.close()
		return nil, err
	}
	a.simulators = simulators
	parts, err := o.past.cast(d, live)
	if err == nil {
		err = f.enlist(d, parts)
	}
	if err != nil {
		a.close()
		return nil, err
	}
	return a, nil
}

// await waits until all programs are there that are to connect, by place in
// the definition.
func (f *federation) await(ctx context.Context, d *Definition, o RunOptions, live []cosync.Federate) (*attached, error) {
	var places []int
	for i := range d.Federates {
		if d.Federates[i].Mosaik == nil && o.past.awaits(i) {
			places = append(places, i)
		}
	}
	if len(places) == 0 {
		return &attached{}, nil
	}
	a, listening, listener, err := f.listen(d, places, o.past)
	if err != nil {
		return nil, err
	}
	a.cancel = context.AfterFunc(ctx, a.server.Interrupt)
	err = a.server.Await(ctx, func(missing []string) {
		if o.OnWait == nil {
			return
		}
		urls := make([]string, len(missing))
		for i, name := range missing {
			urls[i] = listening.URL(listener, name)
		}
		o.OnWait(missing, urls)
	})
	if err != nil {
		a.close()
		return nil, err
	}
	for i, x := range a.server.Federates() {
		live[places[i]] = x
	}
	return a, nil
}

// listen opens the door to the federates at the given places.
func (f *federation) listen(d *Definition, places []int, p *past) (*attached, ws.Listening, net.Listener, error) {
	at := d.Attach
	before, secret, err := p.readDoor()
	l := ws.Listening{Address: before.address(at.Listen), Certificate: at.Certificate, Key: at.Key, ClientCA: at.ClientCA, Tokens: at.TokenFile != ""}
	if err != nil {
		return nil, l, nil, err
	}
	c := ws.Config{Run: d.RunName(), Seed: d.Seed, Stop: simTime(d.Duration), Origins: at.Origins, Secret: secret}
	var tokens map[string]string
	if l.Tokens {
		if tokens, err = ws.ReadTokens(at.TokenFile); err != nil {
			return nil, l, nil, err
		}
	}
	for _, place := range places {
		x := d.Federates[place]
		if l.Tokens && tokens[x.Name] == "" {
			return nil, l, nil, fmt.Errorf("experiment: %s has no token for %s", at.TokenFile, x.Name)
		}
		expected := ws.Expected{Name: x.Name, Token: tokens[x.Name], Deadline: x.Deadline, Grace: x.Grace, Parameters: x.Parameters}
		if x.Replaces != "" {
			about := f.find(x.Replaces).Describe()
			expected.InPlaceOf = &about
		}
		expected.Check = func(about cosync.Description) error { return f.fits(d, x, about) }
		c.Federates = append(c.Federates, expected)
	}
	server, err := ws.NewServer(c)
	if err != nil {
		return nil, l, nil, err
	}
	listener, err := l.Listen()
	if err != nil {
		return nil, l, nil, err
	}
	a := &attached{server: server, address: listener.Addr().String(), web: ws.HTTPServer(server), ended: make(chan struct{})}
	go func() {
		defer close(a.ended)
		_ = a.web.Serve(listener) // until close
	}()
	return a, l, listener, nil
}

func (a *attached) close() {
	if a == nil {
		return
	}
	a.simulators.close()
	if a.server == nil {
		return
	}
	a.cancel()
	_ = a.web.Close()
	_ = a.server.Close()
	<-a.ended
}

func (f *federation) find(name string) cosync.Federate {
	for _, x := range f.federates {
		if x.Describe().Name == name {
			return x
		}
	}
	return nil
}

// checkWires looks for the ports of built-in federates, so that nobody has to
// connect before a slip of the pen shows.
func (f *federation) checkWires(d *Definition) error {
	var mistakes Mistakes
	for i, x := range d.Federates {
		for j, w := range x.Connect {
			for _, end := range []struct{ key, port string }{{"from", w.From}, {"to", w.To}} {
				name, port, _ := strings.Cut(end.port, ".")
				federate := f.find(name)
				if federate == nil || end.port == injection || d.replaced(name) {
					continue
				}
				about := federate.Describe()
				ports, direction := about.Outputs, "output"
				if end.key == "to" {
					ports, direction = about.Inputs, "input"
				}
				if names := portNames(ports); !slices.Contains(names, port) {
					at := d.places.find(fmt.Sprintf("federates[%d].connect[%d].%s", i, j, end.key))
					mistakes = append(mistakes, &Mistake{at, fmt.Sprintf("%s has no %s %q%s", name, direction, port, suggest(port, names))})
				}
			}
		}
	}
	return mistakes.Err()
}

// replaced says whether an external federate takes the place of a built-in one.
func (d *Definition) replaced(name string) bool {
	return slices.ContainsFunc(d.Federates, func(x External) bool { return x.Replaces == name })
}

func portNames(ports []cosync.Port) []string {
	names := make([]string, len(ports))
	for i, p := range ports {
		names[i] = p.Name
	}
	return names
}

// fits says what is wrong with the description of an external federate, while
// its program is there to be told.
func (f *federation) fits(d *Definition, x External, about cosync.Description) error {
	switch exchange, stop := simTime(d.Steps.Exchange), simTime(d.Duration); {
	case about.ByEvent && x.OnLost == lostFallback:
		return fmt.Errorf("step: expected that of %s, for it takes over when %s is lost (on_lost: fallback), got \"event\"", x.Replaces, x.Name)
	case about.ByEvent && about.Step == 0: // it has that of the federation
	case about.Step%exchange != 0 && exchange%about.Step != 0:
		return fmt.Errorf("step_ns: expected a multiple or a divisor of the federation's %d, got %d", exchange, about.Step)
	case stop%about.Step != 0:
		return fmt.Errorf("step_ns: expected a divisor of the run's %d, got %d", stop, about.Step)
	}
	for _, w := range x.Connect {
		if name, port, _ := strings.Cut(w.To, "."); name == x.Name && !slices.Contains(portNames(about.Inputs), port) {
			return fmt.Errorf("the experiment connects %s to %s; expected an input %q", w.From, w.To, port)
		}
		name, port, _ := strings.Cut(w.From, ".")
		if name != x.Name {
			continue
		}
		i := slices.IndexFunc(about.Outputs, func(p cosync.Port) bool { return p.Name == port })
		if i < 0 {
			return fmt.Errorf("the experiment connects %s to %s; expected an output %q", w.From, w.To, port)
		}
		if grid, ok := f.find("grid").(*federates.Grid); ok && w.To == injection && !d.replaced("grid") {
			if err := grid.CanInject(about.Outputs[i].Elements); err != nil {
				return fmt.Errorf("output %s: %w", port, err)
			}
		}
	}
	return nil
}

// enlist puts connected federates and their connections into the federation.
func (f *federation) enlist(d *Definition, externals []cosync.Federate) error {
	f.connections = slices.Clone(f.connections)
	for i, x := range d.Federates {
		f.outsiders = append(f.outsiders, record.Outsider{Name: x.Name, About: externals[i].Describe()})
		var builtIn cosync.Federate
		if x.Replaces == "" {
			f.federates = append(f.federates, externals[i])
		} else {
			j := slices.IndexFunc(f.federates, func(o cosync.Federate) bool { return o.Describe().Name == x.Replaces })
			builtIn, f.federates[j] = f.federates[j], externals[i]
		}
		if x.OnLost != lostAbort {
			t := cosync.Tolerance{Federate: externals[i].Describe().Name, Origin: d.places.find(fmt.Sprintf("federates[%d].on_lost", i)).String()}
			if x.OnLost == lostFallback {
				t.Standby = builtIn
			}
			f.tolerated = append(f.tolerated, t)
		}
	}
	for i, x := range d.Federates {
		for j, w := range x.Connect {
			c := cosync.Connection{From: w.From, To: w.To, Origin: d.places.find(fmt.Sprintf("federates[%d].connect[%d]", i, j)).String()}
			if err := f.connect(c); err != nil {
				return err
			}
		}
	}
	return nil
}

// connect adds a connection. Those that put power into the built-in grid get
// an input of their own there, so that several can.
func (f *federation) connect(c cosync.Connection) error {
	if grid, ok := f.find("grid").(*federates.Grid); ok && c.To == injection {
		name, port, _ := strings.Cut(c.From, ".")
		var elements []string
		if source := f.find(name); source != nil {
			for _, p := range source.Describe().Outputs {
				if p.Name == port {
					elements = p.Elements
				}
			}
		}
		c.To += "/" + c.From
		if err := grid.Inject(strings.TrimPrefix(c.To, "grid."), elements); err != nil {
			return fmt.Errorf("%s: %w", c.Origin, err)
		}
	}
	f.connections = append(f.connections, c)
	return nil
}

// lossDetail says in the record what became of a lost federate, and why, in
// words that do not depend on the wall clock.
func lossDetail(l cosync.Loss) string {
	fate := "held"
	if l.Standby {
		fate = "standby"
	}
	return fate + ": " + lossReason(l.Err)
}

// lossReason is why a federate was lost, in a word.
func lossReason(err error) string {
	var again *recordedLoss
	var peer *ws.PeerError
	var rule *ws.Error
	var simulator *mosaik.Error
	switch {
	case errors.As(err, &again):
		return again.reason
	case errors.As(err, &rule):
		return rule.Code
	case errors.As(err, &simulator):
		return simulator.Code
	case errors.As(err, &peer):
		return "connection"
	}
	return "failed"
}

// lossWatch tells of lost federates.
type lossWatch struct{ tell func(cosync.Loss) }

func (w lossWatch) Begin(*cosync.Frame) error { return nil }
func (w lossWatch) End(error) error           { return nil }
func (w lossWatch) Observe(f *cosync.Frame) error {
	for _, l := range f.Lost {
		w.tell(l)
	}
	return nil
}
