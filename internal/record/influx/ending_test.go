package influx_test

import (
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"cosim/internal/record/influx"
)

// until waits for what other goroutines do.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within 10 s", what)
		}
	}
}

// comesLater sends a run again and says whether the database then has all.
func comesLater(t *testing.T, f *fake, dir string, rows int) {
	t.Helper()
	if r, err := influx.ReadReceipt(dir); err != nil || r.Complete {
		t.Errorf("receipt %+v, %v, although not all was sent", r, err)
	}
	f.setAnswer(nil)
	s, _ := newSender(t, f.URL)
	s.Send(dir, testRun())
	if left := finish(t, s); len(left) > 0 || f.count() != pointsOf(rows) {
		t.Errorf("%d points, want %d; left %v", f.count(), pointsOf(rows), left)
	}
	if r, err := influx.ReadReceipt(dir); err != nil || !r.Complete || int(r.Points) != pointsOf(rows) {
		t.Errorf("receipt %+v, %v", r, err)
	}
}

// A port that accepts and says nothing holds up neither the start nor the end.
func TestDatabaseThatNeverAnswersIsNotWaitedFor(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	began := time.Now()
	dir := recordRun(t, 100, false)
	s, _ := newSender(t, "http://"+l.Addr().String())
	s.Send(dir, testRun())
	left := s.Finish(t.Context(), influx.Limits{Total: time.Minute, Silent: time.Minute, Unheard: 200 * time.Millisecond}, func(influx.Status) {})
	if took := time.Since(began); took > 3*time.Second || len(left) != 1 || left[0].Err.Error() != "no answer" {
		t.Errorf("after %v: %v", took, left)
	}
	comesLater(t, newFake(t), dir, 100)
}

// One that was away all the time is asked once more, and that at once.
func TestDatabaseThatWasAwayAllTheTimeHasOneLastTry(t *testing.T) {
	for name, back := range map[string]bool{"still away": false, "back": true} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			f.setAnswer(func(string) (int, string) { return http.StatusServiceUnavailable, "starting up" })
			dir := recordRun(t, 100, false)
			s, m := newSender(t, f.URL)
			s.Send(dir, testRun())
			time.Sleep(1200 * time.Millisecond) // the run; the next try would come in half a second
			if back {
				f.setAnswer(nil)
			}
			began := time.Now()
			left := s.Finish(t.Context(), influx.Limits{Total: time.Minute, Silent: time.Minute, Unheard: time.Second}, func(influx.Status) {})
			took := time.Since(began)
			switch {
			case back && (len(left) > 0 || f.count() != pointsOf(100) || !strings.Contains(m.String(), "takes points again")):
				t.Errorf("%d points, want %d; left %v; told %q", f.count(), pointsOf(100), left, m)
			case !back && (took > 500*time.Millisecond || len(left) != 1 || left[0].Err.Error() != "503 Service Unavailable: starting up"):
				t.Errorf("after %v: %v", took, left)
			case !back:
				comesLater(t, f, dir, 100)
			}
		})
	}
}

// One that is slow but takes points is waited for far beyond the time that one
// is given that takes none.
func TestSlowDatabaseThatTakesPointsIsWaitedFor(t *testing.T) {
	f := newFake(t)
	f.setAnswer(func(string) (int, string) { time.Sleep(100 * time.Millisecond); return 0, "" })
	s, _ := newSender(t, f.URL)
	s.Send(recordRun(t, 5000, false), testRun())
	until(t, "the first points", func() bool { return s.Status().Points > 0 })
	left := s.Finish(t.Context(), influx.Limits{Total: 20 * time.Second, Silent: 10 * time.Second, Unheard: 20 * time.Millisecond}, func(influx.Status) {})
	if len(left) > 0 || f.count() != pointsOf(5000) {
		t.Errorf("%d points, want %d; left %v", f.count(), pointsOf(5000), left)
	}
}

