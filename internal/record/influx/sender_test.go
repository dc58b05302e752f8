package influx_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"cosim/internal/record"
	"cosim/internal/record/influx"
	cosync "cosim/sync"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestEveryRowAndEventArrives(t *testing.T) {
	f := newFake(t)
	s, _ := newSender(t, f.URL)
	s.Send(recordRun(t, 2, false), testRun())
	if left := finish(t, s); len(left) > 0 {
		t.Fatal(left)
	}
	const tags = "case=ieee39,experiment=S-1,run=S-1-7@2026-01-31T12:00:00.000Z,seed=7"
	with := func(more string) string { // tags in order
		return strings.Replace(tags, "case=ieee39,", "case=ieee39,"+more+",", 1)
	}
	for measurement, want := range map[string][]string{
		influx.Grid: {
			"grid," + with("element=coi") + " 1769860800000000000 map[frequency:0]",
			"grid," + with("element=coi") + " 1769860800100000000 map[frequency:1]",
			"grid," + with("element=gen/30") + " 1769860800000000000 map[frequency:-0]",
			"grid," + with("element=gen/30") + " 1769860800100000000 map[frequency:-1]",
		},
		influx.Pool:      {"pool," + with("element=CC-GW1") + " 1769860800000000000 map[pool:0]"}, // the second is NaN
		influx.Optimizer: nil,                                                                     // infinite
		influx.Master: {
			"master," + tags + " 1769860800000000000 map[federates_lost:0]",
			"master," + tags + " 1769860800100000000 map[federates_lost:0]",
		},
	} {
		if got := f.of(measurement); strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%s:\n%s\nwant\n%s", measurement, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	if got := f.of(influx.Task); len(got) != 4 || !strings.Contains(got[0], "mode=otp,nth=2,run=") {
		t.Errorf("two tasks in one place, twice:\n%s", strings.Join(got, "\n"))
	}
}

func TestSentTwiceIsThereOnce(t *testing.T) {
	f := newFake(t)
	dir := recordRun(t, 300, false)
	var points [2]int
	for i := range points {
		s, _ := newSender(t, f.URL)
		s.Send(dir, testRun())
		if left := finish(t, s); len(left) > 0 {
			t.Fatal(left)
		}
		points[i] = f.count()
	}
	if want := pointsOf(300); points[0] != want || points[1] != want {
		t.Errorf("%d points, then %d, want %d", points[0], points[1], want)
	}
}

func TestOutageLosesNothing(t *testing.T) {
	for name, answer := range map[string]func(http.ResponseWriter){
		"500":       func(w http.ResponseWriter) { w.WriteHeader(500) },
		"503":       func(w http.ResponseWriter) { w.Header().Set("Retry-After", "0"); w.WriteHeader(503) },
		"429":       func(w http.ResponseWriter) { w.WriteHeader(429) },
		"401":       func(w http.ResponseWriter) { w.WriteHeader(401) },
		"404":       func(w http.ResponseWriter) { w.WriteHeader(404) },
		"cut off":   func(http.ResponseWriter) { panic(http.ErrAbortHandler) },
		"redirects": func(w http.ResponseWriter) { w.Header().Set("Location", "/"); w.WriteHeader(302) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			var requests atomic.Int64
			inner := f.Config.Handler
			f.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if n := requests.Add(1); n >= 2 && n <= 4 {
					answer(w)
					return
				}
				inner.ServeHTTP(w, r)
			})
			s, m := newSender(t, f.URL)
			s.Send(recordRun(t, 2500, false), testRun())
			if left := finish(t, s); len(left) > 0 {
				t.Fatal(left)
			}
			if got, want := f.count(), pointsOf(2500); got != want {
				t.Errorf("%d points, want %d", got, want)
			}
			if told := m.String(); strings.Count(told, "does not take points") != 1 || strings.Count(told, "takes points again") != 1 {
				t.Errorf("told %q", told)
			}
		})
	}
}

func TestBadPointIsLeftOutAlone(t *testing.T) {
	for name, takesRest := range map[string]bool{"nothing of the batch is taken": false, "the rest of the batch is taken": true} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			const bad = "frequency=123 "
			f.setAnswer(func(body string) (int, string) {
				if !strings.Contains(body, bad) {
					return 0, ""
				}
				if takesRest {
					var rest []string
					for line := range strings.Lines(body) {
						if !strings.Contains(line, bad) {
							rest = append(rest, line)
						}
					}
					if err := f.take([]byte(strings.Join(rest, ""))); err != nil {
						t.Error(err)
					}
				}
				return http.StatusBadRequest, "partial write: field type conflict dropped=1"
			})
			dir := recordRun(t, 2500, false)
			s, m := newSender(t, f.URL)
			s.Send(dir, testRun())
			left := finish(t, s)
			if len(left) != 1 || !strings.Contains(left[0].Err.Error(), "refused 1 of the points") {
				t.Errorf("left %v", left)
			}
			if got, want := f.count(), pointsOf(2500)-1; got != want {
				t.Errorf("%d points, want %d", got, want)
			}
			if !strings.Contains(m.String(), "field type conflict") || !strings.Contains(m.String(), bad) {
				t.Errorf("told %q", m)
			}
			if r, err := influx.ReadReceipt(dir); err != nil || r.Refused != 1 || !r.Complete {
				t.Errorf("receipt %+v, %v", r, err)
			}
		})
	}
}

