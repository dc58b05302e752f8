package experiment

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"cosim/federates/ws"
	cosync "cosim/sync"
)

// CheckOptions say how an external federate is checked.
type CheckOptions struct {
	Name       string        // under which it connects
	Token      string        // that it must bring; empty: none
	Listen     string        // address; empty for that of runs
	Duration   time.Duration // simulated
	Patience   time.Duration // wall time for an answer, for coming back and for ending
	Parameters map[string]string
	// CA is a file. If it is given the connection is encrypted (wss), with a
	// certificate made for this check, and the file is written: it holds the
	// authority that the federate has to trust.
	CA string
	// Program is the command that starts the federate; "{url}" in it, and
	// COSIM_URL in its environment, say where to connect; COSIM_TOKEN and
	// COSIM_CA are the token and the file. Empty: it is started by somebody
	// else.
	Program []string
	Output  io.Writer // of what the program prints
	// StaysAway says that the federate does not come back when its connection
	// breaks, and need not.
	StaysAway bool
}

// connectWithin is the wall time that a program has before its hello.
const connectWithin = time.Minute

// CheckFederate plays a scripted session against an external federate and says,
// part after part, what it got wrong. The other side is that of every run: what
// passes here is not refused there. A federate that breaks a rule is lost, as in
// a run; one that CheckFederate starts itself is then started again for the
// parts that are left.
func CheckFederate(ctx context.Context, w io.Writer, o CheckOptions) (faults int, err error) {
	if o.Listen == "" {
		o.Listen = defaultListen
	}
	c := &check{o: o, w: w, listening: ws.Listening{Address: o.Listen, Tokens: o.Token != ""}}
	if o.CA != "" {
		clear, err := c.encrypt()
		if err != nil {
			return 0, err
		}
		defer clear()
	}
	for next := 0; next < len(checkParts); {
		reached, err := c.session(ctx, next)
		if err != nil {
			return c.faults, err
		}
		next = reached + 1
		if reached < checkEssential || len(o.Program) == 0 {
			break
		}
	}
	if left := c.unplayed(); left != "" {
		fmt.Fprintf(w, "not played: %s\n", left)
	}
	return c.faults, nil
}

// check is what has been found so far.
type check struct {
	o         CheckOptions
	w         io.Writer
	listening ws.Listening
	faults    int
	played    [len(checkParts)]bool
}

// say reports on a part: it went well, or what was wrong.
func (c *check) say(part int, note string, wrong []string) {
	c.played[part] = true
	if len(wrong) == 0 {
		fmt.Fprintln(c.w, strings.TrimSpace(fmt.Sprintf("ok     %-16s %s", checkParts[part].name, note)))
	}
	for _, text := range wrong {
		fmt.Fprintf(c.w, "FAULT  %-16s %s\n", checkParts[part].name, text)
	}
	c.faults += len(wrong)
}

func (c *check) unplayed() string {
	var names []string
	for i, p := range c.played {
		if !p {
			names = append(names, checkParts[i].name)
		}
	}
	return strings.Join(names, ", ")
}

// session plays the essential parts and those from one on, until all are done
// or the federate is lost; reached is the part that was played last.
func (c *check) session(ctx context.Context, from int) (reached int, err error) {
	s, err := c.open(ctx)
	if err != nil {
		return 0, err
	}
	defer s.close()
	for i := range checkParts {
		if i >= checkEssential && i < from {
			continue
		}
		note, lost := checkParts[i].play(s)
		if err := cmp.Or(ctx.Err(), s.short); err != nil {
			return i, err
		}
		wrong := s.wrong
		s.wrong, s.cut = nil, false
		if lost != nil {
			wrong = append(wrong, lost.Error())
		}
		if i >= from || len(wrong) > 0 {
			c.say(i, note, wrong)
		}
		if lost != nil {
			return i, nil
		}
	}
	return len(checkParts) - 1, nil
}

// checkSession is one federate from its hello to its end.
type checkSession struct {
	o       CheckOptions
	server  *ws.Server
	peer    *ws.External
	web     *http.Server
	ended   chan struct{}
	cancel  func() bool
	tap     *tap
	program *checkProgram // nil if somebody else starts it

	about   cosync.Description
	wakes   []waking    // inputs that have it act, if it is event-stepped
	idle    bool        // it was blamed for never acting again
	short   error       // the session is, for the parts
	step    cosync.Step // asked for last
	answers []time.Duration
	wrong   []string // in this part, without losing the federate
	cut     bool     // its connection was, in this part
}

