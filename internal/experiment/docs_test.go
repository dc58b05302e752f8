package experiment

import (
	"maps"
	"math"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"cosim/quantum"
)

// documented loads the first example in a file of the documentation.
func documented(t *testing.T, name string) *Definition {
	t.Helper()
	_, rest, ok := strings.Cut(documentation(t, name), "```yaml\n")
	example, _, closed := strings.Cut(rest, "```")
	if !ok || !closed {
		t.Fatalf("docs/%s has no example", name)
	}
	d, err := Load(fileOf(t, example), Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// The example in the documentation is an experiment that loads.
func TestDocumentedExperimentIsValid(t *testing.T) {
	d := documented(t, "experiment.md")
	if len(d.Disturb.Scheduled) != 5 || len(d.Attacks) != 5 {
		t.Errorf("%d scheduled disturbances and %d attacks", len(d.Disturb.Scheduled), len(d.Attacks))
	}
}

// The further operator of the documentation has chains, blocks and streams, and
// the pulse rate is that of the rule.
func TestDocumentedOperatorIsOneLikeTheOthers(t *testing.T) {
	d := documented(t, "operators.md")
	tasks := map[string]int{}
	for i, o := range d.ChainOperators() {
		if d.Operators[o].Name == "DSO4" {
			tasks[d.Chains[i].Task]++
		}
	}
	if want := map[string]int{"pmu": 7, "avr": 1, "shed": 2, "interrogation": 1}; !maps.Equal(tasks, want) {
		t.Errorf("DSO4 has %v, want %v", tasks, want)
	}
	if ratio := centreYieldBPS(d) / wishedBPS(t, d); math.Abs(ratio-0.875) > 1e-3 {
		t.Errorf("the links yield %.4f of what is wished, by the rule 0.875", ratio)
	}
}

// keyPaths are the keys of a definition: "links[].length_km",
// "classes.NAME.period".
func keyPaths(path string, t reflect.Type, tell func(string)) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case kindOf(t) != KindGroup, t.Kind() == reflect.Interface:
		tell(strings.TrimRight(path, "[]"))
	case t.Kind() == reflect.Map:
		keyPaths(join(path, "NAME"), t.Elem(), tell)
	case t.Kind() == reflect.Struct:
		for _, key := range keysOf(t) {
			f, _ := fieldFor(t, key)
			keyPaths(join(path, key), f.Type, tell)
		}
	default:
		keyPaths(path+"[]", t.Elem(), tell)
	}
}

func documentation(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var backticked = regexp.MustCompile("`([^`]+)`")

// quoted are the words in backticks of a cell.
func quoted(cell string) (list []string) {
	for _, m := range backticked.FindAllStringSubmatch(cell, -1) {
		list = append(list, m[1])
	}
	return list
}

func TestEveryKeyIsDocumented(t *testing.T) {
	var want, got []string
	elsewhere := documentation(t, "federates.md")
	keyPaths("", reflect.TypeFor[Definition](), func(path string) {
		group, _, _ := strings.Cut(strings.ReplaceAll(path, "[]", ""), ".")
		if group != "federates" && group != "attach" {
			want = append(want, path)
			return
		}
		word := strings.TrimSuffix(path, ".NAME")
		if word = word[strings.LastIndex(word, ".")+1:]; !regexp.MustCompile(`\b` + word + `\b`).MatchString(elsewhere) {
			t.Errorf("docs/federates.md says nothing of %s", path)
		}
	})
	_, section, _ := strings.Cut(documentation(t, "experiment.md"), "\n## Every key\n")
	for line := range strings.Lines(section) {
		cells := strings.Split(line, "|")
		if len(cells) < 4 {
			continue
		}
		groups := quoted(cells[1])
		if len(groups) == 0 {
			groups = []string{""}
		}
		for _, group := range groups {
			for _, key := range quoted(cells[2]) {
				got = append(got, join(group, key))
			}
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("docs/experiment.md, Every key (-definition +documentation):\n%s", d)
	}
}

func TestEveryChoiceIsDocumented(t *testing.T) {
	example, section, _ := strings.Cut(documentation(t, "experiment.md"), "\n## Every key\n")
	for key, choices := range map[string][]string{
		"solver":     append(slices.Clone(solvers), SolverNone),
		"forecaster": append(quantum.Forecasters(), "none"),
		"chance":     {chanceGaussian, chanceCantelli},
		"supply":     {SupplyPool, SupplyStore},
		"model":      quantum.Models(),
	} {
		mentioned := func(text, pattern string) string {
			return regexp.MustCompile(`(?m)^` + pattern + `.*$`).FindString(text)
		}
		places := map[string]string{"Every key": mentioned(section, `\|[^|]*\|[^|]*\x60`+key+`\x60`)}
		if key != "model" { // not in the example
			places["example"] = mentioned(example, "  "+key+": ")
		}
		for place, line := range places {
			for _, choice := range choices {
				if !regexp.MustCompile(`(^|[^a-z-])` + choice + `($|[^a-z-])`).MatchString(line) {
					t.Errorf("docs/experiment.md, %s: %s may be %s, and the line does not say so: %q", place, key, choice, line)
				}
			}
		}
	}
}
