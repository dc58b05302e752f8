package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"cosim/internal/experiment"
	"cosim/internal/terminal"
	"cosim/quantum"
)

type trainFlags struct {
	overrides
	training  quantum.ForecastTraining
	out       string
	weights   string
	runs      int
	evaluate  bool
	json, csv bool
}

func newTrainForecast() *cobra.Command {
	f := trainFlags{training: quantum.DefaultForecastTraining()}
	cmd := &cobra.Command{
		Use:   "train-forecast",
		Short: "train the network of the forecaster lstm-kalman, and judge all forecasters",
		Long: `train-forecast trains the recurrent network of reconfiguration.forecaster:
lstm-kalman on simulated links, and then holds all forecasters against links
that it has not seen. The same seed gives the same weights. A program built with
the file in place of quantum/lstm.weights forecasts with them. With --evaluate
nothing is trained.`,
		Example: `  cosim train-forecast --out lstm.weights
  cosim train-forecast --evaluate
  cosim train-forecast --evaluate --weights lstm.weights --set quantum.ou_rate=0.1`,
		Args: expectNothing,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	f.register(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.out, "out", "lstm.weights", "file to write")
	flags.IntVar(&f.training.Epochs, "epochs", f.training.Epochs, "how often the network goes through all links")
	flags.IntVar(&f.training.Links, "links", f.training.Links, "links that are simulated for it, 600 s each")
	flags.IntVar(&f.training.Hidden, "hidden", f.training.Hidden, "hidden units")
	flags.IntVar(&f.runs, "runs", 20, "links of each kind to judge by")
	flags.BoolVar(&f.evaluate, "evaluate", false, "judge only")
	flags.StringVar(&f.weights, "weights", "", "judge these weights, in place of those the program was built with")
	flags.BoolVar(&f.json, "json", false, "print the table as JSON")
	flags.BoolVar(&f.csv, "csv", false, "print the table as CSV")
	cmd.MarkFlagsMutuallyExclusive("json", "csv")
	return cmd
}

func (f *trainFlags) run(cmd *cobra.Command) error {
	switch {
	case f.runs < 1:
		return fmt.Errorf("--runs is %d, expected at least 1", f.runs)
	case f.weights != "" && !f.evaluate:
		return fmt.Errorf("--weights belongs to --evaluate")
	case f.training.Links < 1 || f.training.Epochs < 1 || f.training.Hidden < 1:
		return fmt.Errorf("--links %d --epochs %d --hidden %d: expected each at least 1", f.training.Links, f.training.Epochs, f.training.Hidden)
	}
	f.training.Batch = min(f.training.Batch, f.training.Links)
	d, err := f.load(cmd, "S-3")
	if err != nil {
		return err
	}
	weights, err := f.trained(cmd, d)
	if err != nil {
		return err
	}
	rows, err := experiment.EvaluateForecasts(cmd.Context(), d, weights, f.runs)
	if err != nil {
		return failure{err}
	}
	return terminal.Forecasts(cmd.OutOrStdout(), rows, formatOf(f.json, f.csv))
}

// trained are the weights to judge: new ones, those of a file, or the built-in.
func (f *trainFlags) trained(cmd *cobra.Command, d *experiment.Definition) (*quantum.ForecastWeights, error) {
	switch {
	case f.evaluate && f.weights == "":
		return quantum.EmbeddedWeights(), nil
	case f.evaluate:
		data, err := os.ReadFile(f.weights)
		if err != nil {
			return nil, err
		}
		w, err := quantum.UnmarshalForecastWeights(data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.weights, err)
		}
		return w, nil
	}
	log := cmd.ErrOrStderr()
	fmt.Fprintf(log, "simulating %d links\n", f.training.Links)
	w, err := experiment.TrainForecast(cmd.Context(), d, f.training, func(epoch int, loss float64) {
		fmt.Fprintf(log, "epoch %d of %d: log-likelihood of the key %.4f better than the filter's\n", epoch+1, f.training.Epochs, -loss)
	})
	if err != nil {
		return nil, failure{err}
	}
	data, err := w.MarshalBinary()
	if err != nil {
		return nil, failure{err}
	}
	if err := os.WriteFile(f.out, data, 0o644); err != nil {
		return nil, failure{err}
	}
	fmt.Fprintf(log, "%s: %d octets\n", f.out, len(data))
	return w, nil
}
