package sync_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cosim/sync"
)

var update = flag.Bool("update", false, "rewrite the expected part of testdata/*.txt")

const divider = "----\n"

// TestScenarios runs the federations of testdata/*.txt. The part above the
// divider defines one, the part below is what comes of it:
//
//	federate NAME STEP [fails T | panics T | wrong T]
//	federate NAME event[/STEP] ...   event-stepped, perhaps with a step of its own
//	  names T... AT>T...     the times it names, in order, and what it names at AT
//	  in  PORT [direct] [optional] [subset] [wake] [wake=ELEMENT,...] [levels=X,...]
//	      vector UNIT ELEMENT... | messages | events
//	  out PORT vector UNIT ELEMENT... | messages [init] OFFSET... | events [init] OFFSET...
//	standby NAME STEP ...    like federate: takes the place of NAME if that is lost
//	tolerate NAME            holds NAME's outputs if that is lost
//	connect FROM TO
//	fault PORT ACTION [ELEMENT VALUE] FROM TO
//	frames
//	stop T
//
// In a step from t, element k of a vector becomes t in ms plus k/10, after
// Init -1 plus k/10, and 1000 more for a standby; messages and events are numbered from 0 and go out at
// t+OFFSET. "B~10 v=0" says that B read in its step from 10 ms what was made
// in the step from 0 ms, "B~10 woken" that an input made it act; "A.m#3@5" is message 3 of A.m, sent at 5 ms.
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no scenarios", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			definition, want, _ := strings.Cut(string(text), divider)
			s := parseScenario(t, filepath.Base(file), definition)
			got := s.run()
			if *update {
				if err := os.WriteFile(file, []byte(definition+divider+got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

type scenario struct {
	federates   []sync.Federate
	connections []sync.Connection
	options     sync.Options
}

func parseScenario(t *testing.T, file, definition string) *scenario {
	t.Helper()
	s := &scenario{}
	var last *scripted
	for i, line := range strings.Split(definition, "\n") {
		words := strings.Fields(line)
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		origin := fmt.Sprintf("%s:%d:1", file, i+1)
		switch args := words[1:]; words[0] {
		case "federate", "standby":
			last = &scripted{Description: sync.Description{Name: args[0]}, troubleAt: -1}
			own, step, _ := strings.Cut(args[1], "/")
			if last.ByEvent = own == "event"; !last.ByEvent {
				step = own
			}
			if step != "" {
				last.Description.Step = parseTime(t, step)
			}
			if len(args) > 2 {
				last.trouble, last.troubleAt = args[2], parseTime(t, args[3])
			}
			if words[0] == "standby" {
				last.standby = true
				s.options.Tolerated = append(s.options.Tolerated, sync.Tolerance{Federate: args[0], Standby: last, Origin: origin})
			} else {
				s.federates = append(s.federates, last)
			}
		case "names":
			last.addNames(t, args)
		case "tolerate":
			s.options.Tolerated = append(s.options.Tolerated, sync.Tolerance{Federate: args[0], Origin: origin})
		case "in":
			last.Inputs = append(last.Inputs, parsePort(args))
		case "out":
			last.addOutput(t, args)
		case "connect":
			s.connections = append(s.connections, sync.Connection{From: args[0], To: args[1], Origin: origin})
		case "fault":
			s.options.Faults = append(s.options.Faults, parseFault(t, args, origin))
		case "frames":
			s.options.Observers = append(s.options.Observers, &framePrinter{})
		case "stop":
			s.options.Stop = parseTime(t, args[0])
		default:
			t.Fatalf("%s: what is %q?", origin, words[0])
		}
	}
	return s
}

func parseTime(t *testing.T, s string) sync.Time {
	t.Helper()
	d, err := time.ParseDuration(s)
	if err != nil {
		t.Fatal(err)
	}
	return sync.Time(d)
}

func parsePort(args []string) sync.Port {
	p := sync.Port{Name: args[0]}
	for i, word := range args[1:] {
		switch word {
		case "direct":
			p.Direct = true
		case "optional":
			p.Optional = true
		case "subset":
			p.Subset = true
		case "wake":
			p.Wake = &sync.Wake{}
		case "messages":
			p.Kind = sync.Messages
		case "events":
			p.Kind = sync.Events
		case "vector":
			p.Unit, p.Elements = args[i+2], args[i+3:]
			return p
		default:
			parseWake(&p, word)
		}
	}
	return p
}

// parseWake reads wake=ELEMENT,... and levels=X,...
func parseWake(p *sync.Port, word string) {
	key, list, found := strings.Cut(word, "=")
	if !found {
		return
	}
	if p.Wake == nil {
		p.Wake = &sync.Wake{}
	}
	for _, item := range strings.Split(list, ",") {
		if key == "wake" {
			p.Wake.Elements = append(p.Wake.Elements, item)
		} else if x, err := strconv.ParseFloat(item, 64); err == nil {
			p.Wake.Levels = append(p.Wake.Levels, x)
		}
	}
}

func parseFault(t *testing.T, args []string, origin string) sync.Fault {
	t.Helper()
	f := sync.Fault{Port: args[0], Origin: origin}
	for f.Action.String() != args[1] {
		f.Action++
	}
	if len(args) == 6 {
		value, err := strconv.ParseFloat(args[3], 64)
		if err != nil {
			t.Fatal(err)
		}
		f.Element, f.Value = args[2], value
	}
	f.From, f.To = parseTime(t, args[len(args)-2]), parseTime(t, args[len(args)-1])
	return f
}

// run returns the order, what every federate read in every step, the frames
// if asked for, and the error.
func (s *scenario) run() string {
	m, err := sync.New(s.federates, s.connections, s.options)
	if err != nil {
		return err.Error() + "\n"
	}
	var b strings.Builder
	var order []string
	var names []string
	for _, level := range m.Levels() {
		order = append(order, strings.Join(level, " "))
		names = append(names, level...)
	}
	fmt.Fprintf(&b, "order %s, step %v\n", strings.Join(order, " | "), m.Step())
	err = m.Run(context.Background())
	for t := sync.Time(0); t < s.options.Stop; t += m.Step() {
		for _, name := range names {
			f := s.federates[slices.IndexFunc(s.federates, func(f sync.Federate) bool { return f.Describe().Name == name })].(*scripted)
			if line, acted := f.log[t]; acted {
				b.WriteString(line + "\n")
			}
		}
	}
	for _, o := range s.options.Observers {
		b.WriteString(o.(*framePrinter).String())
	}
	if err != nil {
		fmt.Fprintf(&b, "error: %v\n", err)
	}
	for _, t := range s.options.Tolerated {
		if t.Standby != nil {
			s.federates = append(s.federates, t.Standby)
		}
	}
	for _, f := range s.federates {
		if f := f.(*scripted); f.closed != 1 {
			fmt.Fprintf(&b, "%s closed %d times\n", f.Name, f.closed)
		}
	}
	return b.String()
}

// scripted is a federate that writes down what it reads.
type scripted struct {
	sync.Description
	offsets   [][]sync.Time // by output
	atInit    []bool        // by output: emits at Init too
	sent      []uint64      // by output
	trouble   string
	troubleAt sync.Time
	standby   bool
	names     []sync.Time               // if event-stepped
	namesAt   map[sync.Time][]sync.Time // in the step from a time on
	log       map[sync.Time]string
	closed    int
}

func (f *scripted) addOutput(t *testing.T, args []string) {
	p := parsePort(args)
	var offsets []sync.Time
	if p.Kind != sync.Vector {
		for _, word := range args[2:] {
			if word != "init" {
				offsets = append(offsets, parseTime(t, word))
			}
		}
	}
	f.Outputs = append(f.Outputs, p)
	f.offsets = append(f.offsets, offsets)
	f.atInit = append(f.atInit, slices.Contains(args, "init"))
	f.sent = append(f.sent, 0)
}

func (f *scripted) addNames(t *testing.T, args []string) {
	f.namesAt = map[sync.Time][]sync.Time{}
	for _, word := range args {
		if at, next, fixed := strings.Cut(word, ">"); fixed {
			from := parseTime(t, at)
			f.namesAt[from] = append(f.namesAt[from], parseTime(t, next))
		} else {
			f.names = append(f.names, parseTime(t, word))
		}
	}
}

// next names the first of the listed times that lies ahead.
func (f *scripted) next(s *sync.Step) {
	for _, at := range f.names {
		if at > s.From {
			s.Next = at
			break
		}
	}
	for _, at := range f.namesAt[s.From] {
		s.Next = at
	}
}

func (f *scripted) Describe() sync.Description { return f.Description }

func (f *scripted) Init(out []sync.Signal) error {
	f.log = make(map[sync.Time]string)
	for i := range out {
		for k := range out[i].Values {
			out[i].Values[k] = -1 + float64(k)/10 + f.bias()
		}
		if f.atInit[i] {
			f.emit(i, &out[i], 0)
		}
	}
	return nil
}

func (f *scripted) Step(s *sync.Step) error {
	line := fmt.Sprintf("%s~%s", f.Name, inMS(s.From))
	if s.Woken {
		line += " woken"
	}
	f.next(s)
	for i := range s.In {
		line += " " + f.Inputs[i].Name + "=" + show(&s.In[i], f.Inputs[i].Kind)
		if s.In[i].Stale {
			line += " (stale)"
		}
	}
	f.log[s.From] = line
	if s.From == f.troubleAt {
		switch f.trouble {
		case "fails":
			return errors.New("power flow diverged")
		case "panics":
			panic("index out of range")
		case "wrong":
			f.misbehave(s)
			return nil
		}
	}
	for i := range s.Out {
		for k := range s.Out[i].Values {
			s.Out[i].Values[k] = float64(s.From)/1e6 + float64(k)/10 + f.bias()
		}
		for _, offset := range f.offsets[i] {
			f.emit(i, &s.Out[i], s.From+offset)
		}
	}
	return nil
}

func (f *scripted) bias() float64 {
	if f.standby {
		return 1000
	}
	return 0
}

// misbehave breaks the contract of the first output's kind.
func (f *scripted) misbehave(s *sync.Step) {
	switch out := &s.Out[0]; f.Outputs[0].Kind {
	case sync.Vector:
		out.Values[0] = math.NaN()
	case sync.Messages:
		f.emit(0, out, s.To+sync.Millisecond)
	case sync.Events:
		f.emit(0, out, s.From-sync.Millisecond)
	}
}

func (f *scripted) emit(i int, out *sync.Signal, at sync.Time) {
	from := f.Name + "." + f.Outputs[i].Name
	if f.Outputs[i].Kind == sync.Messages {
		out.Messages = append(out.Messages, sync.Message{At: at, ID: f.sent[i], From: from})
	} else {
		out.Events = append(out.Events, sync.Event{At: at, Type: from, Value: float64(f.sent[i])})
	}
	f.sent[i]++
}

func (f *scripted) Close() error {
	f.closed++
	return nil
}

func inMS(t sync.Time) string { return strconv.FormatFloat(float64(t)/1e6, 'g', -1, 64) }

func show(s *sync.Signal, kind sync.Kind) string {
	var words []string
	switch kind {
	case sync.Vector:
		for _, x := range s.Values {
			words = append(words, strconv.FormatFloat(x, 'g', -1, 64))
		}
	case sync.Messages:
		for _, m := range s.Messages {
			words = append(words, fmt.Sprintf("%s#%d@%s", m.From, m.ID, inMS(m.At)))
		}
	case sync.Events:
		for _, e := range s.Events {
			words = append(words, fmt.Sprintf("%s#%v@%s", e.Type, e.Value, inMS(e.At)))
		}
	}
	if len(words) == 1 && kind == sync.Vector {
		return words[0]
	}
	return "[" + strings.Join(words, " ") + "]"
}

// framePrinter writes down what observers see.
type framePrinter struct{ strings.Builder }

func (p *framePrinter) Begin(f *sync.Frame) error { return p.Observe(f) }
func (p *framePrinter) Observe(f *sync.Frame) error {
	fmt.Fprintf(p, "frame %d [%s, %s)", f.Seq, inMS(f.From), inMS(f.To))
	for _, o := range f.Outputs {
		fmt.Fprintf(p, " %s=%s", o.Name, show(&o.Signal, o.Port.Kind))
		if !o.Fresh {
			p.WriteString(" (held)")
		}
		if o.Stale {
			p.WriteString(" (stale)")
		}
		if o.Faulted {
			p.WriteString(" (faulted)")
		}
	}
	for _, l := range f.Lost {
		fmt.Fprintf(p, "; %v", l)
	}
	p.WriteString("\n")
	return nil
}

func (p *framePrinter) End(cause error) error {
	fmt.Fprintf(p, "end %v\n", cause)
	return nil
}
