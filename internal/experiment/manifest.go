package experiment

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"gopkg.in/yaml.v3"

	"cosim/internal/record"
)

// Manifest is the content of manifest.yaml.
type Manifest struct {
	Program  string `yaml:"program"`
	Version  string `yaml:"version"`
	CaseHash string `yaml:"case_sha256"`
	// DefinitionHash covers the case's data and the experiment without its
	// seed, and without where federates connect: it is equal for runs that differ by nothing but the seed.
	DefinitionHash string      `yaml:"definition_sha256"`
	Definition     *Definition `yaml:"experiment"`
}

func (d *Definition) manifest() (*Manifest, error) {
	caseHash, err := d.caseHash()
	if err != nil {
		return nil, err
	}
	seedless := *d
	seedless.Seed = 0
	seedless.Attach = Attach{} // where federates connect changes no result
	seedless.Federates = withoutAddresses(d.Federates)
	text, err := yaml.Marshal(&seedless)
	if err != nil {
		return nil, fmt.Errorf("experiment: %w", err)
	}
	hash := sha256.Sum256(append([]byte(caseHash+"\n"), text...))
	return &Manifest{"cosim", Version(), caseHash, hex.EncodeToString(hash[:]), d}, nil
}

// Hash is equal for definitions that differ by nothing but the seed, and names
// the power system's data as well.
func (d *Definition) Hash() (string, error) {
	m, err := d.manifest()
	if err != nil {
		return "", err
	}
	return m.DefinitionHash, nil
}

// manifestNode is a manifest as it stands in a file, of any version of the
// program.
type manifestNode struct {
	CaseHash       string    `yaml:"case_sha256"`
	DefinitionHash string    `yaml:"definition_sha256"`
	Definition     yaml.Node `yaml:"experiment"`
}

func readManifest(dir string) (*manifestNode, error) {
	file := filepath.Join(dir, record.ManifestName)
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	m := &manifestNode{}
	if err := yaml.Unmarshal(data, m); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return m, nil
}

// Replaced lists the folders in out that the given number of runs of d will
// replace although they hold runs of another definition. A folder that cannot
// be read is not one of them.
func Replaced(d *Definition, runs int, out string) ([]string, error) {
	own, err := d.manifest()
	if err != nil {
		return nil, err
	}
	var dirs []string
	one := *d
	for i := range runs {
		one.Seed = d.Seed + uint64(i)
		dir := filepath.Join(out, one.RunName())
		if !record.IsRun(dir) {
			continue
		}
		if there, err := readManifest(dir); err == nil && there.DefinitionHash != own.DefinitionHash {
			dirs = append(dirs, dir)
		}
	}
	return dirs, nil
}

// namedDifferences is how many of them a line of text takes.
const namedDifferences = 4

// differences says in one line in which settings b is other than a.
func differences(a, b *manifestNode) string {
	var all []string
	if a.CaseHash != b.CaseHash {
		all = append(all, "the case's data")
	}
	all = append(all, nodeDifferences("", &a.Definition, &b.Definition)...)
	text := strings.Join(all[:min(len(all), namedDifferences)], ", ")
	if more := len(all) - namedDifferences; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// nodeDifferences walks two mappings in the order of the first. Lists are told
// as a whole.
func nodeDifferences(key string, a, b *yaml.Node) []string {
	if key == "seed" {
		return nil
	}
	if a.Kind == yaml.MappingNode && b.Kind == yaml.MappingNode {
		var list []string
		there := mapping(b)
		for i := 0; i+1 < len(a.Content); i += 2 {
			name := strings.TrimPrefix(key+"."+a.Content[i].Value, ".")
			if other := there[a.Content[i].Value]; other != nil {
				list = append(list, nodeDifferences(name, a.Content[i+1], other)...)
			} else {
				list = append(list, "without "+name)
			}
		}
		here := mapping(a)
		for i := 0; i+1 < len(b.Content); i += 2 {
			if here[b.Content[i].Value] == nil {
				list = append(list, "with "+strings.TrimPrefix(key+"."+b.Content[i].Value, "."))
			}
		}
		return list
	}
	if a.Kind == yaml.ScalarNode && b.Kind == yaml.ScalarNode {
		if a.Value == b.Value {
			return nil
		}
		return []string{fmt.Sprintf("%s %s instead of %s", key, b.Value, a.Value)}
	}
	x, _ := yaml.Marshal(a) // what was read can be written
	y, _ := yaml.Marshal(b)
	if string(x) == string(y) {
		return nil
	}
	return []string{"other " + key}
}

func mapping(n *yaml.Node) map[string]*yaml.Node {
	m := make(map[string]*yaml.Node, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		m[n.Content[i].Value] = n.Content[i+1]
	}
	return m
}