// What is under way when the time is over is abandoned: the database may have
// taken it or not, so it does not count, and is sent again.
func TestBatchUnderWayAtTheEndIsAbandonedAndComesLater(t *testing.T) {
	f := newFake(t)
	var arrived atomic.Bool
	release := make(chan struct{})
	f.setAnswer(func(body string) (int, string) {
		if body != "" {
			if err := f.take([]byte(body)); err != nil {
				t.Error(err)
			}
			arrived.Store(true)
			<-release
		}
		return 0, ""
	})
	dir := recordRun(t, 2500, false)
	s, _ := newSender(t, f.URL)
	s.Send(dir, testRun())
	until(t, "a batch", arrived.Load)
	began := time.Now()
	left := s.Finish(t.Context(), influx.Limits{}, func(influx.Status) {})
	if took := time.Since(began); took > time.Second || len(left) != 1 {
		t.Errorf("after %v: %v", took, left)
	}
	close(release)
	if r, err := influx.ReadReceipt(dir); err != nil || r.Points != 0 {
		t.Errorf("receipt %+v, %v, although nothing was answered", r, err)
	}
	comesLater(t, f, dir, 2500)
}

func TestWrongTokenIsToldAtOnceAndNothingIsSent(t *testing.T) {
	f := newFake(t)
	f.setAnswer(func(string) (int, string) { return http.StatusUnauthorized, "authorization failed" })
	s, m := newSender(t, f.URL)
	until(t, "the mistake before any run begins", func() bool { return m.String() != "" })
	host := strings.TrimPrefix(f.URL, "http://")
	if want := "influx: " + host + ` refuses the token for bucket "cosim": 401 Unauthorized: authorization failed; nothing is sent`; m.String() != want {
		t.Errorf("told %q, want %q", m, want)
	}
	dirs := []string{recordRun(t, 10, false), recordRun(t, 10, false)}
	for _, dir := range dirs {
		s.Send(dir, testRun())
	}
	left := finish(t, s)
	if len(left) != 2 || !strings.Contains(left[0].Err.Error(), "it refuses the token") || f.requests != 1 {
		t.Errorf("%d requests; left %v", f.requests, left)
	}
	comesLater(t, f, dirs[0], 10)
}

func TestNothingTakenIsNothingSent(t *testing.T) {
	dead := newFake(t)
	dead.Close()
	s, m := newSender(t, dead.URL)
	s.Send(recordRun(t, 100, false), testRun())
	until(t, "an estimate", func() bool { return s.Status().WaitingPoints > 0 })
	st := s.Status()
	if want := int64(pointsOf(100)); st.SentBytes != 0 || st.Points != 0 || st.WaitingPoints != want || st.Waiting() != "about 550 points" {
		t.Errorf("status %+v, want %d points to wait", st, want)
	}
	s.Finish(t.Context(), influx.Limits{}, func(influx.Status) {})
	host := strings.TrimPrefix(dead.URL, "http://")
	told := strings.Replace(m.String(), "; about 550 points wait", "; points wait", 1) // if they were read before
	if want := "influx: " + host + " does not take points (connection refused); points wait in the log and are tried again"; told != want {
		t.Errorf("told %q, want %q", told, want)
	}
}

func TestWaitingPointsAreRounded(t *testing.T) {
	for n, want := range map[int64]string{0: "points", 7: "about 7 points", 999: "about 999 points", 4987: "about 4,990 points", 675432: "about 675,000 points", 12345678: "about 12,300,000 points"} {
		if got := (influx.Status{WaitingPoints: n}).Waiting(); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}

// Messages name the database and what it did, in short.
func TestTroubleIsToldInShort(t *testing.T) {
	for name, c := range map[string]struct {
		answer func(http.ResponseWriter)
		want   string
	}{
		"text":  {func(w http.ResponseWriter) { http.Error(w, "disk full\nat /var/lib", http.StatusInternalServerError) }, "500 Internal Server Error: disk full"},
		"page":  {func(w http.ResponseWriter) { http.Error(w, "<html>", http.StatusBadGateway) }, "502 Bad Gateway"},
		"empty": {func(w http.ResponseWriter) { w.WriteHeader(http.StatusTooManyRequests) }, "429 Too Many Requests"},
		"cut":   {func(http.ResponseWriter) { panic(http.ErrAbortHandler) }, "the connection was cut"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			f.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { c.answer(w) })
			db, err := influx.New(influx.Target{URL: f.URL, Bucket: "cosim"})
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			if err := db.Prepare(t.Context()); err == nil || err.Error() != c.want || !influx.Away(err) {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
}
