package sweep

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"cosim/internal/experiment"
)

// WorkerOptions say how a worker takes part.
type WorkerOptions struct {
	NATS     string // addresses of the servers
	Access   Access
	Parallel int    // runs at a time; less than 1 means one a core
	Out      string // for the folders of runs that are kept whole
	// Log hears in a sentence of what a person at the worker wants to know.
	Log func(string)

	program program
	run     runner
}

// runner carries out a run; tests have others than experiment.Run.
type runner func(context.Context, *experiment.Definition, experiment.RunOptions) (*experiment.Result, error)

// attempts is how often a run is begun, whoever begins it.
const attempts = 5

// worker makes runs that wait in a queue.
type worker struct {
	WorkerOptions
	id string
	nc *nats.Conn
	js jetstream.JetStream

	mu    sync.Mutex
	known map[string]*experiment.Definition // by hash
}

func newWorker(nc *nats.Conn, o WorkerOptions) (*worker, error) {
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, err
	}
	if o.Parallel < 1 {
		o.Parallel = Cores()
	}
	if o.run == nil {
		o.run = experiment.Run
	}
	o.program = cmp.Or(o.program, thisProgram())
	return &worker{WorkerOptions: o, id: ownID(), nc: nc, js: js, known: map[string]*experiment.Definition{}}, nil
}

// ownID tells this process from those of other machines.
func ownID() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%s/%d", host, os.Getpid())
}

func thisProgram() program { return program{experiment.Version(), runtime.GOARCH} }

// Work takes part in the sweeps at the servers until ctx ends: it takes runs
// one by one, says in between that it is alive, and gives back what it has not
// finished when it leaves. It waits for servers that are not there. The error
// says why it is refused.
func Work(ctx context.Context, o WorkerOptions) error {
	if o.Log == nil {
		o.Log = func(string) {}
	}
	nc, err := dial(ctx, o.NATS, o.Access, o.Log)
	if err != nil {
		return err
	}
	defer nc.Close()
	w, err := newWorker(nc, o)
	if err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	w.Log(fmt.Sprintf("connected to %s; %d runs at a time", nc.ConnectedUrlRedacted(), w.Parallel))
	return w.work(ctx)
}

// dial connects, and waits for a server that is not there. A connection that
// breaks later is made again for ever.
func dial(ctx context.Context, address string, a Access, log func(string)) (*nats.Conn, error) {
	o, err := a.options(address)
	if err != nil {
		return nil, err
	}
	o = append(
		o, nats.Name("cosim"), nats.MaxReconnects(-1), nats.ReconnectWait(500*time.Millisecond),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				log(fmt.Sprintf("lost %s: %v", address, err))
			}
		}),
		nats.ReconnectHandler(func(nc *nats.Conn) { log("back at " + nc.ConnectedUrlRedacted()) }),
	)
	for said := false; ; {
		nc, err := nats.Connect(address, o...)
		switch {
		case err == nil:
			return nc, nil
		case !errors.Is(err, nats.ErrNoServers) && !isNetwork(err):
			return nil, fmt.Errorf("sweep: %s: %w", address, err)
		case !said:
			log(fmt.Sprintf("waiting for %s: %v", address, err))
			said = true
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(time.Second):
		}
	}
}

// isNetwork reports whether nobody answered, as against being turned away.
func isNetwork(err error) bool {
	text := err.Error()
	return strings.Contains(text, "refused") || strings.Contains(text, "timeout") || strings.Contains(text, "no route") || strings.Contains(text, "no such host")
}

