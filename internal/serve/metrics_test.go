package serve

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"cosim/internal/metrics"
)

// scrape reads /metrics as Prometheus does.
func (s *service) scrape(status int) (families map[string]*dto.MetricFamily, text []byte) {
	s.t.Helper()
	req, err := http.NewRequest(http.MethodGet, s.url+"/metrics", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	if s.token != "" {
		req.Header.Set("Authorization", "Bearer "+s.token)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	if text, err = io.ReadAll(res.Body); err != nil {
		s.t.Fatal(err)
	}
	if res.StatusCode != status {
		s.t.Fatalf("status %d, want %d: %s", res.StatusCode, status, text)
	}
	if status != http.StatusOK {
		return nil, text
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	if families, err = parser.TextToMetricFamilies(bytes.NewReader(text)); err != nil {
		s.t.Fatal(err)
	}
	return families, text
}

func valueOf(f *dto.MetricFamily, label, value string) float64 {
	sum := 0.0
	for _, m := range f.GetMetric() {
		for _, l := range m.GetLabel() {
			if l.GetName() == label && l.GetValue() == value {
				sum += m.GetGauge().GetValue() + m.GetCounter().GetValue()
			}
		}
	}
	return sum
}

// What Prometheus reads at the end of a run are the figures of its summary, and
// promlint, its own linter, finds nothing to say.
func TestMetricsEqualTheSummary(t *testing.T) {
	o := quiet("20s")
	s := serving(t, Config{Experiment: "S-3", Overrides: o})
	s.until(done)
	families, text := s.scrape(http.StatusOK)
	run := s.current()
	run.mu.Lock()
	summary := run.result.Summary
	run.mu.Unlock()

	if got := valueOf(families["cosim_run_simulated_seconds"], "run", "S-3-1"); got != 20 {
		t.Errorf("%v s simulated", got)
	}
	if got := valueOf(families["cosim_tasks_total"], "run", "S-3-1"); got != float64(decided(summary)) {
		t.Errorf("%v tasks, the summary has %d", got, decided(summary))
	}
	if got := valueOf(families["cosim_tasks_total"], "outcome", "success"); got != float64(summary.Tasks.Successes) {
		t.Errorf("%v successes, the summary has %d", got, summary.Tasks.Successes)
	}
	if n := len(families["cosim_pool_bits"].GetMetric()); n != 8 {
		t.Errorf("%d pools", n)
	}
	if got := valueOf(families["cosim_pool_safe_bits"], "link", "CC-GW1"); got != 34400 {
		t.Errorf("K_safe %v", got)
	}
	if got := valueOf(families["cosim_run_state"], "state", done); got != 1 {
		t.Errorf("state done: %v", got)
	}
	if h := families["cosim_decision_seconds"].GetMetric()[0].GetHistogram(); int64(h.GetSampleCount()) != summary.Decisions.Count {
		t.Errorf("%d decision times of %d decisions", h.GetSampleCount(), summary.Decisions.Count)
	}
	problems, err := promlint.New(bytes.NewReader(text)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.Contains(p.Text, `instead of "bits"`) {
			continue // key is counted in bits, everywhere
		}
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	if err := prometheus.NewRegistry().Register(exporter{s.Server}); err != nil {
		t.Error(err)
	}
}

func decided(s *metrics.Summary) int64 { return s.Tasks.Successes + s.Tasks.Failed.Total() }

func TestMetricsAreThereBeforeTheFirstRun(t *testing.T) {
	s := serving(t, Config{})
	_, text := s.scrape(http.StatusOK)
	if !strings.Contains(string(text), "go_goroutines") {
		t.Errorf("%s", text)
	}
}

func TestMetricsNeedTheToken(t *testing.T) {
	s := serving(t, Config{Security: Security{TokenFile: tokenFile(t)}})
	s.scrape(http.StatusUnauthorized)
	s.token = operatorToken
	s.scrape(http.StatusOK)
}
