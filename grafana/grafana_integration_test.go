//go:build integration

package grafana_test

import (
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"time"

	"cosim/internal/experiment"
	"cosim/internal/record"
	"cosim/internal/record/influx"
	"cosim/internal/record/influx/influxd"
	cosync "cosim/sync"
)

// Every query of every panel, variable, annotation and alert is asked of a real
// InfluxDB that holds a run of S-3, one with several operators, and one that
// lost a federate; all have an answer.
func TestIntegrationEveryQueryHasAnAnswer(t *testing.T) {
	db := influxd.New(t)
	epoch := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	target, err := influx.New(influx.Target{URL: db.URL, Bucket: influxd.Database})
	if err != nil {
		t.Fatal(err)
	}
	sender := influx.NewSender(target, func(line string) { t.Error(line) })
	simulate(t, sender, epoch, "S-3", "", "duration=15s",
		"disturbances.scheduled=[{at: 3s, kind: load-step, bus: 15, size_mw: 500, duration: 5s}, {at: 4s, kind: link-break, link: CC-GW2, duration: 3s}]")
	simulate(t, sender, epoch, "S-2", "ieee118", "duration=10s")
	sender.Send(loseFederate(t), influx.Run{Name: "lost", Epoch: epoch})
	if left := sender.Finish(t.Context(), influx.Limits{Total: time.Minute, Silent: time.Minute}, func(influx.Status) {}); len(left) > 0 {
		t.Fatal(left)
	}
	filled := strings.NewReplacer(
		"$timeFilter", fmt.Sprintf("time >= %dms and time <= %dms", epoch.Add(-time.Minute).UnixMilli(), epoch.Add(time.Minute).UnixMilli()),
		"$__interval", "500ms", "$run", ".*", "$pool", "CC-GW1",
	)
	all := questions(t)
	names := make([]string, 0, len(all))
	for what := range all {
		names = append(names, what)
	}
	sort.Strings(names)
	for _, what := range names {
		answer, err := db.Ask(filled.Replace(all[what]))
		if err != nil {
			t.Errorf("%s: %v", what, err)
		} else if !holdsValue(answer) {
			t.Errorf("%s has no answer: %s", what, all[what])
		}
	}
	t.Logf("%d queries", len(names))
	alertsFire(t, db, filled)
}

func holdsValue(all []influxd.Series) bool {
	for _, s := range all {
		for _, row := range s.Values {
			for _, v := range row[1:] {
				if v != nil {
					return true
				}
			}
		}
	}
	return false
}

// alertsFire holds the alerts' answers against what happened: a fibre break and
// a load step of 500 MW take the frequency out of its band, and one federate
// was lost; a run that is not in real time misses no deadline.
func alertsFire(t *testing.T, db *influxd.Server, filled *strings.Replacer) {
	t.Helper()
	want := map[string]bool{"cosim-frequency-unsafe": true, "cosim-key-below-safe": true, "cosim-federate-lost": true, "cosim-deadline-missed": false}
	for _, r := range rules(t).Groups[0].Rules {
		conditions, ok := r.Data[2].Model["conditions"].([]any)
		if !ok {
			t.Fatalf("%s: conditions are %v", r.UID, r.Data[2].Model["conditions"])
		}
		lower := conditions[0].(map[string]any)["evaluator"].(map[string]any)["type"] == "lt"
		worst := math.Inf(-1)
		if lower {
			worst = math.Inf(1)
		}
		for _, s := range db.Query(filled.Replace(r.Data[0].Model["query"].(string))) {
			for _, row := range s.Values {
				if v, ok := row[1].(float64); ok && lower {
					worst = min(worst, v)
				} else if ok {
					worst = max(worst, v)
				}
			}
		}
		if fires := lower && worst < 0 || !lower && worst > 0; fires != want[r.UID] {
			t.Errorf("%s: worst %v, fires %t, want %t", r.UID, worst, fires, want[r.UID])
		}
	}
}

func simulate(t *testing.T, s *influx.Sender, epoch time.Time, name, powerSystem string, set ...string) {
	t.Helper()
	d, err := experiment.Load(name, experiment.Overrides{Case: powerSystem, Set: append(set, "disturbances.contingencies.count=0")})
	if err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	watch := s.Watch(filepath.Join(out, d.RunName()), experiment.InfluxRun(d, epoch))
	if _, err := experiment.Run(t.Context(), d, experiment.RunOptions{Out: out, Observers: []cosync.Observer{watch}}); err != nil {
		t.Fatal(err)
	}
}

// loseFederate records a run that lost a federate.
func loseFederate(t *testing.T) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "lost")
	w, err := record.Create(dir, nil, nil)
	if err == nil {
		err = errors.Join(w.Row(0, nil), w.Event(record.Event{AtNS: 5e8, Type: "federate-lost", Element: "battery"}), w.Row(1e9, nil), w.Close(nil, nil, nil))
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// The dashboards are what the types of Grafana's own schema allow, panels'
// options included.
func TestIntegrationDashboardsHaveGrafanasTypes(t *testing.T) {
	node := filepath.Join("..", "internal", "tools", "node")
	if _, err := os.Stat(filepath.Join(node, "node_modules", "@grafana", "schema")); err != nil {
		t.Fatalf("Grafana's types are missing (make setup): %v", err)
	}
	dir, err := os.MkdirTemp(node, ".check-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	check, err := os.ReadFile(filepath.Join("testdata", "check.ts"))
	if err != nil {
		t.Fatal(err)
	}
	// compile returns what the compiler says of each file.
	compile := func(dashboards map[string]string) string {
		t.Helper()
		args := []string{"--noEmit", "--strict", "--skipLibCheck", "--target", "es2022", "--module", "esnext", "--moduleResolution", "bundler"}
		for name, dashboard := range dashboards {
			path := filepath.Join(dir, name+".ts")
			text := strings.Replace(string(check), "/* dashboard */", dashboard, 1)
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			args = append(args, path)
		}
		out, err := exec.Command(filepath.Join(node, "node_modules", ".bin", "tsc"), args...).CombinedOutput()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		return string(out)
	}
	good := map[string]string{}
	for path, content := range files(t) {
		if strings.HasPrefix(path, "dashboards/") {
			good[strings.TrimSuffix(filepath.Base(path), ".json")] = string(content)
		}
	}
	if said := compile(good); said != "" || len(good) == 0 {
		t.Errorf("%d dashboards:\n%s", len(good), said)
	}
	// The check notices what is wrong.
	bad := map[string]string{}
	for what, change := range map[string][2]string{
		"unknown-word":  {`"drawStyle": "line"`, `"drawStyle": "lines"`},
		"wrong-kind":    {`"uid": "cosim-run"`, `"uid": 1`},
		"unknown-key":   {`"showLegend": true`, `"showLegends": true`},
		"unknown-panel": {`"type": "timeseries"`, `"type": "graph"`},
		"unknown-color": {`"mode": "palette-classic"`, `"mode": "rainbow"`},
	} {
		if bad[what] = strings.Replace(good["cosim-run"], change[0], change[1], 1); bad[what] == good["cosim-run"] {
			t.Errorf("%s: %s is not in the dashboard", what, change[0])
		}
	}
	said := compile(bad)
	for what := range bad {
		if !strings.Contains(said, what+".ts") {
			t.Errorf("%s is not noticed:\n%s", what, said)
		}
	}
}
