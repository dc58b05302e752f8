//go:build ignore

// Recovery draws how fast the frequency returned after the faults of all runs in
// a folder, one line an experiment:
//
//	go run docs/pictures/recovery.go runs
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"slices"

	"cosim/internal/plot"
)

// longest is where the axis ends, in seconds.
const longest = 60

func main() {
	folder := "runs"
	if len(os.Args) > 1 {
		folder = os.Args[1]
	}
	files, err := filepath.Glob(filepath.Join(folder, "*", "summary.json"))
	if err != nil {
		log.Fatal(err)
	}
	times := map[string][]float64{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			log.Fatal(err)
		}
		var s struct {
			Experiment string
			Recovery   struct {
				Faults []struct {
					Seconds float64 `json:"trr_s"`
				}
			}
		}
		if err := json.Unmarshal(data, &s); err != nil {
			log.Fatalf("%s: %v", file, err)
		}
		for _, f := range s.Recovery.Faults {
			times[s.Experiment] = append(times[s.Experiment], f.Seconds)
		}
	}
	panel := plot.Panel{
		X: plot.Axis{Quantity: "time outside ±50 mHz after a fault", Unit: "s", From: 0, To: longest},
		Y: plot.Axis{Quantity: "share of faults", Unit: "%", From: 0, To: 103},
	}
	for _, name := range []string{"S-1", "S-2", "S-3"} {
		all := times[name]
		if len(all) == 0 {
			log.Fatalf("no runs of %s in %s", name, folder)
		}
		slices.Sort(all)
		line := plot.Line{Label: name, Role: plot.Dashed}
		for i, x := range all {
			share := 100 / float64(len(all))
			line.X = append(line.X, x, x)
			line.Y = append(line.Y, float64(i)*share, float64(i+1)*share)
		}
		line.X, line.Y = append(line.X, longest), append(line.Y, 100)
		if all[len(all)-1] > longest {
			line.Y[len(line.Y)-1] = line.Y[len(line.Y)-2]
		}
		panel.Lines = append(panel.Lines, line)
		at := func(q float64) float64 { return all[min(len(all)-1, int(q*float64(len(all))))] }
		fmt.Printf("%s: %d faults, median %.2f s, p75 %.2f, p90 %.2f, p95 %.2f, max %.2f; none at all %d\n",
			name, len(all), at(0.5), at(0.75), at(0.9), at(0.95), all[len(all)-1], count(all))
	}
	f := plot.Figure{
		Title:  "How fast the frequency returns",
		Note:   fmt.Sprintf("%d faults each, contingencies of 548 MW with a fibre break", len(times["S-1"])),
		Legend: plot.Above, Panels: []plot.Panel{panel},
	}
	if err := f.WriteFile("docs/pictures/recovery.png"); err != nil {
		log.Fatal(err)
	}
}

func count(x []float64) (zero int) {
	for _, v := range x {
		if v == 0 {
			zero++
		}
	}
	return zero
}
