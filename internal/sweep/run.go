package sweep

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Options say how a sweep is carried out; but for Shard, Until and MaxSeeds
// nothing in them changes what it finds.
type Options struct {
	Out      string // the sweep's folder
	Parallel int    // runs at a time in this process; 0 leaves all to workers
	// Listen is an address at which workers may join; NATS are servers with
	// JetStream to use in place of one inside. One of them at most.
	Listen, NATS string
	Access       Access
	// Lease is how long a worker may be silent before its run is given to
	// another; 0 means 10 s.
	Lease time.Duration
	Shard Shard
	// Until adds seeds to each point until it is met, up to MaxSeeds (0 means
	// 10 times those of the file).
	Until    *Rule
	MaxSeeds int
	CSV      bool // results.csv as well
	// OnStatus hears how far the sweep is, several times a second.
	OnStatus func(Status)
	// Log hears in a sentence of what a person wants to know.
	Log func(string)

	program program
	run     runner
}

// Status is how far a sweep is.
type Status struct {
	Done, Total int // runs, with those of earlier sessions
	Failed      int
	Workers     int // programs, with this one
	RatePerS    float64
	Left        time.Duration // 0: not known yet
}

const defaultLease = 10 * time.Second

// statusEvery is the time between two Statuses.
const statusEvery = 200 * time.Millisecond

// Check says what the options and the sweep cannot have together.
func (o Options) Check(s *Sweep) error {
	_, err := o.complete(s)
	return err
}

func (o Options) complete(s *Sweep) (Options, error) {
	o.Lease = cmp.Or(o.Lease, defaultLease)
	o.MaxSeeds = cmp.Or(o.MaxSeeds, 10*len(s.Seeds))
	o.program = cmp.Or(o.program, thisProgram())
	if o.OnStatus == nil {
		o.OnStatus = func(Status) {}
	}
	if o.Log == nil {
		o.Log = func(string) {}
	}
	switch {
	case o.Listen != "" && o.NATS != "":
		return o, errors.New("sweep: expected an address to listen at or servers to use, not both")
	case o.Parallel < 1 && o.Listen == "" && o.NATS == "":
		return o, errors.New("sweep: nobody to make the runs: expected a number of runs at a time, or workers")
	case o.Until != nil && o.Shard.Of > 1:
		return o, errors.New("sweep: a shard does not see all seeds of a point, so that it cannot say when they are enough; use workers")
	case o.MaxSeeds < len(s.Seeds):
		return o, fmt.Errorf("sweep: at most %d seeds a point are fewer than the %d of the file", o.MaxSeeds, len(s.Seeds))
	}
	return o, nil
}

// Run makes what is missing of a sweep, and writes its tables. What stands in
// its folder is not made again, runs that failed excepted. On an error, and
// when ctx ends, the outcome holds what was found until then.
func Run(ctx context.Context, s *Sweep, o Options) (*Outcome, error) {
	o, err := o.complete(s)
	if err != nil {
		return nil, err
	}
	j, err := openJournal(o.Out, s.Name, o.program)
	if err != nil {
		return nil, err
	}
	c := &coordinator{Options: o, sweep: s, journal: j, plan: newPlan(s, o.Until, o.MaxSeeds, o.Shard, j.records), start: time.Now(), workers: map[string]peer{}, offered: map[string]bool{}}
	c.before = c.plan.made
	if !c.plan.complete() {
		err = c.carryOut(ctx)
	}
	outcome, tablesErr := writeOutcome(s, c.plan, o)
	return outcome, errors.Join(err, tablesErr, j.close())
}

// coordinator hands out the runs of a sweep and collects what they found. All
// of it happens in one goroutine.
type coordinator struct {
	Options
	sweep   *Sweep
	journal *journal
	plan    *plan
	bus     *bus

	start   time.Time
	before  int             // runs of earlier sessions
	offered map[string]bool // runs in the queue or at a worker
	failed  int
	workers map[string]peer
}

// peer is a worker that was heard of.
type peer struct {
	slots int
	heard time.Time
}

