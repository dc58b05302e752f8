package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"cosim/internal/experiment"
	"cosim/internal/spelling"
	"cosim/internal/terminal"
)

type linkFlags struct {
	overrides
	lengths        []float64
	from, to, step float64
	models         []string
	published      bool
	pictures       pictures
	json, csv      bool
}

func newLink() *cobra.Command {
	var f linkFlags
	cmd := &cobra.Command{
		Use:   "link [EXPERIMENT]",
		Short: "key rate, QBER and reach of QKD links, models side by side",
		Long: `link evaluates the rate models without a simulation: the links of an experiment
(S-3, where none is named) with their pools, and a link like them over distance
under every model. --set changes what the links are made of.`,
		Example: `  cosim link
  cosim link --length-km 50 --set quantum.pulse_rate_hz=1e9 --published
  cosim link mine.yaml --from 0 --to 200 --step 10 --models bb84-decoy,"bb84-decoy finite" --csv`,
		Args:              expectNoMore,
		RunE:              func(cmd *cobra.Command, args []string) error { return f.run(cmd, args) },
		ValidArgsFunction: completeExperiments,
	}
	f.register(cmd)
	flags := cmd.Flags()
	flags.Float64SliceVar(&f.lengths, "length-km", nil, "fibres of these lengths only, in `KM` (20,50,80), in place of --from, --to, --step")
	flags.Lookup("length-km").DefValue = "" // none, which would be shown as []
	flags.Float64Var(&f.from, "from", 0, "shortest fibre, `KM`")
	flags.Float64Var(&f.to, "to", 150, "longest fibre, `KM`")
	flags.Float64Var(&f.step, "step", 10, "from one to the next, `KM`")
	flags.StringSliceVar(&f.models, "models", experiment.LinkModels(), "rate `MODELS`, and in which order")
	flags.BoolVar(&f.published, "published", false, "beside the published rates of real systems")
	f.pictures.register(flags, "rates and QBER over distance")
	flags.BoolVar(&f.json, "json", false, "print everything as JSON")
	flags.BoolVar(&f.csv, "csv", false, "print the rates over distance as CSV")
	cmd.MarkFlagsMutuallyExclusive("json", "csv")
	return cmd
}

func (f *linkFlags) run(cmd *cobra.Command, args []string) error {
	lengths, err := f.distances()
	if err := errors.Join(err, f.checkModels(), f.pictures.check()); err != nil {
		return err
	}
	d, err := f.load(cmd, append(args, "S-3")[0])
	if err != nil {
		return err
	}
	study, err := experiment.StudyLinks(d, f.models, lengths)
	if err != nil {
		return err
	}
	if err := f.pictures.draw(cmd.ErrOrStderr(), terminal.LinkFigure(study)); err != nil {
		return failure{err}
	}
	return terminal.Links(cmd.OutOrStdout(), study, f.published, formatOf(f.json, f.csv))
}

func (f *linkFlags) checkModels() error {
	known := experiment.LinkModels()
	if len(f.models) == 0 {
		return fmt.Errorf("--models names no model, expected some of %s", strings.Join(known, ", "))
	}
	for _, name := range f.models {
		if slices.Contains(known, name) {
			continue
		}
		if nearest, near := spelling.Nearest(name, known); near {
			return fmt.Errorf("--models: unknown model %q; did you mean %q?", name, nearest)
		}
		return fmt.Errorf("--models: unknown model %q, expected some of %s", name, strings.Join(known, ", "))
	}
	return nil
}

// distances are the fibre lengths to look at.
func (f *linkFlags) distances() ([]float64, error) {
	const longest, most = 1000, 100_000
	lengths := f.lengths
	if lengths == nil {
		if !(f.step > 0) || !(f.to >= f.from) || (f.to-f.from)/f.step > most {
			return nil, fmt.Errorf("--from %g --to %g --step %g: expected lengths that rise, in at most %d steps", f.from, f.to, f.step, most)
		}
		for i := 0; f.from+float64(i)*f.step <= f.to+1e-9*f.step; i++ {
			lengths = append(lengths, f.from+float64(i)*f.step)
		}
	}
	var errs []error
	for _, km := range lengths {
		if !(km >= 0 && km <= longest) {
			errs = append(errs, fmt.Errorf("a fibre of %g km: expected 0 to %d", km, longest))
		}
	}
	return lengths, errors.Join(errs...)
}
