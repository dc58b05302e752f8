package experiment

import (
	"bytes"
	"slices"

	"gopkg.in/yaml.v3"

	"cosim/cases"
)

// InsideList is what ships with the program.
type InsideList struct {
	Experiments []InsideExperiment
	Cases       []InsideCase
}

// InsideExperiment is an experiment that ships inside.
type InsideExperiment struct{ Name, Case, Title string }

// InsideCase is a power system that ships inside.
type InsideCase struct {
	Name                        string
	Buses, Branches, Generators int
	LoadMW                      float64
	Federation                  bool // has control chains for the experiments
}

// Inside lists what ships with the program.
func Inside() (*InsideList, error) {
	l := &InsideList{}
	for _, name := range slices.Concat(Names(), Ablations()) {
		d, err := Load(name, Overrides{})
		if err != nil {
			return nil, err
		}
		l.Experiments = append(l.Experiments, InsideExperiment{name, d.Case, d.Title})
	}
	for _, name := range cases.Names() {
		c, err := cases.Load(name)
		if err != nil {
			return nil, err
		}
		_, err = cases.Federation(name)
		l.Cases = append(l.Cases, InsideCase{name, len(c.Buses), len(c.Branches), len(c.Gens), c.LoadMW(), err == nil})
	}
	return l, nil
}

// Show returns the YAML of an experiment; with all, the resolved definition in
// the form of a run's manifest, beneath which no file of the case lies.
func Show(nameOrPath string, all bool) ([]byte, error) {
	if !all {
		data, _, err := Text(nameOrPath)
		return data, err
	}
	d, err := Load(nameOrPath, Overrides{})
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	out.WriteString("# Complete: no file of the case lies beneath, and what is taken out here is gone.\n")
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	if err := enc.Encode(standalone{"cosim", d}); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// standalone is what makes an experiment stand by itself: see source.manifest.
type standalone struct {
	Program    string      `yaml:"program"`
	Definition *Definition `yaml:"experiment"`
}