// open listens, says where, and starts the program.
func (c *check) open(ctx context.Context) (*checkSession, error) {
	o := c.o
	s := &checkSession{o: o, ended: make(chan struct{}), step: cosync.Step{Seq: -1}}
	var err error
	s.server, err = ws.NewServer(ws.Config{Run: "check", Seed: 1, Stop: simTime(o.Duration), Federates: []ws.Expected{{
		Name: o.Name, Token: o.Token, Deadline: o.Patience, Grace: o.Patience, Parameters: o.Parameters, Check: s.fits,
	}}})
	if err != nil {
		return nil, err
	}
	s.peer = s.server.Federates()[0]
	listener, err := c.listening.Listen()
	if err != nil {
		return nil, err
	}
	s.tap = &tap{Listener: listener}
	s.web = ws.HTTPServer(s.server)
	go func() {
		defer close(s.ended)
		_ = s.web.Serve(s.tap) // until close
	}()
	s.cancel = context.AfterFunc(ctx, s.server.Interrupt)
	url := c.listening.URL(listener, o.Name)
	if len(o.Program) == 0 {
		fmt.Fprintf(c.w, "connect to %s\n", url)
		return s, nil
	}
	if s.program, err = startProgram(&o, url); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *checkSession) close() {
	s.cancel()
	_ = s.web.Close()
	_ = s.server.Close()
	<-s.ended
	s.program.kill()
}

// fits says what is wrong with the length of the steps.
func (s *checkSession) fits(about cosync.Description) error {
	switch stop := simTime(s.o.Duration); {
	case about.ByEvent && about.Step == 0:
		if stop%checkExchange != 0 {
			return fmt.Errorf("expected a session of a multiple of %v, the federation's step, got %v", checkExchange, s.o.Duration)
		}
	case stop%about.Step != 0:
		return fmt.Errorf("step_ns: expected a divisor of the session's %d, got %d", stop, about.Step)
	case about.ByEvent:
	case stop/about.Step < checkSteps:
		return fmt.Errorf("step_ns: expected at most a %dth of the session's %d, got %d", checkSteps, stop, about.Step)
	}
	return nil
}

// blame adds a fault that does not end the session.
func (s *checkSession) blame(format string, args ...any) {
	s.wrong = append(s.wrong, fmt.Sprintf(format, args...))
}

// where names the present step.
func (s *checkSession) where() string {
	if s.step.Seq < 0 {
		return "step -1"
	}
	return fmt.Sprintf("step %d, %v to %v", s.step.Seq, s.step.From, s.step.To)
}

// lost says in which step and why a federate was lost, and what it was told
// when it tried to come back.
func (s *checkSession) lost(err error) error {
	var peer *ws.PeerError
	if errors.As(err, &peer) {
		err = peer.Err
	}
	text := fmt.Sprintf("%s: %v", s.where(), err)
	var rule *ws.Error
	if !errors.As(err, &rule) {
		if s.cut {
			text = fmt.Sprintf("%s: it did not come back within %v", s.where(), s.o.Patience)
		}
		for _, told := range s.tap.told() {
			text += "; it was told: " + told
		}
	}
	return errors.New(text)
}

// advance makes the next step; change alters the inputs, which are numbers that
// differ from step to step, without messages and events.
func (s *checkSession) advance(change func(in *cosync.Signal, port *cosync.Port)) error {
	st := &s.step
	if err := s.turn(); err != nil {
		return err
	}
	st.Seq++
	st.In = make([]cosync.Signal, len(s.about.Inputs))
	for i := range st.In {
		port := &s.about.Inputs[i]
		for j := range port.Elements {
			st.In[i].Values = append(st.In[i].Values, checkValue(st.Seq, j))
		}
		if change != nil {
			change(&st.In[i], port)
		}
	}
	s.wake()
	s.clear()
	begun := time.Now()
	s.peer.Ask(st)
	if err := s.peer.Step(st); err != nil {
		return s.lost(err)
	}
	s.answers = append(s.answers, time.Since(begun))
	return nil
}

// clear empties what a step leaves in the outputs and in the record of the
// connection.
func (s *checkSession) clear() {
	for i := range s.step.Out {
		out := &s.step.Out[i]
		out.Messages, out.Events = out.Messages[:0], out.Events[:0]
	}
	s.tap.latest().mark()
}

// checkValue is zero at first, then a whole number, then one that is not.
func checkValue(seq int64, element int) float64 {
	switch seq {
	case 0:
		return 0
	case 1:
		return float64(1 + element)
	}
	return -0.001 / float64(seq+int64(element))
}
