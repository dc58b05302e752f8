package report

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"cosim/internal/experiment"
	"cosim/internal/record"
)

// about is what a report takes from a run's manifest, of any version.
type about struct {
	Version        string `yaml:"version"`
	CaseHash       string `yaml:"case_sha256"`
	DefinitionHash string `yaml:"definition_sha256"`
	Experiment     struct {
		Name     string        `yaml:"name"`
		Title    string        `yaml:"title"`
		Case     string        `yaml:"case"`
		Seed     uint64        `yaml:"seed"`
		Duration time.Duration `yaml:"duration"`
		Steps    struct {
			Record time.Duration `yaml:"record"`
		} `yaml:"steps"`
		Nodes []struct {
			Name string `yaml:"name"`
			Kind string `yaml:"kind"`
		} `yaml:"nodes"`
		Links []struct {
			Name    string `yaml:"name"`
			A       string `yaml:"a"`
			B       string `yaml:"b"`
			Quantum bool   `yaml:"quantum"`
		} `yaml:"links"`
		Classes map[string]struct {
			Latency time.Duration `yaml:"latency"`
		} `yaml:"classes"`
		Operators []struct {
			Name   string `yaml:"name"`
			Centre string `yaml:"centre"`
		} `yaml:"operators"`
		Chains []chainAbout `yaml:"chains"`
		Keys   struct {
			Supply string `yaml:"supply"`
			Pool   struct {
				SafeBits      float64 `yaml:"safe_bits"`
				ThresholdBits float64 `yaml:"threshold_bits"`
			} `yaml:"pool"`
		} `yaml:"keys"`
		Reconfiguration struct {
			Solver string        `yaml:"solver"`
			Period time.Duration `yaml:"period"`
		} `yaml:"reconfiguration"`
	} `yaml:"experiment"`
}

// chainAbout is a control chain as the manifest has it.
type chainAbout struct {
	ID         string     `yaml:"id"`
	Task       string     `yaml:"task"`
	Mode       string     `yaml:"mode"`
	StaticMode string     `yaml:"static_mode"`
	Routes     [][]string `yaml:"routes"`
}

func readAbout(dir string) (*about, error) {
	file := filepath.Join(dir, record.ManifestName)
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	a := &about{}
	if err := yaml.Unmarshal(data, a); err != nil {
		return nil, fmt.Errorf("report: %s: %w", file, err)
	}
	return a, nil
}

// reconfigures says whether the plan of the chains is decided anew all the time.
func (a *about) reconfigures() bool {
	solver := a.Experiment.Reconfiguration.Solver
	return solver != "" && solver != experiment.SolverNone
}

// kindOf is a node's kind: cc, gateway, rtu or ied.
func (a *about) kindOf(node string) string {
	for _, n := range a.Experiment.Nodes {
		if n.Name == node {
			return n.Kind
		}
	}
	return ""
}

// centreLinks are the quantum links that end at a control centre.
func (a *about) centreLinks() []string {
	var links []string
	for _, l := range a.Experiment.Links {
		if l.Quantum && (a.kindOf(l.A) == "cc" || a.kindOf(l.B) == "cc") {
			links = append(links, l.Name)
		}
	}
	return links
}

// gatewayOf is the gateway nearest to a chain's outstation.
func (a *about) gatewayOf(c chainAbout) string {
	if len(c.Routes) == 0 {
		return ""
	}
	route := c.Routes[0]
	if len(route) > 0 && a.kindOf(route[0]) == "cc" {
		route = slices.Clone(route)
		slices.Reverse(route)
	}
	for _, node := range route {
		if a.kindOf(node) == "gateway" {
			return node
		}
	}
	return ""
}

// where names the case without its folder.
func (a *about) where() string { return strings.TrimSuffix(filepath.Base(a.Experiment.Case), ".yaml") }
