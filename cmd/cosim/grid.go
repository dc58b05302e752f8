package main

import "github.com/spf13/cobra"

func newGrid() *cobra.Command {
	grid := &cobra.Command{Use: "grid", Short: "power flow, modes and step responses of a case, without SCADA"}
	return grid
}
