package terminal

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/jedib0t/go-pretty/v6/progress"
	"github.com/jedib0t/go-pretty/v6/text"

	cosync "cosim/sync"
)

// Progress draws a bar a run and one for the whole on a terminal, and prints
// a plain line every few seconds elsewhere.
type Progress struct {
	out    io.Writer
	writer progress.Writer // nil without a terminal
	total  cosync.Time
	runs   int

	mu    sync.Mutex
	done  cosync.Time
	said  time.Time
	start time.Time
}

// plainEvery is the time between two lines where there is no terminal.
const plainEvery = 5 * time.Second

// NewProgress shows runs of the given length on out. Stop must be called.
func NewProgress(out io.Writer, runs int, length cosync.Time) *Progress {
	p := &Progress{out: out, runs: runs, total: length * cosync.Time(runs), start: time.Now(), said: time.Now()}
	width, ok := IsTerminal(out)
	if !ok {
		return p
	}
	w := progress.NewWriter()
	w.SetOutputWriter(out)
	w.SetUpdateFrequency(100 * time.Millisecond)
	w.SetNumTrackersExpected(runs)
	w.SetMessageLength(12)
	w.SetTrackerLength(max(10, min(40, width-60)))
	w.SetStyle(progress.StyleBlocks)
	style := w.Style()
	style.Visibility = progress.StyleVisibility{ETA: true, Percentage: true, Speed: true, Tracker: true, TrackerOverall: runs > 1, Time: true, Value: true}
	style.Options.Separator = " "
	style.Options.DoneString = "done"
	style.Options.TimeInProgressPrecision = 100 * time.Millisecond
	style.Options.ETAPrecision = time.Second
	style.Options.SpeedSuffix = " real time"
	style.Options.SpeedOverallFormatter = func(int64) string { return "" }
	style.Colors.Message = text.Colors{text.Bold}
	p.writer = w
	go w.Render()
	return p
}

// Watch is the observer that moves a run's bar.
func (p *Progress) Watch(name string) cosync.Observer {
	w := &watcher{progress: p, name: name}
	if p.writer != nil {
		w.tracker = &progress.Tracker{Message: name, RemoveOnCompletion: p.runs > 1, Units: progress.Units{
			Notation: "", Formatter: func(ms int64) string { return fmt.Sprintf("%.0f s", float64(ms)/1000) },
		}}
	}
	return w
}

// Stop ends the drawing; what is printed next stands below it.
func (p *Progress) Stop() {
	if p.writer == nil {
		return
	}
	p.writer.Stop()
	for p.writer.IsRenderInProgress() {
		time.Sleep(5 * time.Millisecond)
	}
}

// watcher counts in milliseconds of simulated time.
type watcher struct {
	progress *Progress
	name     string
	tracker  *progress.Tracker
	shown    cosync.Time
}

func (w *watcher) Begin(f *cosync.Frame) error {
	if w.tracker != nil {
		w.tracker.Total = int64(f.Stop / cosync.Millisecond)
		w.progress.writer.AppendTracker(w.tracker)
	}
	return nil
}

func (w *watcher) Observe(f *cosync.Frame) error {
	if f.To-w.shown < cosync.Second && f.To < f.Stop {
		return nil
	}
	w.progress.advance(f.To - w.shown)
	w.shown = f.To
	if w.tracker != nil {
		w.tracker.SetValue(int64(f.To / cosync.Millisecond))
	}
	return nil
}

func (w *watcher) End(cause error) error {
	if w.tracker == nil {
		return nil
	}
	if cause != nil {
		w.tracker.MarkAsErrored()
		return nil
	}
	w.tracker.MarkAsDone()
	return nil
}

// advance counts simulated time of all runs and, without a terminal, says now
// and then how far they are.
func (p *Progress) advance(by cosync.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done += by
	if p.writer != nil || time.Since(p.said) < plainEvery {
		return
	}
	p.said = time.Now()
	wall := time.Since(p.start)
	speed := p.done.Seconds() / wall.Seconds()
	left := time.Duration((p.total - p.done).Seconds() / speed * float64(time.Second))
	fmt.Fprintf(p.out, "%3.0f %%  %.0f of %.0f s simulated, %.0fx real time, %v left\n",
		100*float64(p.done)/float64(p.total), p.done.Seconds(), p.total.Seconds(), speed, left.Round(time.Second))
}
