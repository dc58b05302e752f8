//go:build integration

package experiment

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"go.uber.org/goleak"

	"cosim/federates/ws"
	cosync "cosim/sync"
)

const (
	campaignCases = 500
	campaignBatch = 50 // after which nothing may be left over
	campaignStop  = 500 * cosync.Millisecond
	// What a busy machine may add to a deadline.
	campaignSlack = 3 * time.Second
)

// trial is one case of the campaign, drawn from its number.
type trial struct {
	number  int
	trick   *trick
	place   place
	members []string // "grid" takes the grid's place, the others are cells
	cheat   int      // place of the trickster in members
	codecs  []*ws.Codec
	policy  string
	seq     int64 // of the step in which it cheats
	token   string
}

func drawTrial(number int) *trial {
	rnd := rand.New(rand.NewPCG(27, uint64(number)))
	c := &trial{number: number, trick: &tricks[number%len(tricks)], place: before, token: fmt.Sprintf("a-token-of-case-%d", number)}
	if p := c.trick.places; p != nil {
		c.place = p[rnd.IntN(len(p))]
	}
	n := 1 + rnd.IntN(4)
	for i := range n {
		c.members = append(c.members, fmt.Sprintf("cell%d", i))
		c.codecs = append(c.codecs, []*ws.Codec{ws.JSON, ws.CBOR}[rnd.IntN(2)])
	}
	c.cheat = rnd.IntN(n)
	c.policy = []string{lostAbort, lostHold, lostFallback}[rnd.IntN(3)]
	if c.policy == lostFallback || rnd.IntN(4) == 0 {
		c.members[rnd.IntN(n)] = "grid"
	}
	if c.policy == lostFallback {
		c.cheat = slices.Index(c.members, "grid")
	}
	switch last := int64(campaignStop/c.step()) - 1; rnd.IntN(6) {
	case 0:
		c.seq = -1
	case 1:
		c.seq = 0
	case 2:
		c.seq = last
	default:
		c.seq = rnd.Int64N(last)
	}
	return c
}

func (c *trial) name() string {
	return fmt.Sprintf("%d: one of %d (%s, %s) %s, %s step %d, %s", c.number, len(c.members), c.members[c.cheat],
		strings.TrimPrefix(c.codecs[c.cheat].Protocol(), "cosim.v1."), c.trick.name, c.place, c.seq, c.policy)
}

// step is that of the trickster.
func (c *trial) step() cosync.Time {
	if c.members[c.cheat] == "grid" {
		return 10 * cosync.Millisecond
	}
	return 20 * cosync.Millisecond
}

// lostAt is the step that is not made for it; false if nobody should notice.
func (c *trial) lostAt() (seq int64, lost bool) {
	if c.trick.code == unseen || c.trick.first {
		return 0, false
	}
	seq = c.seq
	if c.place == after {
		seq++
	}
	return seq, seq < int64(campaignStop/c.step())
}

// code is that of the rule that is broken.
func (c *trial) code() string {
	if c.trick.cbor != "" && c.codecs[c.cheat] == ws.CBOR {
		return c.trick.cbor
	}
	return c.trick.code
}

func (c *trial) settings(tokens string) []string {
	var list []string
	hasGrid := slices.Contains(c.members, "grid")
	for i, name := range c.members {
		deadline, grace, policy := time.Minute, time.Duration(0), lostAbort
		if i == c.cheat {
			grace, policy = c.trick.grace, c.policy
			if c.trick.hasty {
				deadline = hastily
			}
		}
		common := fmt.Sprintf("deadline: %v, grace: %v, on_lost: %s", deadline, grace, policy)
		if name == "grid" {
			list = append(list, "{name: my-grid, replaces: grid, "+common+"}")
			continue
		}
		wires := fmt.Sprintf("{from: grid.frequency, to: %s.frequency}", name)
		if !hasGrid {
			wires += fmt.Sprintf(", {from: %s.power, to: grid.injection}", name)
		}
		if i > 0 && c.members[i-1] != "grid" {
			wires += fmt.Sprintf(", {from: %s.log, to: %s.heard}", c.members[i-1], name)
		}
		list = append(list, fmt.Sprintf("{name: %s, %s, connect: [%s]}", name, common, wires))
	}
	set := []string{
		"attach.listen=127.0.0.1:0", "duration=500ms", "disturbances.contingencies.count=0", "disturbances.surges.count=0",
		"disturbances.scheduled=[{at: 100ms, kind: load-step, bus: 15, size_mw: 300, duration: 300ms}]",
		"federates=[" + strings.Join(list, ", ") + "]",
	}
	if tokens != "" {
		set = append(set, "attach.token_file="+tokens)
	}
	return set
}

// cell is a battery whose answers depend on all that it has heard.
type cell struct {
	name   string
	charge float64
}