// carryOut opens the bus, works at it itself, and coordinates.
func (c *coordinator) carryOut(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	nc, storage, closeServer, err := c.connect(ctx)
	if err != nil {
		return err
	}
	defer closeServer()
	defer nc.Close()
	opening, stop := context.WithTimeout(ctx, patience)
	defer stop()
	if c.bus, err = openBus(opening, nc, c.journal.ID, c.program.tag(), c.Lease, storage); err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	hellos := make(chan *nats.Msg, 256)
	if _, err := nc.ChanSubscribe(helloSubject, hellos); err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	done := make(chan struct{})
	if c.Parallel > 0 {
		w, err := newWorker(nc, WorkerOptions{Parallel: c.Parallel, Out: c.Out, Log: c.Log, program: c.program, run: c.run})
		if err != nil {
			return fmt.Errorf("sweep: %w", err)
		}
		go func() {
			defer close(done)
			if err := w.work(ctx); err != nil {
				cancel(err)
			}
		}()
	} else {
		close(done)
	}
	err = c.coordinate(ctx, nc, hellos, done)
	cancel(nil)
	<-done
	return errors.Join(err, c.leave())
}

// connect reaches the servers, or starts one inside this process, to which this
// process itself is connected without a socket.
func (c *coordinator) connect(ctx context.Context) (nc *nats.Conn, storage jetstream.StorageType, stop func(), err error) {
	if c.NATS != "" {
		nc, err = dial(ctx, c.NATS, c.Access, c.Log)
		return nc, jetstream.FileStorage, func() {}, err
	}
	dir := filepath.Join(c.Out, ".queue") // the server wants one, and leaves it empty
	s, id, err := c.Access.serve(c.Listen, dir)
	if err != nil {
		return nil, 0, nil, err
	}
	stop = func() {
		s.Shutdown()
		s.WaitForShutdown()
		_ = os.RemoveAll(dir) // it is only untidy
	}
	nc, err = nats.Connect("", append(id.user(), nats.InProcessServer(s))...)
	if err != nil {
		stop()
		return nil, 0, nil, fmt.Errorf("sweep: %w", err)
	}
	if c.Listen != "" {
		c.Log("workers join with: cosim worker --nats " + reachable(s.ClientURL()))
	}
	return nc, jetstream.MemoryStorage, stop, nil
}

// reachable puts this machine's name in the place of "all addresses".
func reachable(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	host, err := os.Hostname()
	if ip := net.ParseIP(u.Hostname()); err == nil && ip != nil && ip.IsUnspecified() {
		u.Host = net.JoinHostPort(host, u.Port())
	}
	return u.String()
}

// leave takes back what nobody has begun: workers have no use for it without
// this sweep.
func (c *coordinator) leave() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if c.plan.complete() || c.NATS == "" {
		return nil
	}
	return c.bus.withdraw(ctx)
}

// coordinate keeps the queue filled until the plan is complete. The worker in
// this process is done some time after ctx.
func (c *coordinator) coordinate(ctx context.Context, nc *nats.Conn, hellos <-chan *nats.Msg, done <-chan struct{}) error {
	results, err := c.bus.results.Messages(jetstream.PullExpiry(5 * time.Second))
	if err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	arrived := make(chan jetstream.Msg)
	defer func() {
		results.Stop()
		for range arrived { // until the reader has gone
		}
	}()
	go listen(results, arrived)
	tick := time.NewTicker(statusEvery)
	defer tick.Stop()
	for !c.plan.complete() {
		if err := c.fill(ctx); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), c.settle(arrived, done))
		case m, ok := <-arrived:
			if !ok {
				return errors.New("sweep: the queue's server is gone")
			}
			if err := c.take(m); err != nil {
				return err
			}
		case m := <-hellos:
			c.greet(nc, m)
		case now := <-tick.C:
			c.forget(now)
			c.OnStatus(c.status(now))
		}
	}
	c.OnStatus(c.status(time.Now()))
	return nil
}

// settle takes the results of runs that were ended with the sweep.
func (c *coordinator) settle(arrived <-chan jetstream.Msg, done <-chan struct{}) error {
	<-done
	for {
		select {
		case m, ok := <-arrived:
			if !ok {
				return nil
			}
			if err := c.take(m); err != nil {
				return err
			}
		case <-time.After(200 * time.Millisecond):
			return nil
		}
	}
}

