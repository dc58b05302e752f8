package main

import (
	"slices"

	"github.com/spf13/cobra"

	"cosim/internal/experiment"
	"cosim/internal/terminal"
)

func newList() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "the experiments and cases that ship inside",
		Args:  expectNothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			inside, err := experiment.Inside()
			if err != nil {
				return err
			}
			terminal.Inside(cmd.OutOrStdout(), inside)
			return nil
		},
	}
}

func newShow() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "show EXPERIMENT",
		Short: "the YAML of an experiment, to read or to copy and edit",
		Args:  expectExperiment,
		RunE: func(cmd *cobra.Command, args []string) error {
			data, err := experiment.Show(args[0], all)
			if err != nil {
				return err
			}
			_, err = cmd.OutOrStdout().Write(data)
			return err
		},
		ValidArgsFunction: completeExperiments,
	}
	cmd.Flags().BoolVar(&all, "all", false, "complete: with everything that comes from the case and the defaults, which then lie beneath it no more")
	return cmd
}

func newValidate() *cobra.Command {
	var o overrides
	cmd := &cobra.Command{
		Use:   "validate FILE...",
		Short: "every mistake of an experiment at once, with line and column",
		Args:  expectFiles,
		RunE: func(cmd *cobra.Command, args []string) error {
			return validateAll(cmd, args, o)
		},
		ValidArgsFunction: completeExperiments,
	}
	o.register(cmd)
	return cmd
}

func completeExperiments(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return slices.Concat(experiment.Names(), experiment.Ablations()), cobra.ShellCompDirectiveDefault
}
