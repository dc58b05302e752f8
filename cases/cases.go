// Package cases holds the power systems that ship with the program and loads
// these and a user's own. Where each one's numbers come from stands in the
// SOURCES.md beside it.
package cases

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strings"

	"cosim/grid"
	"cosim/internal/spelling"
)

//go:embed ieee33 ieee39 ieee118
var embedded embed.FS

// federationFile may stand beside a case's tables: the network, control
// chains and operators that the experiments put on it.
const federationFile = "federation.yaml"

// calibrationFile may stand beside it: what `cosim calibrate` fitted.
const calibrationFile = "calibration.yaml"

// Names returns the embedded cases, sorted.
func Names() []string {
	entries, err := embedded.ReadDir(".")
	if err != nil {
		panic(err) // the root of an embedded file system is always there
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	sort.Strings(names)
	return names
}

// Load returns a case: an embedded one by name, one of the same format from a
// folder, or a MATPOWER file (.m). All mistakes of its files are reported at
// once.
func Load(nameOrPath string) (*grid.Case, error) {
	if isEmbedded(nameOrPath) {
		return grid.ReadTables(embedded, nameOrPath)
	}
	info, err := os.Stat(nameOrPath)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, unknown(nameOrPath)
	case err != nil:
		return nil, fmt.Errorf("cases: %w", err)
	case info.IsDir():
		return loadFolder(nameOrPath)
	case strings.EqualFold(filepath.Ext(nameOrPath), ".m"):
		data, err := os.ReadFile(nameOrPath)
		if err != nil {
			return nil, fmt.Errorf("cases: %w", err)
		}
		return grid.ParseMATPOWER(nameOrPath, data)
	}
	return nil, fmt.Errorf("cases: %s is neither a folder of tables nor a MATPOWER .m file", nameOrPath)
}

// loadFolder reads a folder through its parent, so that messages name the
// folder.
func loadFolder(dir string) (*grid.Case, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("cases: %w", err)
	}
	return grid.ReadTables(os.DirFS(filepath.Dir(abs)), filepath.Base(abs))
}

// Federation returns the federation file of an embedded case or of a case's
// folder. Its absence is an error that matches [fs.ErrNotExist].
func Federation(name string) ([]byte, error) { return file(name, federationFile) }

// Calibration returns the calibration file of a case, like Federation.
func Calibration(name string) ([]byte, error) { return file(name, calibrationFile) }

func file(name, file string) ([]byte, error) {
	if isEmbedded(name) {
		data, err := embedded.ReadFile(path.Join(name, file))
		if err != nil {
			return nil, fmt.Errorf("cases: %w", err)
		}
		return data, nil
	}
	if info, err := os.Stat(name); err != nil || !info.IsDir() {
		return nil, unknown(name)
	}
	data, err := os.ReadFile(filepath.Join(name, file))
	if err != nil {
		return nil, fmt.Errorf("cases: %w", err)
	}
	return data, nil
}

func isEmbedded(name string) bool {
	for _, n := range Names() {
		if n == name {
			return true
		}
	}
	return false
}

// unknown names the embedded cases and the one nearest to what was asked for.
func unknown(name string) error {
	hint := ""
	if nearest, near := spelling.Nearest(name, Names()); near {
		hint = fmt.Sprintf("; did you mean %s?", nearest)
	}
	return fmt.Errorf("cases: no case %q: neither a file, a folder nor one of %s%s",
		name, strings.Join(Names(), ", "), hint)
}
