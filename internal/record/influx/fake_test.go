package influx_test

import (
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/influxdata/line-protocol/v2/lineprotocol"

	"cosim/internal/record"
	"cosim/internal/record/influx"
)

// fake is a database that keeps points as InfluxDB does: one in a place.
type fake struct {
	*httptest.Server
	// answer, if any, is asked before a request is taken; 0 takes it.
	answer func(body string) (status int, text string)

	mu       sync.Mutex
	points   map[string]map[string]any // by measurement, tags and time
	requests int
}

func newFake(t *testing.T) *fake {
	f := &fake{points: map[string]map[string]any{}}
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	return f
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/health" {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"name":"influxdb","status":"pass"}`)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	f.mu.Lock()
	f.requests++
	answer := f.answer
	f.mu.Unlock()
	if answer != nil {
		if status, text := answer(string(body)); status != 0 {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			fmt.Fprintf(w, `{"code":"invalid","message":%q}`, text)
			return
		}
	}
	if err := f.take(body); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (f *fake) setAnswer(answer func(string) (int, string)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answer = answer
}

// take reads line protocol with the decoder of InfluxDB's makers.
func (f *fake) take(body []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	d := lineprotocol.NewDecoderWithBytes(body)
	for d.Next() {
		m, err := d.Measurement()
		if err != nil {
			return err
		}
		key := string(m)
		for {
			k, v, err := d.NextTag()
			if err != nil {
				return err
			}
			if k == nil {
				break
			}
			key += "," + string(k) + "=" + string(v)
		}
		fields := map[string]any{}
		for {
			k, v, err := d.NextField()
			if err != nil {
				return err
			}
			if k == nil {
				break
			}
			fields[string(k)] = v.Interface()
		}
		at, err := d.Time(lineprotocol.Nanosecond, time.Time{})
		if err != nil {
			return err
		}
		key += fmt.Sprintf(" %d", at.UnixNano())
		if f.points[key] == nil {
			f.points[key] = map[string]any{}
		}
		for k, v := range fields {
			f.points[key][k] = v
		}
	}
	return nil
}

// of lists the points of a measurement, one a line.
func (f *fake) of(measurement string) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []string
	for key, fields := range f.points {
		if strings.HasPrefix(key, measurement+",") {
			all = append(all, fmt.Sprintf("%s %v", key, fields))
		}
	}
	sort.Strings(all)
	return all
}

func (f *fake) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.points)
}

// messages are what a sender reports.
type messages struct {
	mu  sync.Mutex
	all []string
}

func (m *messages) tell(line string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.all = append(m.all, line)
}

func (m *messages) String() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return strings.Join(m.all, "\n")
}

var epoch = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

func testRun() influx.Run {
	return influx.Run{Name: "S-1-7", Experiment: "S-1", Case: "ieee39", Seed: 7, Epoch: epoch}
}

func newSender(t *testing.T, url string) (*influx.Sender, *messages) {
	t.Helper()
	db, err := influx.New(influx.Target{URL: url, Bucket: "cosim"})
	if err != nil {
		t.Fatal(err)
	}
	m := &messages{}
	return influx.NewSender(db, m.tell), m
}

func finish(t *testing.T, s *influx.Sender) []influx.Undelivered {
	t.Helper()
	return s.Finish(t.Context(), influx.Limits{Total: 20 * time.Second, Silent: 10 * time.Second}, func(influx.Status) {})
}

var testColumns = []record.Column{
	{Name: "grid.frequency/coi", Unit: "Hz"},
	{Name: "grid.frequency/gen/30", Unit: "Hz"},
	{Name: "scada.pool/pool/CC-GW1", Unit: "bit"},
	{Name: "scada.decision/gap", Unit: "1"},
}

// pointsPerRow are those of testColumns, and the one of master.
const pointsPerRow = 5

// recordRun records rows each 100 ms, two events a row in one place.
func recordRun(t testing.TB, rows int, killed bool) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "S-1-7")
	w, err := record.Create(dir, map[string]int{"seed": 7}, testColumns)
	for i := range int64(rows) {
		x := float64(i)
		missing := x
		if i%2 == 1 {
			missing = math.NaN()
		}
		task := record.Event{AtNS: i * 1e8, Type: "task", Element: "pmu-30", Class: "pmu", Mode: "otp", Value: x, Unit: "s"}
		err = errors.Join(err, w.Row(i*1e8, []float64{x, -x, missing, math.Inf(1)}), w.Event(task), w.Event(task))
	}
	if killed {
		err = errors.Join(err, w.Flush())
	} else {
		err = errors.Join(err, w.Close(nil, nil, nil))
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// pointsOf counts the points of recordRun: of two rows one has no pool, and
// none has a gap, which is infinite.
func pointsOf(rows int) int { return rows*(pointsPerRow-1+2) - rows/2 - rows + rows }
