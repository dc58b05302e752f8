package terminal

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"

	cosync "cosim/sync"
)

// Progress draws one line on a terminal: a bar for the whole with the time
// left, the speed against real time, and how far each run is. Elsewhere it
// prints a plain line every few seconds.
type Progress struct {
	out   io.Writer
	bar   *progressbar.ProgressBar // nil without a terminal
	total cosync.Time
	start time.Time

	mu   sync.Mutex
	done cosync.Time
	said time.Time
	runs []*watcher // that go on now, in the order of their start
}

// Times between two changes of the bar, and between two plain lines.
const (
	drawEvery = 100 * time.Millisecond
	sayEvery  = 5 * time.Second
)

// NewProgress shows runs of the given length on out. Stop must be called.
func NewProgress(out io.Writer, runs int, length cosync.Time) *Progress {
	now := time.Now()
	p := &Progress{out: out, total: length * cosync.Time(runs), start: now, said: now}
	if width, ok := IsTerminal(out); ok {
		p.bar = progressbar.NewOptions64(int64(p.total/cosync.Millisecond),
			progressbar.OptionSetWriter(out),
			progressbar.OptionSetWidth(max(10, min(40, width-60))),
			progressbar.OptionSetTheme(progressbar.Theme{Saucer: "█", SaucerPadding: "░", BarStart: "", BarEnd: ""}),
			progressbar.OptionSetPredictTime(true),
			progressbar.OptionSetElapsedTime(false),
			progressbar.OptionClearOnFinish(),
			progressbar.OptionSetRenderBlankState(true),
		)
	}
	return p
}

// Watch is the observer that moves the bar for one run.
func (p *Progress) Watch(name string) cosync.Observer { return &watcher{progress: p, name: name} }

// Stop clears the bar; what is printed next stands in its place.
func (p *Progress) Stop() {
	if p.bar != nil {
		_ = p.bar.Finish() // a terminal that is gone needs no clearing
	}
}

// watcher follows one run.
type watcher struct {
	progress *Progress
	name     string
	shown    cosync.Time
	stop     cosync.Time
}

func (w *watcher) Begin(f *cosync.Frame) error {
	w.stop = f.Stop
	w.progress.mu.Lock()
	defer w.progress.mu.Unlock()
	w.progress.runs = append(w.progress.runs, w)
	return nil
}

func (w *watcher) Observe(f *cosync.Frame) error {
	if f.To-w.shown >= cosync.Second || f.To == f.Stop {
		w.progress.advance(w, f.To)
	}
	return nil
}

func (w *watcher) End(error) error {
	w.progress.mu.Lock()
	defer w.progress.mu.Unlock()
	w.progress.runs = slices.DeleteFunc(w.progress.runs, func(x *watcher) bool { return x == w })
	return nil
}

func (p *Progress) advance(w *watcher, to cosync.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done += to - w.shown
	w.shown = to
	every := sayEvery
	if p.bar != nil {
		every = drawEvery
	}
	if time.Since(p.said) < every {
		return
	}
	p.said = time.Now()
	speed := p.done.Seconds() / time.Since(p.start).Seconds()
	if p.bar != nil {
		p.bar.Describe(fmt.Sprintf("%s  %.0fx", p.names(), speed))
		_ = p.bar.Set64(int64(p.done / cosync.Millisecond))
		return
	}
	left := time.Duration((p.total - p.done).Seconds() / speed * float64(time.Second))
	fmt.Fprintf(p.out, "%3.0f %%  %.0f of %.0f s simulated, %.0fx real time, %v left\n",
		100*float64(p.done)/float64(p.total), p.done.Seconds(), p.total.Seconds(), speed, left.Round(time.Second))
}

// names lists the runs that go on: "S-2-5 40 %, S-2-6 38 %".
func (p *Progress) names() string {
	if len(p.runs) == 1 {
		return p.runs[0].name
	}
	parts := make([]string, len(p.runs))
	for i, w := range p.runs {
		parts[i] = fmt.Sprintf("%s %.0f %%", w.name, 100*float64(w.shown)/float64(w.stop))
	}
	return strings.Join(parts, ", ")
}
