package experiment

import (
	"os/exec"
	"strings"
	"testing"
)

// allowed says which packages of the project each folder may import: data and
// dependencies flow one way, from cmd down to the models.
var allowed = map[string][]string{
	"sync":             {"internal/spelling"},
	"grid":             {},
	"network":          {},
	"quantum":          {"internal/wc"},
	"scada":            {"scada", "internal/wc", "internal/spelling"},
	"cases":            {"grid", "internal/spelling"},
	"federates":        {"sync", "grid", "network", "quantum", "scada", "internal/rng", "internal/metrics"},
	"federates/ws":     {"sync", "federates/ws"},
	"federates/mosaik": {"sync"},
	"internal/rng":     {}, "internal/wc": {}, "internal/spelling": {}, "internal/metrics": {}, "internal/plot": {},
	"internal/record":           {"internal/record", "sync"},
	"internal/record/report":    {"internal/experiment", "internal/metrics", "internal/plot", "internal/record"},
	"internal/experiment":       {"sync", "grid", "network", "quantum", "scada", "cases", "federates", "internal"},
	"internal/serve":            {"internal/serve", "internal/experiment", "internal/metrics", "internal/record/web", "sync", "federates", "network", "quantum", "scada", "grid"},
	"internal/serve/outstation": {"scada/iec104"},
	"internal/serve/etsi014":    {},
	"internal/sweep":            {"internal/experiment", "internal/metrics", "internal/record", "internal/rng", "internal/spelling", "federates/ws"},
	"grafana":                   {"grafana", "internal/record/influx"},
	"internal/terminal":         {"internal/sweep", "internal/experiment", "internal/metrics", "internal/plot", "sync", "grid", "quantum"},
	"cmd":                       {"quantum", "internal/sweep", "internal/experiment", "internal/metrics", "internal/plot", "internal/record/alert", "internal/record/influx", "internal/record/report", "internal/serve", "internal/spelling", "internal/terminal", "sync", "cases", "grid"},
}

func TestImportsFlowOneWay(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}}{{range .Imports}} {{.}}{{end}}`, "cosim/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		pkg := strings.TrimPrefix(words[0], "cosim/")
		rules, ok := rulesFor(pkg)
		if !ok {
			t.Errorf("package %s has no rule: state what it may import", pkg)
			continue
		}
		for _, imp := range words[1:] {
			imp, own := strings.CutPrefix(imp, "cosim/")
			if own && !within(imp, rules) {
				t.Errorf("%s may not import %s", pkg, imp)
			}
		}
	}
}

func rulesFor(pkg string) (rules []string, ok bool) {
	best := ""
	for folder, r := range allowed {
		if (pkg == folder || strings.HasPrefix(pkg, folder+"/")) && len(folder) > len(best) {
			best, rules, ok = folder, r, true
		}
	}
	return rules, ok
}

func within(pkg string, folders []string) bool {
	for _, f := range folders {
		if pkg == f || strings.HasPrefix(pkg, f+"/") {
			return true
		}
	}
	return false
}