func TestDatabaseThatRefusesAllIsGivenUp(t *testing.T) {
	f := newFake(t)
	f.setAnswer(func(string) (int, string) { return http.StatusBadRequest, "points beyond retention policy" })
	s, _ := newSender(t, f.URL)
	s.Send(recordRun(t, 2500, false), testRun())
	if left := finish(t, s); len(left) != 1 || !strings.Contains(left[0].Err.Error(), "given up after 100 refused points") {
		t.Errorf("left %v", left)
	}
}

func TestDeadDatabaseIsGivenUpInTimeAndTheRestCanBeSent(t *testing.T) {
	f := newFake(t)
	dead := newFake(t)
	dead.Close()
	dir := recordRun(t, 100, false)
	s, _ := newSender(t, dead.URL)
	s.Send(dir, testRun())
	began := time.Now()
	left := s.Finish(t.Context(), influx.Limits{Total: time.Minute, Silent: 300 * time.Millisecond}, func(influx.Status) {})
	if took := time.Since(began); took > 5*time.Second || len(left) != 1 || left[0].Dir != dir {
		t.Fatalf("after %v: %v", took, left)
	}
	r, err := influx.ReadReceipt(dir)
	if err != nil || r.Complete || r.Points != 0 || !r.Epoch.Equal(epoch) {
		t.Fatalf("receipt %+v, %v", r, err)
	}
	at, err := influx.Epoch{}.Of(dir)
	if err != nil || !at.Equal(epoch) {
		t.Fatalf("epoch %v, %v", at, err)
	}
	s, _ = newSender(t, f.URL)
	s.Send(dir, testRun())
	if left := finish(t, s); len(left) > 0 || f.count() != pointsOf(100) {
		t.Errorf("%d points, want %d; left %v", f.count(), pointsOf(100), left)
	}
}

func TestSlowDatabaseIsGivenUpAtTheLimit(t *testing.T) {
	f := newFake(t)
	f.setAnswer(func(string) (int, string) { time.Sleep(150 * time.Millisecond); return 0, "" })
	s, _ := newSender(t, f.URL)
	s.Send(recordRun(t, 20000, false), testRun())
	began := time.Now()
	left := s.Finish(t.Context(), influx.Limits{Total: 500 * time.Millisecond, Silent: time.Minute}, func(influx.Status) {})
	if took := time.Since(began); took > 5*time.Second || len(left) != 1 || !strings.Contains(left[0].Err.Error(), "within 500ms") {
		t.Errorf("after %v: %v", took, left)
	}
}

func TestInterruptionEndsTheWait(t *testing.T) {
	dead := newFake(t)
	dead.Close()
	s, _ := newSender(t, dead.URL)
	s.Send(recordRun(t, 10, false), testRun())
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	began := time.Now()
	if left := s.Finish(ctx, influx.Limits{Total: time.Minute, Silent: time.Minute}, func(influx.Status) {}); len(left) != 1 || time.Since(began) > 5*time.Second {
		t.Errorf("after %v: %v", time.Since(began), left)
	}
}

func TestKilledRunIsSentAsFarAsItGoes(t *testing.T) {
	f := newFake(t)
	dir := recordRun(t, 100, true)
	s, _ := newSender(t, f.URL)
	s.Send(dir, testRun())
	if left := finish(t, s); len(left) > 0 || f.count() != pointsOf(100) {
		t.Errorf("%d points, want %d; left %v", f.count(), pointsOf(100), left)
	}
	if r, err := influx.ReadReceipt(dir); err != nil || r.Complete || int(r.Points) != pointsOf(100) {
		t.Errorf("receipt %+v, %v", r, err)
	}
}

