package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"cosim/internal/experiment"
	"cosim/internal/terminal"
)

type traceFlags struct {
	at, element       string
	failed, all, json bool
}

func newTrace() *cobra.Command {
	var f traceFlags
	cmd := &cobra.Command{
		Use:   "trace RUN [TASK | --at TIME --element CHAIN | --failed [CLASS]]",
		Short: "explain a task of a recorded run: trigger, key, frames, queues, command, and why it failed",
		Long: `trace makes a run again up to a task, and shows what happened to it: its trigger,
the plan, the key drawn, the frames on each leg and in each queue, what the
receivers made of them, and the command at the grid. Of a failure it says why.
TASK is a number, or a chain and a time as the list of failed tasks has them.`,
		Example: `  cosim trace runs/S-2-1 --failed
  cosim trace runs/S-2-1 pmu-36@313.11s
  cosim trace runs/S-2-1 --at 312.6s --element shed-15`,
		Args: expectRunAndTask,
		RunE: func(cmd *cobra.Command, args []string) error { return f.trace(cmd, args) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.at, "at", "", "simulated time: the task whose outcome came then, was under way, or is nearest")
	flags.StringVar(&f.element, "element", "", "its chain (shed-15) or element (block/15)")
	flags.BoolVar(&f.failed, "failed", false, "list the failed tasks, of a class if one is given")
	flags.BoolVar(&f.all, "all", false, "all failed tasks, not only the first")
	flags.BoolVar(&f.json, "json", false, "as JSON")
	return cmd
}

func (f *traceFlags) trace(cmd *cobra.Command, args []string) error {
	second := ""
	if len(args) == 2 {
		second = args[1]
	}
	if f.failed {
		if f.at != "" || f.element != "" {
			return errors.New("--failed lists tasks; --at and --element name one")
		}
		return f.list(cmd, args[0], second)
	}
	q, err := f.query(second)
	if err != nil {
		return err
	}
	t, err := experiment.TraceTask(cmd.Context(), args[0], q)
	var wrong experiment.TraceQueryError
	switch {
	case errors.As(err, &wrong):
		return err
	case err != nil:
		return failed(err)
	case f.json:
		return failed(printJSON(cmd, t))
	}
	terminal.Task(cmd.OutOrStdout(), t)
	return nil
}

func (f *traceFlags) list(cmd *cobra.Command, dir, class string) error {
	tasks, err := experiment.Failed(dir, class)
	var wrong experiment.TraceQueryError
	switch {
	case errors.As(err, &wrong):
		return err
	case err != nil:
		return failed(err)
	case f.json:
		return failed(printJSON(cmd, tasks))
	}
	terminal.FailedTasks(cmd.OutOrStdout(), tasks, f.all)
	return nil
}

// query reads what names a task.
func (f *traceFlags) query(task string) (q experiment.TraceQuery, err error) {
	element, at := f.element, f.at
	switch {
	case task != "" && (element != "" || at != ""):
		return q, fmt.Errorf("%s names a task, and so do --at and --element: give one of them", task)
	case task != "":
		if q.Task, err = strconv.ParseUint(task, 10, 64); err == nil && q.Task > 0 {
			return q, nil
		}
		var ok bool
		if element, at, ok = strings.Cut(task, "@"); !ok || element == "" {
			return q, fmt.Errorf("%q is no task, expected a number from 1 on, or a chain and a time such as shed-15@257.55s", task)
		}
	case element == "" && at == "":
		return q, errors.New("which task? give TASK, --at and --element, or --failed for the list")
	case element == "":
		return q, errors.New("--element is missing: --at alone names no task")
	case at == "":
		return q, errors.New("--at is missing: --element alone names no task")
	}
	t, err := time.ParseDuration(at)
	if err != nil || t < 0 {
		return q, fmt.Errorf("%q is no time of a run, expected one such as 257.55s", at)
	}
	return experiment.TraceQuery{Element: element, AtNS: t.Nanoseconds()}, nil
}
