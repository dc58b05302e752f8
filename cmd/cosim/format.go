package main

import "cosim/internal/terminal"

// formatOf is what --json and --csv, which exclude each other, ask for.
func formatOf(json, csv bool) terminal.Format {
	switch {
	case json:
		return terminal.JSON
	case csv:
		return terminal.CSV
	}
	return terminal.Text
}