// A run that goes on is in the database while it goes on.
func TestGrowingLogIsFollowed(t *testing.T) {
	f := newFake(t)
	dir := filepath.Join(t.TempDir(), "S-1-7")
	w, err := record.Create(dir, nil, testColumns)
	if err != nil {
		t.Fatal(err)
	}
	s, _ := newSender(t, f.URL)
	o := s.Watch(dir, testRun())
	frame := &cosync.Frame{}
	row := func(i int64) {
		t.Helper()
		frame.To = cosync.Time(i * 1e8)
		if err := o.Observe(frame); err != nil {
			t.Fatal(err)
		}
		if err := w.Row(i*1e8, make([]float64, len(testColumns))); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	if err := o.Begin(frame); err != nil {
		t.Fatal(err)
	}
	for i := range int64(3) {
		row(i)
		for deadline := time.Now().Add(10 * time.Second); f.count() < int(i+1)*pointsPerRow; time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%d points after row %d", f.count(), i)
			}
		}
	}
	row(3)
	if err := o.End(nil); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(nil, nil, nil); err != nil {
		t.Fatal(err)
	}
	if left := finish(t, s); len(left) > 0 {
		t.Fatal(left)
	}
	if got := len(f.of(influx.Master)); got != 4 {
		t.Errorf("%d rows, want 4", got)
	}
	if got := f.of(influx.Pace); len(got) != 1 || !strings.Contains(got[0], "speed:") {
		t.Errorf("pace %q", got)
	}
	if r, err := influx.ReadReceipt(dir); err != nil || !r.Complete || int(r.Points) != 4*pointsPerRow {
		t.Errorf("receipt %+v, %v", r, err)
	}
}

// The run must not feel a database that hangs: what the observer does is
// independent of it.
func TestHangingDatabaseDoesNotHoldUpTheRun(t *testing.T) {
	f := newFake(t)
	release := make(chan struct{})
	f.setAnswer(func(string) (int, string) { <-release; return 0, "" })
	defer close(release)
	dir := recordRun(t, 2000, true)
	s, _ := newSender(t, f.URL)
	o := s.Watch(dir, testRun())
	frame := &cosync.Frame{}
	began := time.Now()
	if err := o.Begin(frame); err != nil {
		t.Fatal(err)
	}
	for i := range 100_000 {
		frame.To = cosync.Time(i) * 1e7
		if err := o.Observe(frame); err != nil {
			t.Fatal(err)
		}
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("100,000 steps took %v", took)
	}
	s.Finish(t.Context(), influx.Limits{}, func(influx.Status) {})
}

// More runs than are read at a time are all delivered.
func TestManyRunsAreDelivered(t *testing.T) {
	f := newFake(t)
	s, _ := newSender(t, f.URL)
	for i := range 30 {
		run := testRun()
		run.Seed = uint64(i)
		s.Send(recordRun(t, 50, false), run)
	}
	if left := finish(t, s); len(left) > 0 || f.count() != 30*pointsOf(50) {
		t.Errorf("%d points, want %d; left %v", f.count(), 30*pointsOf(50), left)
	}
	if st := s.Status(); st.Finished != 30 || st.SentBytes != st.TotalBytes {
		t.Errorf("status %+v", st)
	}
}

func TestEpochOfARecordedRunIsItsStart(t *testing.T) {
	dir := recordRun(t, 1, true)
	then := time.Date(2026, 3, 1, 1, 2, 3, 0, time.UTC)
	if err := os.Chtimes(filepath.Join(dir, record.ManifestName), then, then); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]time.Time{
		"": then, "-10m": then.Add(-10 * time.Minute), "2026-01-31T12:00:00Z": epoch,
	} {
		e, err := influx.ParseEpoch(text)
		if err != nil {
			t.Fatal(err)
		}
		if at, err := e.Of(dir); err != nil || !at.Equal(want) {
			t.Errorf("%q: %v, %v, want %v", text, at, err, want)
		}
	}
	for _, text := range []string{"yesterday", "10", "1492-10-12T00:00:00Z"} {
		if _, err := influx.ParseEpoch(text); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

func TestPrepareTellsWhatIsWrong(t *testing.T) {
	f := newFake(t)
	prepare := func() error {
		db, err := influx.New(influx.Target{URL: f.URL, Bucket: "cosim", Token: "t"})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		return db.Prepare(t.Context())
	}
	for status, want := range map[int]struct {
		text string
		away bool
	}{
		0:   {"", false},
		400: {"", false}, // writing requires points
		401: {"refuses the token for bucket", false},
		403: {"refuses the token for bucket", false},
		404: {`has no bucket "cosim", and it cannot be made`, false},
		503: {"starting up", true},
	} {
		f.setAnswer(func(string) (int, string) { return status, "starting up" })
		err := prepare()
		if fmt.Sprint(err) != want.text && (err == nil) != (want.text == "") || err != nil && !strings.Contains(err.Error(), want.text) || influx.Away(err) != want.away {
			t.Errorf("%d: %v (away: %v), want %+v", status, err, influx.Away(err), want)
		}
	}
	f.Close()
	if err := prepare(); !influx.Away(err) {
		t.Errorf("closed: %v is none of reaching the database", err)
	}
	for _, target := range []influx.Target{{URL: "127.0.0.1:8086", Bucket: "b"}, {URL: "ftp://h", Bucket: "b"}, {URL: "http://h"}, {URL: "http://", Bucket: "b"}} {
		if _, err := influx.New(target); err == nil {
			t.Errorf("%+v is taken", target)
		}
	}
}
