package grafana_test

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"cosim/grafana"
	"cosim/internal/experiment"
	"cosim/internal/record"
	"cosim/internal/record/influx"
)

func files(t *testing.T) map[string][]byte {
	t.Helper()
	all, err := grafana.Files()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestFilesAreUpToDate(t *testing.T) {
	want := files(t)
	for path, content := range want {
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, content) {
			t.Errorf("%s is not what the Go describes (go generate ./grafana): %v", path, err)
		}
	}
	for _, folder := range []string{"dashboards", "provisioning", "influxdb"} {
		err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
			if _, ok := want[filepath.ToSlash(path)]; err == nil && !d.IsDir() && !ok {
				t.Errorf("%s is described nowhere", path)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
}

func TestNamesAreUniqueAndResolve(t *testing.T) {
	uids := map[string]bool{}
	unique := func(uid string) {
		t.Helper()
		if len(uid) == 0 || len(uid) > 40 || uids[uid] {
			t.Errorf("uid %q is empty, too long or taken", uid)
		}
		uids[uid] = true
	}
	var sources struct {
		Datasources []struct{ UID, Type string }
	}
	read(t, "provisioning/datasources/cosim.yaml", &sources)
	if len(sources.Datasources) != 1 {
		t.Fatalf("%d data sources", len(sources.Datasources))
	}
	source := grafana.DataSourceRef{Type: sources.Datasources[0].Type, UID: sources.Datasources[0].UID}
	unique(source.UID)
	panels := map[string]map[int]string{}
	for _, d := range grafana.Dashboards() {
		unique(d.UID)
		panels[d.UID] = map[int]string{}
		for _, p := range d.Panels {
			if panels[d.UID][p.ID] != "" || p.ID == 0 {
				t.Errorf("%s: panel %d is there twice", d.UID, p.ID)
			}
			panels[d.UID][p.ID] = p.Title
			refs := map[string]bool{}
			for _, q := range p.Targets {
				if q.Datasource != source || refs[q.RefID] {
					t.Errorf("%s, %s: target %+v", d.UID, p.Title, q)
				}
				refs[q.RefID] = true
			}
			if p.Datasource != source || len(p.Targets) == 0 {
				t.Errorf("%s, %s: data source %+v, %d targets", d.UID, p.Title, p.Datasource, len(p.Targets))
			}
			for _, o := range p.FieldConfig.Overrides {
				if o.Matcher.ID == "byFrameRefID" && !refs[o.Matcher.Options] {
					t.Errorf("%s, %s: an override is for %q, which asks nothing", d.UID, p.Title, o.Matcher.Options)
				}
			}
		}
		for _, v := range d.Templating.List {
			if v.Datasource != source {
				t.Errorf("%s: variable %s asks %+v", d.UID, v.Name, v.Datasource)
			}
		}
	}
	var contacts struct {
		ContactPoints []struct {
			Name      string
			Receivers []struct{ UID, Type string }
		} `yaml:"contactPoints"`
	}
	read(t, "provisioning/alerting/contact-points.yaml", &contacts)
	known, kinds := map[string]bool{}, map[string]bool{}
	for _, c := range contacts.ContactPoints {
		known[c.Name] = true
		for _, r := range c.Receivers {
			unique(r.UID)
			kinds[r.Type] = true
		}
	}
	if !kinds["email"] || !kinds["slack"] {
		t.Errorf("contact points reach %v", kinds)
	}
	for _, r := range rules(t).Groups[0].Rules {
		unique(r.UID)
		if panels[r.DashboardUID][r.PanelID] == "" {
			t.Errorf("%s is seen in panel %d of %q, which is none", r.Title, r.PanelID, r.DashboardUID)
		}
		if !known[r.NotificationSettings.Receiver] {
			t.Errorf("%s goes to %q, which is no contact point", r.Title, r.NotificationSettings.Receiver)
		}
		if r.Data[len(r.Data)-1].RefID != r.Condition || r.Data[0].DatasourceUID != source.UID {
			t.Errorf("%s: condition %s of %+v", r.Title, r.Condition, r.Data)
		}
	}
}

func read(t *testing.T, path string, into any) {
	t.Helper()
	if err := yaml.Unmarshal(files(t)[path], into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

func rules(t *testing.T) grafana.Rules {
	t.Helper()
	var r grafana.Rules
	read(t, "provisioning/alerting/rules.yaml", &r)
	return r
}

func TestPanelsDoNotOverlap(t *testing.T) {
	for _, d := range grafana.Dashboards() {
		taken := map[[2]int]string{}
		for _, p := range d.Panels {
			if p.GridPos.X+p.GridPos.W > 24 || p.GridPos.W < 1 || p.GridPos.H < 1 {
				t.Errorf("%s, %s: %+v does not fit", d.UID, p.Title, p.GridPos)
			}
			for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
				for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
					if other := taken[[2]int{x, y}]; other != "" {
						t.Fatalf("%s: %s and %s overlap", d.UID, p.Title, other)
					}
					taken[[2]int{x, y}] = p.Title
				}
			}
		}
	}
}

// Every environment variable that Grafana is to fill in has a value in the
// compose file: an empty one would keep Grafana from starting.
func TestComposeFileGivesAllVariables(t *testing.T) {
	var compose struct {
		Services map[string]struct {
			Image       string
			Environment map[string]string
		}
	}
	read(t, "compose.yaml", &compose)
	given := compose.Services["grafana"].Environment
	for path, content := range files(t) {
		if !strings.HasPrefix(path, "provisioning/") {
			continue
		}
		for _, v := range regexp.MustCompile(`\$\{(\w+)\}`).FindAllStringSubmatch(string(content), -1) {
			if given[v[1]] == "" || strings.HasSuffix(given[v[1]], ":-}") {
				t.Errorf("%s needs %s, which the compose file does not give", path, v[1])
			}
		}
	}
	for name, s := range compose.Services {
		if !regexp.MustCompile(`:\d+\.\d+\.\d+$`).MatchString(s.Image) {
			t.Errorf("%s: the version of %s is not pinned", name, s.Image)
		}
	}
}

var quoted = regexp.MustCompile(`"([^"]+)"`)

// Whatever a query names is a measurement, a tag or a field that a run leaves,
// or a name that the query gives itself.
func TestQueriesNameOnlyWhatRunsLeave(t *testing.T) {
	known := map[string]bool{influx.Pace: true}
	for _, name := range []string{
		influx.TagRun, influx.TagElement, influx.TagType, influx.TagClass, influx.TagMode, influx.TagCause, influx.FieldValue, influx.FieldDetail,
		influx.FieldFrequencySafe, influx.FieldPoolSafe, influx.FieldPoolThreshold, influx.FieldFederatesLost, influx.FieldForecast, influx.FieldForecastDeviation,
		influx.FieldSpeed, influx.FieldWallS, influx.FieldBehindBytes,
	} {
		known[name] = true
	}
	for _, m := range influx.Measurements {
		known[m] = true
	}
	for _, c := range append(columnsOf(t, "S-3", ""), columnsOf(t, "S-2", "ieee118")...) {
		known[influx.ColumnPlace(c.Name).Field] = true
	}
	for what, q := range questions(t) {
		given := map[string]bool{}
		for _, as := range regexp.MustCompile(`AS "([^"]+)"`).FindAllStringSubmatch(q, -1) {
			given[as[1]] = true
		}
		for _, name := range quoted.FindAllStringSubmatch(q, -1) {
			if !known[name[1]] && !given[name[1]] {
				t.Errorf("%s asks for %q, which no run leaves: %s", what, name[1], q)
			}
		}
	}
}

// questions are those of all panels, variables, annotations and alerts.
func questions(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, d := range grafana.Dashboards() {
		for _, p := range d.Panels {
			for _, q := range p.Targets {
				all[d.UID+", "+p.Title+", "+q.RefID] = q.Query
			}
		}
		for _, v := range d.Templating.List {
			all[d.UID+", variable "+v.Name] = v.Query
		}
		for _, a := range d.Annotations.List {
			all[d.UID+", annotation "+a.Name] = a.Target.Query
		}
	}
	for _, r := range rules(t).Groups[0].Rules {
		q, ok := r.Data[0].Model["query"].(string)
		if !ok {
			t.Fatalf("alert %s asks nothing", r.Title)
		}
		all["alert "+r.Title] = q
	}
	return all
}

func columnsOf(t *testing.T, name, powerSystem string) []record.Column {
	t.Helper()
	d, err := experiment.Load(name, experiment.Overrides{Case: powerSystem, Set: []string{"duration=1s", "disturbances.contingencies.count=0"}})
	if err != nil {
		t.Fatal(err)
	}
	res, err := experiment.Run(context.Background(), d, experiment.RunOptions{Out: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	log, err := record.Open(res.Dir)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	return log.Columns()
}