func (f *cell) Describe() cosync.Description {
	return cosync.Description{
		Name: f.name, Step: 20 * cosync.Millisecond,
		Inputs: []cosync.Port{
			{Name: "frequency", Unit: "mHz", Elements: []string{"coi"}, Subset: true}, {Name: "heard", Kind: cosync.Events, Optional: true},
		},
		Outputs: []cosync.Port{{Name: "power", Unit: "MW", Elements: []string{"bus/16"}}, {Name: "log", Kind: cosync.Events}},
	}
}
func (f *cell) Init([]cosync.Signal) error { f.charge = 1; return nil }
func (f *cell) Close() error               { return nil }
func (f *cell) Step(s *cosync.Step) error {
	f.charge -= s.In[0].Values[0] / 1000
	for _, e := range s.In[1].Events {
		f.charge += e.Value / 100
	}
	s.Out[0].Values[0] = 5 * f.charge
	s.Out[1].Events = append(s.Out[1].Events, cosync.Event{At: s.From, Type: "charge", Value: f.charge})
	return nil
}

// castMember makes a federate of the campaign.
func castMember(t *testing.T, d *Definition, name string) cosync.Federate {
	if name == "grid" {
		return anotherGrid(t, d, 0)
	}
	return &cell{name: name}
}

// connectName is that under which a member connects.
func connectName(member string) string {
	if member == "grid" {
		return "my-grid"
	}
	return member
}

// clockwork is an observer that sees how long the federation was held up at
// most.
type clockwork struct {
	last    time.Time
	longest time.Duration
}

func (w *clockwork) tick() {
	now := time.Now()
	w.longest = max(w.longest, now.Sub(w.last))
	w.last = now
}
func (w *clockwork) Begin(*cosync.Frame) error   { w.tick(); return nil }
func (w *clockwork) Observe(*cosync.Frame) error { w.tick(); return nil }
func (w *clockwork) End(error) error             { w.tick(); return nil }

// Whatever one of up to four programs does, in whichever step and encoding, and
// whatever is to become of the run without it: no run hangs, the right one is
// blamed, what was found until then can be read and repeated, nobody else
// notices, and nothing is left over. The cases follow from their numbers.
func TestIntegrationFaultCampaign(t *testing.T) {
	results := &tally{counts: map[string][]int{}}
	refs := &references{dir: t.TempDir(), made: map[string]func() map[string][]byte{}}
	mine := goleak.IgnoreCurrent()
	files, heap := inUse()
	for batch := range campaignCases / campaignBatch {
		t.Run(fmt.Sprint("batch ", batch), func(t *testing.T) {
			for i := range campaignBatch {
				c := drawTrial(batch*campaignBatch + i)
				t.Run(c.name(), func(t *testing.T) {
					t.Parallel()
					outcome := failed
					defer func() { results.count(c.trick.name, outcome) }()
					if came := c.run(t, refs); !t.Failed() {
						outcome = came
					}
				})
			}
		})
		if err := goleak.Find(mine); err != nil {
			t.Errorf("after batch %d: %v", batch, err)
		}
		nowFiles, nowHeap := inUse()
		if batch <= 1 {
			heap = nowHeap // with the references and what is made once
		}
		if nowFiles > files || nowHeap > heap+4<<20 {
			t.Errorf("after batch %d: %d files open instead of %d, %d bytes in use instead of %d", batch, nowFiles, files, nowHeap, heap)
		}
	}
	t.Log("\n" + results.String())
}

// inUse counts open files and bytes of the heap.
func inUse() (files int, heap uint64) {
	runtime.GC()
	runtime.GC() // what pools had kept
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	list, _ := os.ReadDir("/proc/self/fd")
	return len(list), m.HeapAlloc
}

// What may come of a case.
const (
	unnoticed = iota
	ended
	held
	replaced
	early // honest, but too slow for a short deadline on this machine
	failed
	outcomes
)

type tally struct {
	mu     sync.Mutex
	counts map[string][]int
}

func (x *tally) count(name string, outcome int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.counts[name] == nil {
		x.counts[name] = make([]int, outcomes)
	}
	x.counts[name][outcome]++
}

func (x *tally) String() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "one that\tcases\tunnoticed\tended\theld\tfallback\ttoo early\tFAILED")
	sum := make([]int, outcomes)
	line := func(name string, counts []int) {
		all := 0
		for _, n := range counts {
			all += n
		}
		fmt.Fprintf(w, "%s\t%d\t%s\n", name, all, strings.Trim(strings.ReplaceAll(fmt.Sprint(counts), " ", "\t"), "[]"))
	}
	for i := range tricks {
		if c := x.counts[tricks[i].name]; c != nil {
			line(tricks[i].name, c)
			for k, n := range c {
				sum[k] += n
			}
		}
	}
	line("all", sum)
	_ = w.Flush()
	return b.String()
}
