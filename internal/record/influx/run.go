package influx

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"cosim/internal/record"
)

// Run is how a run stands in the database.
type Run struct {
	Name       string // of the run's folder, "S-3-1"
	Experiment string
	Case       string
	Seed       uint64
	Epoch      time.Time // where simulated time zero stands
	// Constants go with the points of rows.
	Constants []Constant
	// Start is what holds at time zero without an event that says so: the plan
	// of each chain. An event of the same type and element at time zero takes
	// its place. Values are left out.
	Start []record.Event
}

// Constant is a setting that stands in every point of an element.
type Constant struct {
	Measurement, Element, Field string
	Value                       float64
}

// Fields that no column of a log has.
const (
	// FieldFrequencySafe is Δf_safe, in Hz, beside the frequency.
	FieldFrequencySafe = "frequency_safe"
	// FieldPoolSafe and FieldPoolThreshold are K_safe and K_th, in bits, beside
	// the key in a pool.
	FieldPoolSafe      = "pool_safe"
	FieldPoolThreshold = "pool_threshold"
	// FieldFederatesLost counts the lost federates, in the rows of master.
	FieldFederatesLost = "federates_lost"
)

// Tag is the value of the tag run: the name and the epoch, so that a run is
// told from another one of the same name, and is the same one when it is sent
// again.
func (r Run) Tag() string {
	return r.Name + "@" + r.Epoch.UTC().Format("2006-01-02T15:04:05.000Z")
}

// ReceiptName is the file in a run's folder that says what was sent.
const ReceiptName = "influx.json"

// Receipt says what of a run the database has.
type Receipt struct {
	Run      string    `json:"run"` // the tag
	Epoch    time.Time `json:"epoch"`
	URL      string    `json:"url"`
	Bucket   string    `json:"bucket"`
	Points   int64     `json:"points"`
	Refused  int64     `json:"refused"`  // by the database, of Points none
	Complete bool      `json:"complete"` // the log was closed, and all of it was sent
}

// ReadReceipt reads the receipt of a run, or returns nil if it was never sent.
func ReadReceipt(runDir string) (*Receipt, error) {
	data, err := os.ReadFile(filepath.Join(runDir, ReceiptName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("influx: %w", err)
	}
	r := &Receipt{}
	if err := json.Unmarshal(data, r); err != nil {
		return nil, fmt.Errorf("influx: %s: %w", filepath.Join(runDir, ReceiptName), err)
	}
	return r, nil
}

func (r *Receipt) write(runDir string) error {
	return record.ReplaceFile(filepath.Join(runDir, ReceiptName), func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(r)
	})
}
