package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"cosim/cases"
	"cosim/grid"
	"cosim/internal/spelling"
	"cosim/internal/terminal"
)

func newGrid() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "grid",
		Short: "power flow, modes and step responses of a case, without SCADA",
		Long: `Power flow, modes and step responses of a case, without SCADA.

CASE is one that ships inside (` + strings.Join(cases.Names(), ", ") + `), a folder of the same
tables, or a MATPOWER file (.m, power flow only).`,
	}
	cmd.AddCommand(newGridFlow(), newGridModes(), newGridStep())
	// A command that only holds others prints its help whatever it is given;
	// a mistyped name is to fail instead.
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return cmd.Help()
		}
		return unknownCommand(cmd, args[0])
	}
	return cmd
}

// unknownCommand names the subcommand that was meant, or all there are.
func unknownCommand(cmd *cobra.Command, name string) error {
	var known []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			known = append(known, c.Name())
		}
	}
	if nearest, near := spelling.Nearest(name, known); near {
		return fmt.Errorf("unknown command %q for %q; did you mean %s?", name, cmd.CommandPath(), nearest)
	}
	return fmt.Errorf("unknown command %q for %q; expected %s", name, cmd.CommandPath(), strings.Join(known, ", "))
}

// gridFlags are those of all grid commands.
type gridFlags struct{ json, csv bool }

func (f *gridFlags) register(cmd *cobra.Command, json, csv string) {
	cmd.Flags().BoolVar(&f.json, "json", false, json)
	cmd.Flags().BoolVar(&f.csv, "csv", false, csv)
	cmd.MarkFlagsMutuallyExclusive("json", "csv")
	cmd.Args = expectCase
	cmd.ValidArgsFunction = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return cases.Names(), cobra.ShellCompDirectiveDefault
	}
}

func (f *gridFlags) format() terminal.Format { return formatOf(f.json, f.csv) }

type flowFlags struct {
	gridFlags
	dc, qLimits bool
	tables      terminal.Tables
}

func newGridFlow() *cobra.Command {
	var f flowFlags
	cmd := &cobra.Command{
		Use:   "flow CASE",
		Short: "power flow: voltages, generation, branch flows, losses",
		Example: `  cosim grid flow ieee39
  cosim grid flow ieee118 --branches
  cosim grid flow case300.m --q-limits --csv --generators > generators.csv`,
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args[0]) },
	}
	f.register(cmd, "print everything as JSON", "print one table as CSV: the buses, or the one named")
	flags := cmd.Flags()
	flags.BoolVar(&f.dc, "dc", false, "linear power flow: angles and active power only")
	flags.BoolVar(&f.qLimits, "q-limits", false, "hold generators at their reactive limits")
	flags.BoolVar(&f.tables.Buses, "buses", false, "the whole table of buses")
	flags.BoolVar(&f.tables.Gens, "generators", false, "the whole table of generators")
	flags.BoolVar(&f.tables.Branches, "branches", false, "the whole table of branches")
	cmd.MarkFlagsMutuallyExclusive("dc", "q-limits")
	cmd.MarkFlagsMutuallyExclusive("dc", "generators")
	return cmd
}

func (f *flowFlags) run(cmd *cobra.Command, name string) error {
	if f.csv && f.tables.Count() > 1 {
		return errors.New("--csv prints one table: choose --buses, --generators or --branches")
	}
	c, err := cases.Load(name)
	if err != nil {
		return err
	}
	if f.dc {
		flow, err := grid.SolveDC(c)
		if err != nil {
			return failure{err}
		}
		return terminal.DCFlow(cmd.OutOrStdout(), flow, f.tables, f.format())
	}
	flow, err := grid.SolveFlow(c, grid.FlowOptions{EnforceQLimits: f.qLimits})
	if err != nil {
		return failure{err}
	}
	return terminal.Flow(cmd.OutOrStdout(), flow, f.tables, f.format())
}

func newGridModes() *cobra.Command {
	var f struct {
		gridFlags
		avr, all bool
	}
	cmd := &cobra.Command{
		Use:   "modes CASE",
		Short: "eigenvalues: frequency, damping, which generators take part",
		Example: `  cosim grid modes ieee39
  cosim grid modes ieee39 --avr --all
  cosim grid modes ieee118 --csv > modes.csv`,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := loadDynamic(args[0], f.avr)
			if err != nil {
				return err
			}
			opt := grid.Options{AVR: f.avr}
			modes, err := grid.ComputeModes(c, opt)
			if err != nil {
				return failure{err}
			}
			return terminal.Modes(cmd.OutOrStdout(), modes, opt, f.all, f.format())
		},
	}
	f.register(cmd, "print every mode as JSON", "print every mode as CSV")
	cmd.Flags().BoolVar(&f.avr, "avr", false, "machines with field circuit and exciter")
	cmd.Flags().BoolVar(&f.all, "all", false, "every mode, with the states that take part")
	return cmd
}

// loadDynamic loads a case that has what the dynamic model needs.
func loadDynamic(name string, avr bool) (*grid.Case, error) {
	c, err := cases.Load(name)
	if err != nil {
		return nil, err
	}
	if len(c.Dynamics) == 0 {
		return nil, fmt.Errorf("case %s has no dynamics (dyn.csv): power flow only", c.Name)
	}
	return c, c.ValidateDynamics(avr)
}