// listen hands results on until the iterator is stopped.
func listen(results jetstream.MessagesContext, arrived chan<- jetstream.Msg) {
	defer close(arrived)
	for {
		m, err := results.Next()
		switch {
		case errors.Is(err, jetstream.ErrMsgIteratorClosed), errors.Is(err, nats.ErrConnectionClosed):
			return
		case err == nil:
			arrived <- m
		}
	}
}

// fill offers runs, so many that no worker waits and few are offered in vain.
func (c *coordinator) fill(ctx context.Context) error {
	slots := c.Parallel
	for _, w := range c.workers {
		slots += w.slots
	}
	for len(c.offered) < 2*slots+16 {
		o, ok := c.plan.next()
		if !ok {
			return nil
		}
		if err := c.offer(ctx, o); err != nil {
			return err
		}
	}
	return nil
}

func (c *coordinator) offer(ctx context.Context, o order) error {
	p := &c.sweep.Points[o.point]
	j := &job{
		Run: p.RunID(o.seed), Sweep: c.sweep.Name, Folder: filepath.Join("runs", p.ID), Seed: o.seed, KeepAll: c.sweep.KeepAll,
		Hash: p.hash, Definition: p.definition, Lease: c.Lease,
	}
	token := fmt.Sprintf("%s-%d", p.ID, o.seed)
	for {
		offering, cancel := context.WithTimeout(ctx, patience)
		err := c.bus.offer(offering, j, token)
		cancel()
		switch {
		case err == nil:
			c.offered[j.Run] = true
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		}
		c.Log(fmt.Sprintf("cannot reach the queue: %v", err))
		pause(ctx, time.Second)
	}
}

// take writes a result into the journal. Only then is it taken from the bus.
func (c *coordinator) take(m jetstream.Msg) error {
	r := &Record{}
	if err := json.Unmarshal(m.Data(), r); err != nil {
		c.Log(fmt.Sprintf("cannot read %s: %v", m.Subject(), err))
		return m.Term()
	}
	if c.plan.add(r) { // the first counts; a second is the same
		if err := c.journal.add(r); err != nil {
			return err
		}
		delete(c.offered, r.Run)
		if r.Error != "" {
			c.failed++
			c.Log(fmt.Sprintf("failed: %s: %s", r.Run, r.Error))
		}
	}
	_ = m.Ack() // if it is lost the result comes again
	return nil
}

// greet answers a worker.
func (c *coordinator) greet(nc *nats.Conn, m *nats.Msg) {
	var h hello
	if json.Unmarshal(m.Data, &h) != nil {
		return
	}
	answer := welcome{Sweep: c.sweep.Name}
	switch {
	case h.Leaves:
		delete(c.workers, h.Worker)
		return
	case h.Program != c.program:
		answer.Refused = fmt.Sprintf("sweep %s is of %s, this worker is %s: their runs would differ; build both from the same source", c.sweep.Name, c.program, h.Program)
		if _, known := c.workers[h.Worker]; !known {
			c.Log(fmt.Sprintf("refused worker %s: it is %s", h.Worker, h.Program))
		}
	}
	slots := h.Slots
	if answer.Refused != "" || h.Worker == ownID() {
		slots = 0 // known, but no more runs for it
	}
	c.workers[h.Worker] = peer{slots, time.Now()}
	_ = publish(nc, m.Reply, "", answer) // it asks again
}

// forget drops workers that were silent for long.
func (c *coordinator) forget(now time.Time) {
	for id, w := range c.workers {
		if now.Sub(w.heard) > 3*helloEvery {
			delete(c.workers, id)
		}
	}
}

func (c *coordinator) status(now time.Time) Status {
	s := Status{Done: c.plan.made, Total: c.plan.total, Failed: c.failed}
	if c.Parallel > 0 {
		s.Workers = 1
	}
	for _, w := range c.workers {
		if w.slots > 0 {
			s.Workers++
		}
	}
	if made := c.plan.made - c.before; made > 0 {
		s.RatePerS = float64(made) / now.Sub(c.start).Seconds()
		s.Left = time.Duration(float64(s.Total-s.Done) / s.RatePerS * float64(time.Second))
	}
	return s
}

// Cores is how many runs go on at a time unless somebody says otherwise.
func Cores() int { return runtime.GOMAXPROCS(0) }
