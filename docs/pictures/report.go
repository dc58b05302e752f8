//go:build ignore

// Report photographs reports of the runs in a folder in Chromium: all
// experiments side by side, and S-3 with seed 1: make pictures.
package main

import (
	"context"
	"log"
	"os"
	"os/exec"
	"path/filepath"

	"cosim/internal/record/report"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("usage: go run docs/pictures/report.go RUNS")
	}
	runs := os.Args[1]
	dir, err := os.MkdirTemp("", "report")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	write := func(name, place string) *report.Written {
		w, err := report.Write(context.Background(), report.Options{
			Runs: []string{place}, Out: filepath.Join(dir, name+".html"), Paper: true, Formats: []string{"png"},
		})
		if err != nil {
			log.Fatal(err)
		}
		photograph(w.HTML, filepath.Join("docs/pictures", name+".png"), filepath.Join(dir, "profile-"+name))
		return w
	}
	write("report-compare", runs)
	one := write("report-single", filepath.Join(runs, "S-3-1"))
	for _, file := range one.Figures {
		if filepath.Base(file) == "forecast.png" {
			data, err := os.ReadFile(file)
			if err == nil {
				err = os.WriteFile("docs/pictures/report-forecast.png", data, 0o644)
			}
			if err != nil {
				log.Fatal(err)
			}
		}
	}
}

// photograph takes the first 1,640 pixels of a page.
func photograph(page, picture, profile string) {
	out, err := exec.Command("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
		"--user-data-dir="+profile, "--window-size=1280,1640", "--screenshot="+picture, "file://"+page).CombinedOutput()
	if err != nil {
		log.Fatalf("chromium: %v\n%s", err, out)
	}
}