// work fills its slots until ctx ends or every sweep refuses it.
func (w *worker) work(ctx context.Context) error {
	ctx, leave := context.WithCancelCause(ctx)
	defer leave(nil)
	var slots sync.WaitGroup
	slots.Go(func() { leave(w.present(ctx)) })
	for range w.Parallel {
		slots.Go(func() { w.slot(ctx) })
	}
	slots.Wait()
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// present says who the worker is until ctx ends. The error is that of a sweep
// that refuses it while no other takes it.
func (w *worker) present(ctx context.Context) error {
	inbox := w.nc.NewRespInbox()
	answers := make(chan *nats.Msg, 64)
	sub, err := w.nc.ChanSubscribe(inbox, answers)
	if err != nil {
		return err
	}
	defer sub.Unsubscribe()
	closed := w.nc.StatusChanged(nats.CLOSED)
	me := hello{Worker: w.id, Slots: w.Parallel, Program: w.program}
	next := time.NewTimer(0)
	defer next.Stop()
	refused, taken := "", false
	for {
		select {
		case <-ctx.Done():
			me.Leaves = true
			return errors.Join(publish(w.nc, helloSubject, inbox, me), w.nc.FlushTimeout(time.Second), ctx.Err())
		case <-closed:
			return fmt.Errorf("sweep: %s: %w", w.NATS, cmp.Or(w.nc.LastError(), nats.ErrConnectionClosed))
		case m := <-answers:
			var answer welcome
			switch {
			case json.Unmarshal(m.Data, &answer) != nil: // the server's: nobody is there
			case answer.Refused != "":
				refused = answer.Refused
			default:
				taken = true
			}
		case <-next.C:
			if refused != "" && !taken {
				return errors.New(refused)
			}
			refused, taken = "", false
			_ = publish(w.nc, helloSubject, inbox, me) // said again soon
			next.Reset(helloEvery)
		}
	}
}

// slot makes one run after the other.
func (w *worker) slot(ctx context.Context) {
	var queue jetstream.Consumer
	for ctx.Err() == nil {
		var m jetstream.Msg
		err := error(nil)
		if queue == nil {
			queue, err = w.js.Consumer(ctx, workStream, w.program.tag())
		}
		if err == nil {
			m, err = fetch(ctx, queue)
		}
		switch {
		case m != nil:
			w.handle(ctx, m)
		case errors.Is(err, nats.ErrTimeout), errors.Is(err, context.DeadlineExceeded), err == nil:
		default: // no sweep yet, or the server is away
			queue = nil
			pause(ctx, 500*time.Millisecond)
		}
	}
}

// fetch asks for one message, and waits for it a while: a worker never holds
// more than it works at.
func fetch(ctx context.Context, queue jetstream.Consumer) (jetstream.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return queue.Next(jetstream.FetchContext(ctx))
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// handle makes the run in a message, sends what it found, and only then
// acknowledges.
func (w *worker) handle(ctx context.Context, m jetstream.Msg) {
	j := &job{}
	meta, err := m.Metadata()
	if err := errors.Join(err, json.Unmarshal(m.Data(), j)); err != nil {
		w.Log(fmt.Sprintf("cannot read %s: %v", m.Subject(), err))
		_ = m.Term()
		return
	}
	r := &Record{Run: j.Run, Attempt: int(meta.NumDelivered), Worker: w.id}
	if meta.NumDelivered > attempts {
		r.Error = fmt.Sprintf("given up after %d attempts: the workers that had it ended without a word (out of memory?)", attempts)
	} else {
		alive := keepAlive(m, j.Lease/3)
		final := w.make(ctx, j, r)
		alive()
		switch {
		case r.Error != "" && ctx.Err() != nil:
			_ = m.Nak() // another worker's
			return
		case r.Error != "" && !final && meta.NumDelivered < attempts:
			w.Log(fmt.Sprintf("%s, attempt %d of %d: %s", j.Run, r.Attempt, attempts, r.Error))
			_ = m.NakWithDelay(retryAfter)
			return
		}
	}
	r.EndedAt = time.Now().UTC().Truncate(time.Millisecond)
	if w.deliver(ctx, j, r) {
		_ = m.Ack() // if it is lost the run comes again, and its result is known
	}
}

// retryAfter leaves another worker the time to take what failed here.
const retryAfter = 200 * time.Millisecond

// keepAlive says that the run goes on, until stop.
func keepAlive(m jetstream.Msg, every time.Duration) (stop func()) {
	done := make(chan struct{})
	var heartbeat sync.WaitGroup
	heartbeat.Go(func() {
		tick := time.NewTicker(max(every, time.Millisecond))
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				_ = m.InProgress()
			}
		}
	})
	return func() { close(done); heartbeat.Wait() }
}

// make carries out the run. An error that every other attempt would have too is
// final.
func (w *worker) make(ctx context.Context, j *job, r *Record) (final bool) {
	defer func() {
		if p := recover(); p != nil {
			r.Error = fmt.Sprintf("panic: %v", p)
			w.Log(fmt.Sprintf("%s: %s\n%s", j.Run, r.Error, debug.Stack()))
		}
	}()
	d, err := w.definition(j)
	if err != nil {
		r.Error = err.Error()
		return false // another worker may have what this one lacks
	}
	var o experiment.RunOptions
	if j.KeepAll {
		o.Out = filepath.Join(w.Out, j.Folder)
		if err := os.MkdirAll(o.Out, 0o755); err != nil {
			r.Error = err.Error()
			return false
		}
	}
	result, err := w.run(ctx, d, o)
	if err != nil {
		r.Error, r.Invariant = err.Error(), errors.Is(err, experiment.ErrInvariant)
		return r.Invariant
	}
	r.Summary, r.WallS = result.Summary, result.WallS
	return true
}

// maxKnown is how many definitions a worker remembers.
const maxKnown = 100

// definition reads that of a run. Runs of one point come soon after another,
// and reading takes as long as a second or two of simulation.
func (w *worker) definition(j *job) (*experiment.Definition, error) {
	w.mu.Lock()
	d := w.known[j.Hash]
	w.mu.Unlock()
	if d == nil {
		text, err := decompress(j.Definition)
		if err == nil {
			d, err = experiment.LoadText(j.Run, text, experiment.Overrides{})
		}
		if err == nil {
			err = sameDefinition(d, j.Hash)
		}
		if err != nil {
			return nil, err
		}
		w.mu.Lock()
		if len(w.known) >= maxKnown {
			clear(w.known)
		}
		w.known[j.Hash] = d
		w.mu.Unlock()
	}
	one := *d
	one.Seed = j.Seed
	return &one, nil
}

// sameDefinition finds data of a power system that are others than the sweep's.
func sameDefinition(d *experiment.Definition, want string) error {
	hash, err := d.Hash()
	if err == nil && hash != want {
		err = fmt.Errorf("this worker reads another experiment than the sweep has: the files of case %s differ", d.Case)
	}
	return err
}

// deliver sends a result, and tries until it is stored or the worker leaves.
func (w *worker) deliver(ctx context.Context, j *job, r *Record) bool {
	data, err := json.Marshal(r)
	if err != nil {
		w.Log(fmt.Sprintf("%s: %v", j.Run, err))
		return false
	}
	for {
		last := ctx.Err() != nil
		sending, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		_, err := w.js.Publish(sending, j.ReplyTo, data)
		cancel()
		if err == nil || last {
			return err == nil
		}
		pause(ctx, 500*time.Millisecond)
	}
}