type stepFlags struct {
	gridFlags
	event    grid.Event
	seconds  float64
	avr      bool
	agc      float64
	pictures pictures
}

func newGridStep() *cobra.Command {
	var f stepFlags
	cmd := &cobra.Command{
		Use:   "step CASE",
		Short: "answer to a load step or a trip: nadir, RoCoF, governors, picture",
		Example: `  cosim grid step ieee39 --load 15 --mw 100 --png step.png
  cosim grid step ieee39 --trip-gen 30 --agc 0.03 --seconds 300
  cosim grid step ieee118 --trip-branch 5-6 --csv > series.csv`,
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args[0]) },
	}
	f.register(cmd, "print the figures as JSON", "print the series as CSV: frequency deviations and voltages, 10 ms apart")
	flags := cmd.Flags()
	flags.StringVar(&f.event.LoadBus, "load", "", "`BUS` whose load changes by --mw and --mvar")
	flags.Float64Var(&f.event.LoadMW, "mw", 0, "change of load by `MW`, below zero to withdraw it")
	flags.Float64Var(&f.event.LoadMVAr, "mvar", 0, "change of reactive load by `MVAR`")
	flags.StringVar(&f.event.TripGen, "trip-gen", "", "`BUS` whose (first) generator trips")
	flags.StringVar(&f.event.TripBranch, "trip-branch", "", "`BRANCH` that opens, as 5-6")
	flags.Float64Var(&f.seconds, "seconds", 60, "how many `SECONDS` to look")
	flags.BoolVar(&f.avr, "avr", false, "machines with field circuit and exciter")
	flags.Float64Var(&f.agc, "agc", 0, "secondary control of this `GAIN`, 1/s; 0 is none")
	f.pictures.register(flags, "the frequencies")
	cmd.MarkFlagsOneRequired("load", "trip-gen", "trip-branch")
	return cmd
}

func (f *stepFlags) run(cmd *cobra.Command, name string) error {
	if err := f.check(); err != nil {
		return err
	}
	c, err := loadDynamic(name, f.avr)
	if err != nil {
		return err
	}
	if err := checkEvent(c, f.event); err != nil {
		return err
	}
	opt := grid.Options{AVR: f.avr}
	if f.agc > 0 {
		opt.AGC = &grid.AGC{GainPerS: f.agc}
	}
	step := &terminal.Step{Event: f.event, Options: opt}
	if step.StepResponse, err = grid.ComputeStep(c, opt, f.event, f.seconds); err != nil {
		return failure{err}
	}
	if step.Pictures, err = f.pictures.write(step.Figure()); err != nil {
		return failure{err}
	}
	return step.Print(cmd.OutOrStdout(), f.format())
}

func (f *stepFlags) check() error {
	var errs []error
	if f.event.LoadBus == "" && (f.event.LoadMW != 0 || f.event.LoadMVAr != 0) {
		errs = append(errs, errors.New("--mw and --mvar need --load BUS"))
	}
	if f.event.LoadBus != "" && f.event.LoadMW == 0 && f.event.LoadMVAr == 0 {
		errs = append(errs, errors.New("--load needs --mw or --mvar, a change other than 0"))
	}
	const longest = 10_000
	if !(f.seconds >= 0.01 && f.seconds <= longest) {
		errs = append(errs, fmt.Errorf("--seconds is %g, expected 0.01 to %d", f.seconds, longest))
	}
	if !(f.agc >= 0) {
		errs = append(errs, fmt.Errorf("--agc is %g, expected a gain above 0", f.agc))
	}
	return errors.Join(append(errs, f.pictures.check())...)
}

// checkEvent refuses an element that the case does not have, and names the one
// that was meant if there is one.
func checkEvent(c *grid.Case, e grid.Event) error {
	var errs []error
	check := func(ok bool, flag, kind, name string, known []string) {
		if name == "" || ok {
			return
		}
		question := ""
		if nearest, near := spelling.Nearest(name, known); near && oneLetterApart(name, nearest) {
			question = fmt.Sprintf("; did you mean %s?", nearest)
		}
		errs = append(errs, fmt.Errorf("--%s: case %s has no %s %q%s", flag, c.Name, kind, name, question))
	}
	var buses, gens, branches []string
	for i := range c.Buses {
		buses = append(buses, c.Buses[i].ID)
	}
	for i := range c.Gens {
		gens = append(gens, c.Gens[i].Bus)
	}
	for i := range c.Branches {
		branches = append(branches, c.Branches[i].ID)
	}
	_, ok := c.BusIndex(e.LoadBus)
	check(ok, "load", "bus", e.LoadBus, buses)
	_, ok = c.GenIndex(e.TripGen)
	check(ok, "trip-gen", "generator at bus", e.TripGen, gens)
	_, ok = c.BranchIndex(e.TripBranch)
	check(ok, "trip-branch", "branch", e.TripBranch, branches)
	return errors.Join(errs...)
}

// oneLetterApart tells whether one letter put in, left out or replaced makes
// the difference. Names in a case are mostly short numbers: two letters from
// one lie nearly all others.
func oneLetterApart(a, b string) bool {
	for a != "" && b != "" && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for a != "" && b != "" && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	return len(a) <= 1 && len(b) <= 1
}
